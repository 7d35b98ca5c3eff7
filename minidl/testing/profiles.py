"""Hypothesis profiles for test suites that use these checks: how many cases, and whether the same ones every time."""

from contextlib import suppress

from hypothesis import settings
from hypothesis.errors import InvalidArgument

PROFILES = {
    "dev": settings(max_examples=30, deadline=None, database=None),
    "ci": settings(max_examples=100, deadline=None, database=None, derandomize=True, print_blob=True),
    "deep": settings(max_examples=10_000, deadline=None, database=None),
}
"""name -> settings: 30 new cases each time, the same 100 every time, 10 000 new ones.

Importing `minidl.testing` registers those whose name is free, so that a suite's own profiles win; "ci" is one that
hypothesis brings, with the same meaning. Load one before the tests are made: `settings.load_profile("dev")`.
"""

for _name, _settings in PROFILES.items():
    _taken = False
    with suppress(InvalidArgument):
        _taken = bool(settings.get_profile(_name))
    if not _taken:
        settings.register_profile(_name, _settings)

"""Hypothesis profiles for test suites that use these checks: how many cases, and whether the same ones every time."""

from hypothesis import settings

PROFILES = {
    "minidl-dev": settings(max_examples=30, deadline=None, database=None),
    "minidl-ci": settings(max_examples=100, deadline=None, database=None, derandomize=True, print_blob=True),
    "minidl-deep": settings(max_examples=10_000, deadline=None, database=None),
}
"""name -> settings, registered when `minidl.testing` is imported.

`minidl-dev` draws 30 new cases each time, `minidl-ci` the same 100 every time, `minidl-deep` 10 000 new ones. Load one
in `conftest.py` or a notebook: `hypothesis.settings.load_profile("minidl-dev")`, before the tests are made.
"""

for _name, _settings in PROFILES.items():
    settings.register_profile(_name, _settings)

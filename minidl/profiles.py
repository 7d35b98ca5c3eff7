"""Profiles of hypothesis: how many cases a check tries. Hypothesis imports this, where minidl is installed."""

from contextlib import suppress

from hypothesis import settings
from hypothesis.errors import InvalidArgument

PROFILES = {
    "dev": settings(max_examples=30, deadline=None, database=None),
    "ci": settings(max_examples=100, deadline=None, database=None, derandomize=True, print_blob=True),
    "deep": settings(max_examples=10_000, deadline=None, database=None),
}
"""name -> settings: 30 new cases each time, the same 100 every time, 10 000 new ones.

Those whose name is free are registered, so that a suite's own profiles win; "ci" is one that hypothesis brings, with
the same meaning. Choose one by `pytest --hypothesis-profile=dev`, or before tests are made by
`settings.load_profile("dev")`.
"""


def register() -> None:
    """Register the profiles whose name is free."""
    for name, profile in PROFILES.items():
        taken = False
        with suppress(InvalidArgument):
            taken = bool(settings.get_profile(name))
        if not taken:
            settings.register_profile(name, profile)

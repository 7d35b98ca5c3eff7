"""Profiles of hypothesis: how many cases a check tries. Hypothesis calls `register`, where minidl is installed."""

from contextlib import suppress
from typing import Any

PROFILES: dict[str, dict[str, Any]] = {
    "dev": {"max_examples": 30, "deadline": None, "database": None},
    "ci": {"max_examples": 100, "deadline": None, "database": None, "derandomize": True, "print_blob": True},
    "deep": {"max_examples": 10_000, "deadline": None, "database": None},
}


def register() -> None:
    """Register the profiles whose name is free, so that a suite's own win.

    Hypothesis is imported here and not above: it calls this while it is being imported itself.
    """
    from hypothesis import settings
    from hypothesis.errors import InvalidArgument

    for name, options in PROFILES.items():
        taken = False
        with suppress(InvalidArgument):
            taken = bool(settings.get_profile(name))
        if not taken:
            settings.register_profile(name, settings(**options))

"""User code, checked twice: `mypy --strict` reads these files, and pytest runs them, so what types also works.

Lines that must fail carry a `# type: ignore[...]` with their error: strict mypy reports one that fails no longer. Run,
the same lines end in an error of the library too.
"""

from collections.abc import Callable


def refused(call: Callable[[], object]) -> bool:
    """Whether the library refuses a call as a type checker does."""
    try:
        call()
    except (TypeError, ValueError, AttributeError):
        return True
    return False

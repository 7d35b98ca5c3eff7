"""Public calls give the same bits under any `np.seterr`: whoever looks for NaN finds it in their own arithmetic.

What underflows is 0 to rounding, and what overflows is infinity, which the losses and the trainer look for themselves.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


class Errstate:
    """`np.errstate(all="ignore")` with the methods of a ContextVar, for a numpy that keeps its settings elsewhere."""

    def get(self, default: object) -> object:
        """None: not known."""
        return None

    def set(self, value: object) -> Any:
        """Begin."""
        errors = np.errstate(all="ignore")
        errors.__enter__()
        return errors

    def reset(self, errors: Any) -> None:
        """Leave everything as it was."""
        errors.__exit__(None, None, None)


def numpys_settings() -> tuple[Any, object]:
    """The variable in which numpy keeps what it says of floats, and its value where that is nothing.

    To set it takes a fifth of the time of `np.errstate`, which a small layer would notice. The value also has the size
    of numpy's buffers, and the function that `np.seterrcall` named, at the moment of this call.
    """
    before = copy_context()
    with np.errstate(all="ignore"):
        changed = [(var, value) for var, value in copy_context().items() if before.get(var) is not value]
    return changed[0] if len(changed) == 1 else (Errstate(), object())


_settings, _SILENT = numpys_settings()


class quietly:  # noqa: N801 like np.errstate
    """A block in which numpy says nothing of floats, and in which `quiet` functions need not ask for that again.

    >>> with np.errstate(all="raise"), quietly():
    ...     np.float32([1e-30]) * np.float32(1e-30)
    array([0.], dtype=float32)
    """

    def __enter__(self) -> None:
        """Begin."""
        self._before = _settings.set(_SILENT)

    def __exit__(self, *error: object) -> None:
        """Leave everything as it was."""
        _settings.reset(self._before)


@contextmanager
def settings_kept() -> Iterator[None]:
    """A block after which numpy's settings are what they were, also where Ctrl-C cut short the end of a quiet one."""
    with np.errstate():
        yield


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, of which numpy says nothing of floats.

    >>> @quiet
    ... def squared(x):
    ...     return x * x
    >>> with np.errstate(all="raise"):
    ...     squared(np.float32([1e-30]))
    array([0.], dtype=float32)
    """

    @wraps(function)
    def silent(*args: P.args, **kwargs: P.kwargs) -> R:
        if _settings.get(None) is _SILENT:
            return function(*args, **kwargs)
        before = _settings.set(_SILENT)
        try:
            return function(*args, **kwargs)
        finally:
            _settings.reset(before)

    return silent

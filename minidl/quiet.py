"""Public calls give the same bits under any `np.seterr`: whoever looks for NaN finds it in their own arithmetic.

What underflows is 0 to rounding, and what overflows is infinity, which the losses and the trainer look for themselves.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")
_inside: ContextVar[bool] = ContextVar("inside", default=False)


class quietly:  # noqa: N801 like np.errstate
    """A block in which numpy says nothing of floats, and in which `quiet` functions need not ask for that again.

    >>> with np.errstate(all="raise"), quietly():
    ...     np.float32([1e-30]) * np.float32(1e-30)
    array([0.], dtype=float32)
    """

    def __enter__(self) -> None:
        """Begin."""
        self._errors = np.errstate(all="ignore")
        self._errors.__enter__()
        self._before = _inside.set(True)

    def __exit__(self, *error: object) -> None:
        """Leave everything as it was."""
        _inside.reset(self._before)
        self._errors.__exit__(None, None, None)


@contextmanager
def settings_kept() -> Iterator[None]:
    """A block after which numpy's settings are what they were, also where Ctrl-C cut short the end of a quiet one."""
    before = _inside.get()
    with np.errstate():
        try:
            yield
        finally:
            _inside.set(before)


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
        if _inside.get():
            return function(*args, **kwargs)
        with quietly():
            return function(*args, **kwargs)

    return silent

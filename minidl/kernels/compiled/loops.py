"""What every compiled loop is compiled with, and who is told when that takes a while."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core import event

from minidl.kernels.forms import watching

F = TypeVar("F", bound=Callable[..., Any])


def loop(function: F) -> F:
    """Compile at the first call and keep the code on disk; the loop lets go of the interpreter while it runs.

    A product and a sum may be one rounding, which changes no NaN, infinity or signed zero; nothing else is reordered.
    Division is that of IEEE 754 (`error_model="numpy"`): else zeros are looked for, one number at a time. Give `range`
    an `np.uint64`, since a signed index would be asked whether it counts from the end.
    """
    return _compiled(function, {"contract"})


def summing_loop(function: F) -> F:
    """Like `loop`, for sums whose terms may be taken in another order, so that several are added at once."""
    return _compiled(function, {"contract", "reassoc"})


def exact_loop(function: F) -> F:
    """Like `loop`, with the roundings of NumPy."""
    return _compiled(function, set())


def _compiled(function: F, fastmath: set[str]) -> F:
    compiled: F = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath=fastmath)(function)
    return compiled


class _Compiling(event.Listener):  # type: ignore[misc]
    """Tells whoever watches, once in a process."""

    told = False

    def on_start(self, event: Any) -> None:
        """A function is compiled: is it one of these?"""
        module = event.data["dispatcher"].py_func.__module__ or ""  # a function of a person's own may have none
        if not self.told and watching and module.startswith("minidl."):
            self.told = True
            for tell in list(watching):
                tell("compiling kernels, once")

    def on_end(self, event: Any) -> None:
        """Nothing is to be said."""


event.register("numba:compile", _Compiling())

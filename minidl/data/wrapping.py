"""Whether a function of bytes or other small integers wrapped around: numpy counts modulo 256 there, without a word."""

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.parameters import Array

MONOTONE = {np.add, np.subtract, np.multiply, np.negative}  # in each argument: corners bound the results
GROWING = MONOTONE | {np.left_shift, np.square, np.absolute, np.power, np.float_power, np.matmul, np.vecdot}
CALLED = {np.dot, np.inner, np.tensordot, np.einsum, np.convolve, np.correlate, np.kron, np.vdot}


def watched(function: Callable[[Array], Any], x: Array) -> tuple[Any, bool]:
    """function(x), and whether it may have wrapped around. It is called once, with an array that watches arithmetic.

    What leaves our sight, as `np.asarray(x)` does, may have wrapped around; so may a function that takes no such array,
    which is then called with a plain one.

    >>> x = np.array([[0, 200]], np.uint8)
    >>> watched(lambda x: ~x // 2, x), watched(lambda x: x - 1, x)[1]
    ((array([[127,  27]], dtype=uint8), False), True)
    """
    if not _narrow(x) or type(x) is not np.ndarray:
        return function(x), True
    seen = x.view(_Watched)
    try:
        result = function(seen)
    except Exception:  # of somebody who takes plain arrays only, or for good
        return function(x), True
    if not isinstance(result, _Watched):
        return result, True
    return (x if result is seen else result.view(np.ndarray)), bool(seen.noted)


def wraps_around(function: Callable[[Array], Array], x: Array) -> bool:
    """Whether a function gives other numbers for small integers than for the same in 64 bits, on a few rows of x."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize > 4:
        return False
    extremes = [int(place) // (x.size // len(x)) for place in (x.argmin(), x.argmax())]
    few = np.concatenate([x[: min(len(x), 32)], x[extremes]])
    try:
        narrow, again, wide = (function(few.astype(dtype)) for dtype in (x.dtype, x.dtype, np.int64))
    except Exception:  # a function of a whole set only
        return False
    return np.array_equal(narrow, again) and narrow.shape == wide.shape and not np.array_equal(narrow, wide)


class _Watched(np.ndarray[Any, Any]):
    """An array that notes, for itself and all that is made of it, what may have left its dtype."""

    noted: list[object]

    def __array_finalize__(self, before: Any) -> None:
        self.noted = getattr(before, "noted", [])

    if not TYPE_CHECKING:

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
            plain = [_plain(value) for value in inputs]
            bounds = _bounds(ufunc, plain) if ufunc in MONOTONE and method == "__call__" else None
            result = getattr(ufunc, method)(*plain, **{name: _plain(value) for name, value in kwargs.items()})
            if ufunc in GROWING and _narrow(result) and not _within(bounds, result.dtype):
                self.noted.append(ufunc)
            if kwargs.get("out"):
                return kwargs["out"][0]
            return self._like(result)

        def __array_function__(self, function: Any, *call: Any) -> Any:
            if function in CALLED:
                self.noted.append(function)
            return super().__array_function__(function, *call)

        def dot(self, *args: Any, **kwargs: Any) -> Any:
            self.noted.append(np.dot)
            return super().dot(*args, **kwargs)

        def _like(self, result: Any) -> Any:
            if not isinstance(result, np.ndarray):
                return result
            mine = result.view(_Watched)
            mine.noted = self.noted
            return mine


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value.view(np.ndarray) if isinstance(value, _Watched) else value


def _narrow(array: Any) -> bool:
    """Whether these are integers of at most 32 bits."""
    return isinstance(array, np.ndarray | np.generic) and array.dtype.kind in "iu" and array.dtype.itemsize <= 4


def _bounds(ufunc: Any, inputs: list[Any]) -> list[int] | None:
    """What the results are between, were they whole numbers of any size; None where nobody knows."""
    arrays = [array for array in map(np.asarray, inputs) if array.size and array.dtype.kind in "biu"]
    ends = [(array.min(), array.max()) for array in arrays]
    if len(ends) < len(inputs):
        return None
    return [int(ufunc(*map(int, corner), dtype=object)) for corner in product(*ends)]


def _within(bounds: list[int] | None, dtype: np.dtype[Any]) -> bool:
    limits = np.iinfo(dtype)
    return bounds is not None and all(limits.min <= bound <= limits.max for bound in bounds)

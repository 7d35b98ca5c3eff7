"""Augmenting: what the caller's function makes of a training batch, looked at before the model sees it."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import check_function, short
from minidl.parameters import Array
from minidl.returned import as_numbers, saying

Augment: TypeAlias = (
    Callable[[Array, "np.random.Generator"], Array]
    | Callable[[Array, Array, "np.random.Generator"], tuple[Array, Array]]
)
Augmentation: TypeAlias = Callable[[Array, Array, "np.random.Generator", DTypeLike], tuple[Array, Array]]
OF_X, OF_BOTH = "augment(x, rng)", "augment(x, targets, rng)"


def augmentation(function: Callable[..., Any]) -> Augmentation:
    """One form for both: (x, rng) -> x, and (x, targets, rng) -> (x, targets) for those that need three arguments.

    Raises:
        TypeError: not a function of either, now; or of what it returns, when it is called.
    """
    if not _takes(function, "x", "rng") and _takes(function, "x", "targets", "rng"):
        return lambda x, targets, rng, dtype: _both(function, x, targets, rng, dtype)
    advice = "write lambda x, rng: ..., or RandomFlip(); what changes targets too is a function (x, targets, rng)"
    check_function("augment", function, "x", "rng", advice=advice)
    return lambda x, targets, rng, dtype: (_x(function, x, rng, dtype), targets)


def _takes(function: Callable[..., Any], *arguments: str) -> bool:
    try:
        check_function("augment", function, *arguments, advice="")
    except TypeError:
        return False
    return True


def _x(function: Callable[..., Any], x: Array, rng: np.random.Generator, dtype: DTypeLike) -> Array:
    with saying(OF_X, function):
        value = function(x, rng)
        if isinstance(value, tuple):
            raise TypeError(
                f"expected {OF_X} to return x, received a tuple of {len(value)}: a function {OF_BOTH} returns "
                f"(x, targets)"
            )
        return _rows(OF_X, value, len(x), "").astype(dtype, copy=False)


def _both(
    function: Callable[..., Any], x: Array, targets: Array, rng: np.random.Generator, dtype: DTypeLike
) -> tuple[Array, Array]:
    with saying(OF_BOTH, function):
        value = function(x, targets, rng)
        if not isinstance(value, tuple) or len(value) != 2:
            received = f"a tuple of {len(value)}" if isinstance(value, tuple) else short(value)
            raise TypeError(f"expected {OF_BOTH} to return (x, targets), received {received}: return both")
        new = _rows(OF_BOTH, value[0], len(x), " of x").astype(dtype, copy=False)
        changed = _rows(OF_BOTH, value[1], len(x), " of targets")
        return new, changed.astype(dtype, copy=False) if changed.dtype.kind == "f" else changed


def _rows(call: str, value: object, rows: int, of: str) -> Array:
    array: Array = as_numbers(call, value)
    if array.ndim == 0 or len(array) != rows:
        received = len(array) if array.ndim else short(array[()])
        raise ValueError(f"expected augment to return {rows} rows{of} as it was given, received {received}")
    return array

"""When numbers that were computed in two ways count as the same."""

from collections.abc import Mapping

import numpy as np

from minidl.parameters import Array


def same_bits(a: Mapping[str, Array], b: Mapping[str, Array]) -> bool:
    """Whether all arrays of two collections are the same, to the bit; NaN is the same as NaN."""
    return all(np.array_equal(a[name], b[name], equal_nan=True) for name in a)


def close(a: Array, b: Array, *, scale: float = 0.0) -> bool:
    """Equal to rounding, relative to the largest element and to `scale`; NaN equals nothing."""
    size = max(scale, float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    return a.shape == b.shape and bool((np.abs(a - b) <= 1e-9 * size + 1e-12).all())

"""The largest number of each row, found several numbers at a time: floats are compared one by one, for NaN's sake."""

import numpy as np
from numba import types
from numba.extending import overload

from minidl.kernels.compiled.loops import loop


@loop
def largest_of_rows(x, largest):
    """largest_i = max_k x_ik, NaN if one is NaN: for x (n, K) with K > 0.

    The bits without the sign, as an integer, grow with the size; those of negative numbers are turned around. Then
    integers are in the order of the floats, and NaN is further out than infinity.
    """
    bits = integers(x)
    whole = bits.dtype.type
    sign, rest = whole(8 * x.itemsize - 1), whole(np.iinfo(bits.dtype).max)
    infinity = integers(np.array([np.inf], x.dtype))[0]
    for i in range(np.uint64(len(x))):
        row, top, size = bits[i], whole(-infinity - 1), whole(0)
        for k in range(np.uint64(x.shape[1])):
            top = max(top, whole(row[k] ^ whole(whole(row[k] >> sign) & rest)))
            size = max(size, whole(row[k] & rest))
        found = number(whole(top ^ whole(whole(top >> sign) & rest)))
        largest[i] = found if size <= infinity else x.dtype.type(np.nan)


def integers(x):
    """The bits of an array of floats, as integers; for use in loops only."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use x.view")


def number(bits):
    """The float of these bits; for use in loops only."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use bits.view")


@overload(integers, inline="always")
def _integers(x):
    if x.dtype == types.float32:
        return lambda x: x.view(np.int32)
    return lambda x: x.view(np.int64)


@overload(number)
def _number(bits):
    if bits == types.int32:
        return lambda bits: np.int32(bits).view(np.float32)
    return lambda bits: np.int64(bits).view(np.float64)

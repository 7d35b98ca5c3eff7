"""exp as arithmetic, so that a loop computes it for several numbers at once; that of the C library goes one by one."""

import math

import numpy as np
from numba import types
from numba.extending import overload

LOG2E = np.float32(1.44269504088896341)
HIGH, LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # log(2) in two parts
LEAST, MOST = np.float32(-104.0), np.float32(89.0)  # exp is 0 below and infinite above


def exp(x):
    """e to the power of x within 2 units in the last place, also where it is denormal; for use in loops only."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.exp")


@overload(exp, jit_options={"error_model": "numpy", "fastmath": {"contract"}})
def _exp(x):
    if x == types.float32:
        return _exp_of_float32
    return lambda x: math.exp(x)


def _exp_of_float32(x):
    # exp(x) = 2^k exp(r) with r = x - k log(2) in [-log(2) / 2, log(2) / 2]; the polynomial is that of Cephes.
    within = min(max(x, LEAST), MOST) if x == x else np.float32(0)
    k = np.rint(within * LOG2E)
    r = within - k * HIGH - k * LOW
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    y = p * (r * r) + r + np.float32(1)
    half = np.int32(k) >> np.int32(1)  # in two steps: 2^k itself may be no number of the dtype
    rest = np.int32(k) - half
    y *= np.int32((half + np.int32(127)) << np.int32(23)).view(np.float32)
    y *= np.int32((rest + np.int32(127)) << np.int32(23)).view(np.float32)
    return y if x == x else x

"""exp and log as arithmetic, so that a loop computes them for several numbers at once; those of C go one by one.

The polynomials of float32's exp are those of Cephes; the others pass through the function at the zeros of a Chebyshev
polynomial, which leaves less than a tenth of a unit in the last place.
"""

import numpy as np
from numba import types
from numba.extending import overload

LOG2E = 1.44269504088896341
LOG2 = 0.6931471805599453
HIGH, LOW = 0.693359375, -2.12194440e-4  # log(2) in two parts, of which k times the first is exact
HIGH64, LOW64 = 6.93145751953125e-1, 1.42860682030941723e-6
LEAST, MOST = np.float32(-104.0), np.float32(89.0)  # exp is 0 below and infinite above
LEAST64, MOST64 = -746.0, 710.0
ARITHMETIC = {"error_model": "numpy", "fastmath": {"contract"}}


def exp(x):
    """e to the power of x within 2 units in the last place, also where it is denormal; for use in loops only."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.exp")


def log1p(x):
    """The logarithm of 1 + x within 2 units in the last place for x in [0, 1], NaN for NaN; for use in loops only."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.log1p")


def log(x):
    """The logarithm of x within 2 units in the last place for finite x >= 1, NaN for NaN; for use in loops only."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.log")


@overload(exp, jit_options=ARITHMETIC)
def _exp(x):
    return _exp_of_float32 if x == types.float32 else _exp_of_float64


@overload(log1p, jit_options=ARITHMETIC)
def _log1p(x):
    return _log1p_of_float32 if x == types.float32 else _log1p_of_float64


@overload(log, jit_options=ARITHMETIC)
def _log(x):
    return _log_of_float32 if x == types.float32 else _log_of_float64


def _exp_of_float32(x):
    # exp(x) = 2^k exp(r) with r = x - k log(2) in [-log(2) / 2, log(2) / 2]
    within = min(max(x, LEAST), MOST) if x == x else np.float32(0)
    k = np.rint(within * np.float32(LOG2E))
    r = within - k * np.float32(HIGH) - k * np.float32(LOW)
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


def _exp_of_float64(x):
    within = min(max(x, LEAST64), MOST64) if x == x else 0.0
    k = np.rint(within * LOG2E)
    r = within - k * HIGH64 - k * LOW64
    p = 2.510038549551032e-08
    p = p * r + 2.7620088445409746e-07
    p = p * r + 2.7557268459997064e-06
    p = p * r + 2.4801521295954376e-05
    p = p * r + 0.00019841269863053618
    p = p * r + 0.0013888888917213717
    p = p * r + 0.008333333333330062
    p = p * r + 0.04166666666662413
    p = p * r + 0.16666666666666669
    p = p * r + 0.5000000000000001
    y = p * (r * r) + r + 1.0
    half = np.int32(k) >> np.int32(1)
    rest = np.int32(k) - half
    y *= np.int64(np.int64(half + np.int32(1023)) << np.int64(52)).view(np.float64)
    y *= np.int64(np.int64(rest + np.int32(1023)) << np.int64(52)).view(np.float64)
    return y if x == x else x


def _log1p_of_float32(x):
    # log(1 + x) = 2 atanh(d / 2) with d = 2 x / (2 + x), and atanh(s) = s + s^3 / 3 + s^5 / 5 + ...
    d = (x + x) / (np.float32(2) + x)
    z = np.float32(0.25) * d * d
    p = np.float32(0.11612165)
    p = p * z + np.float32(0.108532876)
    p = p * z + np.float32(0.14296179)
    p = p * z + np.float32(0.19999853)
    p = p * z + np.float32(0.33333334)
    return d + d * (p * z)


def _log1p_of_float64(x):
    d = (x + x) / (2.0 + x)
    z = 0.25 * d * d
    p = 0.08082022805971767
    p = p * z + 0.04400369243072337
    p = p * z + 0.06000536404795356
    p = p * z + 0.06657072104827468
    p = p * z + 0.07692785032479312
    p = p * z + 0.09090894718066429
    p = p * z + 0.11111111358713932
    p = p * z + 0.1428571428355438
    p = p * z + 0.20000000000007292
    p = p * z + 0.3333333333333333
    return d + d * (p * z)


def _log_of_float32(x):
    # log(2^k (1 + f)) = k log(2) + log(1 + f): no term is negative
    bits = np.float32(x).view(np.int32)
    k = np.float32((bits >> np.int32(23)) - np.int32(127))
    f = np.int32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F800000)).view(np.float32) - np.float32(1)
    y = k * np.float32(LOG2) + log1p(f)
    return y if x == x else x


def _log_of_float64(x):
    bits = np.float64(x).view(np.int64)
    k = np.float64(np.int32(bits >> np.int64(52)) - np.int32(1023))
    f = np.int64((bits & np.int64(0x000FFFFFFFFFFFFF)) | np.int64(0x3FF0000000000000)).view(np.float64) - 1.0
    y = k * LOG2 + log1p(f)
    return y if x == x else x

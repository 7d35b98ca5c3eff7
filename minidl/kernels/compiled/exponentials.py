"""exp, expm1, log1p and log as arithmetic, so that loops take several numbers at once; the C library takes one by one.

With k the whole number next to x / log(2) and r = x - k log(2), within log(2) / 2 of 0:

    exp(x) = 2^k exp(r),  exp(r) = 1 + r + r^2 q(r),  q a polynomial

For use in compiled loops only. NaN stays NaN. Farthest from the true value, in units in the last place, over the whole
range: exp 1.1, expm1 1.2, log1p and log 2.0; also where the result is denormal. Those of NumPy are between 0.5 and 2.4.
"""

import numpy as np
from numba import types
from numba.extending import overload

from minidl.kernels.compiled.loops import loop

ONE, TWO, BIAS, PLACES = np.float32(1), np.float32(2), np.int32(127), np.int32(23)  # of float32's exponent
BIAS64, PLACES64 = np.int64(1023), np.int64(52)
LOG2E, LOG2E64 = np.float32(1.44269504088896341), 1.4426950408889634
LOG2 = 0.6931471805599453
HIGH, LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # log(2) in two parts, k times the first is exact
HIGH64, LOW64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LEAST, MOST, LEAST64, MOST64 = np.float32(-104), np.float32(89), -746.0, 710.0  # exp is 0 below and infinite above
GONE, GONE64 = np.float32(-20), -40.0  # expm1 is -1 below


def exp(x):
    """e^x."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.exp")


def expm1(x):
    """e^x - 1 of x <= 0."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.expm1")


def log1p(x):
    """log(1 + x) of 0 <= x <= 1."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.log1p")


def log(x):
    """The logarithm of x, finite and >= 1."""
    raise TypeError("expected a call from a compiled loop, received one from Python: use np.log")


@overload(exp)
def _exp(x):
    return (lambda x: _exp32(x)) if x == types.float32 else (lambda x: _exp64(x))


@overload(expm1)
def _expm1(x):
    return (lambda x: _expm1_32(x)) if x == types.float32 else (lambda x: _expm1_64(x))


@overload(log1p)
def _log1p(x):
    return (lambda x: _log1p_32(x)) if x == types.float32 else (lambda x: _log1p_64(x))


@overload(log)
def _log(x):
    return _log32 if x == types.float32 else _log64


@loop
def _exp32(x):
    within = min(max(x, LEAST), MOST) if x == x else np.float32(0)
    k = np.rint(within * LOG2E)
    r = within - k * HIGH - k * LOW
    y = _q32(r) * (r * r) + r + ONE
    half = np.int32(k) >> np.int32(1)  # in two steps: 2^k itself may be no number of the dtype
    y = y * _power32(half) * _power32(np.int32(k) - half)
    return y if x == x else x


@loop
def _exp64(x):
    within = min(max(x, LEAST64), MOST64) if x == x else 0.0
    k = np.rint(within * LOG2E64)
    r = within - k * HIGH64 - k * LOW64
    y = _q64(r) * (r * r) + r + 1.0
    half = np.int32(k) >> np.int32(1)
    y = y * _power64(half) * _power64(np.int32(k) - half)
    return y if x == x else x


@loop
def _expm1_32(x):
    within = max(x, GONE) if x == x else np.float32(0)
    k = np.rint(within * LOG2E)
    r = within - k * HIGH - k * LOW
    power = _power32(np.int32(k))
    y = power * (_q32(r) * (r * r) + r) + (power - ONE)
    return y if x < 0 else x  # the sign of a 0 stays


@loop
def _expm1_64(x):
    within = max(x, GONE64) if x == x else 0.0
    k = np.rint(within * LOG2E64)
    r = within - k * HIGH64 - k * LOW64
    power = _power64(np.int32(k))
    y = power * (_q64(r) * (r * r) + r) + (power - 1.0)
    return y if x < 0 else x


@loop
def _log1p_32(x):
    # log(1 + x) = 2 artanh(s) with s = x / (2 + x) <= 1/3, an odd function; u = 2 s keeps denormal numbers whole.
    u = (x + x) / (x + TWO)
    t = np.float32(0.25) * (u * u)
    p = np.float32(1.34418045e-1)
    p = p * t + np.float32(1.41156402e-1)
    p = p * t + np.float32(2.00038911e-1)
    p = p * t + np.float32(3.33333195e-1)
    return p * t * u + u


@loop
def _log1p_64(x):
    u = (x + x) / (x + 2.0)
    t = 0.25 * (u * u)
    p = 8.09378726241834002e-2
    p = p * t + 4.39449236797251449e-2
    p = p * t + 6.00175949213790499e-2
    p = p * t + 6.65693485900668337e-2
    p = p * t + 7.69279400633456831e-2
    p = p * t + 9.09089437349488961e-2
    p = p * t + 1.11111113661428746e-1
    p = p * t + 1.42857142834741973e-1
    p = p * t + 2.00000000000076242e-1
    p = p * t + 3.33333333333333291e-1
    return p * t * u + u


@loop
def _q32(r):
    # That of Cephes.
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    return p * r + np.float32(5.0000001201e-1)


@loop
def _q64(r):
    # By Remez' algorithm, as are those of log1p: the largest error is the least that a polynomial of this degree has.
    p = 2.51100498958587163e-8
    p = p * r + 2.76200905184994294e-7
    p = p * r + 2.75572423366803571e-6
    p = p * r + 2.48015212909733460e-5
    p = p * r + 1.98412698865909993e-4
    p = p * r + 1.38888889172174569e-3
    p = p * r + 8.33333333332220730e-3
    p = p * r + 4.16666666666241189e-2
    p = p * r + 1.66666666666666745e-1
    return p * r + 5.00000000000000102e-1


@loop
def _power32(k):
    # 2^k: its bits are those of k.
    return np.int32((k + BIAS) << PLACES).view(np.float32)


@loop
def _power64(k):
    return np.int64((np.int64(k) + BIAS64) << PLACES64).view(np.float64)


def _log32(x):
    # log(2^k (1 + f)) = k log(2) + log(1 + f): no term is negative
    bits = np.float32(x).view(np.int32)
    k = np.float32((bits >> PLACES) - BIAS)
    f = np.int32((bits & np.int32(0x007FFFFF)) | np.int32(0x3F800000)).view(np.float32) - ONE
    y = k * np.float32(LOG2) + log1p(f)
    return y if x == x else x


def _log64(x):
    bits = np.float64(x).view(np.int64)
    k = np.float64(np.int32(bits >> PLACES64) - np.int32(1023))
    f = np.int64((bits & np.int64(0x000FFFFFFFFFFFFF)) | np.int64(0x3FF0000000000000)).view(np.float64) - 1.0
    y = k * LOG2 + log1p(f)
    return y if x == x else x

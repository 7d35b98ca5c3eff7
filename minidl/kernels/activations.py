"""Element-wise nonlinearities and their derivatives, for arrays of any shape and order in memory.

The forms differ by the roundings of exp and of the sums and products in the formula: 8 units in the last place.
"""

import math
from functools import cache
from typing import Any

import numpy as np

from minidl.kernels.forms import Kernel
from minidl.parameters import Array, Floats

GELU_LINEAR = 2 * math.sqrt(2 / math.pi)  # 2 u = GELU_LINEAR (x + GELU_CUBIC x^3)
GELU_CUBIC = 0.044715
GELU_FLAT, SILU_FLAT = 40.0, 800.0  # where the gate is 0 or 1 in float64 too, and x times it is the same further out


@Kernel
def logistic(x: Array) -> Floats:
    """1 / (1 + exp(-x)), no smaller than the smallest normal number of the dtype."""
    y = np.empty_like(x, subok=False)
    np.negative(x, out=y)
    np.minimum(y, largest_exponent(y.dtype), out=y)
    np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)
    return y


@cache
def largest_exponent(dtype: np.dtype[Any]) -> Any:
    """The largest x of a dtype for which 1 / (1 + exp(x)) is a normal number, as arrays of any length round it."""
    bound = dtype.type(-np.log(np.longdouble(np.finfo(dtype).tiny)))
    while (np.reciprocal(np.exp(np.full(67, bound)) + dtype.type(1)) < np.finfo(dtype).tiny).any():
        bound = np.nextafter(bound, dtype.type(0))
    return bound


@Kernel
def logistic_backward(y: Array, dy: Array) -> Array:
    """y (1 - y) dy."""
    dx: Array = 1 - y
    dx *= y
    dx *= dy
    return dx


@Kernel
def relu_backward(x: Array, dy: Array) -> Array:
    """1{x > 0} dy."""
    return dy * (x > 0)


@Kernel
def tanh_backward(y: Array, dy: Array) -> Array:
    """(1 - y^2) dy."""
    dx: Array = 1 - np.square(y)
    dx *= dy
    return dx


@Kernel
def gelu(x: Array) -> tuple[Array, Array]:
    """x s and s = logistic(2 u) with 2 u = 2 sqrt(2 / pi) (x + 0.044715 x^3); far below 0, where s is 0, x is -40."""
    near = np.clip(x, -GELU_FLAT, GELU_FLAT)
    u2 = near * near
    u2 *= GELU_CUBIC
    u2 += 1
    u2 *= near
    u2 *= GELU_LINEAR
    s = logistic.plain(u2)
    y: Array = np.clip(x, -GELU_FLAT, np.inf)
    y *= s
    return y, s


@Kernel
def gelu_backward(x: Array, s: Array, dy: Array) -> Array:
    """(s + x s (1 - s) du2) dy with du2 = 2 sqrt(2 / pi) (1 + 3 * 0.044715 x^2)."""
    near = np.clip(x, -GELU_FLAT, GELU_FLAT)
    slope: Array = near * near
    slope *= 3 * GELU_CUBIC
    slope += 1
    slope *= GELU_LINEAR
    slope *= near
    slope *= 1 - s
    slope += 1
    slope *= s
    return dy * slope


@Kernel
def silu(x: Array) -> tuple[Array, Array]:
    """x s and s = logistic(x); far below 0, where s is 0, x is -800."""
    s = logistic.plain(x)
    y: Array = np.clip(x, -SILU_FLAT, np.inf)
    y *= s
    return y, s


@Kernel
def silu_backward(x: Array, s: Array, dy: Array) -> Array:
    """s (1 + x (1 - s)) dy."""
    slope: Array = 1 - s
    slope *= np.clip(x, -SILU_FLAT, SILU_FLAT)
    slope += 1
    slope *= s
    return dy * slope

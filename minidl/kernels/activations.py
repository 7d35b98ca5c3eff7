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
def relu(x: Array) -> Array:
    """max(0, x)."""
    return np.maximum(x, 0)


@Kernel
def relu_backward(x: Array, dy: Array) -> Array:
    """1{x > 0} dy."""
    return dy * (x > 0)


@Kernel
def leaky_relu(x: Array, slope: float) -> Array:
    """max(0, x) + slope min(0, x)."""
    y: Array = np.clip(x, -np.inf, 0)
    y *= slope
    y += np.clip(x, 0, np.inf)
    return y


@Kernel
def leaky_relu_backward(x: Array, dy: Array, slope: float) -> Array:
    """1{x > 0} dy + slope 1{x <= 0} dy."""
    dx: Array = dy * (x <= 0)
    dx *= slope
    dx += dy * (x > 0)
    return dx


@Kernel
def hard_tanh_backward(x: Array, dy: Array, low: float, high: float) -> Array:
    """1{low < x < high} dy."""
    inside = x > low
    inside &= x < high
    return dy * inside


@Kernel
def elu(x: Array, alpha: float, scale: float) -> Array:
    """scale (max(0, x) + alpha (exp(min(0, x)) - 1))."""
    y: Array = np.expm1(np.clip(x, -np.inf, 0))
    y *= alpha
    y += np.clip(x, 0, np.inf)
    if scale != 1:
        y *= scale
    return y


@Kernel
def elu_backward(x: Array, dy: Array, alpha: float, scale: float) -> Array:
    """scale (1{x > 0} + alpha 1{x <= 0} exp(x)) dy."""
    slope: Array = np.exp(np.clip(x, -np.inf, 0))
    above = x > 0
    slope *= ~above  # several times as fast as a choice by np.where
    slope *= alpha
    slope += above
    if scale != 1:
        slope *= scale
    return dy * slope


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


@Kernel
def softplus(x: Array, beta: float) -> Array:
    """max(0, x) + log(1 + exp(-beta |x|)) / beta."""
    y: Array = np.abs(x)
    y *= -beta
    np.exp(y, out=y)
    np.log1p(y, out=y)
    y /= beta
    y += np.clip(x, 0, np.inf)
    return y


@Kernel
def softplus_backward(x: Array, dy: Array, beta: float) -> Array:
    """logistic(beta x) dy."""
    slope: Array = logistic.plain(beta * x)
    return dy * slope


@Kernel
def drop_out(x: Array, numbers: Array, bound: float, scale: float) -> tuple[Array, Array]:
    """x m and m = scale 1{number >= bound}, both in memory like x."""
    kept = numbers >= bound if bound < 2**32 else np.zeros(numbers.shape, bool)  # numpy 2.0 crashes on 2**32
    m: Array = np.multiply(kept, x.dtype.type(scale), out=np.empty_like(x, subok=False))
    return np.multiply(x, m, out=np.empty_like(x, subok=False)), m

"""Derivatives without calculus: central differences, and the complex step where a function allows it."""

from collections.abc import Callable

import numpy as np

from minidl.parameters import Array


def central_difference(function: Callable[[Array], float], x: Array, *, step: float = 6e-6) -> Array:
    """df/dx_i ~ (f(x + h e_i) - f(x - h e_i)) / 2h for every element, h = step * max(1, |x_i|): float64, in x's shape.

    The error is about 1e-10 of f for smooth functions of moderate size: h balances rounding against curvature.

    >>> central_difference(lambda x: float((x ** 2).sum()), np.array([1.0, 3.0])).round(6)
    array([2., 6.])
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        middle = float(x[index])
        h = step * max(1.0, abs(middle))
        x[index] = above = middle + h
        high = function(x)
        x[index] = below = middle - h
        gradient[index] = (high - function(x)) / (above - below)
        x[index] = middle
    return gradient


def complex_step(function: Callable[[Array], complex], x: Array, *, step: float = 1e-100) -> Array:
    """df/dx_i = Im f(x + ih e_i) / h: exact to rounding, as nothing is subtracted. float64, in x's shape.

    `function` must be analytic and pass complex numbers through: no abs, max, comparison or cast to real inside.
    Source: Squire and Trapp, SIAM Review 40, 1998.

    Raises:
        TypeError: the function returned a real number, so it cannot be differentiated this way.

    >>> complex_step(lambda x: np.exp(x).sum(), np.array([0.0, 1.0])) - np.exp([0.0, 1.0])
    array([0., 0.])
    """
    z = np.array(x, dtype=np.complex128)
    gradient = np.empty(z.shape)
    for index in np.ndindex(z.shape):
        middle = z[index]
        z[index] = middle + 1j * step
        value = function(z)
        if not np.iscomplexobj(value):
            raise TypeError(f"expected a complex result for complex input, received {value!r}: use central_difference")
        gradient[index] = complex(value).imag / step
        z[index] = middle
    return gradient


def relative_error(a: Array, b: Array, *, floor: float = 1e-12) -> float:
    """max_i |a_i - b_i| / max(floor, |a_i| + |b_i|).

    >>> relative_error(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    0.0
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(np.max(np.abs(a - b) / np.maximum(floor, np.abs(a) + np.abs(b)), initial=0.0))

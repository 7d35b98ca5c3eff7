"""Nonlinearities, forward and backward."""

import numpy as np

from minidl.kernels.sharing import LONG
from tests.kernels.cases.case import Case

SIZES = (0, 1, 7, 64, 1000, 2 * LONG + 3)


def drawn(count):
    def make(rng, dtype, size):
        return tuple((3 * rng.standard_normal(size)).astype(dtype) for _ in range(count))

    return make


def gated(rng, dtype, size):
    """x, a gate that is a probability, and dy."""
    x, dy = drawn(2)(rng, dtype, size)
    return x, rng.random(size).astype(dtype), dy


def slope_scale(x, s, dy):
    near = np.clip(np.abs(x), 0, 800)
    return [np.abs(dy) * (1 + near + near**3), x, s, dy]


CASES = [
    Case("logistic", drawn(1), 8, sizes=SIZES),
    Case("logistic_backward", drawn(2), 8, lambda y, dy: [np.abs(dy * y) * (1 + np.abs(y)), y, dy], sizes=SIZES),
    Case("relu_backward", drawn(2), 0, sizes=SIZES),
    Case("tanh_backward", drawn(2), 8, lambda y, dy: [np.abs(dy) * (1 + y * y), y, dy], sizes=SIZES),
    Case("gelu", drawn(1), 8, lambda x: [1 + np.abs(x), 1, x], sizes=SIZES),
    Case("gelu_backward", gated, 8, slope_scale, hostile=(0, 2), sizes=SIZES),
    Case("silu", drawn(1), 8, sizes=SIZES),
    Case("silu_backward", gated, 8, slope_scale, hostile=(0, 2), sizes=SIZES),
]

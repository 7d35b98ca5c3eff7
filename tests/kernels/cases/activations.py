"""Nonlinearities, forward and backward."""

import numpy as np

from minidl.kernels.chances import chances
from tests.kernels.cases.case import Case


def drawn(count):
    def make(rng, dtype, size):
        return tuple((3 * rng.standard_normal(size)).astype(dtype) for _ in range(count))

    return make


def gated(rng, dtype, size):
    """x, a gate that is a probability, and dy."""
    x, dy = drawn(2)(rng, dtype, size)
    return x, rng.random(size).astype(dtype), dy


def of(*numbers, count=1):
    """Arrays, and then these numbers."""

    def make(rng, dtype, size):
        return *drawn(count)(rng, dtype, size), *numbers

    return make


def masked(rate):
    """x, random numbers, below which they are left out, and what the others are multiplied by."""

    def make(rng, dtype, size):
        return *drawn(1)(rng, dtype, size), *chances(rng, (size,), dtype, rate), 1 / (1 - rate)

    return make


def slope_scale(x, s, dy):
    near = np.clip(np.abs(x), 0, 800)
    return [np.abs(dy) * (1 + near + near**3), x, s, dy]


CASES = [
    Case("logistic", drawn(1), 8),
    Case("logistic_backward", drawn(2), 8, lambda y, dy: [np.abs(dy * y) * (1 + np.abs(y)), y, dy]),
    Case("relu", drawn(1), 0),
    Case("relu_backward", drawn(2), 0),
    Case("leaky_relu", of(0.01), 0),
    Case("leaky_relu", of(-2.0), 0, label="turned"),
    Case("leaky_relu_backward", of(0.01, count=2), 0),
    Case("hard_tanh_backward", of(-1.0, 6.0, count=2), 0),
    Case("elu", of(0.5, 1), 8),
    Case("elu", of(1.67, 1.05), 8, label="scaled"),
    Case("elu_backward", of(0.5, 1, count=2), 8),
    Case("elu_backward", of(1.67, 1.05, count=2), 8, label="scaled"),
    Case("softplus", of(1.0), 8),
    Case("softplus", of(3.0), 8, label="sharper"),
    Case("softplus_backward", of(1.0, count=2), 8),
    Case("drop_out", masked(0.25), 0, hostile=(0,)),
    Case("drop_out", masked(0.0), 0, hostile=(0,), label="none"),
    Case("drop_out", masked(1 - 1e-15), 0, hostile=(0,), label="nearly all"),
    Case("tanh_backward", drawn(2), 8, lambda y, dy: [np.abs(dy) * (1 + y * y), y, dy]),
    Case("gelu", drawn(1), 8, lambda x: [1 + np.abs(x), 1, x]),
    Case("gelu_backward", gated, 8, slope_scale, hostile=(0, 2)),
    Case("silu", drawn(1), 8),
    Case("silu_backward", gated, 8, slope_scale, hostile=(0, 2)),
]

"""Layers with a known mistake, for tests of what the checks say about it."""

import numpy as np
import pytest

from minidl.initializers import ones, zeros
from minidl.layers import Layer, Linear, Tanh
from minidl.parameters import Parameter


class MeanForSum(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad = self.weight.grad / len(dy)
        return dx


class WrongSign(Tanh):
    def backward(self, dy):
        return -super().backward(dy)


class Swapped(Layer):
    """y = gain x + shift, with the gradients of the two exchanged."""

    def __init__(self, features):
        self.gain, self.shift = Parameter((features,), ones), Parameter((features,), zeros)

    def forward(self, x):
        self.x = x
        return x * self.gain.value + self.shift.value

    def backward(self, dy):
        self.gain.grad, self.shift.grad = dy.sum(axis=0), (dy * self.x).sum(axis=0)
        return dy * self.gain.value


class Transposed(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad = self.weight.grad.T.copy()
        return dx


class Decays(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad = self.weight.grad + 0.25 * self.weight.value
        return dx


class Silent(Tanh):
    def backward(self, dy):
        return np.zeros_like(dy)


class LastFeature(Tanh):
    def backward(self, dy):
        dx = super().backward(dy)
        dx[:, -1] *= 3
        return dx


class Late(Tanh):
    """The gradient arrives one feature too late."""

    def backward(self, dy):
        return np.roll(super().backward(dy), 1, axis=1)


class Triples(Tanh):
    def backward(self, dy):
        return 3 * super().backward(dy)


@pytest.fixture
def wrong():
    """The classes above by name."""
    return {name: thing for name, thing in globals().items() if isinstance(thing, type)}

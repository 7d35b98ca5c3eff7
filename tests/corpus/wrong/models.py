"""Models that are wrong as a whole, or in one layer."""

import numpy as np

from minidl import Elementwise, Linear, Sequential, Tanh
from minidl.layers import MeanSquaredError, SoftmaxCrossEntropy
from minidl.testing import real_targets
from tests.corpus.items import Shelf

SHELF = Shelf()


class Doubles(Tanh):
    def backward(self, dy):
        return 2 * super().backward(dy)


class SharedSquare(Elementwise):
    """All objects keep their input in one place."""

    kept: dict[str, np.ndarray] = {}  # noqa: RUF012 the bug

    def forward(self, x):
        self.kept["x"] = x
        return x * x

    def backward(self, dy):
        return 2 * self.kept["x"] * dy


class MeanOverRows(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad = self.weight.grad / len(dy)
        return dx


class HalfGradient(MeanSquaredError):
    def row_gradients(self):
        return super().row_gradients() / 2


def forgets_a_factor(parameters):
    """The penalty is sum(w^2), the gradient w."""
    parameters.grad += parameters.value
    return float(parameters.value @ parameters.value)


@SHELF.model(loss=SoftmaxCrossEntropy())
def a_wrong_activation(features):
    return Sequential(Linear(features, 3), Doubles(), Linear(3, 2))


@SHELF.model(loss=SoftmaxCrossEntropy())
def layers_that_share(features):
    return Sequential(SharedSquare(), Linear(features, 2), SharedSquare())


@SHELF.model(loss=SoftmaxCrossEntropy())
def a_wrong_layer_inside(features):
    return Sequential(Linear(features, 3), Sequential(Tanh(), MeanOverRows(3, 2)))


@SHELF.model(loss=HalfGradient(), targets=real_targets)
def a_wrong_loss(features):
    return Sequential(Linear(features, 2))


@SHELF.model(loss=SoftmaxCrossEntropy(), regularizers=[forgets_a_factor])
def a_wrong_penalty(features):
    return Sequential(Linear(features, 2))

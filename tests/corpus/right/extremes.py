"""Right, at the edge of what numbers can tell: steep, unbounded, of very different sizes."""

import numpy as np

from minidl import Elementwise, Layer, Linear, Parameter, Sequential, Sigmoid, Tanh
from minidl.layers import Hinge, MeanSquaredError, SoftmaxCrossEntropy
from minidl.regularizers import L1
from minidl.testing import real_targets
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.layer()
class ClampedNormalization(Elementwise):
    """y = x / max(|x|, 1e-12) by rows, as frameworks write it: a slope of 1e12 at a row of zeros."""

    def forward(self, x):
        self.norm = np.sqrt((x * x).sum(axis=1, keepdims=True))
        self.scale = np.maximum(self.norm, x.dtype.type(1e-12))
        self.y = x / self.scale
        return self.y.copy()

    def backward(self, dy):
        along = np.where(self.norm > 1e-12, (dy * self.y).sum(axis=1, keepdims=True), 0)
        return (dy - self.y * along) / self.scale


@SHELF.layer()
class SteepClip(Elementwise):
    """y = clip(1e10 x, -1, 1)."""

    def forward(self, x):
        self.inside = np.abs(x) < 1e-10
        return np.clip(x * x.dtype.type(1e10), -1, 1)

    def backward(self, dy):
        return dy * self.inside * dy.dtype.type(1e10)


@SHELF.layer()
class BoundedParameter(Layer):
    """y = x sqrt(1 - p^2), defined for |p| < 1 only, with p = 0.9 to begin with."""

    def __init__(self, features):
        self.p = Parameter((features,), lambda rng, shape: np.full(shape, 0.9))

    def forward(self, x):
        self.x, self.root = x, np.sqrt(1 - self.p.value**2)
        return x * self.root

    def backward(self, dy):
        self.p.grad = -(dy * self.x).sum(axis=0) * self.p.value / self.root
        return dy * self.root


@SHELF.layer(shape=("n", 2))
class SmallBesideLarge(Layer):
    """y = (10 000 x_0, tanh(x_1) / 1000)."""

    def forward(self, x):
        self.t = np.tanh(x[:, 1])
        return np.stack([10000 * x[:, 0], self.t / 1000], axis=1)

    def backward(self, dy):
        return np.stack([10000 * dy[:, 0], dy[:, 1] * (1 - self.t**2) / 1000], axis=1)


@SHELF.model(loss=Hinge(), regularizers=[L1(0.5)])
def hinge_with_a_penalty(features):
    return Sequential(Linear(features, 3))


@SHELF.model(loss=SoftmaxCrossEntropy())
def nested_classifier(features):
    return Sequential(Sequential(Linear(features, 3), Sigmoid()), Sequential(), Linear(3, 2))


@SHELF.model(loss=MeanSquaredError(), targets=real_targets)
def regression(features):
    return Sequential(Linear(features, 2), Tanh(), Linear(2, 1))

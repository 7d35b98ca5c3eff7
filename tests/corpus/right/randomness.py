"""Layers that draw random numbers in training, and one that draws at inference too."""

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise, Layer, Linear, Parameter, Sequential, Tanh
from minidl.layers.activations import sigmoid, softmax
from tests.corpus.items import Shelf
from tests.corpus.right.bases import small

SHELF = Shelf()


@SHELF.layer(stochastic="unbiased", p=st.sampled_from([0.0, 0.3, 0.9, 0.99]))
class Dropout(Elementwise):
    """y = x m / (1 - p) with m drawn in training; p = 0 and p = 0.9 are both allowed."""

    def __init__(self, p):
        self.p = p

    def forward(self, x):
        self.mask = None
        if not self.training:
            return x
        self.mask = ((self.rng.random(x.shape) >= self.p) / (1 - self.p)).astype(x.dtype)
        return x * self.mask

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask


@SHELF.layer(stochastic=True)
class DropoutInDtype(Elementwise):
    """Draws in the dtype of x, so float32 and float64 see different masks."""

    def forward(self, x):
        self.factor = 2 * (self.rng.random(x.shape, dtype=x.dtype.type) < 0.5).astype(x.dtype) if self.training else 1
        return x * self.factor

    def backward(self, dy):
        return dy * self.factor


@SHELF.layer(stochastic="unbiased", std=st.sampled_from([0.1, 5.0]))
class GaussianNoise(Elementwise):
    """y = x + std e in training."""

    def __init__(self, std):
        self.std = std

    def forward(self, x):
        return x + (self.std * self.rng.standard_normal(x.shape)).astype(x.dtype) if self.training else x

    def backward(self, dy):
        return dy


@SHELF.layer(stochastic="unbiased")
class RReLU(Elementwise):
    """Leaky ReLU whose slope below 0 is drawn in training and fixed at inference."""

    def forward(self, x):
        slope = self.rng.uniform(1 / 8, 1 / 3, x.shape) if self.training else np.full(x.shape, 11 / 48)
        self.slope = np.where(x >= 0, 1, slope).astype(x.dtype)
        return x * self.slope

    def backward(self, dy):
        return dy * self.slope


@SHELF.layer(stochastic="unbiased")
class StochasticDepth(Elementwise):
    """x + b_i F(x) with one coin a row; at inference b = 1/2."""

    def __init__(self, features):
        self.inner = Sequential(Linear(features, 3), Tanh(), Linear(3, features))

    def forward(self, x):
        b = (self.rng.random((len(x), 1)) < 0.5) if self.training else np.full((len(x), 1), 0.5)
        self.b = b.astype(x.dtype)
        return x + self.b * self.inner.forward(x)

    def backward(self, dy):
        return dy + self.inner.backward(dy * self.b)


@SHELF.layer(random_inference=True, stochastic=True)
class MonteCarloDropout(Elementwise):
    """Dropout that stays on at inference, which is declared."""

    def forward(self, x):
        self.m = 2 * (self.rng.random(x.shape) < 0.5).astype(x.dtype)
        return x * self.m

    def backward(self, dy):
        return dy * self.m


@SHELF.layer(stochastic="unbiased", shape=("n", "features"), out=st.integers(1, 3))
class DropConnect(Layer):
    """Linear with one mask on its weights for the whole batch."""

    def __init__(self, features, out):
        self.W = Parameter((features, out), small)

    def forward(self, x):
        self.m = (
            2 * (self.rng.random(self.W.shape) < 0.5).astype(x.dtype)
            if self.training
            else np.ones(self.W.shape, x.dtype)
        )
        self.x = x
        return x @ (self.W.value * self.m)

    def backward(self, dy):
        self.W.grad = self.x.T @ dy * self.m
        return dy @ (self.W.value * self.m).T


@SHELF.layer(stochastic=True, rows_mix=True)
class MixUp(Elementwise):
    """y = c x + (1 - c) x[permutation]: random and mixing rows at once."""

    def forward(self, x):
        self.order = None
        if not self.training:
            return x
        self.order, self.c = self.rng.permutation(len(x)), float(self.rng.beta(2, 2))
        return self.c * x + (1 - self.c) * x[self.order]

    def backward(self, dy):
        if self.order is None:
            return dy
        dx = self.c * dy
        np.add.at(dx, self.order, (1 - self.c) * dy)
        return dx


@SHELF.layer(stochastic="unbiased", shape=("n", "width"), width=st.sampled_from([2, 4]))
class Reparametrize(Layer):
    """Halves m, s become m + softplus(s) e with e normal; at inference m alone."""

    def output_shape(self, shape):
        return None if shape in (None, (None,)) else (shape[0] // 2,)

    def forward(self, x):
        k = x.shape[1] // 2
        m, s = x[:, :k], x[:, k:]
        e = self.rng.standard_normal(m.shape).astype(x.dtype) if self.training else np.zeros(m.shape, x.dtype)
        self.slope = e * sigmoid(s)
        return m + np.logaddexp(0, s) * e

    def backward(self, dy):
        return np.concatenate([dy, dy * self.slope], axis=1)


@SHELF.layer(stochastic=True)
class NoisyNetwork(Layer):
    """Children in a list, two of which are random."""

    def __init__(self, features):
        self.steps = [Linear(features, 4), Dropout(0.5), Tanh(), GaussianNoise(0.1), Linear(4, 2)]

    def forward(self, x):
        for step in self.steps:
            x = step.forward(x)
        return x

    def backward(self, dy):
        for step in reversed(self.steps):
            dy = step.backward(dy)
        return dy


@SHELF.layer(stochastic=True)
class GumbelSoftmax(Elementwise):
    """softmax(2 (x + g)) with g drawn from the Gumbel distribution in training."""

    def forward(self, x):
        g = self.rng.gumbel(size=x.shape).astype(x.dtype) if self.training else np.zeros((), x.dtype)
        self.y = softmax((x + g) * 2)
        return self.y

    def backward(self, dy):
        return 2 * self.y * (dy - (dy * self.y).sum(axis=1, keepdims=True))

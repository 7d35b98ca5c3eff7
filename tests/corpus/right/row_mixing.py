"""Layers whose rows depend on each other, and one whose states only watch."""

import math

import numpy as np

from minidl import Elementwise, Layer, Parameter, State
from minidl.initializers import zeros
from minidl.layers.activations import softmax
from tests.corpus.items import Shelf
from tests.corpus.right.bases import small

SHELF = Shelf()


@SHELF.layer(rows_mix=True)
class PairKernel(Layer):
    """y_ij = exp(-|x_i - x_j|^2 / 2): (n, d) -> (n, n)."""

    def forward(self, x):
        self.away = x[:, None] - x
        self.y = np.exp(-0.5 * (self.away**2).sum(axis=2))
        return self.y

    def backward(self, dy):
        g = (dy + dy.T) * self.y
        return -(g[:, :, None] * self.away).sum(axis=1)


@SHELF.layer(rows_mix=True)
class PairDistanceSum(Layer):
    """y_i = sum_j |x_i - x_j|_1."""

    def forward(self, x):
        away = x[:, None] - x
        self.sign = np.sign(away)
        return np.abs(away).sum(axis=(1, 2))[:, None]

    def backward(self, dy):
        return ((dy + dy.T)[:, :, None] * self.sign).sum(axis=1)


@SHELF.layer(rows_mix=True)
class BatchAttention(Elementwise):
    """Every row attends to every row: softmax(Q K^T / sqrt d) x."""

    def __init__(self, features):
        self.Q, self.K = Parameter((features, features), small), Parameter((features, features), small)

    def forward(self, x):
        self.x, self.q, self.k = x, x @ self.Q.value, x @ self.K.value
        self.c = 1 / math.sqrt(x.shape[1])
        self.a = softmax(self.q @ self.k.T * self.c)
        return self.a @ x

    def backward(self, dy):
        da = dy @ self.x.T
        ds = self.c * self.a * (da - (da * self.a).sum(axis=1, keepdims=True))
        dq, dk = ds @ self.k, ds.T @ self.q
        self.Q.grad, self.K.grad = self.x.T @ dq, self.x.T @ dk
        return self.a.T @ dy + dq @ self.Q.value.T + dk @ self.K.value.T


@SHELF.layer(rows_mix=True)
class BatchMaxSubtract(Elementwise):
    """y = x - max over the batch; tied rows share the credit."""

    def forward(self, x):
        m = x.max(axis=0)
        hit = x == m
        self.share = hit / hit.sum(axis=0, dtype=x.dtype)
        return x - m

    def backward(self, dy):
        return dy - self.share * dy.sum(axis=0)


@SHELF.layer(rows_mix=True)
class BatchSort(Elementwise):
    """Sorts each column over the batch."""

    def forward(self, x):
        self.order = np.argsort(x, axis=0, kind="stable")
        return np.take_along_axis(x, self.order, axis=0)

    def backward(self, dy):
        dx = np.empty_like(dy)
        np.put_along_axis(dx, self.order, dy, axis=0)
        return dx


@SHELF.layer(rows_mix=True)
class BatchRoll(Elementwise):
    """y_i = x_i * x_(i-1), cyclically."""

    def forward(self, x):
        self.x, self.before = x, np.roll(x, 1, axis=0)
        return x * self.before

    def backward(self, dy):
        return dy * self.before + np.roll(dy * self.x, -1, axis=0)


@SHELF.layer()
class TanhAndCounter(Elementwise):
    """Rows do not mix, yet States count the batches and remember the extremes; y ignores them."""

    def __init__(self, features):
        self.seen, self.high = State((1,), zeros), State((features,), zeros)

    def forward(self, x):
        if self.training:
            self.seen.value += 1
            self.high.value = np.maximum(self.high.value, x.max(axis=0))
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y * self.y)

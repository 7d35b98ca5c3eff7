"""Gradients through time, and through queries, keys and values."""

import numpy as np

from minidl.initializers import normal
from minidl.layers import Layer
from minidl.layers.activations import sigmoid, softmax
from minidl.parameters import Parameter
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Attention, Recurrence

SHELF = Shelf()


@SHELF.layer(shape=("n", 4, 2))
class RNNTruncated(Recurrence):
    """The carried gradient is dropped between steps 1 and 0: t > 1 where t > 0 is meant."""

    def carries(self, t):
        return t > 1


@SHELF.layer(shape=("n", 3, 2))
class RNNCurrentState(Recurrence):
    """DU pairs the state after the step, not before it, with dz."""

    def state_for(self, t):
        return self.h[t + 1]


@SHELF.layer(shape=("n", 3, 2))
class GRUResetMissing(Layer):
    """h' = (1 - z) h + z tanh(x + (r h) U) with gates z, r of x: the path through r is missing in dx."""

    def __init__(self):
        self.u = Parameter((2, 2), normal(0.7))

    def forward(self, x):
        self.x, self.s = x, []
        h = np.zeros((len(x), 2), x.dtype)
        for t in range(3):
            z = sigmoid(x[:, t])
            r = sigmoid(-x[:, t])
            c = np.tanh(x[:, t] + (r * h) @ self.u.value)
            self.s.append((h, z, r, c))
            h = (1 - z) * h + z * c
        return h

    def backward(self, dy):
        dh, du, dx = dy.copy(), 0 * self.u.value, np.zeros_like(self.x)
        for t in reversed(range(3)):
            h, z, r, c = self.s[t]
            dc = dh * z * (1 - c * c)
            du += (r * h).T @ dc
            drh = dc @ self.u.value.T
            dx[:, t] = dc + dh * (c - h) * z * (1 - z)  # missing: - drh * h * r (1 - r)
            dh = dh * (1 - z) + drh * r
        self.u.grad = du
        return dx


@SHELF.layer(shape=("n", 3, 2))
class AttentionKeysMissing(Attention):
    """softmax(x x^T) x: the path through the keys is missing in dx."""

    def backward(self, dy):
        dv, ds = self.parts(dy)
        return dv + ds @ self.x


@SHELF.layer(shape=("n", 3, 2))
class AttentionScaleOnce(Attention):
    """The factor 1/sqrt(d) is missing for the queries, present for the keys."""

    def backward(self, dy):
        dv, ds = self.parts(dy)
        return dv + ds @ self.x / self.k + ds.transpose(0, 2, 1) @ self.x


@SHELF.layer(shape=("n", 3, 2))
class AttentionCausalLeak(Attention):
    """Masked weights are set to 0 after the softmax, and backward takes them for a softmax."""

    def weights(self, s):
        return softmax(s) * np.tri(3, dtype=s.dtype)

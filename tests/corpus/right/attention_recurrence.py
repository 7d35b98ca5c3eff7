"""Attention, and recurrence through time written out by hand."""

import math

import numpy as np
from hypothesis import strategies as st

from minidl import GRU, LSTM, Elementwise, Layer, Linear, Parameter, PositionalEncoding, Residual, Sequential, Tanh
from minidl import SelfAttention as Attention
from minidl.initializers import zeros
from minidl.layers.activations import sigmoid, softmax
from tests.corpus.items import Shelf
from tests.corpus.right.bases import IMAGES, SERIES, small

SHELF = Shelf()


@SHELF.layer(shape=SERIES, key=st.integers(1, 3))
class SelfAttention(Elementwise):
    """softmax(Q K^T / sqrt(d)) V over time."""

    def __init__(self, features, key):
        self.Q, self.K = Parameter((features, key), small), Parameter((features, key), small)
        self.V = Parameter((features, features), small)
        self.c = 1 / math.sqrt(key)

    def forward(self, x):
        self.x, self.q, self.k, self.v = x, x @ self.Q.value, x @ self.K.value, x @ self.V.value
        self.a = softmax(self.q @ self.k.swapaxes(1, 2) * self.c)
        return self.a @ self.v

    def backward(self, dy):
        da = dy @ self.v.swapaxes(1, 2)
        ds = self.c * self.a * (da - (da * self.a).sum(axis=2, keepdims=True))
        dq, dk, dv = ds @ self.k, ds.swapaxes(1, 2) @ self.q, self.a.swapaxes(1, 2) @ dy
        for P, d in (self.Q, dq), (self.K, dk), (self.V, dv):
            P.grad = np.einsum("ntf,ntk->fk", self.x, d)
        return dq @ self.Q.value.T + dk @ self.K.value.T + dv @ self.V.value.T


@SHELF.layer(shape=SERIES, hidden=st.integers(1, 3))
class SimpleRNN(Layer):
    """h_t = tanh(x_t W + h_(t-1) U + b); all h_t."""

    def __init__(self, features, hidden):
        self.W, self.U = Parameter((features, hidden), small), Parameter((hidden, hidden), small)
        self.b = Parameter((hidden,), zeros, decay=False)

    def forward(self, x):
        h = np.zeros((len(x), x.shape[1] + 1, self.b.size), x.dtype)
        for t in range(x.shape[1]):
            h[:, t + 1] = np.tanh(x[:, t] @ self.W.value + h[:, t] @ self.U.value + self.b.value)
        self.x, self.h = x, h
        return h[:, 1:]

    def backward(self, dy):
        dW, dU, db = (np.zeros_like(P.value) for P in (self.W, self.U, self.b))
        dx, dh = np.zeros_like(self.x), np.zeros((len(dy), self.b.size), dy.dtype)
        for t in reversed(range(dy.shape[1])):
            dz = (dy[:, t] + dh) * (1 - self.h[:, t + 1] ** 2)
            dW += self.x[:, t].T @ dz
            dU += self.h[:, t].T @ dz
            db += dz.sum(axis=0)
            dx[:, t], dh = dz @ self.W.value.T, dz @ self.U.value.T
        self.W.grad, self.U.grad, self.b.grad = dW, dU, db
        return dx


@SHELF.layer(shape=SERIES, hidden=st.integers(1, 2))
class GRULast(Layer):
    """The last state of a GRU."""

    def __init__(self, features, hidden):
        self.m, self.W = hidden, Parameter((features, 3 * hidden), small)
        self.U, self.b = Parameter((hidden, 3 * hidden), small), Parameter((3 * hidden,), small, decay=False)

    def forward(self, x):
        m, U = self.m, self.U.value
        h, self.x, self.tape = np.zeros((len(x), m), x.dtype), x, []
        for t in range(x.shape[1]):
            a = x[:, t] @ self.W.value + self.b.value
            g = sigmoid(a[:, : 2 * m] + h @ U[:, : 2 * m])
            z, r = g[:, :m], g[:, m:]
            c = np.tanh(a[:, 2 * m :] + (r * h) @ U[:, 2 * m :])
            self.tape.append((h, z, r, c))
            h = (1 - z) * h + z * c
        return h

    def backward(self, dy):
        m, U, dh = self.m, self.U.value, dy
        dW, dU, db, dx = (
            np.zeros_like(self.W.value),
            np.zeros_like(U),
            np.zeros_like(self.b.value),
            np.zeros_like(self.x),
        )
        for t in reversed(range(len(self.tape))):
            h, z, r, c = self.tape[t]
            dc = dh * z * (1 - c * c)
            drh = dc @ U[:, 2 * m :].T
            dz, dr = dh * (c - h) * z * (1 - z), drh * h * r * (1 - r)
            da = np.concatenate([dz, dr, dc], axis=1)
            dW += self.x[:, t].T @ da
            db += da.sum(axis=0)
            dU[:, : 2 * m] += h.T @ da[:, : 2 * m]
            dU[:, 2 * m :] += (r * h).T @ dc
            dx[:, t] = da @ self.W.value.T
            dh = dh * (1 - z) + drh * r + da[:, : 2 * m] @ U[:, : 2 * m].T
        self.W.grad, self.U.grad, self.b.grad = dW, dU, db
        return dx


@SHELF.layer(shape=SERIES, time=st.integers(1, 4))
class PositionAdded(Elementwise):
    """Adds a trained array of the shape of one sample."""

    def __init__(self, time, features):
        self.P = Parameter((time, features), small)

    def forward(self, x):
        return x + self.P.value

    def backward(self, dy):
        np.sum(dy, axis=0, out=self.P.grad)
        return dy


@SHELF.layer(shape=IMAGES)
class SqueezeExcite(Elementwise):
    """Scales channels by gates that are computed from their means."""

    def __init__(self, channels):
        self.gate = Sequential(Linear(channels, 2), Tanh(), Linear(2, channels))

    def forward(self, x):
        self.x, self.s = x, sigmoid(self.gate.forward(x.mean(axis=(2, 3))))
        return x * self.s[:, :, None, None]

    def backward(self, dy):
        ds = (dy * self.x).sum(axis=(2, 3)) * self.s * (1 - self.s)
        dm = self.gate.backward(ds) / (self.x.shape[2] * self.x.shape[3])
        return dy * self.s[:, :, None, None] + dm[:, :, None, None]


@SHELF.layer("TransformerBlock", shape=("n", "time", 2))
def transformer_block():
    """Attention and a network of two layers, each beside x; what looks ahead is masked."""
    network = Residual(Linear(2, 3), Tanh(), Linear(3, 2))
    return Sequential(PositionalEncoding(2), Residual(Attention(2, 2, causal=True)), network)


@SHELF.layer("StackedRecurrence", shape=("n", "time", "in_features"))
def stacked_recurrence(in_features):
    """A recurrence that feeds another, of which the last step is looked at."""
    return Sequential(LSTM(in_features, 2), GRU(2, 2, last=True), Linear(2, 1))

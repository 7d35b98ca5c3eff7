"""Parameters of all kinds: scalar, large, used twice, unused, in lists and dicts."""

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise, Layer, Parameter
from minidl.initializers import normal, ones, zeros
from tests.corpus.items import Shelf
from tests.corpus.right.bases import small

SHELF = Shelf()


@SHELF.layer()
class ScalarScaleShift(Elementwise):
    """y = a x + b with scalars a and b, whose gradients are set by index."""

    def __init__(self):
        self.a, self.b = Parameter((1,), ones), Parameter((1,), zeros, decay=False)

    def forward(self, x):
        self.x = x
        return self.a.value * x + self.b.value

    def backward(self, dy):
        self.a.grad[0], self.b.grad[0] = np.vdot(dy, self.x), dy.sum()
        return dy * self.a.value


@SHELF.layer(shape=("n", 30))
class LargeLinear(Layer):
    """3000 weights without bias; backward may return None where dx is not needed."""

    def __init__(self):
        self.W = Parameter((30, 100), normal(0.3))

    def forward(self, x):
        self.x = x
        return x @ self.W.value

    def backward(self, dy):
        np.matmul(self.x.T, dy, out=self.W.grad)
        return dy @ self.W.value.T if self.needs_dx else None


@SHELF.layer(shape=("n", "features"), hidden=st.integers(1, 3))
class TiedAutoencoder(Elementwise):
    """y = tanh(x W) W^T: one weight used twice."""

    def __init__(self, features, hidden):
        self.W = Parameter((features, hidden), small)

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W.value)
        return self.h @ self.W.value.T

    def backward(self, dy):
        dz = (dy @ self.W.value) * (1 - self.h**2)
        self.W.grad = dy.T @ self.h + self.x.T @ dz
        return dz @ self.W.value.T


@SHELF.layer(out=st.integers(1, 3))
class LowRankLinear(Layer):
    """x A B with the two factors in a dict; dx is NaN where it is not needed."""

    def __init__(self, features, out):
        self.factors = {"a": Parameter((features, 1), small), "b": Parameter((1, out), small)}

    def forward(self, x):
        self.x, self.h = x, x @ self.factors["a"].value
        return self.h @ self.factors["b"].value

    def backward(self, dy):
        dh = dy @ self.factors["b"].value.T
        self.factors["a"].grad, self.factors["b"].grad = self.x.T @ dh, self.h.T @ dy
        return dh @ self.factors["a"].value.T if self.needs_dx else np.full_like(self.x, np.nan)


@SHELF.layer(out=st.integers(1, 2))
class WeightNormLinear(Layer):
    """W = g V / |V| per column, with eps."""

    def __init__(self, features, out):
        self.V, self.g = Parameter((features, out), small), Parameter((out,), ones, decay=False)

    def forward(self, x):
        V = self.V.value
        self.x, self.r = x, 1 / np.sqrt((V * V).sum(axis=0) + 1e-2)
        self.U = V * self.r
        return x @ (self.U * self.g.value)

    def backward(self, dy):
        dW = self.x.T @ dy
        self.g.grad = (dW * self.U).sum(axis=0)
        dU = dW * self.g.value
        self.V.grad = self.r * (dU - self.U * (dU * self.U).sum(axis=0))
        return dy @ (self.U * self.g.value).T


@SHELF.layer()
class Quadratic(Elementwise):
    """a x^2 + b x + c by feature, parameters in a list."""

    def __init__(self, features):
        self.abc = [Parameter((features,), small, decay=i < 2) for i in range(3)]

    def forward(self, x):
        self.x = x
        a, b, c = (p.value for p in self.abc)
        return (a * x + b) * x + c

    def backward(self, dy):
        for p, term in zip(self.abc, (self.x**2 * dy, self.x * dy, dy), strict=True):
            np.sum(term, axis=0, out=p.grad)
        return (2 * self.abc[0].value * self.x + self.abc[1].value) * dy


@SHELF.layer(unused=st.booleans())
class UnusedParameter(Elementwise):
    """A parameter that has no effect: its gradient is 0."""

    def __init__(self, features, unused):
        self.p = Parameter((features, 2), small) if unused else None

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        if self.p is not None:
            self.p.grad = np.zeros(self.p.shape)
        return dy * (1 - self.y**2)

"""Kinks across the entries of a row: sorting, maxima and distances, with ties of three and more."""

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise, Layer, Parameter, ShapeError
from tests.corpus.items import Shelf
from tests.corpus.right.bases import scatter, small

SHELF = Shelf()


@SHELF.layer(shape=("n", "groups", "members"))
class MaxGroupShare(Layer):
    """The maximum of each group; ties share."""

    def forward(self, x):
        y = x.max(axis=2)
        hit = x == y[..., None]
        self.share = hit / hit.sum(axis=2, keepdims=True, dtype=x.dtype)
        return y

    def backward(self, dy):
        return dy[..., None] * self.share


@SHELF.layer(shape=("n", "width"), width=st.sampled_from([2, 4, 6]))
class MinMaxPairs(Layer):
    """Puts each pair of neighbours in order."""

    def __init__(self, width):
        self.width = width

    def output_shape(self, shape):
        if shape not in (None, (None,), (self.width,)):
            raise ShapeError(f"expected rows of shape ({self.width},), received {shape}")
        return (self.width,)

    def forward(self, x):
        if x.ndim != 2 or x.shape[1] != self.width:
            raise ShapeError(f"expected x of shape (n, {self.width}), received {x.shape}")
        a, b = x[:, ::2], x[:, 1::2]
        self.swap = a > b
        y = np.empty_like(x)
        y[:, ::2], y[:, 1::2] = np.minimum(a, b), np.maximum(a, b)
        return y

    def backward(self, dy):
        dx = np.empty_like(dy)
        dx[:, ::2] = np.where(self.swap, dy[:, 1::2], dy[:, ::2])
        dx[:, 1::2] = np.where(self.swap, dy[:, ::2], dy[:, 1::2])
        return dx


@SHELF.layer()
class SortRow(Elementwise):
    """Each row in ascending order, by a stable sort."""

    def forward(self, x):
        self.order = np.argsort(x, axis=1, kind="stable")
        return np.take_along_axis(x, self.order, axis=1)

    def backward(self, dy):
        return scatter(dy.shape, self.order, dy)


@SHELF.layer(shape=("n", "width"), width=st.integers(2, 5))
class TopTwo(Layer):
    """The two largest entries of each row, the first of ties."""

    def forward(self, x):
        self.shape, self.order = x.shape, np.argsort(-x, axis=1, kind="stable")[:, :2]
        return np.take_along_axis(x, self.order, axis=1)

    def backward(self, dy):
        return scatter(self.shape, self.order, dy)


@SHELF.layer()
class Median(Layer):
    """The median of each row, the mean of the two in the middle where the width is even."""

    def forward(self, x):
        d = x.shape[1]
        self.shape, order = x.shape, np.argsort(x, axis=1, kind="stable")
        self.a, self.b = order[:, [(d - 1) // 2]], order[:, [d // 2]]
        return (np.take_along_axis(x, self.a, 1) + np.take_along_axis(x, self.b, 1)) / 2

    def backward(self, dy):
        return scatter(self.shape, self.a, dy / 2) + scatter(self.shape, self.b, dy / 2)


@SHELF.layer(q=st.sampled_from([0.0, 0.3, 0.5, 1.0]))
class Quantile(Layer):
    """The q-quantile of each row, by linear interpolation between two entries in order."""

    def __init__(self, q):
        self.q = q

    def forward(self, x):
        at = self.q * (x.shape[1] - 1)
        low = min(int(at), max(x.shape[1] - 2, 0))
        high, self.part = min(low + 1, x.shape[1] - 1), at - low
        order = np.argsort(x, axis=1, kind="stable")
        self.shape, self.a, self.b = x.shape, order[:, [low]], order[:, [high]]
        return (1 - self.part) * np.take_along_axis(x, self.a, 1) + self.part * np.take_along_axis(x, self.b, 1)

    def backward(self, dy):
        return scatter(self.shape, self.a, (1 - self.part) * dy) + scatter(self.shape, self.b, self.part * dy)


@SHELF.layer(shape=("n", "width"))
class OrderedWeights(Layer):
    """y = sum_i w_i x_(i), the i-th smallest entry times a trained weight."""

    def __init__(self, width):
        self.w = Parameter((width,), small)

    def forward(self, x):
        self.order = np.argsort(x, axis=1, kind="stable")
        self.s = np.take_along_axis(x, self.order, axis=1)
        return (self.s @ self.w.value)[:, None]

    def backward(self, dy):
        self.w.grad = (dy * self.s).sum(axis=0)
        return scatter(self.s.shape, self.order, dy * self.w.value)


@SHELF.layer()
class RowMaxLast(Layer):
    """The maximum of each row; the last of tied entries is credited."""

    def forward(self, x):
        self.shape = x.shape
        self.k = (x.shape[1] - 1 - x[:, ::-1].argmax(axis=1))[:, None]
        return np.take_along_axis(x, self.k, 1)

    def backward(self, dy):
        return scatter(self.shape, self.k, dy)


@SHELF.layer()
class L2Norm(Layer):
    """sqrt(sum_j x_j^2): a cone, with the subgradient 0 at its tip."""

    def forward(self, x):
        y = np.sqrt((x * x).sum(axis=1, keepdims=True))
        self.unit = x / np.where(y > 0, y, 1)
        return y

    def backward(self, dy):
        return dy * self.unit


@SHELF.layer()
class RowRange(Layer):
    """max_j x_j - min_j x_j, the first of ties in both."""

    def forward(self, x):
        self.shape, self.a, self.b = x.shape, x.argmax(axis=1)[:, None], x.argmin(axis=1)[:, None]
        return np.take_along_axis(x, self.a, 1) - np.take_along_axis(x, self.b, 1)

    def backward(self, dy):
        return scatter(self.shape, self.a, dy) - scatter(self.shape, self.b, dy)


@SHELF.layer()
class TotalVariation(Layer):
    """sum_j |x_(j+1) - x_j|."""

    def forward(self, x):
        self.shape, step = x.shape, np.diff(x, axis=1)
        self.sign = np.sign(step)
        return np.abs(step).sum(axis=1, keepdims=True)

    def backward(self, dy):
        dx, part = np.zeros(self.shape, dy.dtype), dy * self.sign
        dx[:, 1:] += part
        dx[:, :-1] -= part
        return dx


@SHELF.layer()
class CumulativeMax(Elementwise):
    """y_i = max of x_0 .. x_i, the first of ties."""

    def forward(self, x):
        y = np.maximum.accumulate(x, axis=1)
        fresh = np.ones(x.shape, bool)
        fresh[:, 1:] = x[:, 1:] > y[:, :-1]
        self.source = np.maximum.accumulate(np.where(fresh, np.arange(x.shape[1]), 0), axis=1)
        return y

    def backward(self, dy):
        dx = np.zeros_like(dy)
        np.add.at(dx, (np.arange(len(dy))[:, None], self.source), dy)
        return dx

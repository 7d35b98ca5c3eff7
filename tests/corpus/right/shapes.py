"""Views, rows of other shapes than the input's, and layers that forget their input."""

import math

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise, Layer, Parameter
from tests.corpus.items import Shelf
from tests.corpus.right.bases import IMAGES, SERIES, small

SHELF = Shelf()


@SHELF.layer()
class Identity(Elementwise):
    """Returns the very array it received, forward and backward."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


@SHELF.layer()
class FlipView(Elementwise):
    """Returns a view with negative strides, forward and backward."""

    def forward(self, x):
        return x[:, ::-1]

    def backward(self, dy):
        return dy[:, ::-1]


@SHELF.layer(shape=SERIES)
class TransposeView(Layer):
    """Swaps time and features, as a view."""

    def output_shape(self, shape):
        return None if shape is None else shape[::-1]

    def forward(self, x):
        return x.transpose(0, 2, 1)

    def backward(self, dy):
        return dy.transpose(0, 2, 1)


@SHELF.layer(shape=IMAGES)
class FlattenView(Layer):
    """All axes but the first become one, as a view."""

    def output_shape(self, shape):
        return None if shape is None else (None if None in shape else math.prod(shape),)

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


@SHELF.layer()
class FirstColumnView(Layer):
    """One column of the input, as a view."""

    def forward(self, x):
        self.shape = x.shape
        return x[:, :1]

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        dx[:, :1] = dy
        return dx


@SHELF.layer()
class RowSumFlat(Layer):
    """y_i = sum_j x_ij: (n, d) -> (n,), rows that are numbers."""

    def forward(self, x):
        self.d = x.shape[1]
        return x.sum(axis=1)

    def backward(self, dy):
        return np.repeat(dy[:, None], self.d, axis=1)


@SHELF.layer()
class RowSumBroadcastBack(Layer):
    """y_i = sum_j x_ij; dx is a read-only broadcast view of dy, which nothing forbids."""

    def forward(self, x):
        self.shape = x.shape
        return x.sum(axis=1, keepdims=True)

    def backward(self, dy):
        return np.broadcast_to(dy, self.shape)


@SHELF.layer()
class PairProducts(Layer):
    """All x_i x_j with i <= j."""

    def forward(self, x):
        self.x, (self.i, self.j) = x, np.triu_indices(x.shape[1])
        return x[:, self.i] * x[:, self.j]

    def backward(self, dy):
        dx = np.zeros((self.x.shape[1], len(dy)), dy.dtype)
        np.add.at(dx, self.i, (dy * self.x[:, self.j]).T)
        np.add.at(dx, self.j, (dy * self.x[:, self.i]).T)
        return dx.T


@SHELF.layer()
class Zero(Layer):
    """y = 0: forgets its input, so dx = 0."""

    def forward(self, x):
        self.shape = x.shape
        return np.zeros((len(x), 2), x.dtype)

    def backward(self, dy):
        return np.zeros(self.shape, dy.dtype)


@SHELF.layer(out=st.integers(1, 3))
class BiasOnly(Layer):
    """y = b in every row: forgets its input, so dx = 0."""

    def __init__(self, out):
        self.b = Parameter((out,), small)

    def forward(self, x):
        self.shape = x.shape
        return np.tile(self.b.value, (len(x), 1))

    def backward(self, dy):
        self.b.grad = dy.sum(axis=0)
        return np.zeros(self.shape, dy.dtype)


@SHELF.layer(shape=IMAGES, channels=st.sampled_from([4, 8]), height=st.integers(1, 2), width=st.integers(1, 2))
class PixelShuffle(Layer):
    """Four channels become one channel of twice the height and width."""

    def forward(self, x):
        n, c, h, w = self.shape = x.shape
        return x.reshape(n, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)

    def backward(self, dy):
        n, c, h, w = self.shape
        return dy.reshape(n, c // 4, h, 2, w, 2).transpose(0, 1, 3, 5, 2, 4).reshape(self.shape)


@SHELF.layer(shape=IMAGES)
class GlobalAveragePool(Layer):
    """The mean of each channel; dx is a broadcast view."""

    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dy):
        return np.broadcast_to(dy[:, :, None, None] / np.asarray(self.shape[2] * self.shape[3], dy.dtype), self.shape)

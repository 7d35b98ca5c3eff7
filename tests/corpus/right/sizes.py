"""Layers that need some features, or mark padding by zeros."""

import numpy as np
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from minidl import Layer
from minidl.testing import at_least
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.layer(shape=("n", at_least(2)))
class Differences(Layer):
    """x_(j+1) - x_j: no numbers of one feature."""

    def forward(self, x):
        self.shape = x.shape
        return np.diff(x, axis=1)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        dx[:, 1:] += dy
        dx[:, :-1] -= dy
        return dx


@SHELF.layer(shape=("n", "time"), time=at_least("kernel"), kernel=st.integers(1, 3))
class MovingSum(Layer):
    """The sum over each window of `kernel` steps."""

    def __init__(self, kernel):
        self.kernel = kernel

    def forward(self, x):
        self.shape = x.shape
        return sliding_window_view(x, self.kernel, axis=1).sum(axis=2)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        for i in range(self.kernel):
            dx[:, i : i + dy.shape[1]] += dy
        return dx


@SHELF.layer(shape=("n", "time", "features"), jumps=(0.0,))
class MaskedMean(Layer):
    """The mean over the time steps that are not all zero, which are padding; 0 where all are."""

    def forward(self, x):
        self.mask = x.any(axis=2, keepdims=True)
        self.count = np.maximum(self.mask.sum(axis=1, keepdims=True), 1).astype(x.dtype)
        return (x * self.mask / self.count).sum(axis=1)

    def backward(self, dy):
        return dy[:, None, :] * self.mask / self.count

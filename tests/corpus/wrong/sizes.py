"""Mistakes beyond small sizes and one instance, and beside declared jumps."""

import numpy as np

from minidl.layers import Elementwise, Layer
from minidl.testing import at_least
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.layer(shape=("n", at_least(2)))
class DifferencesForgetLast(Layer):
    """Differences of neighbours whose backward forgets what the last one gives to the last feature but one."""

    def forward(self, x):
        self.shape = x.shape
        return np.diff(x, axis=1)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        dx[:, 1:] += dy
        dx[:, :-2] -= dy[:, :-1]
        return dx


@SHELF.layer(shape=("n", "time", "features"), jumps=(0.0,))
class MaskedMeanOfAll(Layer):
    """Divides by the count of unmasked steps forward, by that of all steps backward."""

    def forward(self, x):
        self.shape, self.mask = x.shape, x.any(axis=2, keepdims=True)
        count = np.maximum(self.mask.sum(axis=1, keepdims=True), 1)
        return (x * self.mask / count).sum(axis=1)

    def backward(self, dy):
        return dy[:, None, :] * self.mask / self.shape[1]


@SHELF.layer()
class DefaultArgumentCache(Elementwise):
    """x^2 with x kept in a mutable default argument, which all instances share and a deep copy does not."""

    def __init__(self, cache={}):  # noqa: B006 - the mistake
        self.cache = cache

    def forward(self, x):
        self.cache["x"] = x
        return x * x

    def backward(self, dy):
        return 2 * self.cache["x"] * dy


@SHELF.layer()
class GradientOf64Rows(Elementwise):
    """2x, whose backward loses the rows beyond the 64th."""

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        dx = 2 * dy
        dx[64:] = 0
        return dx


@SHELF.layer()
class GradientOf512Rows(Elementwise):
    """2x, whose backward loses the rows beyond the 512th."""

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        dx = 2 * dy
        dx[512:] = 0
        return dx

"""Softmax and its logarithm."""

import numpy as np

from minidl.layers import Elementwise, Softmax
from minidl.layers.activations import softmax
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.layer()
class SoftmaxDiagonal(Softmax):
    """Only the diagonal y (1 - y) of the Jacobian."""

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


@SHELF.layer()
class PassThroughSoftmax(Softmax):
    """backward lets dy through as if softmax were the identity, as in thinc."""

    def backward(self, dy):
        return dy.copy()


@SHELF.layer()
class SoftmaxSumAxis0(Elementwise):
    """The inner sum of backward runs over rows."""

    def forward(self, x):
        self.y = softmax(x)
        return self.y

    def backward(self, dy):
        d = dy * self.y
        return d - self.y * d.sum(axis=0, keepdims=True)


@SHELF.layer()
class SoftmaxGlobalMax(Elementwise):
    """Subtracts the maximum of the whole batch: 0/0 in rows far below it, and no batch without rows."""

    def forward(self, x):
        e = np.exp(x - x.max())
        with np.errstate(invalid="ignore"):
            self.y = e / e.sum(axis=1, keepdims=True)
        return self.y

    def backward(self, dy):
        d = dy * self.y
        return d - self.y * d.sum(axis=1, keepdims=True)


@SHELF.layer()
class LogSoftmaxOfSoftmax(Elementwise):
    """log(softmax(x)): -inf once a probability underflows."""

    def forward(self, x):
        self.p = softmax(x)
        with np.errstate(divide="ignore"):
            return np.log(self.p)

    def backward(self, dy):
        return dy - self.p * dy.sum(axis=1, keepdims=True)


@SHELF.layer()
class LogSoftmaxNoSum(Elementwise):
    """dx = dy - p dy: the sum of dy over the row is missing."""

    def forward(self, x):
        z = x - x.max(axis=1, keepdims=True)
        y = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.p = np.exp(y)
        return y

    def backward(self, dy):
        return dy - self.p * dy

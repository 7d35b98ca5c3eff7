"""Rows of a table, chosen by whole numbers."""

import numpy as np
from hypothesis import strategies as st

from minidl.initializers import normal
from minidl.layers import Layer
from minidl.parameters import Parameter
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Embedding

SHELF = Shelf()
EMBEDDING = {"shape": ("n", 3), "integers": (0, "vocabulary"), "vocabulary": st.integers(2, 5)}


@SHELF.layer(**EMBEDDING)
class EmbeddingOverwrites(Embedding):
    """grad[ids] += dy counts a repeated index once only."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad[...] = 0
        self.weight.grad[self.x] += dy
        return dx


@SHELF.layer(**EMBEDDING)
class EmbeddingClearsTouched(Embedding):
    """Only the rows of this batch are cleared: the others keep the last batch's gradient."""

    def backward(self, dy):
        self.weight.grad[np.unique(self.x)] = 0
        np.add.at(self.weight.grad, self.x, dy)
        return np.zeros(self.x.shape, dy.dtype)


@SHELF.layer(**EMBEDDING)
class EmbeddingPaddingLast(Embedding):
    """A padding index of -1 is meant as "none" but clears the gradient of the last row."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.weight.grad[-1] = 0
        return dx


@SHELF.layer(**EMBEDDING)
class EmbeddingBagSum(Embedding):
    """Mean over the bag forward; backward forgets to divide by its length."""

    def forward(self, x):
        return super().forward(x).mean(axis=1)

    def backward(self, dy):
        return super().backward(np.repeat(dy[:, None, :], 3, axis=1))


@SHELF.layer(**EMBEDDING)
class EmbeddingOneHotRows(Embedding):
    """Counts from the smallest id present: the gradient is shifted when id 0 is absent."""

    def backward(self, dy):
        dx = super().backward(dy)
        ids = self.x.ravel() - self.x.min(initial=self.weight.shape[0] - 1)
        for k in range(2):
            self.weight.grad[:, k] = np.bincount(ids, dy[..., k].ravel(), minlength=self.weight.shape[0])
        return dx


@SHELF.layer(**EMBEDDING)
class EmbeddingSortedOnce(Embedding):
    """Sums over runs of equal tokens in x as it is, without sorting: of several runs the last one stays."""

    def backward(self, dy):
        ids, rows = self.x.ravel(), dy.reshape(-1, 2)
        starts = np.flatnonzero(np.diff(ids, prepend=-1))
        self.weight.grad[...] = 0
        if len(ids):
            self.weight.grad[ids[starts]] = np.add.reduceat(rows, starts, axis=0)
        return np.zeros(self.x.shape, dy.dtype)


@SHELF.layer(shape=("n", 3, 2))
class PositionLast(Layer):
    """Learned positions added to x: the last position's gradient is never set."""

    def __init__(self):
        self.position = Parameter((3, 2), normal(1.0))

    def forward(self, x):
        return x + self.position.value

    def backward(self, dy):
        self.position.grad[:-1] = dy[:, :-1].sum(axis=0)
        return dy.copy()


@SHELF.layer(**EMBEDDING)
class EmbeddingOfIntegersOnly(Embedding):
    """Indexes with x itself, which the Trainer casts to floats."""

    def forward(self, x):
        self.x = x
        return self.weight.value[x]


@SHELF.layer(**EMBEDDING)
class EmbeddingOfFloatsByRemainder(Embedding):
    """Another table row for floats than for integers."""

    def forward(self, x):
        return super().forward(x if x.dtype.kind == "i" else (x + 1) % len(self.weight.value))

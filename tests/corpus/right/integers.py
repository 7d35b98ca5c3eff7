"""Integer input: the gradient of x is not asked for."""

import numpy as np
from hypothesis import strategies as st

from minidl import Layer, Parameter
from minidl.initializers import ones
from tests.corpus.items import Shelf
from tests.corpus.right.bases import small

SHELF = Shelf()


@SHELF.layer(shape=("n", "time"), integers=(0, "tokens"), tokens=st.integers(2, 5), width=st.integers(1, 3))
class Embedding(Layer):
    """Rows of a trained table; a token may occur several times in the batch."""

    def __init__(self, tokens, width):
        self.E = Parameter((tokens, width), small)

    def forward(self, x):
        self.x = x.astype(np.intp)
        return self.E.value[self.x]

    def backward(self, dy):
        grad = np.zeros(self.E.shape, dy.dtype)
        np.add.at(grad, self.x, dy)
        self.E.grad = grad
        return np.zeros(self.x.shape, dy.dtype)


@SHELF.layer(shape=("n", "time"), integers=(0, 4), mode=st.sampled_from(["sum", "mean", "max"]))
class EmbeddingBag(Layer):
    """Sum, mean or maximum of embeddings; of equal maxima the first position is credited."""

    def __init__(self, mode):
        self.mode, self.E = mode, Parameter((4, 2), small)

    def forward(self, x):
        self.x = x.astype(np.intp)
        e = self.E.value[self.x]
        self.k = e.argmax(axis=1)[:, None]
        return {"sum": e.sum, "mean": e.mean, "max": e.max}[self.mode](axis=1)

    def backward(self, dy):
        g = np.repeat(dy[:, None], self.x.shape[1], axis=1)
        if self.mode == "mean":
            g /= self.x.shape[1]
        if self.mode == "max":
            g = np.zeros_like(g)
            np.put_along_axis(g, self.k, dy[:, None], axis=1)
        grad = np.zeros(self.E.shape, dy.dtype)
        np.add.at(grad, self.x, g)
        self.E.grad = grad
        return np.zeros(self.x.shape, dy.dtype)


@SHELF.layer(shape=("n",), integers=(-2, 3))
class ScaledOneHot(Layer):
    """One integer a row, from -2 to 2, becomes a one-hot row times a trained scalar."""

    def __init__(self):
        self.scale = Parameter((1,), ones, decay=False)

    def forward(self, x):
        self.hot = (x[:, None] == np.arange(-2, 3)).astype(self.scale.value.dtype)
        return self.hot * self.scale.value

    def backward(self, dy):
        self.scale.grad = np.sum(dy * self.hot, keepdims=True).reshape(1)
        return np.zeros(len(dy), dy.dtype)

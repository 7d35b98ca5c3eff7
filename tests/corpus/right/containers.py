"""Layers of layers, functions that return models, and one object that is built already."""

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise, Layer, Linear, ReLU, Sequential, Sigmoid
from minidl.layers.activations import sigmoid, softmax
from tests.corpus.items import Shelf
from tests.corpus.right.activations import Sin20
from tests.corpus.right.convolution import Conv2D
from tests.corpus.right.kinks import Abs, LeakyReLU
from tests.corpus.right.normalization import LayerNorm
from tests.corpus.right.pooling import MaxPool2DFirst
from tests.corpus.right.shapes import FlattenView
from tests.corpus.right.ties import SortRow

SHELF = Shelf()


@SHELF.layer()
class Highway(Elementwise):
    """t h + (1 - t) x, children in a dict."""

    def __init__(self, features):
        self.part = {"h": Linear(features, features), "t": Linear(features, features)}

    def forward(self, x):
        self.x, self.h, self.t = x, np.tanh(self.part["h"].forward(x)), sigmoid(self.part["t"].forward(x))
        return self.t * self.h + (1 - self.t) * x

    def backward(self, dy):
        dx = dy * (1 - self.t)
        dx += self.part["h"].backward(dy * self.t * (1 - self.h**2))
        dx += self.part["t"].backward(dy * (self.h - self.x) * self.t * (1 - self.t))
        return dx


@SHELF.layer(out=st.integers(1, 2))
class SoftExperts(Layer):
    """Linear experts in a list, weighted by a softmax gate."""

    def __init__(self, features, out):
        self.gate, self.experts = Linear(features, 3), [Linear(features, out) for _ in range(3)]

    def forward(self, x):
        self.g = softmax(self.gate.forward(x))
        self.y = np.stack([e.forward(x) for e in self.experts], axis=1)
        return (self.g[:, :, None] * self.y).sum(axis=1)

    def backward(self, dy):
        dg = (self.y * dy[:, None]).sum(axis=2)
        dx = self.gate.backward(self.g * (dg - (dg * self.g).sum(axis=1, keepdims=True)))
        for k, e in enumerate(self.experts):
            dx = dx + e.backward(self.g[:, [k]] * dy)
        return dx


@SHELF.layer("NestedSequential", shape=("n", "in_features"), hidden=st.integers(1, 3))
def nested(in_features, hidden):
    """A Sequential in a Sequential, with a kink, a normalization and a stiff end."""
    inner = Sequential(Linear(hidden, 2), Sin20())
    return Sequential(Linear(in_features, hidden), LeakyReLU(0.2), LayerNorm(hidden), inner)


@SHELF.layer("ConvNet", shape=("n", 1, 3, "width"), width=st.integers(2, 3))
def convnet(width):
    """A small network of images: what the last layer takes depends on the width."""
    return Sequential(Conv2D(1, 2, 2, 1), ReLU(), MaxPool2DFirst(), FlattenView(), Linear(6 * width, 2))


@SHELF.layer("DeepKinks")
def deep_kinks(features):
    """Kinks behind kinks, and a sort at the end."""
    return Sequential(Linear(features, 3), ReLU(), Linear(3, 3), ReLU(), Linear(3, 2), Abs(), SortRow())


@SHELF.layer("KinksThatMeet", shape=("n", "features"))
def kinks_that_meet(features):
    """Without a bias both hidden kinks are at x = 0, and their slopes add up there."""
    return Sequential(Linear(features, 2, bias=False), ReLU(), Linear(2, 1))


SHELF.put("layer", Sequential(Linear(2, 2), Sigmoid()), {"shape": ("n", 2)}, name="AnObject")

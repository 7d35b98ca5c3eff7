"""Layers made of layers."""

import numpy as np

from minidl.layers import Layer, Linear, Parallel, Residual, Tanh
from minidl.layers.activations import sigmoid
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Dropout

SHELF = Shelf()


@SHELF.layer()
class ResidualNoSkip(Layer):
    """y = x + f(x): the skip path is missing in dx."""

    def __init__(self, features):
        self.inner = Linear(features, features)

    def forward(self, x):
        return x + self.inner.forward(x)

    def backward(self, dy):
        return self.inner.backward(dy)


@SHELF.layer(stochastic=True)
class ResidualAlias(Layer):
    """dx += dy where the inner layer returned dy itself: edits dy, at inference only."""

    def __init__(self):
        self.inner = Dropout()

    def forward(self, x):
        return x + self.inner.forward(x)

    def backward(self, dy):
        dx = self.inner.backward(dy)
        dx += dy
        return dx


@SHELF.layer()
class SharedActivation(Layer):
    """One Tanh in two places: its second call overwrites what the first one kept."""

    def __init__(self, features):
        self.a, self.b, self.act = Linear(features, 3), Linear(3, 2), Tanh()

    def forward(self, x):
        z = self.b.forward(self.act.forward(self.a.forward(x)))
        return self.act.forward(z[:, [0, 1, 1]])

    def backward(self, dy):
        d = self.act.backward(dy)
        d = np.stack([d[:, 0], d[:, 1] + d[:, 2]], axis=1)
        return self.a.backward(self.act.backward(self.b.backward(d)))


@SHELF.layer()
class StickyNeedsDx(Layer):
    """Sets needs_dx of an inner layer to False when asked once, and never back to True."""

    def __init__(self, features):
        self.a, self.b = Linear(features, 3), Linear(3, 3)

    def forward(self, x):
        return self.b.forward(self.a.forward(x))

    def backward(self, dy):
        if not self.needs_dx:
            self.a.needs_dx = False
        d = self.a.backward(self.b.backward(dy))
        return d if self.a.needs_dx else np.zeros((len(dy), self.a.in_features), dy.dtype)


@SHELF.layer()
class HintToWrongChild(Layer):
    """Hands needs_dx=False to the upper layer, which then does not give the lower one its dy."""

    def __init__(self, features):
        self.a, self.b = Linear(features, 2), Linear(2, 2)

    def forward(self, x):
        return self.b.forward(self.a.forward(x))

    def backward(self, dy):
        self.b.needs_dx = self.needs_dx
        d = self.b.backward(dy)
        self.b.needs_dx = True
        return self.a.backward(d)


@SHELF.layer()
class BranchesLastOnly(Layer):
    """Concatenates two branches: dx is that of the second only, not the sum."""

    def __init__(self, features):
        self.branches = [Linear(features, 2), Linear(features, 2)]

    def forward(self, x):
        return np.concatenate([b.forward(x) for b in self.branches], axis=1)

    def backward(self, dy):
        for k, b in enumerate(self.branches):
            dx = b.backward(dy[:, 2 * k : 2 * k + 2])
        return dx


@SHELF.layer()
class HighwayCarry(Layer):
    """y = t h + (1 - t) x: the gate's derivative lacks - x."""

    def __init__(self, features):
        self.gate, self.inner = Linear(features, features), Linear(features, features)

    def forward(self, x):
        self.t, self.v = sigmoid(self.gate.forward(x)), self.inner.forward(x)
        return self.t * self.v + (1 - self.t) * x

    def backward(self, dy):
        dt = dy * self.v * self.t * (1 - self.t)
        return self.gate.backward(dt) + self.inner.backward(dy * self.t) + dy * (1 - self.t)


@SHELF.layer()
class ResidualHalved(Residual):
    """y = x + f(x); backward takes the mean of both ways."""

    def __init__(self, features):
        super().__init__(Linear(features, features))

    def backward(self, dy):
        return super().backward(dy) / 2


@SHELF.layer()
class ParallelPartsExchanged(Parallel):
    """Side by side forward; backward hands the first part to the last branch."""

    def __init__(self, features):
        super().__init__(Linear(features, 2), Linear(features, 2), join="features")

    def backward(self, dy):
        return super().backward(np.concatenate([dy[:, 2:], dy[:, :2]], axis=1))

"""Functions of single elements with kinks and jumps: any slope between the two one-sided ones is right."""

import numpy as np
from hypothesis import strategies as st

from minidl import Layer
from tests.corpus.items import Shelf
from tests.corpus.right.bases import Point

SHELF = Shelf()


@SHELF.layer(slope=st.sampled_from([0.01, 0.3, -0.5, 2.0]))
class LeakyReLU(Point):
    """y = x above 0 and slope x below; at 0 the slope is 1. A negative slope gives a valley."""

    def __init__(self, slope):
        self.slope = slope

    def f(self, x):
        return np.where(x >= 0, x, self.slope * x)

    def df(self, x):  # at 0: 1
        return np.where(x >= 0, 1.0, self.slope).astype(x.dtype)


@SHELF.layer()
class HardTanh(Point):
    """y = x clipped to [-1, 1]; at both kinks the slope is 0."""

    def f(self, x):
        return np.clip(x, -1, 1)

    def df(self, x):
        return np.abs(x) < 1


@SHELF.layer()
class HardTanhInclusive(Point):
    """y = x clipped to [-1, 1]; at both kinks the slope is 1."""

    def f(self, x):
        return np.clip(x, -1, 1)

    def df(self, x):
        return np.abs(x) <= 1


@SHELF.layer()
class ReLU6(Point):
    """y = min(max(x, 0), 6): the upper kink lies far from 0."""

    def f(self, x):
        return np.minimum(np.maximum(x, 0), 6)

    def df(self, x):
        return (x > 0) & (x < 6)


@SHELF.layer()
class ReLUMiddle(Point):
    """At the kink: the middle of the subdifferential, by np.heaviside."""

    def f(self, x):
        return np.maximum(x, 0)

    def df(self, x):
        return np.heaviside(x, 0.5)


@SHELF.layer(lam=st.sampled_from([0.0, 0.5, 1.0]))
class SoftShrink(Point):
    """y = sign(x) max(|x| - lam, 0); without lam it is the identity."""

    def __init__(self, lam):
        self.lam = lam

    def f(self, x):
        return np.sign(x) * np.maximum(np.abs(x) - self.lam, 0)

    def df(self, x):
        return np.abs(x) > self.lam if self.lam else np.ones_like(x)


@SHELF.layer()
class Abs(Point):
    """y = |x|; at 0 the slope is 0, the middle of -1 and 1."""

    def f(self, x):
        return np.abs(x)

    def df(self, x):
        return np.sign(x)


@SHELF.layer()
class AbsRight(Point):
    """y = |x|; at 0, and at -0.0 too, the slope is that from the right."""

    def f(self, x):
        return np.abs(x)

    def df(self, x):
        return np.where(x >= 0, 1, -1).astype(x.dtype)


@SHELF.layer()
class FloorOffGrid(Point):
    """A staircase whose jumps lie at odd places: its derivative is 0 almost everywhere."""

    def f(self, x):
        return np.floor(0.7318309886 * x + 0.1415926)

    def df(self, x):
        return np.zeros_like(x)


@SHELF.layer()
class HardShrinkOffGrid(Point):
    """y = x where |x| > 0.31371, else 0: it jumps, and the jump has no derivative."""

    def f(self, x):
        return np.where(np.abs(x) > 0.31371, x, 0)

    def df(self, x):
        return np.abs(x) > 0.31371


@SHELF.layer(period=st.sampled_from([1.0, 0.75, 4.0]))
class TriangleWave(Point):
    """The distance to the nearest multiple of the period: periodic, with kinks on the grid."""

    def __init__(self, period):
        self.period = period

    def f(self, x):
        return np.abs(x - self.period * np.rint(x / self.period))

    def df(self, x):
        r = x - self.period * np.rint(x / self.period)
        return np.where(np.abs(r) == self.period / 2, 0, np.sign(r)).astype(x.dtype)


@SHELF.layer()
class TinyScale(Point):
    """y = 10^-6 max(x, x / 2): a kink between two tiny slopes."""

    def f(self, x):
        return 1e-6 * np.maximum(x, 0.5 * x)

    def df(self, x):
        return np.where(x > 0, 1e-6, 0.5e-6).astype(x.dtype)


@SHELF.layer(domain=(0.0, 1.0))
class UnitInterval(Point):
    """Refuses what is outside [0, 1]; a tent map inside."""

    def f(self, x):
        if x.size and (x.min() < 0 or x.max() > 1):
            raise ValueError(f"expected x in [0, 1], received [{x.min()}, {x.max()}]")
        return 1 - np.abs(2 * x - 1)

    def df(self, x):
        return -2 * np.sign(2 * x - 1)


@SHELF.layer()
class CReLU(Layer):
    """[max(x, 0), max(-x, 0)]: one kink in two outputs, whose upstream gradients may be opposite."""

    def forward(self, x):
        self.x = x
        return np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=1)

    def backward(self, dy):
        d = self.x.shape[1]
        return dy[:, :d] * (self.x > 0) - dy[:, d:] * (self.x < 0)

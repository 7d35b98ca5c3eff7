"""Smooth functions of single elements: steep, periodic, tiny, huge, saturating, on closed domains."""

import math

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise
from minidl.layers.activations import sigmoid
from tests.corpus.items import Shelf
from tests.corpus.right.bases import Point

SHELF = Shelf()
_erf = np.frompyfunc(math.erf, 1, 1)


@SHELF.layer()
class GELUErf(Point):
    """y = x Phi(x) by math.erf, in float64 inside and in the dtype of x outside."""

    def phi(self, x):
        return 0.5 * (1 + _erf(np.asarray(x, np.float64) / math.sqrt(2)).astype(np.float64))

    def f(self, x):
        return (x * self.phi(x)).astype(x.dtype)

    def df(self, x):
        x64 = x.astype(np.float64)
        return (self.phi(x64) + x64 * np.exp(-0.5 * x64 * x64) / math.sqrt(2 * math.pi)).astype(x.dtype)


@SHELF.layer(beta=st.sampled_from([1.0, 20.0]))
class Softplus(Point):
    """y = log(1 + exp(beta x)) / beta: nearly a kink for a large beta."""

    def __init__(self, beta):
        self.beta = beta

    def f(self, x):
        return np.logaddexp(0, self.beta * x) / self.beta

    def df(self, x):
        return sigmoid(self.beta * x)


@SHELF.layer()
class SteepSigmoid(Point):
    """y = 1 / (1 + exp(-50 x)): all of its slope is within 0.1 of 0."""

    def f(self, x):
        return sigmoid(50 * x)

    def df(self, x):
        s = sigmoid(50 * x)
        return 50 * s * sigmoid(-50 * x)


@SHELF.layer()
class Sin20(Point):
    """y = sin(20 x): stiff and periodic."""

    def f(self, x):
        return np.sin(20 * x)

    def df(self, x):
        return 20 * np.cos(20 * x)


@SHELF.layer()
class BigOffset(Point):
    """y = 10000 + tanh(x): differences of y cancel."""

    def f(self, x):
        return 1e4 + np.tanh(x)

    def df(self, x):
        return 1 - np.tanh(x) ** 2


@SHELF.layer()
class BigScale(Point):
    """y = 10^6 arctan(x)."""

    def f(self, x):
        return 1e6 * np.arctan(x)

    def df(self, x):
        return 1e6 / (1 + x * x)


@SHELF.layer()
class SignedPower15(Point):
    """sign(x) |x|**1.5: differentiable at 0, but the second derivative is infinite there."""

    def f(self, x):
        return np.sign(x) * np.abs(x) ** 1.5

    def df(self, x):
        return 1.5 * np.sqrt(np.abs(x))


@SHELF.layer()
class Exp(Elementwise):
    """Overflows to infinity exactly where e**x does; 0 upstream gives 0."""

    def forward(self, x):
        with np.errstate(over="ignore"):
            self.y = np.exp(x)
        return self.y

    def backward(self, dy):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(dy == 0, 0, dy * self.y)


@SHELF.layer(domain=(0.125, 20.0))
class Logarithm(Point):
    """y = log(x), refused at 0 and below."""

    def f(self, x):
        return np.log(x)

    def df(self, x):
        return 1 / x


@SHELF.layer(domain=(-0.95, 0.95))
class Arcsin(Point):
    """y = arcsin(x), infinitely steep at the ends of [-1, 1]."""

    def f(self, x):
        return np.arcsin(x)

    def df(self, x):
        return 1 / np.sqrt((1 - x) * (1 + x))


@SHELF.layer(domain=(0.0, 3.0))
class Power15(Point):
    """y = x^1.5 on a closed domain that starts at 0."""

    def f(self, x):
        return x**1.5

    def df(self, x):
        return 1.5 * np.sqrt(x)


@SHELF.layer(domain=(100.0, 101.0))
class NarrowFarDomain(Point):
    """y = arccos((x - 100.5) / 0.75) on a domain of width 1, far from 0."""

    def f(self, x):
        return np.arccos((x - 100.5) / 0.75)

    def df(self, x):
        u = (x - 100.5) / 0.75
        return -1 / (0.75 * np.sqrt(1 - u * u))


@SHELF.layer(rounds=st.integers(1, 3))
class EquilibriumLikeLoop(Elementwise):
    """h <- tanh(h + x), one to three rounds, undone backward in reverse."""

    def __init__(self, rounds):
        self.rounds = rounds

    def forward(self, x):
        self.tape, h = [], np.zeros_like(x)
        for _ in range(self.rounds):
            h = np.tanh(h + x)
            self.tape.append(h)
        return +h

    def backward(self, dy):
        dx, dh = np.zeros_like(dy), dy
        for h in reversed(self.tape):
            dh = dh * (1 - h * h)
            dx += dh
        return dx

"""Smooth functions of one number, with derivatives that are nearly theirs."""

import numpy as np
from hypothesis import strategies as st

from minidl.layers import Elementwise, Layer, Tanh
from minidl.layers.activations import sigmoid
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Activation

SHELF = Shelf()


@SHELF.layer()
class SiLUMissingSigmoid(Activation):
    """Derivative s + x (1 - s) lacks a factor s in its second term."""

    def f(self, x):
        return x * sigmoid(x)

    def df(self, x):
        s = sigmoid(x)
        return s + x * (1 - s)


@SHELF.layer()
class GELUCubicCoefficient(Activation):
    """The inner derivative is 1 + 0.044715 x^2: a 3 is missing."""

    def f(self, x):
        return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))

    def df(self, x):
        t = np.tanh(0.7978845608 * (x + 0.044715 * x**3))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608 * (1 + 0.044715 * x**2)


@SHELF.layer()
class GELUMixed(Activation):
    """Tanh forward, derivative of x * sigmoid(1.702 x): about 1% off."""

    def f(self, x):
        return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3)))

    def df(self, x):
        s = sigmoid(1.702 * x)
        return s + 1.702 * x * s * (1 - s)


@SHELF.layer()
class MishMissing(Activation):
    """The factor sigmoid(x), derivative of softplus, is missing."""

    def f(self, x):
        return x * np.tanh(np.logaddexp(x, x.dtype.type(0)))

    def df(self, x):
        t = np.tanh(np.logaddexp(x, x.dtype.type(0)))
        return t + x * (1 - t * t)


@SHELF.layer(domain=(0.001, 4.0))
class LogEps(Activation):
    """y = log(x + 0.01), derivative 1/x: right for x >> 0.01 only."""

    def f(self, x):
        return np.log(x + 0.01)

    def df(self, x):
        return 1 / x


@SHELF.layer(domain=(0.1, 4.0), p=st.floats(0.5, 3.0))
class PowerExponent(Activation):
    """Derivative p x^p instead of p x^(p-1): right at x = 1."""

    def __init__(self, p):
        self.p = p

    def f(self, x):
        return x**self.p

    def df(self, x):
        return self.p * x**self.p


@SHELF.layer()
class OffsetTanh(Activation):
    """y = 1000 + tanh(x) with a derivative 0.5% too large."""

    def f(self, x):
        return 1000 + np.tanh(x)

    def df(self, x):
        return 1.005 * (1 - np.tanh(x) ** 2)


@SHELF.layer()
class OffsetSineLarge(Activation):
    """y = 100 + x + sin(x)/10 with a Taylor series for the cosine: wrong for |x| > 2 only."""

    def f(self, x):
        return 100 + x + np.sin(x) / 10

    def df(self, x):
        return 1 + 0.1 * (1 - x * x / 2 + x**4 / 24) * (np.abs(x) < 5)


@SHELF.layer()
class SoftplusNaive(Activation):
    """log(1 + exp(x)) is inf in float32 beyond 88."""

    def f(self, x):
        with np.errstate(over="ignore"):
            return np.log(1 + np.exp(x))

    def df(self, x):
        return sigmoid(x)


@SHELF.layer()
class NaiveTanh(Elementwise):
    """inf / inf for large x."""

    def forward(self, x):
        up, down = np.exp(x), np.exp(-x)
        self.y = (up - down) / (up + down)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


@SHELF.layer()
class SlightlyWrong(Tanh):
    """Everything is 0.01% off."""

    def backward(self, dy):
        return super().backward(dy) * 1.0001


@SHELF.layer()
class OneFeatureWrong(Tanh):
    """The first feature is 1% off."""

    def backward(self, dy):
        dx = super().backward(dy)
        dx[:, 0] *= 1.01
        return dx


@SHELF.layer()
class WrongFromTheFifthFeature(Tanh):
    """Only the first four features get a gradient."""

    def backward(self, dy):
        dx = super().backward(dy)
        dx[:, 4:] = 0
        return dx


@SHELF.layer()
class SigmoidEatsOutput(Elementwise):
    """Backward works in place on the array forward returned, and twice is wrong."""

    def forward(self, x):
        self.y = sigmoid(x)
        return self.y

    def backward(self, dy):
        self.y *= 1 - self.y
        return self.y * dy


@SHELF.layer()
class BackwardOverwritesOutput(Elementwise):
    """backward works in place on the array forward returned, once."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        if self.y.flags.writeable:
            np.subtract(1, self.y**2, out=self.y)
            self.y.flags.writeable = False
        return self.y * dy


@SHELF.layer()
class TanhTrainingOnly(Elementwise):
    """Keeps y only while training: backward at inference uses the last training y."""

    def forward(self, x):
        y = np.tanh(x)
        if self.training or getattr(self, "y", None) is None or self.y.shape != y.shape:
            self.y = y
        return y

    def backward(self, dy):
        return (1 - self.y**2) * dy


@SHELF.layer()
class TanhFloat64Table(Elementwise):
    """Multiplied by a float64 constant array in backward: dx leaks to float64."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (np.ones(dy.shape[1]) - self.y**2)


@SHELF.layer(shape=("n", 6))
class GLUSwapped(Layer):
    """y = a sigmoid(b): backward concatenates the halves' gradients in the wrong order."""

    def forward(self, x):
        self.a, b = np.split(x, 2, axis=1)
        self.s = sigmoid(b)
        return self.a * self.s

    def backward(self, dy):
        return np.concatenate([dy * self.a * self.s * (1 - self.s), dy * self.s], axis=1)

"""Functions of several pieces: wrong on one of them, or at the kink between them."""

import numpy as np
from hypothesis import strategies as st

from minidl.initializers import uniform
from minidl.layers import Elementwise, Layer, ReLU
from minidl.layers.activations import sigmoid
from minidl.parameters import Parameter
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Activation

SHELF = Shelf()


@SHELF.layer()
class ReLUWithTwoAtZero(ReLU):
    """The derivative at 0 is 2, which is no subgradient."""

    def backward(self, dy):
        return dy * ((self.x > 0) + 2 * (self.x == 0)).astype(dy.dtype)


@SHELF.layer()
class ReLUOfInputSign(ReLU):
    """The derivative is sign(x), so it is -1 where it should be 0."""

    def backward(self, dy):
        return dy * np.sign(self.x)


@SHELF.layer()
class ReLU6WithoutItsUpperEnd(ReLU):
    """The derivative is 1 beyond 6, where the output is constant."""

    def forward(self, x):
        return np.minimum(super().forward(x), 6)


@SHELF.layer()
class LeakyByUpstream(Elementwise):
    """backward tests the sign of dy instead of the sign of x."""

    def forward(self, x):
        return np.where(x > 0, x, x * 0.1).astype(x.dtype)

    def backward(self, dy):
        return np.where(dy > 0, dy, dy * 0.1).astype(dy.dtype)


@SHELF.layer()
class LeakyBothMasks(Activation):
    """The slope is 1.1 exactly at 0, which is no subgradient."""

    def f(self, x):
        return np.maximum(x, 0) + 0.1 * np.minimum(x, 0)

    def df(self, x):
        return (x >= 0).astype(x.dtype) + 0.1 * (x <= 0).astype(x.dtype)


@SHELF.layer()
class AbsQuotient(Activation):
    """Derivative x / |x|: NaN exactly at 0."""

    def f(self, x):
        return np.abs(x)

    def df(self, x):
        with np.errstate(invalid="ignore"):
            return x / np.abs(x)


@SHELF.layer(alpha=st.floats(0.3, 2.0))
class ELUPlusOne(Activation):
    """For x < 0 the derivative is y + alpha, here y + 1."""

    def __init__(self, alpha):
        self.alpha = alpha

    def f(self, x):
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0))).astype(x.dtype)

    def df(self, x):
        return np.where(x > 0, 1, self.f(x) + 1).astype(x.dtype)


@SHELF.layer()
class EluWithPrecedenceBug(Elementwise):
    """A missing pair of brackets: the derivative below 0 is True, which is 1, as in tinynn."""

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, np.expm1(x))

    def backward(self, dy):
        return dy * ((self.x > 0) | (np.exp(self.x) > 0))


@SHELF.layer()
class SELUNegative(Activation):
    """The negative branch of the derivative lacks the scale lambda."""

    def f(self, x):
        below = 1.6732632423543772 * np.expm1(np.minimum(x, 0))
        return (1.0507009873554805 * np.where(x > 0, x, below)).astype(x.dtype)

    def df(self, x):
        below = 1.6732632423543772 * np.exp(np.minimum(x, 0))
        return np.where(x > 0, 1.0507009873554805, below).astype(x.dtype)


@SHELF.layer()
class SoftplusThreshold(Activation):
    """Linear beyond 4 in forward, but the derivative stays a sigmoid: 1.8% off at most, and there only."""

    def f(self, x):
        return np.where(x > 4, x, np.log1p(np.exp(np.minimum(x, 4)))).astype(x.dtype)

    def df(self, x):
        return sigmoid(x)


@SHELF.layer()
class HardSigmoidSlopes(Activation):
    """Forward x/6 + 1/2 (torch), backward slope 0.2 (Keras)."""

    def f(self, x):
        return np.clip(x / 6 + 0.5, 0, 1)

    def df(self, x):
        return 0.2 * (np.abs(x) < 3).astype(x.dtype)


@SHELF.layer()
class PReLUShared(Layer):
    """The gradient of the slope sums over all x, the positive ones too."""

    def __init__(self):
        self.slope = Parameter((1,), uniform(0.1, 0.5))

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.slope.value * x)

    def backward(self, dy):
        self.slope.grad = np.array([(dy * self.x).sum()])
        return np.where(self.x > 0, dy, self.slope.value * dy)


@SHELF.layer()
class NotDifferentiableInside(Elementwise):
    """Rounds going forward and passes straight through going back."""

    def forward(self, x):
        return np.round(x)

    def backward(self, dy):
        return dy.copy()

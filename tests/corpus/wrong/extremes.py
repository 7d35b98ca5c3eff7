"""Wrong in one corner only: far parameters, extreme upstream gradients, points near the grid, many rows or features."""

import numpy as np

from minidl import Elementwise, Layer, Parameter
from minidl.initializers import zeros
from minidl.layers import SoftmaxCrossEntropy
from minidl.optim import SGD, Schedule
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Activation, Scale

SHELF = Shelf()


class Tanh(Activation):
    def f(self, x):
        return np.tanh(x)

    def df(self, x):
        return 1 - np.tanh(x) ** 2


@SHELF.layer()
class ForgetsSignOfParameter(Scale):
    """y = |gain| x: right for positive gains only."""

    def forward(self, x):
        self.x = x
        return x * np.abs(self.gain.value)

    def backward(self, dy):
        self.gain.grad = (dy * self.x).sum(axis=0)
        return dy * np.abs(self.gain.value)


@SHELF.layer()
class NaNWhereItStarts(Scale):
    """y = x sin(gain) / gain: the backward half divides by the initial value, which is 0."""

    def __init__(self, features):
        self.gain = Parameter((features,), zeros, decay=False)

    def forward(self, x):
        self.x = x
        return x * np.sinc(self.gain.value / np.pi)

    def backward(self, dy):
        g = self.gain.value
        self.gain.grad = (dy * self.x).sum(axis=0) * (np.cos(g) * g - np.sin(g)) / g**2
        return dy * np.sinc(g / np.pi)


@SHELF.layer()
class ClipsLargeUpstream(Tanh):
    def backward(self, dy):
        return super().backward(np.clip(dy, -5, 5))


@SHELF.layer()
class DropsSmallUpstream(Tanh):
    def backward(self, dy):
        return super().backward(np.where(np.abs(dy) < 1e-3, 0, dy))


@SHELF.layer()
class DividesByUpstream(Scale):
    """Scales by the largest upstream gradient and back: 0 / 0 where there is none."""

    def backward(self, dy):
        largest = np.abs(dy).max(initial=0.0)
        dx = super().backward(dy / largest) * largest
        self.gain.grad = self.gain.grad * largest
        return dx


@SHELF.layer()
class InfiniteFarOut(Activation):
    """y = log(1 + exp(x)) with a derivative that overflows beyond 50."""

    def f(self, x):
        return np.logaddexp(0, x)

    def df(self, x):
        return np.where(x > 50, np.inf, 1 / (1 + np.exp(-x)))


@SHELF.layer()
class WrongSeriesNearZero(Activation):
    """y = sin(x) / x, where the series near 0 has a wrong coefficient."""

    def f(self, x):
        return np.sinc(x / np.pi)

    def df(self, x):
        safe = np.where(np.abs(x) < 1e-2, 1, x)
        return np.where(np.abs(x) < 1e-2, -x / 6, (np.cos(safe) * safe - np.sin(safe)) / safe**2)


@SHELF.layer()
class WrongFarOutInTraining(Tanh):
    """In training, what lies beyond 5 is cut off in the backward half only."""

    def forward(self, x):
        self.cut = self.training
        return super().forward(x) + x

    def backward(self, dy):
        dx = super().backward(dy) + dy
        return np.where(np.abs(self.x) > 5, 0, dx) if self.cut else dx


@SHELF.layer(stochastic=True)
class CentredDropout(Elementwise):
    """Dropout that subtracts the mean of the batch, which makes rows depend on one another."""

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) < 0.5).astype(x.dtype) if self.training else None
        return x if self.mask is None else (x - x.mean(axis=0)) * self.mask

    def backward(self, dy):
        if self.mask is None:
            return dy
        inner = dy * self.mask
        return inner - inner.mean(axis=0)


@SHELF.layer(shape=("n", 2))
class SmallBesideLarge(Layer):
    """y = (10 000 x_0, tanh(x_1) / 1000): the derivative of the small half is forgotten."""

    def forward(self, x):
        return np.stack([10000 * x[:, 0], np.tanh(x[:, 1]) / 1000], axis=1)

    def backward(self, dy):
        return dy * np.array([10000, 0.001], dy.dtype)


@SHELF.layer()
class OverflowsBackwardInFloat32(Elementwise):
    """A sigmoid whose backward half is inf / inf in float32 from -89 on."""

    def forward(self, x):
        self.e = np.exp(np.clip(-x, -500, 500))
        return 1 / (1 + self.e)

    def backward(self, dy):
        return dy * self.e / (1 + self.e) ** 2


@SHELF.layer()
class LosesRowsBeyondEight(Scale):
    def backward(self, dy):
        dx = super().backward(dy)
        self.gain.grad = (dy * self.x)[:8].sum(axis=0)
        return dx


@SHELF.layer()
class LosesFeaturesBeyondEight(Tanh):
    def backward(self, dy):
        dx = super().backward(dy)
        dx[:, 8:] = 0
        return dx


@SHELF.layer()
class ZeroAtALeakyKink(Activation):
    """The slopes at 0 are 0.1 and 1, and it says 0."""

    def f(self, x):
        return np.where(x > 0, x, x * x.dtype.type(0.1))

    def df(self, x):
        return np.where(x > 0, 1, np.where(x < 0, 0.1, 0)).astype(x.dtype)


@SHELF.layer()
class ZeroAtATiltedKink(Activation):
    """y = 3 x + |x|: the slopes at 0 are 2 and 4, and it says 0."""

    def f(self, x):
        return 3 * x + np.abs(x)

    def df(self, x):
        return np.where(x == 0, 0, 3 + np.sign(x))


@SHELF.loss()
class ReadsScoresInMemoryOrder(SoftmaxCrossEntropy):
    def row_losses(self, scores, targets):
        return super().row_losses(scores.ravel(order="K").reshape(scores.shape), targets)


@SHELF.loss()
class SharesItsCache(SoftmaxCrossEntropy):
    """The gradients are kept on the class."""

    kept: np.ndarray

    def row_losses(self, scores, targets):
        losses = super().row_losses(scores, targets)
        type(self).kept = super().row_gradients()
        return losses

    def row_gradients(self):
        return self.kept.copy()


@SHELF.optimizer(lr=0.1)
class DecaysAllIfAny(SGD):
    """Decays every parameter of a model in which one may decay."""

    def apply(self, parameters, lr):
        if parameters.decayed.stop:
            parameters.value *= 1 - 0.01 * lr
        super().apply(parameters, lr)


@SHELF.optimizer(lr=0.1, reference=lambda start, gradients: start - 0.1 * sum(gradients))
class StopsAfterTenSteps(SGD):
    def update(self, value, grad, lr):
        if self.steps < 10:
            super().update(value, grad, lr)


@SHELF.schedule(lr=0.1, steps=1000)
class NegativeBeyondTheEnd(Schedule):
    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def at(self, step):
        return self.lr * (1 - step / self.steps) if step <= self.steps + 1 else 0.0


@SHELF.schedule(lr=0.1, steps=1000, reference=lambda step: 0.1 if step < 1000 else 0.0)
class EndsOneStepEarly(Schedule):
    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def at(self, step):
        return self.lr if step < self.steps - 1 else 0.0

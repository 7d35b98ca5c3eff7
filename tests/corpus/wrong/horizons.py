"""Mistakes that begin beyond a few: steps, features, rows, classes, forwards, signs, instances, long clocks."""

import numpy as np

from minidl.initializers import glorot_uniform, zeros
from minidl.layers import Elementwise, Layer, SoftmaxCrossEntropy
from minidl.layers.losses import Loss
from minidl.optim import SGD, Optimizer
from minidl.parameters import Parameter
from minidl.testing import real_targets
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.layer(shape=("n", "time", "features"))
class TruncatedInTime(Layer):
    """h_t = tanh(x_t + w h_(t-1)), whose gradient goes four steps back and no further."""

    def __init__(self, features):
        self.weight = Parameter((features,), zeros)

    def forward(self, x):
        self.h = np.zeros((x.shape[0], x.shape[1] + 1, x.shape[2]), x.dtype)
        for t in range(x.shape[1]):
            self.h[:, t + 1] = np.tanh(x[:, t] + self.weight.value * self.h[:, t])
        return self.h[:, -1].copy()

    def backward(self, dy):
        n, steps, features = self.h.shape
        dx, dw, dh = np.zeros((n, steps - 1, features), dy.dtype), np.zeros(features, dy.dtype), dy
        for t in reversed(range(max(0, steps - 1 - 4), steps - 1)):
            dx[:, t] = dh * (1 - self.h[:, t + 1] ** 2)
            dw += (dx[:, t] * self.h[:, t]).sum(axis=0)
            dh = dx[:, t] * self.weight.value
        self.weight.grad = dw
        return dx


@SHELF.layer()
class GradientOf16Features(Elementwise):
    """x^2, whose backward loses the features beyond the 16th."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dy):
        dx = 2 * self.x * dy
        dx[:, 16:] = 0
        return dx


@SHELF.layer(shape=("n", "channels", "height", "width"))
class GradientOf8Columns(Elementwise):
    """3x of images, whose backward loses what lies beyond the 8th column."""

    def forward(self, x):
        return 3 * x

    def backward(self, dy):
        dx = 3 * dy
        dx[..., 8:] = 0
        return dx


@SHELF.layer()
class WrongBelowZero(Elementwise):
    """x^2, whose backward forgets the 2 where a whole batch is negative."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dy):
        return (1 if (self.x < 0).all() else 2) * self.x * dy


@SHELF.layer()
class LinearOfNegativeWeights(Layer):
    """A gain per feature, whose dx takes its size where all gains are negative."""

    def __init__(self, features):
        self.gain = Parameter((features,), zeros)

    def forward(self, x):
        self.x = x
        return x * self.gain.value

    def backward(self, dy):
        gain = self.gain.value
        self.gain.grad = (self.x * dy).sum(axis=0)
        return dy * (np.abs(gain) if (gain < 0).all() else gain)


@SHELF.layer()
class CountsForwardsInAByte(Elementwise):
    """2x, until the 200th forward of one object; from there on 2x + 1."""

    def __init__(self):
        self.count = 0

    def forward(self, x):
        self.count += 1
        return 2 * x + (self.count >= 200)

    def backward(self, dy):
        return 2 * dy


@SHELF.layer(rows_mix=True)
class CentredByAPlainArray(Elementwise):
    """In training x less a running mean of batches before, which is kept in an array that is no State."""

    mean = 0.0

    def forward(self, x):
        if not self.training:
            return x.copy()
        y = x - np.asarray(self.mean, x.dtype)
        self.mean = 0.9 * self.mean + 0.1 * x.mean(axis=0)
        return y

    def backward(self, dy):
        return dy.copy()


@SHELF.loss(targets=real_targets)
class SquaredErrorOf64Rows(Loss):
    """Squared errors, whose gradient is halved from the 65th row on."""

    def row_losses(self, scores, targets):
        self.error = scores - targets
        return (self.error**2).reshape(len(scores), -1).sum(axis=1)

    def row_gradients(self):
        dx = 2 * self.error
        dx[64:] /= 2
        return dx


@SHELF.loss()
class TenClasses(SoftmaxCrossEntropy):
    """Cross-entropy whose gradient forgets the classes beyond the tenth."""

    def row_gradients(self):
        gradients = super().row_gradients().copy()
        gradients[:, 10:] = 0
        return gradients


@SHELF.loss(targets=real_targets)
class SharedByDefault(Loss):
    """Squared errors kept in a mutable default argument, which all losses share and a deep copy does not."""

    def __init__(self, cache={}):  # noqa: B006 - the mistake
        super().__init__()
        self.cache = cache

    def row_losses(self, scores, targets):
        self.cache["error"] = scores - targets
        return (self.cache["error"] ** 2).reshape(len(scores), -1).sum(axis=1)

    def row_gradients(self):
        return 2 * self.cache["error"]


@SHELF.optimizer(lr=0.1)
class TowardsZero(Optimizer):
    """Moves towards 0 by the size of the gradient, whatever its sign."""

    def update(self, value, grad, lr):
        value -= lr * np.abs(grad) * np.where(value >= 0, 1, -1)


@SHELF.optimizer(lr=0.1, reference=lambda start, gradients: start - 0.1 * sum(gradients))
class StandsAfter100(SGD):
    """SGD that stands still after 100 steps."""

    def update(self, value, grad, lr):
        if self.steps < 100:
            super().update(value, grad, lr)


@SHELF.optimizer(lr=0.1, reference=lambda start, gradients: start - 0.1 * sum(gradients))
class CountsInAByte(SGD):
    """SGD whose first step is half as long, and so is every 256th, as a byte counts them."""

    def update(self, value, grad, lr):
        super().update(value, grad, 0.5 * lr if self.steps % 256 == 255 else lr)


@SHELF.optimizer(lr=0.1)
class GrowsOutOfFloats(Optimizer):
    """A weight of 1.1^t, which is no float from the 7 448th step on."""

    def update(self, value, grad, lr):
        weight = 1.1**self.steps
        value -= lr * grad * (weight / (weight + 1.0))


@SHELF.optimizer(lr=0.1)
class SharesItsMomentum(Optimizer):
    """Momentum kept in a mutable default argument by the length of the vector."""

    def __init__(self, lr, memory={}):  # noqa: B006 - the mistake
        super().__init__(lr)
        self.memory = memory

    def update(self, value, grad, lr):
        if not self.steps:
            self.memory[value.size] = np.zeros_like(value)
        self.memory[value.size] = 0.9 * self.memory[value.size] + grad
        value -= lr * self.memory[value.size]


def _decayed(parameters):
    return parameters.value[parameters.decayed], parameters.grad[parameters.decayed]


@SHELF.regularizer()
def first_64(parameters):
    """sum(w^2), whose gradient forgets the weights beyond the 64th."""
    w, grad = _decayed(parameters)
    grad[:64] += 2 * w[:64]
    return float((w**2).sum())


@SHELF.regularizer()
def negative_only(parameters):
    """sum(w^2), whose gradient is half where all weights are negative."""
    w, grad = _decayed(parameters)
    grad += (1 if (w < 0).all() else 2) * w
    return float((w**2).sum())


@SHELF.schedule()
class TiresOfAnswers:
    """0.1, and from the 1000th answer of one object on, 0."""

    def __init__(self):
        self.asked = 0

    def __call__(self, step):
        self.asked += 1
        return 0.1 if self.asked < 1000 else 0.0


@SHELF.layer(shape=("n", "features"))
class WideGlorot(Layer):
    """x W, whose dW forgets what lies beyond its 16th row."""

    def __init__(self, features):
        self.weight = Parameter((features, 2), glorot_uniform)

    def forward(self, x):
        self.x = x
        return x @ self.weight.value

    def backward(self, dy):
        dw = self.x.T @ dy
        dw[16:] = 0
        self.weight.grad = dw
        return dy @ self.weight.value.T


@SHELF.optimizer(lr=0.1)
class SparesPositive(Optimizer):
    """Negative gradients move only what is negative."""

    def update(self, value, grad, lr):
        value -= lr * np.where((grad < 0) & (value >= 0), 0, grad)

"""Losses of scores and targets of their shape."""

import numpy as np
from hypothesis import strategies as st

from minidl.layers import BinaryCrossEntropy, Huber, Loss, MeanAbsoluteError, MeanSquaredError
from minidl.layers.activations import sigmoid
from minidl.testing import binary_labels, fractions, real_targets
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import PlainSquaredError

SHELF = Shelf()


@SHELF.loss(targets=real_targets)
class SumOverRows(PlainSquaredError):
    """The sum over the rows, not the mean."""

    def forward(self, scores, targets, weights=None):
        return super().forward(scores, targets, weights) * len(scores)

    def backward(self):
        return super().backward() * len(self.share)


@SHELF.loss(targets=real_targets)
class GradientOfTheSum(PlainSquaredError):
    """The value is a mean over the rows, the gradient that of their sum."""

    def backward(self):
        return super().backward() * len(self.share)


@SHELF.loss(targets=real_targets)
class IgnoresWeights(PlainSquaredError):
    """The weights of the rows are not used."""

    def forward(self, scores, targets, weights=None):
        return super().forward(scores, targets)


@SHELF.loss(targets=real_targets)
class WeightsNotNormalized(PlainSquaredError):
    """Divides by the number of rows, not by the sum of their weights."""

    def forward(self, scores, targets, weights=None):
        super().forward(scores, targets, weights)
        self.share = self.share * scores.dtype.type(self.total_weight / len(scores))
        return float((self.share * self.difference**2).sum())


@SHELF.loss(targets=real_targets)
class ReturnsArrayScalar(PlainSquaredError):
    """Returns a numpy scalar, not a Python float."""

    def forward(self, scores, targets, weights=None):
        return np.float64(super().forward(scores, targets, weights))


@SHELF.loss(targets=real_targets)
class LossLeaksFloat64(PlainSquaredError):
    """A numpy float64 scalar makes the gradient float64."""

    def backward(self):
        return super().backward() * np.float64(1)


@SHELF.loss(targets=real_targets)
class StaleShape(PlainSquaredError):
    """backward uses the first difference of each shape for ever."""

    def backward(self):
        if not hasattr(self, "first"):
            self.first = self.difference
        return 2 * self.share * (self.first if self.first.shape == self.difference.shape else self.difference)


@SHELF.loss(shape=("n", 1), targets=real_targets)
class AbsoluteBroadcast(Loss):
    """(n, 1) - (n,) broadcasts to (n, n): every row is compared with every target."""

    def row_losses(self, scores, targets):
        d = scores - targets.reshape(-1)
        self.gradient = np.sign(d).mean(axis=1, keepdims=True).astype(scores.dtype)
        return np.abs(d).mean(axis=1)

    def row_gradients(self):
        return self.gradient


@SHELF.loss(targets=real_targets, delta=st.floats(0.3, 2.0))
class HuberSlope(Loss):
    """Beyond delta the gradient is sign(d), not delta sign(d)."""

    def __init__(self, delta):
        self.delta = delta

    def row_losses(self, scores, targets):
        self.d = scores - targets
        a = np.abs(self.d)
        losses = np.where(a <= self.delta, 0.5 * a * a, self.delta * (a - 0.5 * self.delta))
        return losses.sum(axis=1).astype(scores.dtype)

    def row_gradients(self):
        return np.where(np.abs(self.d) <= self.delta, self.d, np.sign(self.d))


@SHELF.loss(targets=real_targets, delta=st.floats(0.3, 2.0))
class HuberLinesWithoutOffset(Loss):
    """Beyond delta the value is delta |d|, so it jumps at delta, where the gradient is right on both sides."""

    def __init__(self, delta):
        self.delta = delta

    def row_losses(self, scores, targets):
        self.d = scores - targets
        a = np.abs(self.d)
        return np.where(a <= self.delta, a * a / 2, self.delta * a).sum(axis=1).astype(scores.dtype)

    def row_gradients(self):
        return np.clip(self.d, -self.delta, self.delta)


@SHELF.loss(targets=real_targets)
class LogCoshNaive(Loss):
    """log(cosh(d)) overflows to inf: beyond 89 in float32, 710 in float64."""

    def row_losses(self, scores, targets):
        self.d = scores - targets
        with np.errstate(over="ignore"):
            return np.log(np.cosh(self.d)).sum(axis=1)

    def row_gradients(self):
        return np.tanh(self.d)


@SHELF.loss(targets=real_targets, q=st.floats(0.1, 0.4))
class PinballSwapped(Loss):
    """The quantile's q and 1 - q are exchanged in the gradient."""

    def __init__(self, q):
        self.q = q

    def row_losses(self, scores, targets):
        self.d = targets - scores
        return np.maximum(self.q * self.d, (self.q - 1) * self.d).sum(axis=1)

    def row_gradients(self):
        return np.where(self.d > 0, self.q - 1, self.q).astype(self.d.dtype)


@SHELF.loss(targets=real_targets)
class MSEWidth(MeanSquaredError):
    """Mean over the columns in the value, sum over them in the gradient."""

    def row_gradients(self):
        return 2 * self.difference


@SHELF.loss(targets=real_targets)
class MeanSquaredErrorWithoutTwo(MeanSquaredError):
    """The factor 2 of the derivative is missing."""

    def row_gradients(self):
        return super().row_gradients() / 2


@SHELF.loss(targets=fractions)
class BCEClipped(BinaryCrossEntropy):
    """P clipped to [1e-4, 1 - 1e-4] in the value; gradient is not."""

    def row_losses(self, scores, targets):
        self.scores, self.targets = scores, targets
        p = np.clip(sigmoid(scores), 1e-4, 1 - 1e-4)
        losses = -targets * np.log(p) - (1 - targets) * np.log(1 - p)
        return losses.reshape(len(losses), -1).mean(axis=1)


@SHELF.loss(targets=fractions)
class BCEThresholded(BinaryCrossEntropy):
    """gradient rounds the target to 0 or 1: right for binary labels only."""

    def row_gradients(self):
        t = (self.targets > 0.5).astype(self.scores.dtype)
        return (sigmoid(self.scores) - t) / (t.size // len(t))


@SHELF.loss(targets=binary_labels)
class WrongLabelZero(BinaryCrossEntropy):
    """The sign is wrong for targets of 0."""

    def row_gradients(self):
        return np.where(self.targets == 0, -1, 1) * super().row_gradients()


@SHELF.loss(targets=real_targets)
class LossWorksInTargets(Loss):
    """targets -= scores: writes into the caller's targets where no cast is needed."""

    def row_losses(self, scores, targets):
        targets -= scores
        self.d = targets.copy()
        return (self.d**2).sum(axis=1)

    def row_gradients(self):
        return -2 * self.d


@SHELF.loss(targets=real_targets)
class AbsoluteErrorWithoutTheMean(MeanAbsoluteError):
    """The sign is not divided by the number of scores in a row."""

    def row_gradients(self):
        return np.sign(self.difference)


@SHELF.loss(targets=real_targets, delta=0.5)
class HuberSlopeOfOne(Huber):
    """The gradient outside is the sign, not delta times it."""

    def row_gradients(self):
        return super().row_gradients() / self.delta

"""Losses of scores and class labels."""

import math

import numpy as np
from hypothesis import strategies as st

from minidl.layers import ClassLoss, Focal, Hinge, SoftmaxCrossEntropy, SquaredHinge
from minidl.testing import probability_rows
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import log_softmax

SHELF = Shelf()


@SHELF.loss()
class CELastClass(SoftmaxCrossEntropy):
    """The hit is not subtracted from the probabilities for rows of the last class."""

    def row_gradients(self):
        g = self.probability.copy()
        hit = self.targets < g.shape[1] - 1
        g[np.flatnonzero(hit), self.targets[hit]] -= 1
        return g


@SHELF.loss()
class CEBackwardEatsCache(SoftmaxCrossEntropy):
    """Subtracts in the cache itself: a second backward subtracts again."""

    def row_gradients(self):
        self.probability[np.arange(len(self.targets)), self.targets] -= 1
        return self.probability


@SHELF.loss()
class CEGradientIgnoresWeights(SoftmaxCrossEntropy):
    """Backward divides by n and ignores the row weights."""

    def backward(self):
        return self.row_gradients() / len(self.targets)


@SHELF.loss()
class CEWeightsOverN(SoftmaxCrossEntropy):
    """In the value only, the weighted losses are divided by n, not by the sum of the weights."""

    def forward(self, scores, targets, weights=None):
        value = super().forward(scores, targets, weights)
        return value * self.total_weight / len(scores)


@SHELF.loss()
class CEZeroWeightsNaN(SoftmaxCrossEntropy):
    """If all weights are 0 the value is NaN instead of 0."""

    def forward(self, scores, targets, weights=None):
        value = super().forward(scores, targets, weights)
        return math.nan if self.total_weight == 0 else value


@SHELF.loss()
class CEStaleTotalWeight(SoftmaxCrossEntropy):
    """total_weight is the number of rows even if weights are given."""

    def forward(self, scores, targets, weights=None):
        value = super().forward(scores, targets, weights)
        self.total_weight = float(len(scores))
        return value


@SHELF.loss()
class CEScoresInPlace(SoftmaxCrossEntropy):
    """Subtracts the row maximum in the caller's scores."""

    def row_losses(self, scores, targets):
        scores -= scores.max(axis=1, keepdims=True)
        return super().row_losses(scores, targets)


@SHELF.loss()
class ClassWeightsByColumn(ClassLoss):
    """Class weights multiply the columns of the gradient, not its rows."""

    def row_losses(self, scores, targets):
        self.inner = SoftmaxCrossEntropy()
        self.targets = targets
        return self.inner.row_losses(scores, targets) * np.arange(1, scores.shape[1] + 1)[targets]

    def row_gradients(self):
        gradient = self.inner.row_gradients()
        return gradient * np.arange(1, gradient.shape[1] + 1)


@SHELF.loss()
class NaiveCrossEntropy(ClassLoss):
    """exp overflows for large scores."""

    def row_losses(self, scores, targets):
        exponentials = np.exp(scores)
        self.p, self.targets = exponentials / exponentials.sum(axis=1, keepdims=True), targets
        return -np.log(self.p[np.arange(len(targets)), targets])

    def row_gradients(self):
        gradient = self.p.copy()
        gradient[np.arange(len(gradient)), self.targets] -= 1
        return gradient


@SHELF.loss()
class FocalNoModulator(ClassLoss):
    """-(1-p)^2 log p: the derivative treats (1-p)^2 as a constant."""

    def row_losses(self, scores, targets):
        logp = log_softmax(scores)
        self.p, self.hits = np.exp(logp), (np.arange(len(targets)), targets)
        return -((1 - self.p[self.hits]) ** 2) * logp[self.hits]

    def row_gradients(self):
        gradient = self.p.copy()
        gradient[self.hits] -= 1
        return gradient * (1 - self.p[self.hits])[:, None] ** 2


@SHELF.loss(smoothing=st.floats(0.05, 0.3))
class CESmoothingUneven(ClassLoss):
    """The value spreads the smoothing over the K - 1 other classes, the gradient over all K."""

    def __init__(self, smoothing):
        super().__init__()
        self.smoothing = smoothing

    def row_losses(self, scores, targets):
        logp, a = log_softmax(scores), self.smoothing
        self.p, self.hits = np.exp(logp), (np.arange(len(targets)), targets)
        hit = logp[self.hits]
        return -(1 - a) * hit - a / (scores.shape[1] - 1) * (logp.sum(axis=1) - hit)

    def row_gradients(self):
        gradient = self.p - self.smoothing / self.p.shape[1]
        gradient[self.hits] -= 1 - self.smoothing
        return gradient


@SHELF.loss()
class CEFlatIndexWraps(ClassLoss):
    """A flat index in the dtype of the labels: with uint8 labels it wraps beyond 255."""

    def row_losses(self, scores, targets):
        logp = log_softmax(scores)
        n, k = scores.shape
        self.p = np.exp(logp)
        self.flat = (np.arange(n).astype(targets.dtype) * targets.dtype.type(k) + targets).astype(np.int64)
        return -logp.ravel()[self.flat]

    def row_gradients(self):
        g = self.p.copy()
        g.ravel()[self.flat] -= 1
        return g


@SHELF.loss(shape=("n", 2))
class SquaredHingeUint8(ClassLoss):
    """t = 2 y - 1 in the dtype of the labels: 255 for label 0 if they are uint8."""

    def row_losses(self, scores, targets):
        self.t = (2 * targets - 1).astype(scores.dtype)
        self.m = np.maximum(0, 1 - self.t * (scores[:, 1] - scores[:, 0]))
        return self.m**2

    def row_gradients(self):
        d = -2 * self.m * self.t
        return np.stack([-d, d], axis=1)


@SHELF.loss()
class HingeTiedRivals(ClassLoss):
    """All tied strongest rivals get +1 while the true score gets -1: the row does not sum to 0."""

    def row_losses(self, scores, targets):
        rows = np.arange(len(targets))
        rivals = scores.copy()
        rivals[rows, targets] = -np.inf
        top = rivals.max(axis=1)
        violation = 1 + top - scores[rows, targets]
        self.gradient = ((rivals == top[:, None]) & (violation > 0)[:, None]).astype(scores.dtype)
        self.gradient[rows, targets] = -(violation > 0).astype(scores.dtype)
        return np.maximum(violation, 0)

    def row_gradients(self):
        return self.gradient.copy()


@SHELF.loss()
class HingeFirstColumnTwice(Hinge):
    """The first column of the gradient is doubled."""

    def row_gradients(self):
        gradient = super().row_gradients()
        gradient[:, 0] *= 2
        return gradient


@SHELF.loss(targets=probability_rows)
class KLZeroTargets(SoftmaxCrossEntropy):
    """q log q is NaN where a target probability is 0."""

    def row_losses(self, scores, targets):
        value = super().row_losses(scores, targets)
        if targets.ndim == 1:
            return value
        with np.errstate(divide="ignore", invalid="ignore"):
            return value + (targets * np.log(targets)).sum(axis=1)


@SHELF.loss(targets=probability_rows)
class SoftTargetsUnnormalized(SoftmaxCrossEntropy):
    """The gradient normalizes the probabilities over the batch, not over the row."""

    def row_gradients(self):
        if self.targets.ndim == 1:
            return super().row_gradients()
        p = self.probability
        return p / (p.sum(axis=0, keepdims=True) / p.sum(axis=0).mean()) - self.targets


@SHELF.loss()
class SquaredHingeSlope(SquaredHinge):
    """The gradient of the squares lacks the factor 2."""

    def row_gradients(self):
        return super().row_gradients() / 2


@SHELF.loss()
class SquaredHingeOfTheSum(SquaredHinge):
    """The value is the square of the sum of the violations, the gradient that of the sum of the squares."""

    def row_losses(self, scores, targets):
        super().row_losses(scores, targets)
        return self.violations.sum(axis=1) ** 2


@SHELF.loss()
class FocalConstantFactor(Focal):
    """Takes (1 - p)^gamma for a constant weight of the row: its derivative is missing."""

    def row_gradients(self):
        gradient = self.probability.copy()
        gradient[self.rows, self.targets] -= 1
        return gradient * (self.q**self.gamma)[:, None]


@SHELF.loss(gamma=0.5)
class FocalDividesByZero(Focal):
    """gamma q^(gamma - 1) p log p as it stands: NaN where a row is certain."""

    def row_gradients(self):
        gradient = self.probability.copy()
        gradient[self.rows, self.targets] -= 1
        return gradient * (self.q**self.gamma - self.gamma * self.q ** (self.gamma - 1) * self.p * -self.cost)[:, None]

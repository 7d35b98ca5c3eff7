"""Batch normalization: training, inference, and what is carried from one to the other."""

import numpy as np

from minidl.initializers import normal
from minidl.layers import Layer
from minidl.parameters import State
from minidl.testing import at_least
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import BatchNorm

SHELF = Shelf()


@SHELF.layer(rows_mix=True)
class BatchNormWithoutVarianceTerm(BatchNorm):
    """The variance is treated as a constant in backward."""

    def backward(self, dy):
        dx = super().backward(dy)
        d = dy * self.gain.value
        return self.inverse * (d - d.mean(axis=0)) if self.mixed else dx


@SHELF.layer(rows_mix=True)
class BatchNormUnbiasedBackward(BatchNorm):
    """The variance term of backward is divided by n - 1, forward's by n."""

    def backward(self, dy):
        dx = super().backward(dy)
        if not self.mixed:
            return dx
        d = dy * self.gain.value
        inner = (d * self.normal).sum(axis=0) / max(len(dy) - 1, 1)
        return self.inverse * (d - d.mean(axis=0) - self.normal * inner)


@SHELF.layer(rows_mix=True)
class BatchNormInferenceBackward(BatchNorm):
    """Inference uses the training derivative, subtracting means over the batch."""

    def backward(self, dy):
        self.mixed = True
        return super().backward(dy)


@SHELF.layer(rows_mix=True)
class BatchNormInferenceStdOfBatch(BatchNorm):
    """At inference, backward scales by the statistics of the batch, forward by the running ones."""

    def forward(self, x):
        y = super().forward(x)
        self.x = x
        return y

    def backward(self, dy):
        dx = super().backward(dy)
        return dx if self.mixed else dy * self.gain.value / np.sqrt(self.x.var(axis=0) + self.eps)


@SHELF.layer(rows_mix=True)
class BatchNormInferenceGain(BatchNorm):
    """At inference, the gradient of the gain uses x minus the mean, not divided by the deviation."""

    def backward(self, dy):
        dx = super().backward(dy)
        if not self.mixed:
            self.gain.grad = (dy * self.normal / self.inverse).sum(axis=0)
        return dx


@SHELF.layer(rows_mix=True)
class BatchNormInferenceShift(BatchNorm):
    """At inference, forward forgets the eps under the root and backward keeps it: 0.5% at variance 1."""

    eps = 1e-2

    def forward(self, x):
        y = super().forward(x)
        if self.training:
            return y
        return (x - self.mean.value) / np.sqrt(self.var.value) * self.gain.value + self.shift.value


@SHELF.layer(rows_mix=True)
class BatchNormPlainArrays(BatchNorm):
    """Running statistics in plain float64 arrays: neither restored nor of the model's dtype."""

    def __init__(self, features):
        super().__init__(features)
        del self.mean, self.var
        self.running_mean, self.running_var = np.zeros(features), np.ones(features)

    def forward(self, x):
        mean, var = self.running_mean.astype(x.dtype), self.running_var.astype(x.dtype)
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.running_mean = 0.9 * self.running_mean + 0.1 * mean
            self.running_var = 0.9 * self.running_var + 0.1 * var
        self.inverse = 1 / np.sqrt(var + self.eps)
        self.normal, self.mixed = (x - mean) * self.inverse, self.training
        return self.normal * self.gain.value + self.shift.value


@SHELF.layer(rows_mix=True)
class BatchNormTracksInference(BatchNorm):
    """The running statistics move at inference too, so predicting changes the model."""

    def forward(self, x):
        y = super().forward(x)
        if not self.training and len(x):
            self.track(x.mean(axis=0), x.var(axis=0), len(x))
        return y


@SHELF.layer(rows_mix=True)
class BatchNormLearnsInBackward(BatchNorm):
    """backward moves a running mean."""

    def backward(self, dy):
        self.mean.value += 1
        return super().backward(dy)


@SHELF.layer(rows_mix=True)
class BatchNormUnbiasedOneRow(BatchNorm):
    """Running variance times n / (n - 1): NaN for ever after a batch of one row."""

    def track(self, mean, var, n):
        with np.errstate(invalid="ignore", divide="ignore"):
            super().track(mean, var * (np.float64(n) / (n - 1)), n)


@SHELF.layer(rows_mix=True)
class BatchNormModeAtBackward(BatchNorm):
    """At inference, the gradient of the gain takes the normalized rows of the last training batch."""

    def forward(self, x):
        y = super().forward(x)
        if self.training:
            self.kept = self.normal
        return y

    def backward(self, dy):
        if not self.mixed and getattr(self, "kept", None) is not None and self.kept.shape == self.normal.shape:
            self.normal = self.kept
        return super().backward(dy)


@SHELF.layer(rows_mix=True)
class BatchCentreMeanOfMeans(Layer):
    """y = x - batch mean in training: backward forgets that the mean depends on x."""

    def __init__(self, features):
        self.mean = State((features,), normal(0.5))

    def forward(self, x):
        return x - (x.mean(axis=0) if self.training else self.mean.value)

    def backward(self, dy):
        return dy.copy()


IN_TRAINING = {"rows_mix": "training", "shape": (at_least(2), "features")}


class Unbiased(BatchNorm):
    """Right: the running variance is that of the population."""

    def track(self, mean, var, n):
        super().track(mean, var * (n / (n - 1)), n)


@SHELF.layer(**IN_TRAINING)
class BatchNormOfTheBatch(Unbiased):
    """The statistics of the batch at inference too, with their gradient: rows depend on one another there."""

    def forward(self, x):
        mean, var = x.mean(axis=0), x.var(axis=0)
        if self.training:
            self.track(mean, var, len(x))
        self.inverse, self.mixed = 1 / np.sqrt(var + self.eps), True
        self.normal = (x - mean) * self.inverse
        return self.normal * self.gain.value + self.shift.value


SHELF.put("layer", BatchNorm, IN_TRAINING, "BatchNorm with a biased running variance")


@SHELF.layer(**IN_TRAINING)
class BatchNormNeverMoves(Unbiased):
    """The running statistics are those it started with: new ones are bound to names, not assigned."""

    def track(self, mean, var, n):
        running = self.mean.value, self.var.value
        running = [r + 0.1 * (new - r) for r, new in zip(running, (mean, var), strict=True)]


@SHELF.layer(**IN_TRAINING)
class BatchNormMovesTheMeanOnly(Unbiased):
    """The running variance stays what it was."""

    def track(self, mean, var, n):
        self.mean.value = 0.9 * self.mean.value + 0.1 * mean


@SHELF.layer(**IN_TRAINING)
class BatchNormSumOfRows(Unbiased):
    """The running mean follows the sum of the rows over 2, as if every batch had two of them."""

    def track(self, mean, var, n):
        super().track(mean * n / 2, var, n)


@SHELF.layer(**IN_TRAINING)
class BatchNormConstantVariance(Unbiased):
    """backward takes the variance for a constant: it centres dy and forgets how x moves the deviation."""

    def backward(self, dy):
        dx = super().backward(dy)
        if not self.mixed:
            return dx
        d = dy * self.gain.value
        return (d - d.mean(axis=0)) * self.inverse


SHELF.put("layer", BatchNorm, {}, "BatchNorm that is not declared to mix rows")

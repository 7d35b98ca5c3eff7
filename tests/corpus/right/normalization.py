"""Normalizations of rows, of channels and of batches."""

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise, Linear, Parameter, Sequential, State, Tanh
from minidl.initializers import ones, zeros
from minidl.testing import at_least
from tests.corpus.items import Shelf
from tests.corpus.right.bases import IMAGES, BatchNormBase, Normalization, normalized
from tests.corpus.right.randomness import GaussianNoise

SHELF = Shelf()


@SHELF.layer()
class LayerNorm(Normalization):
    """Layer normalization with gain and bias."""

    axes = (1,)

    def __init__(self, features):
        self.gain, self.bias = Parameter((features,), ones, decay=False), Parameter((features,), zeros, decay=False)

    def forward(self, x):
        self.xhat, self.r, _ = normalized(x, self.axes, 1e-3)
        return self.xhat * self.gain.value + self.bias.value

    def backward(self, dy):
        self.gain.grad, self.bias.grad = (dy * self.xhat).sum(axis=0), dy.sum(axis=0)
        return self.back(dy * self.gain.value)


@SHELF.layer()
class PlainLayerNorm(Normalization):
    """Layer normalization without parameters and with a small eps: ill-conditioned where a row is nearly constant."""

    axes = (1,)

    def forward(self, x):
        self.xhat, self.r, _ = normalized(x, self.axes, 1e-5)
        return self.xhat.copy()

    def backward(self, dy):
        return self.back(dy)


@SHELF.layer(shape=IMAGES)
class InstanceNorm(Normalization):
    """Normalizes each channel of each row, which may be one pixel large."""

    axes = (2, 3)

    def forward(self, x):
        self.xhat, self.r, _ = normalized(x, self.axes, 1e-2)
        return self.xhat

    def backward(self, dy):
        return self.back(dy)


@SHELF.layer(shape=IMAGES, channels=st.sampled_from([2, 4]))
class GroupNorm(Normalization):
    """Normalizes two groups of channels; the gain has shape (channels, 1, 1)."""

    axes = (2, 3, 4)

    def __init__(self, channels):
        self.gain = Parameter((channels, 1, 1), ones)

    def forward(self, x):
        n, c, h, w = x.shape
        self.xhat, self.r, _ = normalized(x.reshape(n, 2, c // 2, h, w), self.axes, 1e-2)
        self.flat = self.xhat.reshape(x.shape)
        return self.flat * self.gain.value

    def backward(self, dy):
        self.gain.grad = (dy * self.flat).sum(axis=(0, 2, 3)).reshape(-1, 1, 1)
        return self.back((dy * self.gain.value).reshape(self.xhat.shape)).reshape(dy.shape)


@SHELF.layer(rows_mix=True)
class BatchNorm(BatchNormBase):
    """Batch normalization of features, with running statistics for inference."""

    def __init__(self, features):
        self.setup(features)


@SHELF.layer(rows_mix=True)
class BatchNormPlainSmallEps(BatchNormBase):
    """Batch normalization without parameters and with a small eps: ill-conditioned."""

    eps, momentum = 1e-5, 0.99

    def __init__(self, features):
        self.setup(features, affine=False)


@SHELF.layer(rows_mix=True, shape=IMAGES)
class BatchNorm2D(BatchNormBase):
    """Batch normalization of channels over rows and pixels."""

    def __init__(self, channels):
        self.setup(channels)


@SHELF.layer(rows_mix="training", shape=(at_least(2), "features"))
class UnbiasedBatchNorm(BatchNormBase):
    """Its running variance is that of the population, so large and small batches lead to the same on average."""

    momentum, eps = 0.5, 1e-5

    def __init__(self, features):
        self.setup(features)

    def forward(self, x):
        before = self.var.value.copy()
        y = super().forward(x)
        if self.training:
            m = x.size / len(self.var.value)
            self.var.value = before + (1 - self.momentum) * (x.var(axis=self.axes) * (m / (m - 1)) - before)
        return y


@SHELF.layer(rows_mix="training")
class CenterByRunningMean(Elementwise):
    """Subtracts the mean of the batch in training, its running average at inference."""

    def __init__(self, features):
        self.mean = State((features,), zeros)

    def forward(self, x):
        self.mixed = self.training
        if not self.training:
            return x - self.mean.value
        m = x.mean(axis=0)
        self.mean.value += 0.1 * (m - self.mean.value)
        return x - m

    def backward(self, dy):
        return dy - dy.mean(axis=0) if self.mixed else dy


@SHELF.layer(rows_mix=True)
class NormalizedResidual(Elementwise):
    """x + F(x) where F starts with batch normalization."""

    def __init__(self, features):
        self.block = Sequential(BatchNorm(features), Linear(features, 3), Tanh(), Linear(3, features))

    def forward(self, x):
        return x + self.block.forward(x)

    def backward(self, dy):
        return dy + self.block.backward(dy)


@SHELF.layer(rows_mix="training", shape=(at_least(2), "features"), width=st.integers(1, 3))
def bias_before_batch_norm(features, width):
    """The gradient of the bias is exactly 0, and what rounding makes of it is large where rows are nearly equal."""
    return Sequential(Linear(features, 3), Linear(3, width), UnbiasedBatchNorm(width))


@SHELF.layer(rows_mix="training", stochastic=True, shape=(at_least(2), "features"))
def noisy_batch_norm(features):
    """Running statistics and draws in one."""
    return Sequential(UnbiasedBatchNorm(features), GaussianNoise(0.5), Tanh(), UnbiasedBatchNorm(features))


@SHELF.layer(rows_mix="training")
class CountsItsBatches(Elementwise):
    """A cumulative average of batch means, by a counter of whole numbers."""

    def __init__(self, features):
        self.mean, self.batches = State((features,), zeros), State((), zeros, dtype=np.int64)

    def forward(self, x):
        self.mixed, m = self.training, self.mean.value
        if self.training:
            m = x.mean(axis=0)
            self.batches.value += 1
            self.mean.value += (m - self.mean.value) / float(self.batches.value)
        return x - m

    def backward(self, dy):
        return dy - dy.mean(axis=0) if self.mixed else dy

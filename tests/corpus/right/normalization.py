"""Normalizations of rows, of channels and of batches."""

from hypothesis import strategies as st

from minidl import Elementwise, Linear, Parameter, Sequential, State, Tanh
from minidl.initializers import ones, zeros
from tests.corpus.items import Shelf
from tests.corpus.right.bases import IMAGES, BatchNormBase, Normalization, normalized

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


@SHELF.layer(rows_mix=True)
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

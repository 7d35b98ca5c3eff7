"""Normalization of each sample by itself."""

import numpy as np

from minidl.initializers import uniform
from minidl.layers import Layer
from minidl.parameters import Parameter
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import LayerNorm

SHELF = Shelf()


@SHELF.layer()
class LayerNormStdForVar(LayerNorm):
    """Backward multiplies by the variance's reciprocal where the deviation's belongs."""

    def backward(self, dy):
        return super().backward(dy) * self.inverse


@SHELF.layer()
class LayerNormSampleVariance(LayerNorm):
    """Forward divides by width - 1 (width > 1), backward assumes width."""

    def forward(self, x):
        d = max(x.shape[1] - 1, 1)
        c = x - x.mean(axis=1, keepdims=True)
        self.inverse = 1 / np.sqrt((c * c).sum(axis=1, keepdims=True) / d + self.eps)
        self.normal = c * self.inverse
        return self.normal * self.gain.value


@SHELF.layer()
class LayerNormEpsOutside(LayerNorm):
    """forward has sqrt(var + eps), backward 1 / (std + eps): wrong mainly where the variance is small."""

    def backward(self, dy):
        deviation = np.sqrt(np.maximum(1 / self.inverse**2 - self.eps, 0))
        right, self.inverse = self.inverse, 1 / (deviation + self.eps)
        dx = super().backward(dy)
        self.inverse = right
        return dx


@SHELF.layer()
class LayerNormGainOutside(LayerNorm):
    """The means of backward are taken before the gain is multiplied in."""

    def backward(self, dy):
        super().backward(dy)
        inner = (dy * self.normal).mean(axis=1, keepdims=True)
        return self.gain.value * self.inverse * (dy - dy.mean(axis=1, keepdims=True) - self.normal * inner)


@SHELF.layer()
class RMSNormSum(Layer):
    """y = x / rms(x): the projection term uses the sum where the mean belongs."""

    def forward(self, x):
        self.r = np.sqrt((x * x).mean(axis=1, keepdims=True) + 0.01)
        self.normal = x / self.r
        return self.normal.copy()

    def backward(self, dy):
        return (dy - self.normal * (dy * self.normal).sum(axis=1, keepdims=True)) / self.r


@SHELF.layer()
class UnitRowsNoGuard(Layer):
    """y = x / |x|, right derivative, but a row of zeros gives NaN forward and backward."""

    def forward(self, x):
        self.norm = np.sqrt((x * x).sum(axis=1, keepdims=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            self.normal = x / self.norm
        return self.normal.copy()

    def backward(self, dy):
        with np.errstate(invalid="ignore", divide="ignore"):
            return (dy - self.normal * (dy * self.normal).sum(axis=1, keepdims=True)) / self.norm


@SHELF.layer(shape=("n", 2, 2, 3))
class InstanceNormAxes(Layer):
    """Normalizes each channel over height and width; backward averages over the width only."""

    def forward(self, x):
        self.inverse = 1 / np.sqrt(x.var(axis=(2, 3), keepdims=True) + 1e-2)
        self.normal = (x - x.mean(axis=(2, 3), keepdims=True)) * self.inverse
        return self.normal.copy()

    def backward(self, dy):
        inner = (dy * self.normal).mean(axis=3, keepdims=True)
        return self.inverse * (dy - dy.mean(axis=3, keepdims=True) - self.normal * inner)


@SHELF.layer(shape=("n", 4, 3))
class GroupNormInterleaved(Layer):
    """Groups of neighbouring channels forward, interleaved channels in the gradient of the gain."""

    def __init__(self):
        self.gain = Parameter((4,), uniform(0.5, 2.0))

    def forward(self, x):
        groups = x.reshape(len(x), 2, 6)
        self.inverse = 1 / np.sqrt(groups.var(axis=2, keepdims=True) + 1e-2)
        self.normal = (groups - groups.mean(axis=2, keepdims=True)) * self.inverse
        return self.normal.reshape(x.shape) * self.gain.value[:, None]

    def backward(self, dy):
        each = (dy * self.normal.reshape(dy.shape)).sum(axis=(0, 2))
        self.gain.grad = each.reshape(2, 2).T.ravel()
        d = (dy * self.gain.value[:, None]).reshape(self.normal.shape)
        inner = (d * self.normal).mean(axis=2, keepdims=True)
        return (self.inverse * (d - d.mean(axis=2, keepdims=True) - self.normal * inner)).reshape(dy.shape)

"""One gain per feature, and what can go wrong with even that."""

import numpy as np

from minidl.layers import Layer
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Scale

SHELF = Shelf()


@SHELF.layer()
class ForgetsParameter(Scale):
    """The gradient of the gain is never set."""

    def backward(self, dy):
        return dy * self.gain.value


@SHELF.layer()
class ForgetsGain(Scale):
    """dx lacks the gain."""

    def backward(self, dy):
        super().backward(dy)
        return dy


@SHELF.layer()
class LastRowDropped(Scale):
    """The last row is left out of the gradient of the gain."""

    def backward(self, dy):
        self.gain.grad = np.sum((self.x * dy)[: max(1, len(dy) - 1)], axis=0)
        return dy * self.gain.value


@SHELF.layer()
class WrongBeyondFourRows(Scale):
    """Rows beyond the fourth are left out of the gradient of the gain."""

    def backward(self, dy):
        self.gain.grad = np.sum((self.x * dy)[:4], axis=0)
        return dy * self.gain.value


@SHELF.layer()
class ClipsGradient(Scale):
    """The gradient of the gain is clipped to [-1, 1] inside the layer."""

    def backward(self, dy):
        self.gain.grad = np.clip(np.sum(self.x * dy, axis=0), -1, 1)
        return dy * self.gain.value


@SHELF.layer()
class AddsDecay(Scale):
    """Weight decay is hidden in the gradient of the gain."""

    def backward(self, dy):
        self.gain.grad = np.sum(self.x * dy, axis=0) + 0.01 * self.gain.value
        return dy * self.gain.value


@SHELF.layer()
class KeepsDimensions(Scale):
    """The gradient of the gain has shape (1, features)."""

    def backward(self, dy):
        self.gain.grad = np.sum(self.x * dy, axis=0, keepdims=True)
        return dy * self.gain.value


@SHELF.layer()
class GainFromOutput(Scale):
    """dgain uses y instead of x."""

    def forward(self, x):
        self.y = super().forward(x)
        return self.y

    def backward(self, dy):
        dx = super().backward(dy)
        self.gain.grad = (dy * self.y).sum(axis=0)
        return dx


@SHELF.layer()
class GainOrderA(Scale):
    """Flattens x in memory order: wrong for Fortran-ordered x."""

    def forward(self, x):
        self.x = x
        flat = x.reshape(-1, order="A").reshape(x.shape)
        self.x = flat
        return flat * self.gain.value


@SHELF.layer()
class GainStridedUpstream(Scale):
    """Reads dy as if it were C-contiguous: wrong for a transposed or sliced one."""

    def backward(self, dy):
        if not dy.flags.c_contiguous:
            dy = dy.ravel(order="K").reshape(dy.shape)
        return super().backward(dy)


@SHELF.layer()
class GainLogParam(Scale):
    """y = exp(g) x: the gradient of g lacks the factor exp(g)."""

    def forward(self, x):
        self.x = x
        return x * np.exp(self.gain.value)

    def backward(self, dy):
        self.gain.grad = (dy * self.x).sum(axis=0)
        return dy * np.exp(self.gain.value)


@SHELF.layer()
class BatchMaxScale(Layer):
    """Divides by the largest |x| of the whole batch: undeclared mixing, and treated as a constant."""

    def forward(self, x):
        self.m = max(1.0, float(np.abs(x).max(initial=0.0)))
        return x / self.m

    def backward(self, dy):
        return dy / self.m

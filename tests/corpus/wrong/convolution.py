"""Convolutions: strides, kernels, channels and borders mixed up."""

import numpy as np

from minidl.initializers import normal
from minidl.layers import Layer
from minidl.parameters import Parameter
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Convolution, windows_of

SHELF = Shelf()


@SHELF.layer(shape=("n", 2, 4, 4))
class ConvCropOffset(Convolution):
    """Padding 1: dx is cut from the corner of the padded array, one pixel off."""

    pad = 1

    def crop(self, dpadded):
        _, _, h, w = self.shape
        return dpadded[:, :, :h, :w].copy()


@SHELF.layer(shape=("n", 2, 5, 5))
class ConvStrideOverwrite(Convolution):
    """Stride 2, kernel 3: overlapping windows overwrite one another in dx instead of adding up."""

    stride = 2

    def scatter(self, dy):
        dwindows = np.einsum("noij,ockl->ncijkl", dy, self.weight.value)
        dpadded = np.zeros_like(self.padded)
        for i in range(dy.shape[2]):
            for j in range(dy.shape[3]):
                dpadded[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] = dwindows[:, :, i, j]
        return dpadded


@SHELF.layer(shape=("n", 2, 5, 5))
class ConvStrideForgotten(Convolution):
    """Stride 2 in forward; dx places the windows side by side, as if the stride were 1."""

    stride = 2

    def scatter(self, dy):
        dwindows = np.einsum("noij,ockl->ncijkl", dy, self.weight.value)
        dpadded = np.zeros_like(self.padded)
        for i in range(self.height):
            for j in range(self.width):
                dpadded[:, :, i : i + dy.shape[2], j : j + dy.shape[3]] += dwindows[..., i, j]
        return dpadded


@SHELF.layer(shape=("n", 2, 4, 4))
class ConvOddZeroInFront(Convolution):
    """A 2x2 kernel that keeps the size: the odd zero is at the end in forward, and dx is cut as if it were in front."""

    height = width = 2

    def forward(self, x):
        y = super().forward(np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 1))))
        self.shape = x.shape
        return y

    def crop(self, dpadded):
        return dpadded[:, :, 1:, 1:].copy()


@SHELF.layer(shape=("n", 2, 4, 4))
class ConvNoFlip(Convolution):
    """dx by full correlation with the kernel, not flipped."""

    def scatter(self, dy):
        p = np.pad(dy, ((0, 0), (0, 0), (2, 2), (2, 2)))
        return np.einsum("noijkl,ockl->ncij", windows_of(p, 3, 3), self.weight.value)


@SHELF.layer(shape=("n", 2, 4, 5))
class ConvKernelSwapped(Convolution):
    """A 2x3 kernel: dW is laid out as 3x2 and reshaped back."""

    height, width = 2, 3

    def set_gradients(self, dy):
        super().set_gradients(dy)
        g = np.einsum("ncijkl,noij->oclk", self.windows, dy)
        self.weight.grad = np.ascontiguousarray(g).reshape(self.weight.shape)


@SHELF.layer(shape=("n", 2, 4, 4))
class ConvBiasOneAxis(Convolution):
    """Bias gradient: sum over rows and height but mean over width."""

    def set_gradients(self, dy):
        super().set_gradients(dy)
        self.bias.grad = dy.sum(axis=(0, 2)).mean(axis=1)


@SHELF.layer(shape=("n", 2, 4, 4))
class ConvChannelMix(Convolution):
    """dx exchanges input and output channels; there are as many of both, so nothing crashes."""

    def scatter(self, dy):
        right = self.weight.value.copy()
        self.weight.value = right.transpose(1, 0, 2, 3)
        dpadded = super().scatter(dy)
        self.weight.value = right
        return dpadded


@SHELF.layer(shape=("n", 2, 4, 4))
class ConvFortranColumns(Convolution):
    """dW through a reshape in memory order of dy: wrong for Fortran-ordered upstream."""

    def set_gradients(self, dy):
        super().set_gradients(dy)
        flat = dy.reshape(-1, order="A").reshape(dy.shape)
        self.weight.grad = np.einsum("ncijkl,noij->ockl", self.windows, flat)


@SHELF.layer(shape=("n", 2, 8))
class DilatedConv1d(Layer):
    """Dilation 2 in forward; dx places the second tap as if the dilation were 1."""

    def __init__(self):
        self.weight = Parameter((3, 2, 2), normal(0.5))

    def forward(self, x):
        self.x, W = x, self.weight.value
        return sum(np.einsum("nct,oc->not", x[:, :, 2 * k : 6 + 2 * k], W[:, :, k]) for k in range(2))

    def backward(self, dy):
        t, dx, dW = dy.shape[2], np.zeros_like(self.x), np.zeros_like(self.weight.value)
        for k in range(2):
            dW[:, :, k] = np.einsum("nct,not->oc", self.x[:, :, 2 * k : 2 * k + t], dy)
            dx[:, :, k : k + t] += np.einsum("not,oc->nct", dy, self.weight.value[:, :, k])
        self.weight.grad = dW
        return dx

"""Layers that only move numbers about."""

import numpy as np

from minidl.layers import Layer
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.layer()
class CumSumForward(Layer):
    """The adjoint of a cumulative sum is a reversed one; here it is not reversed."""

    def forward(self, x):
        return x.cumsum(axis=1)

    def backward(self, dy):
        return dy.cumsum(axis=1)


@SHELF.layer()
class SortScatter(Layer):
    """backward gathers with the sorting order instead of its inverse: the same for widths 1 and 2."""

    def forward(self, x):
        self.order = x.argsort(axis=1, kind="stable")
        return np.take_along_axis(x, self.order, axis=1)

    def backward(self, dy):
        return np.take_along_axis(dy, self.order, axis=1)


@SHELF.layer()
class RollSame(Layer):
    """Rolls backward in the same direction: right for widths 1 and 2."""

    def forward(self, x):
        return np.roll(x, 1, axis=1)

    def backward(self, dy):
        return np.roll(dy, 1, axis=1)


@SHELF.layer(shape=("n", 3, 3, 3))
class ChannelsLastAgain(Layer):
    """(0,2,3,1) forward and the same axes, not their inverse, backward."""

    def forward(self, x):
        return x.transpose(0, 2, 3, 1).copy()

    def backward(self, dy):
        return dy.transpose(0, 2, 3, 1).copy()


@SHELF.layer(shape=("n", 2, 3))
class FlattenFortran(Layer):
    """Backward restores the shape in Fortran order."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), 6).copy()

    def backward(self, dy):
        return dy.reshape(self.shape, order="F").copy()


@SHELF.layer()
class CropUninitialized(Layer):
    """Keeps all but the last column; backward leaves garbage of np.empty in that column."""

    def __init__(self, features):
        self.features = features

    def forward(self, x):
        return x[:, : max(1, self.features - 1)].copy()

    def backward(self, dy):
        dx = np.empty((len(dy), self.features), dy.dtype)
        dx[:, : dy.shape[1]] = dy
        return dx


@SHELF.layer(shape=("n", 1, 4))
class ReflectPad(Layer):
    """Reflection padding of 1: backward drops what the reflected columns contribute."""

    def forward(self, x):
        return np.pad(x, ((0, 0), (0, 0), (1, 1)), mode="reflect")

    def backward(self, dy):
        return dy[:, :, 1:-1].copy()


@SHELF.layer(shape=("n", 4, 2, 2))
class PixelShuffleSwapped(Layer):
    """Backward exchanges the two sub-pixel axes."""

    def forward(self, x):
        n, _, h, w = x.shape
        return x.reshape(n, 1, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, 1, 2 * h, 2 * w)

    def backward(self, dy):
        n, _, h, w = dy.shape
        v = dy.reshape(n, 1, h // 2, 2, w // 2, 2)
        return v.transpose(0, 1, 5, 3, 2, 4).reshape(n, 4, h // 2, w // 2)


@SHELF.layer(shape=("n", 2, 2, 2))
class UpsampleStridedOnce(Layer):
    """Nearest upsampling by 2: backward sums over the copied rows but samples the columns."""

    def forward(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3)

    def backward(self, dy):
        return 2 * (dy[:, :, ::2, ::2] + dy[:, :, 1::2, ::2])

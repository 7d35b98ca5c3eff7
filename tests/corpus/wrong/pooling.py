"""Maxima and means of windows."""

import numpy as np
from hypothesis import strategies as st

from minidl.layers import Layer
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import FirstMax, MaxPool

SHELF = Shelf()


@SHELF.layer()
class CreditsEveryTie(FirstMax):
    """Every tied entry is credited in full."""

    def mask(self):
        return self.x == self.x.max(axis=1, keepdims=True)


@SHELF.layer(shape=("n", 2, 4, 4))
class MaxPool2dTies(Layer):
    """Every tied position of a 2x2 window is credited in full."""

    def forward(self, x):
        n, c, h, w = x.shape
        self.v = x.reshape(n, c, h // 2, 2, w // 2, 2)
        self.y = self.v.max(axis=(3, 5), keepdims=True)
        return self.y[:, :, :, 0, :, 0].copy()

    def backward(self, dy):
        d = (self.v == self.y) * dy[:, :, :, None, :, None]
        n, c, h, _, w, _ = d.shape
        return d.reshape(n, c, 2 * h, 2 * w)


@SHELF.layer(shape=("n", "width"), width=st.integers(2, 5))
class OverwritingPool(MaxPool):
    """Where two pairs share their maximum, one gradient overwrites the other."""

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        rows, columns = np.indices(dy.shape)
        dx[rows, columns + self.winner] = dy
        return dx


@SHELF.layer(shape=("n", 5))
class AvgPoolEdge(Layer):
    """The last window has one column only: forward divides by the true size, backward always by 2."""

    def forward(self, x):
        return np.stack([x[:, i : i + 2].mean(axis=1) for i in range(0, 5, 2)], axis=1)

    def backward(self, dy):
        return np.repeat(dy / 2, 2, axis=1)[:, :5]


@SHELF.layer(shape=("n", 2, 4))
class AvgPoolSharesWithPadding(Layer):
    """Windows of 3 with a zero at either end: the mean is over what is inside, backward divides by 3 everywhere."""

    def forward(self, x):
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1))), 3, axis=2)
        return windows.sum(axis=3) / np.array([2, 3, 3, 2], x.dtype)

    def backward(self, dy):
        share = np.pad(dy / 3, ((0, 0), (0, 0), (1, 1)))
        return share[..., :-2] + share[..., 1:-1] + share[..., 2:]


@SHELF.layer(shape=("n", 2, 2, 3))
class GlobalAvgPoolHalf(Layer):
    """Backward divides by H*H instead of H*W."""

    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dy):
        h = self.shape[2]
        return np.broadcast_to((dy / (h * h))[:, :, None, None], self.shape).copy()


@SHELF.layer(shape=("n", 3, 8, 8))
class MaxPoolImagesCreditsTies(Layer):
    """Of images with hundreds of ties, those of the first window only are credited in full; elsewhere they share."""

    def forward(self, x):
        n, c, h, w = x.shape
        self.v = x.reshape(n, c, h // 2, 2, w // 2, 2)
        self.y = self.v.max(axis=(3, 5), keepdims=True)
        return self.y[:, :, :, 0, :, 0].copy()

    def backward(self, dy):
        hit = (self.v == self.y).astype(dy.dtype)
        share = hit / hit.sum(axis=(3, 5), keepdims=True)
        share[:, :, 0, :, 0] = hit[:, :, 0, :, 0]
        n, c, h, _, w, _ = share.shape
        return (share * dy[:, :, :, None, :, None]).reshape(n, c, 2 * h, 2 * w)

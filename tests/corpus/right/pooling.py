"""Pooling over windows that overlap, with ties."""

import numpy as np
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from minidl import Layer
from tests.corpus.items import Shelf
from tests.corpus.right.bases import IMAGES, Windows

SHELF = Shelf()


@SHELF.layer(shape=IMAGES, height=st.integers(2, 5), width=st.integers(2, 5), s=st.integers(1, 2))
class MaxPool2DShare(Windows):
    """Maxima of overlapping 2 x 2 windows; ties share the credit."""

    def __init__(self, s):
        self.k, self.s, self.p = 2, s, 0

    def forward(self, x):
        w = self.windows(x)
        y = w.max(axis=(4, 5))
        hit = w == y[..., None, None]
        self.share = hit / hit.sum(axis=(4, 5), keepdims=True, dtype=x.dtype)
        return y

    def backward(self, dy):
        return self.fold(lambda a, b: dy * self.share[..., a, b])


@SHELF.layer(shape=IMAGES, height=st.integers(2, 4), width=st.integers(2, 4))
class MaxPool2DFirst(Windows):
    """Maxima of overlapping 2 x 2 windows; the first of ties is credited."""

    k, s, p = 2, 1, 0

    def forward(self, x):
        w = self.windows(x)
        flat = w.reshape(*w.shape[:4], 4)
        self.hit = flat.argmax(axis=4)
        return np.take_along_axis(flat, self.hit[..., None], axis=4)[..., 0]

    def backward(self, dy):
        return self.fold(lambda a, b: dy * (self.hit == 2 * a + b))


@SHELF.layer(shape=("n", "channels", "time"), time=st.integers(3, 6))
class AvgPool1DInside(Layer):
    """Means of windows of 3 with a place of padding at either end, which does not count."""

    def forward(self, x):
        self.share = 1 / np.array([2, *[3] * (x.shape[2] - 2), 2], x.dtype)
        return sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1))), 3, axis=2).sum(axis=3) * self.share

    def backward(self, dy):
        share = np.pad(dy * self.share, ((0, 0), (0, 0), (1, 1)))
        return share[..., :-2] + share[..., 1:-1] + share[..., 2:]


@SHELF.layer(shape=("n", "channels", "time"), time=st.integers(3, 6))
class MaxPool1DFirst(Layer):
    """Maxima of windows of 3 with stride 1; gradients of the same winner add up."""

    def forward(self, x):
        self.shape, w = x.shape, sliding_window_view(x, 3, axis=2)
        self.k = w.argmax(axis=3)
        return w.max(axis=3)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        n, c, t = np.indices(dy.shape)
        np.add.at(dx, (n, c, t + self.k), dy)
        return dx


@SHELF.layer(shape=("n", 3, 8, 8))
class MaxPoolImages(Layer):
    """Maxima of 2 x 2 windows of images with hundreds of ties; the first of them is credited."""

    def forward(self, x):
        n, c, h, w = self.shape = x.shape
        v = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
        self.k = v.argmax(axis=4)[..., None]
        return v.max(axis=4)

    def backward(self, dy):
        n, c, h, w = self.shape
        d = np.zeros((*dy.shape, 4), dy.dtype)
        np.put_along_axis(d, self.k, dy[..., None], axis=4)
        return d.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h, w)

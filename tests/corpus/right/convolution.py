"""Convolutions of images and of time series, with strides, padding and dilation."""

import numpy as np
from hypothesis import strategies as st

import minidl
from minidl import Layer, LayerNorm, Parameter, Sequential
from tests.corpus.items import Shelf
from tests.corpus.right.bases import IMAGES, SERIES, Windows, small

SHELF = Shelf()


@SHELF.layer(
    shape=IMAGES,
    channels=st.integers(1, 2),
    height=st.integers(2, 4),
    width=st.integers(2, 4),
    out=st.integers(1, 2),
    k=st.integers(1, 3),
    s=st.integers(1, 2),
)
class Conv2D(Windows):
    """Convolution of images by patches laid out as rows; y is a transposed view."""

    def __init__(self, channels, out, k, s):
        self.k, self.s, self.p = k, s, 1
        self.W, self.b = Parameter((out, channels, k, k), small), Parameter((out,), small, decay=False)

    def forward(self, x):
        w = self.windows(x)
        n, _, i, j = w.shape[:4]
        self.cols = w.transpose(0, 2, 3, 1, 4, 5).reshape(n, i, j, -1)  # im2col: a copy
        y = self.cols @ self.W.value.reshape(len(self.b.value), -1).T + self.b.value
        return y.transpose(0, 3, 1, 2)

    def backward(self, dy):
        g = dy.transpose(0, 2, 3, 1).reshape(-1, dy.shape[1])
        self.W.grad = (g.T @ self.cols.reshape(len(g), -1)).reshape(self.W.shape)
        self.b.grad = g.sum(axis=0)
        if not self.needs_dx:
            return dy
        return self.fold(lambda a, b: np.einsum("noij,oc->ncij", dy, self.W.value[:, :, a, b]))


@SHELF.layer(shape=SERIES, out=st.integers(1, 3), dilation=st.integers(1, 2))
class CausalConv1D(Layer):
    """y_t = W0 x_t + W1 x_(t - dilation): (n, time, features) -> (n, time, out)."""

    def __init__(self, features, out, dilation):
        self.d, self.W = dilation, Parameter((2, features, out), small)

    def forward(self, x):
        late = np.zeros_like(x)
        late[:, self.d :] = x[:, : -self.d]
        self.x, self.late = x, late
        return x @ self.W.value[0] + late @ self.W.value[1]

    def backward(self, dy):
        np.einsum("ntf,nto->fo", self.x, dy, out=self.W.grad[0])
        np.einsum("ntf,nto->fo", self.late, dy, out=self.W.grad[1])
        if not self.needs_dx:
            return dy
        dx = dy @ self.W.value[0].T
        dx[:, : -self.d] += (dy @ self.W.value[1].T)[:, self.d :]
        return dx


@SHELF.layer(shape=("n", 4, "features"), features=st.integers(1, 2))
def convolution_normalized(features):
    """Without dx the sums of the convolution run in another order; behind it a variance of 0 makes roundings large."""
    return Sequential(minidl.Conv1D(features, 2, 3, padding="same"), LayerNorm(2))

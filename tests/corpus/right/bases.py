"""What several components of the corpus share: shapes, base classes, and arithmetic of normalizations."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from minidl import Elementwise, Layer, Loss, Parameter, State
from minidl.initializers import ones, uniform, zeros
from minidl.layers.losses.base import row_means

IMAGES = ("n", "channels", "height", "width")
SERIES = ("n", "time", "features")
small = uniform(-1, 1)


class Point(Elementwise):
    """y = f(x), element by element, with derivative df."""

    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, dy):
        return dy * self.df(self.x)


def scatter(shape, index, values):
    """An array of zeros with `values` put at `index` along axis 1."""
    dx = np.zeros(shape, values.dtype)
    np.put_along_axis(dx, index, values, axis=1)
    return dx


class Windows(Layer):
    """Windows of k x k pixels with stride s in images padded by p zeros."""

    def windows(self, x):
        k, s, p = self.k, self.s, self.p
        xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        self.shape, self.padded = x.shape, xp.shape
        return sliding_window_view(xp, (k, k), axis=(2, 3))[:, :, ::s, ::s]

    def fold(self, part):
        """The gradient of the images, where part(a, b) is that of pixel (a, b) of every window, (n, c, oh, ow)."""
        k, s, p = self.k, self.s, self.p
        dx = None
        for a in range(k):
            for b in range(k):
                g = part(a, b)
                dx = np.zeros(self.padded, g.dtype) if dx is None else dx
                dx[:, :, a : a + s * (g.shape[2] - 1) + 1 : s, b : b + s * (g.shape[3] - 1) + 1 : s] += g
        return dx[:, :, p : p + self.shape[2], p : p + self.shape[3]]


def normalized(x, axes, eps):
    """x with mean 0 and variance nearly 1 over `axes`; 1 / sqrt(variance + eps); the mean."""
    mean = x.mean(axis=axes, keepdims=True)
    away = x - mean
    r = 1 / np.sqrt((away * away).mean(axis=axes, keepdims=True) + eps)
    return away * r, r, mean


def normalized_back(g, xhat, r, axes):
    """The gradient of x where `g` is that of xhat."""
    return r * (g - g.mean(axis=axes, keepdims=True) - xhat * (g * xhat).mean(axis=axes, keepdims=True))


class Normalization(Elementwise):
    """A normalization over `axes`, which keeps xhat and r."""

    def back(self, g):
        return normalized_back(g, self.xhat, self.r, self.axes)


class BatchNormBase(Elementwise):
    """Batch normalization over all axes but the second, with running statistics for inference."""

    eps, momentum = 1e-3, 0.9

    def setup(self, size, affine=True):
        self.mean, self.var = State((size,), zeros), State((size,), ones)
        if affine:
            self.gain, self.bias = Parameter((size,), ones, decay=False), Parameter((size,), zeros, decay=False)
        self.affine = affine

    def forward(self, x):
        self.axes = (0, *range(2, x.ndim))
        s = self.s = (1, -1, *[1] * (x.ndim - 2))
        self.was_training = self.training
        if self.training:
            self.xhat, self.r, mean = normalized(x, self.axes, self.eps)
            var = x.var(axis=self.axes)
            self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * mean.reshape(-1)
            self.var.value = self.momentum * self.var.value + (1 - self.momentum) * var
        else:
            self.r = (1 / np.sqrt(self.var.value + self.eps)).reshape(s)
            self.xhat = (x - self.mean.value.reshape(s)) * self.r
        return self.gain.value.reshape(s) * self.xhat + self.bias.value.reshape(s) if self.affine else self.xhat

    def backward(self, dy):
        g = dy
        if self.affine:
            self.gain.grad, self.bias.grad = (dy * self.xhat).sum(axis=self.axes), dy.sum(axis=self.axes)
            g = dy * self.gain.value.reshape(self.s)
        return normalized_back(g, self.xhat, self.r, self.axes) if self.was_training else g * self.r


class ReweightedLinear(Layer):
    """x f(W) for an element-wise f with derivative df."""

    def __init__(self, features, out):
        self.W = Parameter((features, out), uniform(-2, 2))

    def forward(self, x):
        self.x = x
        return x @ self.f(self.W.value)

    def backward(self, dy):
        self.W.grad = (self.x.T @ dy) * self.df(self.W.value)
        return dy @ self.f(self.W.value).T


class PointLoss(Loss):
    """l = mean_k f(s_k - t_k)."""

    def row_losses(self, scores, targets):
        self.e = scores - targets
        return row_means(self.f(self.e))

    def row_gradients(self):
        return self.df(self.e) / np.asarray(self.e.size / len(self.e), self.e.dtype)

"""Right components that the wrong ones derive from: each of those then shows its mistake and little else."""

import numpy as np

from minidl.initializers import glorot_uniform, normal, ones, uniform, zeros
from minidl.layers import Elementwise, Layer, Loss
from minidl.layers.activations import softmax
from minidl.optim import Optimizer
from minidl.parameters import Parameter, State


def log_softmax(scores):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


class Affine(Layer):
    """y = x W + b."""

    def __init__(self, in_features, out_features):
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter((in_features, out_features), glorot_uniform)
        self.bias = Parameter((out_features,), normal(0.5), decay=False)

    def forward(self, x):
        self.x = x
        return x @ self.weight.value + self.bias.value

    def backward(self, dy):
        self.weight.grad = self.x.T @ dy
        self.bias.grad = dy.sum(axis=0)
        return dy @ self.weight.value.T


class Scale(Layer):
    """y = gain x, one gain per feature."""

    def __init__(self, features):
        self.gain = Parameter((features,), uniform(0.5, 2.0), decay=False)

    def forward(self, x):
        self.x = x
        return x * self.gain.value

    def backward(self, dy):
        self.gain.grad = (dy * self.x).sum(axis=0)
        return dy * self.gain.value


class Activation(Elementwise):
    """y = f(x) with derivative df(x)."""

    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, dy):
        return dy * self.df(self.x)


class FirstMax(Layer):
    """y = max_j x_j; of tied entries the first is credited."""

    def forward(self, x):
        self.x = x
        return x.max(axis=1, keepdims=True)

    def mask(self):
        return np.arange(self.x.shape[1]) == self.x.argmax(axis=1)[:, None]

    def backward(self, dy):
        return dy * self.mask()


class MaxPool(Layer):
    """Maximum over pairs of columns; the pairs overlap, so gradients add up."""

    def forward(self, x):
        windows = np.lib.stride_tricks.sliding_window_view(x, 2, axis=1)
        self.shape, self.winner = x.shape, windows.argmax(axis=2)
        return windows.max(axis=2)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        rows, columns = np.indices(dy.shape)
        np.add.at(dx, (rows, columns + self.winner), dy)
        return dx


def windows_of(x, height, width, stride=1):
    """All windows of the images x (n, c, h, w): (n, c, rows, columns, height, width)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(2, 3))
    return windows[:, :, ::stride, ::stride]


class Convolution(Layer):
    """Two-dimensional convolution of (n, c, h, w), written so that every part of backward can be replaced."""

    height, width, stride, pad = 3, 3, 1, 0

    def __init__(self, channels=2, out=2):
        self.weight = Parameter((out, channels, self.height, self.width), normal(0.4))
        self.bias = Parameter((out,), normal(0.5), decay=False)

    def forward(self, x):
        p = self.pad
        self.shape, self.padded = x.shape, np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        self.windows = windows_of(self.padded, self.height, self.width, self.stride)
        y = np.einsum("ncijkl,ockl->noij", self.windows, self.weight.value)
        return y + self.bias.value[:, None, None]

    def set_gradients(self, dy):
        self.weight.grad = np.einsum("ncijkl,noij->ockl", self.windows, dy)
        self.bias.grad = dy.sum(axis=(0, 2, 3))

    def scatter(self, dy):
        dwindows = np.einsum("noij,ockl->ncijkl", dy, self.weight.value)
        dpadded = np.zeros_like(self.padded)
        s, (rows, columns) = self.stride, dy.shape[2:]
        for i in range(self.height):
            for j in range(self.width):
                dpadded[:, :, i : i + s * rows : s, j : j + s * columns : s] += dwindows[..., i, j]
        return dpadded

    def crop(self, dpadded):
        p, (_, _, h, w) = self.pad, self.shape
        return dpadded[:, :, p : p + h, p : p + w].copy()

    def backward(self, dy):
        self.set_gradients(dy)
        return self.crop(self.scatter(dy))


class BatchNorm(Layer):
    """Mixes rows in training, uses running statistics at inference."""

    eps, momentum = 1e-3, 0.9

    def __init__(self, features):
        self.gain = Parameter((features,), uniform(0.5, 2.0), decay=False)
        self.shift = Parameter((features,), normal(0.5), decay=False)
        self.mean, self.var = State((features,), zeros), State((features,), ones)

    def forward(self, x):
        mean, var = self.mean.value, self.var.value
        if self.training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.track(mean, var, len(x))
        self.inverse = 1 / np.sqrt(var + self.eps)
        self.normal, self.mixed = (x - mean) * self.inverse, self.training
        return self.normal * self.gain.value + self.shift.value

    def track(self, mean, var, n):
        self.mean.value = self.momentum * self.mean.value + (1 - self.momentum) * mean
        self.var.value = self.momentum * self.var.value + (1 - self.momentum) * var

    def backward(self, dy):
        self.gain.grad = (dy * self.normal).sum(axis=0)
        self.shift.grad = dy.sum(axis=0)
        d = dy * self.gain.value
        if self.mixed:
            d = d - d.mean(axis=0) - self.normal * (d * self.normal).mean(axis=0)
        return d * self.inverse


class LayerNorm(Layer):
    """Every row is normalized by itself."""

    eps = 1e-3

    def __init__(self, features):
        self.gain = Parameter((features,), uniform(0.5, 2.0), decay=False)

    def forward(self, x):
        self.inverse = 1 / np.sqrt(x.var(axis=1, keepdims=True) + self.eps)
        self.normal = (x - x.mean(axis=1, keepdims=True)) * self.inverse
        return self.normal * self.gain.value

    def backward(self, dy):
        self.gain.grad = (dy * self.normal).sum(axis=0)
        d = dy * self.gain.value
        inner = (d * self.normal).mean(axis=1, keepdims=True)
        return self.inverse * (d - d.mean(axis=1, keepdims=True) - self.normal * inner)


class Dropout(Elementwise):
    """Drops each number with probability p in training, and scales the rest up."""

    def __init__(self, p=0.5):
        self.p = p

    def draw(self, x):
        return ((self.rng.random(x.shape) >= self.p) / (1 - self.p)).astype(x.dtype)

    def forward(self, x):
        self.mask = self.draw(x) if self.training else None
        return x if self.mask is None else x * self.mask

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask


class Embedding(Layer):
    """y = rows of the weight, chosen by the whole numbers in x."""

    def __init__(self, vocabulary):
        self.weight = Parameter((vocabulary, 2), normal(1.0))

    def forward(self, x):
        self.x = x.astype(np.intp)
        return self.weight.value[self.x]

    def backward(self, dy):
        self.weight.grad = 0 * self.weight.value
        np.add.at(self.weight.grad, self.x, dy)
        return np.zeros(self.x.shape, dy.dtype)


class Recurrence(Layer):
    """h_t = tanh(x_t W + h_(t-1) U), from h = 0."""

    def __init__(self):
        self.w = Parameter((2, 3), normal(0.7))
        self.u = Parameter((3, 3), normal(0.7))

    def forward(self, x):
        self.x, self.h = x, [np.zeros((len(x), 3), x.dtype)]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ self.w.value + self.h[-1] @ self.u.value))
        return np.stack(self.h[1:], axis=1)

    def state_for(self, t):
        return self.h[t]

    def carries(self, t):
        return True

    def backward(self, dy):
        dw, du, dx = 0 * self.w.value, 0 * self.u.value, np.zeros_like(self.x)
        dh = np.zeros_like(self.h[0])
        for t in reversed(range(self.x.shape[1])):
            dz = (dy[:, t] + dh) * (1 - self.h[t + 1] ** 2)
            dw += self.x[:, t].T @ dz
            du += self.state_for(t).T @ dz
            dx[:, t] = dz @ self.w.value.T
            dh = dz @ self.u.value.T if self.carries(t) else np.zeros_like(dh)
        self.w.grad, self.u.grad = dw, du
        return dx


class Attention(Layer):
    """y = softmax(x x^T / sqrt(d)) x, over the positions of one sample."""

    def forward(self, x):
        self.x, self.k = x, 1 / float(np.sqrt(x.shape[2]))
        self.a = self.weights(x @ x.transpose(0, 2, 1) * self.k)
        return self.a @ x

    def weights(self, s):
        return softmax(s)

    def parts(self, dy):
        """The gradient by way of the values, and that of the products of queries and keys."""
        da = dy @ self.x.transpose(0, 2, 1)
        ds = self.a * (da - (da * self.a).sum(axis=2, keepdims=True))
        return self.a.transpose(0, 2, 1) @ dy, ds * self.k

    def backward(self, dy):
        dv, ds = self.parts(dy)
        return dv + ds @ self.x + ds.transpose(0, 2, 1) @ self.x


class PlainSquaredError(Loss):
    """Written without the template: the mean over rows by hand."""

    def forward(self, scores, targets, weights=None):
        w = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
        self.total_weight = float(w.sum())
        share = (w / (self.total_weight or 1.0)).astype(scores.dtype)
        self.share = share.reshape(-1, *[1] * (scores.ndim - 1))
        self.difference = scores - self.check_targets(scores, targets)
        return float((self.share * self.difference**2).sum())

    def backward(self):
        return 2 * self.share * self.difference


class Momentum(Optimizer):
    """v <- 0.9 v + g, w <- w - lr v."""

    slot_names = ("velocity",)

    def update(self, value, grad, lr):
        v = self.slots["velocity"]
        v *= 0.9
        v += grad
        value -= lr * v


class PlainAdam(Optimizer):
    """Adam, written in its simplest form."""

    slot_names = ("m", "v")

    def corrections(self):
        t = self.steps + 1
        return 1 - 0.9**t, 1 - 0.999**t

    def update(self, value, grad, lr):
        m, v = self.slots["m"], self.slots["v"]
        m *= 0.9
        m += 0.1 * grad
        v *= 0.999
        v += 0.001 * grad * grad
        a, b = self.corrections()
        value -= lr * (m / a) / (np.sqrt(v / b) + 1e-8)

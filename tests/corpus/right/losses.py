"""Losses with kinks, ties, flat parts, cancellation and classes of weight 0."""

import numpy as np
from hypothesis import strategies as st

from minidl import ClassLoss, Loss, ShapeError
from minidl.layers.activations import sigmoid, softmax
from minidl.layers.losses.base import row_means
from minidl.testing import binary_labels, fractions, probability_rows, real_targets
from tests.corpus.items import Shelf
from tests.corpus.right.bases import PointLoss

SHELF = Shelf()


@SHELF.loss(targets=real_targets)
class AbsoluteErrorMean(PointLoss):
    """mean_k |s_k - t_k|."""

    def f(self, e):
        return np.abs(e)

    def df(self, e):
        return np.sign(e)


@SHELF.loss(targets=real_targets)
class PlainSquaredError(Loss):
    """|s - t|^2, written without the template: the weighted mean over rows by hand."""

    def forward(self, scores, targets, weights=None):
        if targets.shape != scores.shape:
            raise ShapeError(f"expected targets of shape {scores.shape}, received {targets.shape}")
        w = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
        share = w / (w.sum() or 1)
        self.share = share.reshape(-1, *[1] * (scores.ndim - 1)).astype(scores.dtype)
        self.difference = scores - targets.astype(scores.dtype)
        return float((self.share * self.difference**2).sum())

    def backward(self):
        return 2 * self.share * self.difference


@SHELF.loss(targets=real_targets, delta=st.sampled_from([0.5, 1.0]))
class Huber(PointLoss):
    """e^2 / 2 within delta, delta (|e| - delta / 2) beyond."""

    def __init__(self, delta):
        self.d = delta

    def f(self, e):
        a = np.abs(e)
        return np.where(a <= self.d, 0.5 * e * e, self.d * (a - 0.5 * self.d))

    def df(self, e):
        return np.clip(e, -self.d, self.d)


@SHELF.loss(targets=real_targets, tau=st.sampled_from([0.1, 0.5, 0.9]))
class Pinball(PointLoss):
    """The quantile loss, with the slope 1 - tau at 0."""

    def __init__(self, tau):
        self.tau = tau

    def f(self, e):
        return np.maximum((1 - self.tau) * e, -self.tau * e)

    def df(self, e):
        return np.where(e >= 0, 1 - self.tau, -self.tau).astype(e.dtype)


@SHELF.loss(targets=real_targets)
class EpsilonInsensitive(PointLoss):
    """max(|s - t| - 1/4, 0): a flat part with kinks at both ends."""

    def f(self, e):
        return np.maximum(np.abs(e) - 0.25, 0)

    def df(self, e):
        return np.sign(e) * (np.abs(e) > 0.25)


@SHELF.loss(targets=real_targets)
class TukeyBiweight(PointLoss):
    """(1 - (1 - e^2 / 4)^3) 2 / 3 within 2; constant, so with gradient 0, beyond."""

    def f(self, e):
        u = np.minimum(e * e / 4, 1)
        return (1 - (1 - u) ** 3) * (4 / 6)

    def df(self, e):
        u = np.minimum(e * e / 4, 1)
        return e * (1 - u) ** 2


@SHELF.loss(targets=real_targets)
class LargestError(Loss):
    """max_k |s_k - t_k|, ties share."""

    def row_losses(self, scores, targets):
        e = scores - targets
        a = np.abs(e)
        m = a.max(axis=1, keepdims=True)
        hit = a == m
        self.g = np.sign(e) * hit / hit.sum(axis=1, keepdims=True, dtype=e.dtype)
        return m[:, 0]

    def row_gradients(self):
        return self.g


@SHELF.loss(targets=real_targets)
class CosineDistance(Loss):
    """1 - <s, t> / sqrt((|s|^2 + c)(|t|^2 + c)), c = 0.1."""

    def row_losses(self, scores, targets):
        self.s = scores
        self.r = 1 / np.sqrt((scores**2).sum(axis=1, keepdims=True) + 0.1)
        self.u = targets / np.sqrt((targets**2).sum(axis=1, keepdims=True) + 0.1)
        self.c = (scores * self.u).sum(axis=1, keepdims=True) * self.r
        return 1 - self.c[:, 0]

    def row_gradients(self):
        return self.r * (self.c * self.r * self.s - self.u)


@SHELF.loss(targets=real_targets)
class EuclideanDistance(Loss):
    """|s - t|_2: a cone."""

    def row_losses(self, scores, targets):
        e = scores - targets
        d = np.sqrt((e * e).sum(axis=1))
        self.g = e / np.where(d > 0, d, 1)[:, None]
        return d

    def row_gradients(self):
        return self.g


@SHELF.loss()
class SquaredHinge(ClassLoss):
    """sum_{j != y} max(0, 1 + s_j - s_y)^2."""

    def row_losses(self, scores, targets):
        self.rows, self.y = np.arange(len(scores)), targets
        v = np.maximum(scores - scores[self.rows, targets][:, None] + 1, 0)
        v[self.rows, targets] = 0
        self.v = v
        return (v * v).sum(axis=1)

    def row_gradients(self):
        g = 2 * self.v
        g[self.rows, self.y] = -g.sum(axis=1)
        return g


@SHELF.loss(shape=("n", 3), class_weights=[1.0, 0.0, 2.5])
class MarginHinge(ClassLoss):
    """max over j of (1{j != y} + s_j) - s_y: the last of ties; a class of weight 0."""

    def row_losses(self, scores, targets):
        self.rows, self.y = np.arange(len(scores)), targets
        v = scores + 1
        v[self.rows, targets] = scores[self.rows, targets]
        self.k = v.shape[1] - 1 - v[:, ::-1].argmax(axis=1)
        self.like = scores
        return v[self.rows, self.k] - scores[self.rows, targets]

    def row_gradients(self):
        g = np.zeros_like(self.like)
        g[self.rows, self.k] += 1
        g[self.rows, self.y] -= 1
        return g


@SHELF.loss(gamma=st.sampled_from([0.0, 1.0, 2.0]))
class Focal(ClassLoss):
    """-(1 - p_y)^gamma log p_y."""

    def __init__(self, gamma):
        super().__init__()
        self.gamma = gamma

    def row_losses(self, scores, targets):
        rows = np.arange(len(scores))
        z = scores - scores.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1)
        self.p, log_p = e / total[:, None], z[rows, targets] - np.log(total)
        others = e.copy()
        others[rows, targets] = 0
        q = others.sum(axis=1) / total  # 1 - p_y without cancellation
        p, gamma = self.p[rows, targets], self.gamma
        # dl/dlog p = -(1-p)^g + g p (1-p)^(g-1) log p, and (1-p)^(g-1) has g >= 1 or no factor
        slope = -(q**gamma) + (gamma * p * q ** (gamma - 1) * log_p if gamma else 0)
        hot = np.zeros_like(scores)
        hot[rows, targets] = 1
        self.g = slope[:, None] * (hot - self.p)
        return -(q**gamma) * log_p

    def row_gradients(self):
        return self.g


@SHELF.loss(targets=probability_rows, shape=("n", 3))
class KLFromTargets(Loss):
    """KL(t || softmax(s)), 0 log 0 = 0."""

    def row_losses(self, scores, targets):
        z = scores - scores.max(axis=1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.p, self.t = np.exp(logp), targets
        logt = np.log(np.where(targets > 0, targets, 1))
        return (targets * (logt - logp)).sum(axis=1)

    def row_gradients(self):
        return self.t.sum(axis=1, keepdims=True) * self.p - self.t


@SHELF.loss(targets=probability_rows)
class SquaredErrorOfSoftmax(Loss):
    """|softmax(s) - t|^2."""

    def row_losses(self, scores, targets):
        self.p, self.t = softmax(scores), targets
        return ((self.p - targets) ** 2).sum(axis=1)

    def row_gradients(self):
        d = 2 * (self.p - self.t)
        return self.p * (d - (d * self.p).sum(axis=1, keepdims=True))


@SHELF.loss(targets=binary_labels)
class LogisticMargin(Loss):
    """mean_k log(1 + exp(-(2 t - 1) s))."""

    def row_losses(self, scores, targets):
        self.m, self.s = 2 * targets - 1, scores
        return row_means(np.logaddexp(0, -self.m * scores))

    def row_gradients(self):
        return -self.m * sigmoid(-self.m * self.s) * np.asarray(len(self.s) / self.s.size, self.s.dtype)


@SHELF.loss(targets=fractions)
class SoftplusPoisson(Loss):
    """mean_k r - t log r with r = log(1 + exp(s)): log r is s itself far below 0."""

    def row_losses(self, scores, targets):
        low = scores < -30.17
        s = np.maximum(scores, -30.17)
        r = np.logaddexp(0, s)
        log_r = np.where(low, scores, np.log(r))
        rate = np.where(low, np.exp(np.minimum(scores, 0)), r)
        ratio = np.where(low, 1, sigmoid(s) / r)
        self.g = sigmoid(scores) - targets * ratio
        return row_means(rate - targets * log_r)

    def row_gradients(self):
        return self.g * np.asarray(len(self.g) / self.g.size, self.g.dtype)


@SHELF.loss(targets=fractions)
class SoftDice(Loss):
    """1 - (2 sum p t + 1) / (sum p + sum t + 1), p = sigmoid(s)."""

    def row_losses(self, scores, targets):
        self.p, self.t = sigmoid(scores), targets
        self.b = self.p.sum(axis=1, keepdims=True) + targets.sum(axis=1, keepdims=True) + 1
        self.a = 2 * (self.p * targets).sum(axis=1, keepdims=True) + 1
        return (1 - self.a / self.b)[:, 0]

    def row_gradients(self):
        return (self.a / self.b**2 - 2 * self.t / self.b) * self.p * (1 - self.p)

"""Kinks that parameters take part in, which often start tied or at 0."""

import numpy as np
from hypothesis import strategies as st

from minidl import Elementwise, Layer, Parameter
from minidl.initializers import ones, zeros
from tests.corpus.items import Shelf
from tests.corpus.right.bases import ReweightedLinear, small

SHELF = Shelf()


def quarter(rng, shape):
    return np.full(shape, 0.25)


@SHELF.layer(
    features=st.integers(1, 4), out=st.integers(1, 3), pieces=st.integers(1, 3), init=st.sampled_from([zeros, small])
)
class Maxout(Layer):
    """The maximum of several linear pieces, tied where all are 0: the first is credited."""

    def __init__(self, features, out, pieces, init):
        self.W, self.b = Parameter((features, out, pieces), init), Parameter((out, pieces), init, decay=False)

    def forward(self, x):
        self.x = x
        z = np.tensordot(x, self.W.value, 1) + self.b.value
        self.k = z.argmax(axis=2)[..., None]
        return np.take_along_axis(z, self.k, axis=2)[..., 0]

    def backward(self, dy):
        dz = np.zeros((*dy.shape, self.b.shape[1]), dy.dtype)
        np.put_along_axis(dz, self.k, dy[..., None], axis=2)
        self.b.grad = dz.sum(axis=0)
        self.W.grad = np.tensordot(self.x, dz, axes=(0, 0))
        return np.tensordot(dz, self.W.value, axes=((1, 2), (1, 2)))


@SHELF.layer(features=st.integers(1, 3), centroids=st.integers(1, 4), init=st.sampled_from([zeros, small]))
class NearestCentroid(Layer):
    """min_k |x - c_k|^2, the first of ties."""

    def __init__(self, features, centroids, init):
        self.c = Parameter((centroids, features), init)

    def forward(self, x):
        away = x[:, None, :] - self.c.value
        d = (away * away).sum(axis=2)
        self.k = d.argmin(axis=1)
        rows = np.arange(len(x))
        self.away = away[rows, self.k]
        return d[rows, self.k][:, None]

    def backward(self, dy):
        dx = 2 * self.away * dy
        grad = np.zeros(self.c.shape, dy.dtype)
        np.subtract.at(grad, self.k, dx)
        self.c.grad = grad
        return dx


@SHELF.layer()
class CapByParameter(Elementwise):
    """min(x, p) with p = 0 at first; ties credit x."""

    def __init__(self, features):
        self.p = Parameter((features,), zeros, decay=False)

    def forward(self, x):
        self.own = x <= self.p.value
        return np.minimum(x, self.p.value)

    def backward(self, dy):
        self.p.grad = (dy * ~self.own).sum(axis=0)
        return dy * self.own


@SHELF.layer()
class FloorByParameterShare(Elementwise):
    """max(x, p); ties share the credit."""

    def __init__(self, features):
        self.p = Parameter((features,), small)

    def forward(self, x):
        self.own = np.heaviside(x - self.p.value, np.asarray(0.5, x.dtype))
        return np.maximum(x, self.p.value)

    def backward(self, dy):
        self.p.grad = (dy * (1 - self.own)).sum(axis=0)
        return dy * self.own


@SHELF.layer(init=st.sampled_from([zeros, small]))
class TrainedSoftThreshold(Elementwise):
    """sign(x) max(|x| - |t|, 0) with one scalar t: kinks in both."""

    def __init__(self, init):
        self.t = Parameter((1,), init)

    def forward(self, x):
        t = self.t.value
        self.sign, self.on, self.side = np.sign(x), np.abs(x) > np.abs(t), np.sign(t)
        return self.sign * np.maximum(np.abs(x) - np.abs(t), 0)

    def backward(self, dy):
        self.t.grad = -(dy * self.sign * self.on).sum() * self.side
        return dy * self.on


@SHELF.layer(shape=("n", "features"), knots=st.integers(2, 5))
class HatSpline(Elementwise):
    """Linear interpolation between trained heights at 0, 1, .., knots - 1; flat outside."""

    def __init__(self, features, knots):
        self.knots, self.c = knots, Parameter((features, knots), small)

    def forward(self, x):
        at = np.clip(x, 0, self.knots - 1)
        self.low = np.minimum(at.astype(np.int64), self.knots - 2)
        self.part, self.inside = at - self.low.astype(x.dtype), (x > 0) & (x < self.knots - 1)
        self.f = np.broadcast_to(np.arange(x.shape[1]), x.shape)
        c = self.c.value
        self.slope = c[self.f, self.low + 1] - c[self.f, self.low]
        return c[self.f, self.low] + self.part * self.slope

    def backward(self, dy):
        grad = np.zeros(self.c.shape, dy.dtype)
        np.add.at(grad, (self.f, self.low), dy * (1 - self.part))
        np.add.at(grad, (self.f, self.low + 1), dy * self.part)
        self.c.grad = grad
        return dy * self.slope * self.inside


@SHELF.layer(shared=st.booleans())
class PReLU(Elementwise):
    """y = x above 0 and a x below, with one a or one for each feature."""

    def __init__(self, features, shared):
        self.a = Parameter((1 if shared else features,), quarter, decay=False)

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.a.value * x)

    def backward(self, dy):
        g = (dy * np.minimum(self.x, 0)).sum(axis=0)
        self.a.grad = g if self.a.size == g.size else g.sum(keepdims=True)
        return dy * np.where(self.x > 0, 1, self.a.value)


@SHELF.layer(out=st.integers(1, 2))
class AbsWeight(ReweightedLinear):
    """x |W|: a kink at every weight that is 0."""

    f, df = staticmethod(np.abs), staticmethod(np.sign)


@SHELF.layer(out=st.integers(1, 2))
class ClippedWeight(ReweightedLinear):
    """x clip(W, -1, 1)."""

    def f(self, w):
        return np.clip(w, -1, 1)

    def df(self, w):
        return np.abs(w) <= 1


@SHELF.layer()
class ScaleByLargestParameter(Elementwise):
    """y = x max(p), the first of ties; all entries of p start tied."""

    def __init__(self):
        self.p = Parameter((3,), ones)

    def forward(self, x):
        self.x = x
        self.k = int(self.p.value.argmax())
        return x * self.p.value[self.k]

    def backward(self, dy):
        self.p.grad = np.zeros(3)
        self.p.grad[self.k] = np.sum(dy * self.x)
        return dy * self.p.value[self.k]

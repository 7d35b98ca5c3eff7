"""Matrices and vectors of weights: products, closures, caches and gradients that are not quite theirs."""

import numpy as np
from hypothesis import strategies as st

from minidl.initializers import glorot_uniform, normal, uniform
from minidl.layers import Layer, Linear
from minidl.parameters import Parameter
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Affine

SHELF = Shelf()
AFFINE = {"shape": ("n", "in_features"), "out_features": st.integers(1, 4)}


@SHELF.layer(**AFFINE)
class LinearBiasGradMean(Affine):
    """The gradient of the bias is the mean over the rows instead of the sum, as in NumpyDL."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.bias.grad = dy.mean(axis=0)
        return dx


@SHELF.layer(**AFFINE)
class LinearSquareTransposed(Affine):
    """dx = dy W instead of dy W^T whenever W is square."""

    def backward(self, dy):
        super().backward(dy)
        W = self.weight.value
        return dy @ W if W.shape[0] == W.shape[1] else dy @ W.T


@SHELF.layer(**AFFINE)
class TransposedWeight(Linear):
    """dW is transposed wherever W is square."""

    def backward(self, dy):
        dx = super().backward(dy)
        if self.in_features == self.out_features:
            self.weight.grad = self.weight.grad.T.copy()
        return dx


@SHELF.layer(**AFFINE)
class LinearAccumulates(Affine):
    """Adds to the gradient of the previous batch instead of replacing it."""

    def backward(self, dy):
        self.weight.grad += self.x.T @ dy
        self.bias.grad = dy.sum(axis=0)
        return dy @ self.weight.value.T


@SHELF.layer(**AFFINE)
class LinearCachedTranspose(Affine):
    """The transposed weight is copied at the first backward, and stale once an optimizer has moved W."""

    def backward(self, dy):
        super().backward(dy)
        if getattr(self, "transposed", None) is None:
            self.transposed = np.ascontiguousarray(self.weight.value.T)
        return dy @ self.transposed


@SHELF.layer(**AFFINE)
class LinearSkipsGradWithoutDx(Affine):
    """Where needs_dx is False, returns before the gradient of the bias is set."""

    def backward(self, dy):
        self.weight.grad = self.x.T @ dy
        if not self.needs_dx:
            return dy
        self.bias.grad = dy.sum(axis=0)
        return dy @ self.weight.value.T


@SHELF.layer(**AFFINE)
class LinearLastBias(Affine):
    """A loop is one short: the last bias never gets its gradient when there are several."""

    def backward(self, dy):
        dx = super().backward(dy)
        gradient = np.zeros_like(self.bias.value)
        for k in range(max(1, len(gradient) - 1)):
            gradient[k] = dy[:, k].sum()
        self.bias.grad = gradient
        return dx


@SHELF.layer(**AFFINE)
class LinearChunkedRows(Affine):
    """dW is summed in chunks of 4 rows, and a last incomplete chunk is dropped."""

    def backward(self, dy):
        dx = super().backward(dy)
        if len(dy) > 4:
            chunks = range(0, len(dy) - 3, 4)
            self.weight.grad = sum(self.x[i : i + 4].T @ dy[i : i + 4] for i in chunks)
        return dx


@SHELF.layer(**AFFINE)
class LinearNumpyScalarScale(Affine):
    """np.sqrt of an int is float64: float32 in, float64 out."""

    def forward(self, x):
        self.s = 1 / np.sqrt(self.in_features)
        return super().forward(x) * self.s

    def backward(self, dy):
        return super().backward(dy * self.s)


@SHELF.layer(**AFFINE)
class LinearSkipsZeroUpstream(Affine):
    """Returns early for a dy of zeros, and leaves the old gradients in place."""

    def backward(self, dy):
        if not dy.any():
            return np.zeros_like(self.x)
        return super().backward(dy)


@SHELF.layer(**AFFINE)
class LinearMeanTimesN(Affine):
    """The gradient of the bias is mean times n: NaN for an empty batch."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.bias.grad = dy.mean(axis=0) * len(dy)
        return dx


@SHELF.layer(**AFFINE)
class LinearClosure(Affine):
    """A closure over self made in __init__: a deep copy goes on using the original's weights."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.apply = lambda x: x @ self.weight.value + self.bias.value

    def forward(self, x):
        self.x = x
        return self.apply(x)


@SHELF.layer(**AFFINE)
class LinearClassCache(Affine):
    """The input is kept on the class: two instances of one model overwrite each other."""

    kept = {}  # noqa: RUF012 (the bug)

    def forward(self, x):
        y = super().forward(x)
        LinearClassCache.kept["x"] = x
        return y

    def backward(self, dy):
        self.x = LinearClassCache.kept["x"]
        return super().backward(dy)


@SHELF.layer(**AFFINE)
class LinearWrongOutputShape(Affine):
    """Announces in_features as the output width."""

    def output_shape(self, shape):
        return (self.in_features,)


@SHELF.layer(**AFFINE)
class LinearWrongOutputOfUnknown(Affine):
    """Announces the width of its input where that is not known."""

    def output_shape(self, shape):
        return (self.in_features,) if shape is None else (self.out_features,)


@SHELF.layer(**AFFINE)
class LinearCountsUnknown(Affine):
    """Calculates with a size that may be None."""

    def output_shape(self, shape):
        return None if shape is None else (shape[0] - self.in_features + self.out_features,)


@SHELF.layer(**AFFINE)
class LinearPlainBias(Affine):
    """Bias gradient is stored on a plain attribute, grad itself is never set."""

    def backward(self, dy):
        self.weight.grad = self.x.T @ dy
        self.bias_grad = dy.sum(axis=0)
        return dy @ self.weight.value.T


@SHELF.layer(**AFFINE)
class LinearWeightNorm(Affine):
    """W = g v/|v| per column: dv lacks the projection orthogonal to v."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.gain = Parameter((out_features,), uniform(0.5, 2))

    def forward(self, x):
        self.x = x
        v = self.weight.value
        self.norm = np.sqrt((v * v).sum(axis=0))
        self.W = v / self.norm * self.gain.value
        return x @ self.W + self.bias.value

    def backward(self, dy):
        dW = self.x.T @ dy
        self.gain.grad = (dW * self.weight.value / self.norm).sum(axis=0)
        self.weight.grad = dW * self.gain.value / self.norm
        self.bias.grad = dy.sum(axis=0)
        return dy @ self.W.T


@SHELF.layer(shape=("n", "in_features"), hidden=st.integers(1, 3))
class TiedAutoencoder(Layer):
    """y = tanh(x W) W^T with W in two places: the decoder's share of dW is missing."""

    def __init__(self, in_features, hidden):
        self.weight = Parameter((in_features, hidden), glorot_uniform)

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.weight.value)
        return self.h @ self.weight.value.T

    def backward(self, dy):
        dz = (dy @ self.weight.value) * (1 - self.h**2)
        self.weight.grad = self.x.T @ dz
        return dz @ self.weight.value.T


@SHELF.layer()
class QuadraticForm(Layer):
    """y = x^T A x per row: dx = 2 A x is right for symmetric A only."""

    def __init__(self, features):
        self.A = Parameter((features, features), normal(0.7))

    def forward(self, x):
        self.x = x
        return np.einsum("ni,ij,nj->n", x, self.A.value, x)[:, None]

    def backward(self, dy):
        self.A.grad = np.einsum("ni,nj,n->ij", self.x, self.x, dy[:, 0])
        return 2 * dy * (self.x @ self.A.value.T)


@SHELF.layer()
class RBFUnits(Layer):
    """y = exp(-g |x - c|^2): dc has the sign of dx."""

    def __init__(self, features):
        self.centres = Parameter((3, features), normal(1.0))

    def forward(self, x):
        self.d = x[:, None, :] - self.centres.value
        self.y = np.exp(-0.3 * (self.d**2).sum(axis=2))
        return self.y.copy()

    def backward(self, dy):
        slopes = -0.6 * (dy * self.y)[:, :, None] * self.d
        self.centres.grad = slopes.sum(axis=0)
        return slopes.sum(axis=1)

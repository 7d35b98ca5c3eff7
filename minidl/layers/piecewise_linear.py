"""Nonlinearities made of straight pieces: leaky and clipped ones, and the maximum of several linear layers."""

from functools import partial

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.initializers import glorot_uniform, zeros
from minidl.kernels.activations import hard_tanh_backward, leaky_relu, leaky_relu_backward
from minidl.layers.activations import Elementwise
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, check_input, fitting
from minidl.parameters import Array, Initializer, Parameter
from minidl.quiet import quiet
from minidl.returned import as_floats


class LeakyReLU(Elementwise):
    """y = x where x > 0, else slope x, any shape.

    At the kink x = 0 the derivative used is the slope. Source: Maas, Hannun & Ng, ICML 2013.

    Args:
        slope: what x is multiplied by below 0; any finite number, 0.01 in the source.

    >>> LeakyReLU(0.5).forward(np.array([[-1.0, 2.0]]))
    array([[-0.5,  2. ]])
    """

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = check_number("slope", slope)

    @quiet
    def forward(self, x: Array) -> Array:
        """Return max(0, x) + slope min(0, x)."""
        self.x = as_floats("x", x)
        return leaky_relu(self.x, self.slope)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = dy where x > 0, else slope dy."""
        self.check_dy(dy, self.x.shape)
        return leaky_relu_backward(self.x, dy, self.slope)


class HardTanh(Elementwise):
    """y = min(max(x, low), high), any shape.

    At the kinks x = low and x = high the derivative used is 0. Source: Collobert, PhD thesis, Paris 2004.

    Args:
        low, high: the bounds of y, finite, low < high.

    >>> HardTanh().forward(np.array([[-3.0, 0.5, 3.0]]))
    array([[-1. ,  0.5,  1. ]])
    >>> HardTanh(0, 6)
    HardTanh(0, 6)
    """

    def __init__(self, low: float = -1.0, high: float = 1.0) -> None:
        self.low, self.high = check_number("low", low), check_number("high", high)
        if not low < high:
            raise ValueError(f"expected low < high, received low={low} and high={high}: such as HardTanh(-1, 1)")

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x within the bounds."""
        self.x = x = as_floats("x", x)
        y: Array = np.clip(x, self.low, self.high)
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = dy where low < x < high, else 0."""
        self.check_dy(dy, self.x.shape)
        return hard_tanh_backward(self.x, dy, self.low, self.high)


class Maxout(Layer):
    """y_j = max_k (x W_k + b_k)_j on the last axis: (n, in_features) -> (n, out_features), with any axes between.

    The k-th of the `pieces` has columns k out_features to (k + 1) out_features - 1 of W, shape (in_features, pieces
    out_features), and those elements of b. Each is drawn for itself, so its fans are in_features and out_features.
    Where pieces tie, the first is credited. Source: Goodfellow, Warde-Farley, Mirza, Courville & Bengio, ICML 2013.

    Args:
        in_features, out_features: widths of x and y.
        pieces: of how many linear layers the maximum is taken, at least 2.
        weight_init: initializer of each W_k, shape (in_features, out_features).

    The bias is not decayed by regularizers. Input of another width or dtype raises ShapeError.

    >>> layer = Maxout(3, 2, 4).build(seed=0)
    >>> layer.forward(np.zeros((5, 3), np.float32)).shape, layer.weight.shape
    ((5, 2), (3, 8))
    """

    def __init__(
        self, in_features: int, out_features: int, pieces: int, *, weight_init: Initializer = glorot_uniform
    ) -> None:
        self.in_features = check_integer("in_features", in_features, minimum=1)
        self.out_features = check_integer("out_features", out_features, minimum=1)
        self.pieces = check_integer("pieces", pieces, minimum=2)
        self.weight = Parameter((in_features, pieces * out_features), partial(_piece_by_piece, weight_init, pieces))
        self.bias = Parameter((pieces * out_features,), zeros, decay=False)

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(..., out_features), if the input rows are in_features wide."""
        known = fitting(self, shape, (..., self.in_features))
        return type(known)((*known[:-1], self.out_features))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return the largest of x W_k + b_k."""
        W = self.weight.value
        check_input(self, x, (..., self.in_features), W.dtype)
        self.shape, self.x = x.shape, x.reshape(-1, self.in_features)
        z: Array = self.x @ W
        z += self.bias.value
        z = z.reshape(-1, self.pieces, self.out_features)
        y: Array = z.max(axis=1)
        self.first = z.argmax(axis=1)
        return y.reshape(*x.shape[:-1], self.out_features)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dz_k = dy where piece k is the first of the largest, else 0;  dW = x^T dz,  db = sum dz,  dx = dz W^T."""
        self.check_dy(dy, (*self.shape[:-1], self.out_features))
        rows = dy.reshape(-1, 1, self.out_features)
        chosen = self.first[:, None, :] == np.arange(self.pieces)[:, None]
        dz = np.where(chosen, rows, rows.dtype.type(0)).reshape(self.x.shape[0], self.bias.size)
        np.matmul(self.x.T, dz, out=self.weight.grad)
        np.add.reduce(dz, axis=0, out=self.bias.grad)
        if not self.needs_dx:
            return dy
        dx: Array = dz @ self.weight.value.T
        return dx.reshape(self.shape)


def _piece_by_piece(init: Initializer, pieces: int, rng: "np.random.Generator", shape: tuple[int, ...]) -> Array:
    """Pieces side by side, each drawn for itself."""
    width = shape[1] // pieces
    return np.concatenate([init(rng, (shape[0], width)) for _ in range(pieces)], axis=1)

"""Linear: the layer of weights and biases."""

from math import prod

import numpy as np

from minidl.arguments import check_flag, check_integer
from minidl.initializers import glorot_uniform, zeros
from minidl.kernels.products import affine, affine_gradients, affine_input_gradient
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, check_input, fitting
from minidl.parameters import Array, Initializer, Parameter
from minidl.quiet import quiet


class Linear(Layer):
    """y = x W + b on the last axis: (n, in_features) -> (n, out_features), with any axes between the two.

    Args:
        in_features, out_features: widths of x and y.
        bias: whether b is there.
        weight_init: initializer of W, shape (in_features, out_features).
        bias_init: initializer of b, shape (out_features,).

    The bias is not decayed by regularizers. Input of another width or dtype raises ShapeError.

    >>> layer = Linear(3, 2).build(seed=0)
    >>> layer.forward(np.zeros((4, 3), np.float32)).shape, layer.forward(np.zeros((4, 7, 3), np.float32)).shape
    ((4, 2), (4, 7, 2))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        weight_init: Initializer = glorot_uniform,
        bias_init: Initializer = zeros,
    ) -> None:
        self.in_features = check_integer("in_features", in_features, minimum=1)
        self.out_features = check_integer("out_features", out_features, minimum=1)
        self.weight = Parameter((in_features, out_features), weight_init)
        biased = check_flag("bias", bias, np.bool_, int)
        self.bias = Parameter((out_features,), bias_init, decay=False) if biased else None

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(..., out_features), if the input rows are in_features wide."""
        advice = f"change in_features of {self!r} or the layer before it"
        if shape is not None and len(shape) > 1 and None not in shape and prod(shape) == self.in_features:  # type: ignore[arg-type]
            advice = f"flatten them: put Flatten() before {self!r}"
        known = fitting(self, shape, (..., self.in_features), advice=advice)
        return type(known)((*known[:-1], self.out_features))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x W + b."""
        W = self.weight.value
        if not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] != self.in_features or x.dtype != W.dtype:
            check_input(self, x, (..., self.in_features), W.dtype, advice=self._advice_for(x))
        self.shape = x.shape
        self.x = x if x.ndim == 2 else x.reshape(-1, self.in_features)
        y = affine(self.x, W, None if self.bias is None else self.bias.value)
        return y if x.ndim == 2 else y.reshape(*x.shape[:-1], self.out_features)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dW = x^T dy,  db = sum over rows of dy,  dx = dy W^T, where every position of a row counts as a row."""
        self.check_dy(dy, (*self.shape[:-1], self.out_features))
        rows = dy if len(self.shape) == 2 else dy.reshape(-1, self.out_features)
        affine_gradients(self.x, rows, self.weight.grad, None if self.bias is None else self.bias.grad)
        if not self.needs_dx:
            return dy
        dx = affine_input_gradient(rows, self.weight.value)
        return dx if len(self.shape) == 2 else dx.reshape(self.shape)

    def _advice_for(self, x: Array) -> str:
        """What to do about rows of another width."""
        row = np.shape(x)[1:]
        if np.ndim(x) == 1:
            return "a single row is x[None, :], a single feature of many rows x[:, None]"
        if len(row) > 1 and prod(row) == self.in_features:
            return "flatten each sample to one row with x.reshape(len(x), -1), or by Flatten() as the first layer"
        return "mind in_features"

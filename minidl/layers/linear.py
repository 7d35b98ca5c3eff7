"""Linear: the layer of weights and biases."""

from typing import NoReturn

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import check_integer
from minidl.initializers import glorot_uniform, zeros
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, ShapeError
from minidl.parameters import Array, Initializer, Parameter
from minidl.quiet import quiet


class Linear(Layer):
    """y = x W + b: (n, in_features) -> (n, out_features).

    Args:
        in_features, out_features: widths of x and y.
        bias: whether b is there.
        weight_init: initializer of W, shape (in_features, out_features).
        bias_init: initializer of b, shape (out_features,).

    The bias is not decayed by regularizers. Input of another width, rank or dtype raises ShapeError.

    >>> layer = Linear(3, 2).build(seed=0)
    >>> layer.forward(np.zeros((4, 3), np.float32)).shape
    (4, 2)
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
        self.bias = Parameter((out_features,), bias_init, decay=False) if bias else None

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(out_features,), if the input rows are in_features wide."""
        if shape is not None and shape != (self.in_features,):
            raise ShapeError(
                f"expected input rows of shape ({self.in_features},), received rows of shape {shape}: "
                f"change in_features of {self!r} or the layer before it"
            )
        return (self.out_features,)

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x W + b."""
        W = self.weight.value
        if not isinstance(x, np.ndarray) or x.ndim != 2 or x.shape[1] != self.in_features or x.dtype != W.dtype:
            self._refuse(x, W.dtype)
        self.x = x
        y: Array = x @ W
        if self.bias is not None:
            y += self.bias.value
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dW = x^T dy,  db = sum over rows of dy,  dx = dy W^T."""
        self.check_dy(dy, (len(self.x), self.out_features))
        np.matmul(self.x.T, dy, out=self.weight.grad)
        if self.bias is not None:
            np.add.reduce(dy, axis=0, out=self.bias.grad)
        return dy @ self.weight.value.T if self.needs_dx else dy

    def _refuse(self, x: Array, dtype: DTypeLike) -> NoReturn:
        if not isinstance(x, np.ndarray):
            raise TypeError(
                f"expected x to be a numpy array, received {type(x).__name__}: use np.asarray(x, np.{dtype})"
            )
        advice = "flatten each sample to one row with x.reshape(len(x), -1)" if x.ndim > 2 else "mind in_features"
        if x.ndim < 2:
            advice = "a single row is x[None, :], a single feature of many rows x[:, None]"
        if x.dtype != dtype:
            advice = f"cast the data once with x.astype(np.{dtype}), or build with the dtype of the data"
        raise ShapeError(
            f"expected x of shape (n, {self.in_features}) and dtype {dtype}, "
            f"received x.shape={x.shape} and x.dtype={x.dtype}: {advice}"
        )

"""LayerNorm: normalization of every row, or every position of a row, by itself."""

from math import prod

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.initializers import ones, zeros
from minidl.kernels.normalizing import normalize_rows, normalize_rows_backward
from minidl.layers.activations import Elementwise
from minidl.layers.shapes import SampleShape, check_input, check_sizes, fitting
from minidl.parameters import Array, Parameter
from minidl.quiet import quiet


class LayerNorm(Elementwise):
    """y = gain (x - mean) / sqrt(variance + eps) + bias over the last axis or axes: (n, ..., *shape), same shape.

    Mean and variance are those of the k numbers in the last axes of each row, or of each position of a row where there
    are more axes; the variance is divided by k. Source: Ba, Kiros & Hinton, arXiv 1607.06450, 2016.

    Args:
        features: the size of the last axis, or a tuple of the sizes of the last axes.
        eps: added to the variance, > 0.

    Attributes:
        gain, bias: parameters of the shape of the last axes, which start at 1 and 0, and are not decayed.

    Raises:
        ShapeError: x that has other sizes there, or another dtype.

    >>> layer = LayerNorm(2).build(seed=0)
    >>> layer.forward(np.float32([[1.0, 3.0], [10.0, 30.0]])).round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    def __init__(self, features: int | tuple[int, ...], *, eps: float = 1e-5) -> None:
        several = isinstance(features, tuple | list)
        self.features = (
            check_sizes("features", features)  # type: ignore[arg-type]
            if several
            else (check_integer("features", features, minimum=1),)  # type: ignore[arg-type]
        )
        self.eps = check_number("eps", eps, minimum=0, exclusive=True)
        self.gain = Parameter(self.features, ones, decay=False)
        self.bias = Parameter(self.features, zeros, decay=False)

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape of the input, if its last axes are those of `features`."""
        return fitting(self, shape, (..., *self.features))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x with its last axes normalized."""
        gain = self.gain.value
        check_input(self, x, (..., *self.features), gain.dtype)
        self.shape = x.shape
        rows = x.reshape(-1, prod(self.features))
        y, self.normal, self.r = normalize_rows(rows, gain.reshape(-1), self.bias.value.reshape(-1), self.eps)
        return y.reshape(self.shape)

    @quiet
    def backward(self, dy: Array) -> Array:
        """With z = (x - mean) r, r = 1 / sqrt(variance + eps), g = gain dy, sums over rows, means over the last axes.

        dgain = sum z dy,  dbias = sum dy,  dx = r (g - mean(g) - z mean(g z)).
        """
        self.check_dy(dy, self.shape)
        rows = np.asarray(dy).reshape(self.normal.shape)
        gain = self.gain.value.reshape(-1)
        dgain, dbias, dx = normalize_rows_backward(rows, self.normal, self.r, gain, self.needs_dx)
        self.gain.grad, self.bias.grad = dgain.reshape(self.features), dbias.reshape(self.features)
        return dy if dx is None else dx.reshape(self.shape)

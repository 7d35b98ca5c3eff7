"""Embedding and PositionalEncoding: how tokens, and their places in a sequence, become vectors."""

from functools import lru_cache
from typing import Any

import numpy as np

from minidl.arguments import check_integer
from minidl.initializers import normal
from minidl.kernels.rows import scattered_sum
from minidl.layers.activations import Elementwise
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, check_input, fitting, whole_numbers
from minidl.parameters import Array, Initializer, Parameter
from minidl.quiet import quiet

STANDARD = normal(1.0)


class Embedding(Layer):
    """y = W[x]: whole numbers (n, ...) -> (n, ..., features), a row of the table W for each of them.

    x holds tokens from 0 to tokens - 1, as integers or as whole floats, which `fit` and `predict` make of them. It has
    no derivative, so `backward` returns zeros of its shape.

    Args:
        tokens: how many there are, the rows of W.
        features: the width of a row.
        weight_init: initializer of W, shape (tokens, features).

    Raises:
        ValueError: fractions, or numbers out of range; TypeError: no numbers.

    Source: Bengio, Ducharme, Vincent and Jauvin, "A neural probabilistic language model", JMLR 3, 2003.

    >>> layer = Embedding(10, 4).build(seed=0)
    >>> layer.forward(np.array([[3, 3, 7]])).shape
    (1, 3, 4)
    """

    def __init__(self, tokens: int, features: int, *, weight_init: Initializer = STANDARD) -> None:
        self.tokens = check_integer("tokens", tokens, minimum=1)
        self.features = check_integer("features", features, minimum=1)
        self.weight = Parameter((tokens, features), weight_init)

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(..., features)."""
        return None if shape is None else (*shape, self.features)

    @quiet
    def forward(self, x: Array) -> Array:
        """Return W[x]."""
        self.tokens_seen = whole_numbers(self, x, self.tokens)
        y: Array = self.weight.value.take(self.tokens_seen, axis=0)
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dW[k] = the sum of dy over all places where x is k,  dx = 0."""
        seen, width = self.tokens_seen, self.features
        self.check_dy(dy, (*seen.shape, width))
        dW = scattered_sum(np.asarray(dy, self.weight.value.dtype).reshape(-1, width), seen.ravel(), self.tokens)
        self.weight.grad = dW
        return np.zeros(seen.shape, dW.dtype)


class PositionalEncoding(Elementwise):
    """y_t = x_t + p_t: (n, time, features) -> the same; each place in a sequence gets waves of its own.

    p_t has sin(t w_i) at 2i and cos(t w_i) at 2i + 1, where w_i = 10000^(-2i / features), for t = 0, 1, ... So layers
    that treat all places alike, as attention does, can tell them apart. Nothing is trained, and any length will do.

    Args:
        features: the width of x; ShapeError for x of another.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.5.

    >>> PositionalEncoding(4).forward(np.zeros((1, 2, 4))).round(2)
    array([[[0.  , 1.  , 0.  , 1.  ],
            [0.84, 0.54, 0.01, 1.  ]]])
    """

    def __init__(self, features: int) -> None:
        self.features = check_integer("features", features, minimum=1)

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(time, features), if the input rows are features wide."""
        return fitting(self, shape, (None, self.features))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x + p."""
        check_input(self, x, (None, self.features))
        self.shape = x.shape
        y: Array = x + _waves(x.shape[1], self.features, x.dtype)
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy."""
        self.check_dy(dy, self.shape)
        return dy


@lru_cache(maxsize=8)
def _waves(time: int, features: int, dtype: np.dtype[Any]) -> Array:
    """The p_t of the first `time` places, (time, features): one array for every caller, which cannot be changed."""
    exponents = -2.0 * (np.arange(features) // 2) / features
    angles = np.arange(time)[:, None] * 10000.0**exponents
    waves = np.where(np.arange(features) % 2 == 0, np.sin(angles), np.cos(angles)).astype(dtype)
    waves.flags.writeable = False
    return waves

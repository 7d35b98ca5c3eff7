"""Dropout: some numbers of every batch are left out, in training only."""

import numpy as np

from minidl.arguments import check_number
from minidl.kernels.activations import drop_out
from minidl.kernels.chances import chances
from minidl.layers.activations import Elementwise
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.returned import as_floats


class Dropout(Elementwise):
    """y = x m / (1 - rate) in training, each m 0 with probability `rate`, else 1; y = x at inference, any shape.

    The division makes x the mean of y over the draws ("inverted" dropout), so inference needs no correction. The mask m
    is drawn once in every forward, from the layer's own stream `rng`; with rate 0 nothing is drawn. Numbers are left
    out one by one; in images and sequences no channel goes as a whole. Source: Srivastava, Hinton, Krizhevsky,
    Sutskever & Salakhutdinov, JMLR 15, 2014.

    Args:
        rate: the share that is left out, 0 <= rate < 1. Of the numbers that are kept it is 1 - rate.

    >>> layer, x = Dropout(0.5).build(seed=0), np.ones((1, 6), np.float32)
    >>> layer.forward(x)
    array([[1., 1., 1., 1., 1., 1.]], dtype=float32)
    >>> with layer.train_mode():
    ...     layer.forward(x)
    array([[0., 2., 2., 0., 0., 2.]], dtype=float32)
    """

    def __init__(self, rate: float) -> None:
        self.rate = check_number("rate", rate, minimum=0, maximum=1)
        if rate == 1:
            raise ValueError("expected rate to be < 1, received rate=1: nothing is left of x")

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x, or in training x times a new mask."""
        x = as_floats("x", x)
        self.shape, self.mask = x.shape, None
        if not self.training or not self.rate:
            return x.copy(order="K")
        numbers, bound = chances(self.rng, x.shape, x.dtype, self.rate)
        y, self.mask = drop_out(x, numbers, bound, 1 / (1 - self.rate))
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = m dy / (1 - rate), with the mask of the newest forward."""
        self.check_dy(dy, self.shape)
        return dy if self.mask is None else _times(np.asarray(dy), self.mask)


def _times(array: Array, mask: Array) -> Array:
    """The product in the memory layout of the array."""
    return np.multiply(array, mask, out=np.empty_like(array, subok=False))

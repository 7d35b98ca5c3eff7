"""Channels of rows, sequences and images as stacks of matrices, whatever their order in memory."""

from math import prod

import numpy as np

from minidl.layers.shapes import Open, SampleShape, check_input, fitting
from minidl.parameters import Array

LAYOUTS = "x is (n, features), (n, time, features) or (n, channels, height, width)"


class Channels:
    """How the channels of an array lie: in the last axis of (n, features) and (n, time, features), in axis 1 of images.

    A stack is the same numbers as (n, values, channels), or (n, channels, values) for images whose memory has the
    channels first. Arrays that go back have the memory layout of x. With `rows_mix`, what stands in all rows may be
    taken for one, as where the batch is summed over anyway.
    """

    def __init__(self, x: Array, *, rows_mix: bool = False) -> None:
        self.shape, self.rows = x.shape, len(x)
        self.images = x.ndim == 4
        self.last = not self.images or x.transpose(0, 2, 3, 1).flags.c_contiguous
        self.count = x.shape[1] if self.images else x.shape[-1]
        self.values = prod(x.shape[2:] if self.images else x.shape[1:-1])
        if rows_mix and x.ndim == 2:
            self.rows, self.values = 1, self.rows

    def stack(self, array: Array) -> Array:
        """An array of this shape as a stack: a view of its memory, or where that has another order a copy."""
        if self.images and self.last:
            array = array.transpose(0, 2, 3, 1)
        sizes = (self.values, self.count) if self.last else (self.count, self.values)
        return np.ascontiguousarray(array).reshape(self.rows, *sizes)

    def unstack(self, stack: Array) -> Array:
        """A stack as an array of this shape, which is a view of its memory."""
        if not (self.images and self.last):
            return stack.reshape(self.shape)
        n, c, h, w = self.shape
        return stack.reshape(n, h, w, c).transpose(0, 3, 1, 2)


def channels_fitting(layer: object, shape: SampleShape, count: int) -> SampleShape:
    """The shape of rows in which a layer finds its channels, or ShapeError where they are of another number."""
    if shape is None:
        return None
    images = len(shape) == 3 and not isinstance(shape, Open)
    if images or len(shape) > 3:
        return fitting(layer, shape, (count, None, None), advice=LAYOUTS)
    return fitting(layer, shape, (..., count))


def check_channels(layer: object, x: Array, count: int, dtype: np.dtype[np.floating]) -> None:
    """The door of a `forward` that takes `count` channels where `Channels` has them."""
    wanted = {3: (None, count), 4: (count, None, None)}.get(np.ndim(x), (count,))
    check_input(layer, x, wanted, dtype, advice="" if np.ndim(x) == 2 else LAYOUTS)

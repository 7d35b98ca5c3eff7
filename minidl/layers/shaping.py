"""Layers that only lay the numbers of a row out anew."""

from math import prod

import numpy as np

from minidl.arguments import check_integer, short
from minidl.layers.base import Layer
from minidl.layers.shapes import Open, SampleShape, ShapeError
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.returned import as_numbers


class _Shaping(Layer):
    """The same numbers in the same order, in rows of another shape."""

    def _shape_for(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a row that comes in another one."""
        raise TypeError(f"{type(self).__name__} must define _shape_for(self, shape)")

    @quiet
    def forward(self, x: Array) -> Array:
        """Return the numbers of each row in the new shape."""
        x = as_numbers("x", x)
        if x.ndim == 0:
            raise ShapeError(f"expected x of shape (n, ...), received the number x={short(x)}: a single row is x[None]")
        self.x_shape, self.y_shape = x.shape, (len(x), *self._shape_for(x.shape[1:]))
        self.slowest_first = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
        return x.reshape(self.y_shape)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = dy, laid out as x was, in memory too: the layers below work with both, and are slow on two orders."""
        self.check_dy(dy, self.y_shape)
        dx: Array = np.asarray(dy).reshape(self.x_shape).transpose(self.slowest_first)
        return np.ascontiguousarray(dx).transpose(np.argsort(self.slowest_first))


def _known(shape: SampleShape) -> tuple[int, ...] | None:
    """The sizes of a row where all axes are known; a layer such as Linear knows the last ones only."""
    if shape is None or None in shape or isinstance(shape, Open):
        return None
    return tuple(size for size in shape if size is not None)


class Flatten(_Shaping):
    """(n, ...) -> (n, features): all numbers of a row one after the other, the last axis moving fastest.

    An image (channels, height, width) gives channels height width features: first all pixels of the first channel, row
    by row. y may be a view of x.

    >>> Flatten().forward(np.zeros((4, 3, 32, 32))).shape
    (4, 3072)
    """

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(features,), if all sizes are known."""
        sizes = _known(shape)
        return (None if sizes is None else prod(sizes),)

    def _shape_for(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (prod(shape),)


class Reshape(_Shaping):
    """(n, ...) -> (n, *shape): the same numbers in the same order, as `numpy.reshape` lays them out.

    Args:
        shape: the sizes of a row; one of them may be -1, which is what the others leave.

    Rows of another number of features raise ShapeError. y may be a view of x.

    >>> Reshape(3, 32, 32).forward(np.zeros((4, 3072))).shape
    (4, 3, 32, 32)
    """

    def __init__(self, *shape: int) -> None:
        if not shape or (len(shape) == 1 and isinstance(shape[0], tuple | list)) or shape.count(-1) > 1:
            raise ValueError(
                f"expected the sizes of a row, at most one of them -1, received {', '.join(map(short, shape))}: "
                f"write Reshape(3, 32, 32)"
            )
        self.shape = tuple(size if size == -1 else check_integer("each size", size, minimum=1) for size in shape)
        self.known = prod(size for size in self.shape if size != -1)

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape, in which -1 is known if the shape of the input is."""
        sizes = _known(shape)
        return tuple(None if size == -1 else size for size in self.shape) if sizes is None else self._shape_for(sizes)

    def _shape_for(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        features = prod(shape)
        rest, over = divmod(features, self.known)
        if over or (rest != 1 and -1 not in self.shape) or not features:
            several = f"{'a multiple of ' * (-1 in self.shape)}{self.known}"
            raise ShapeError(
                f"expected rows of {several} numbers for {self!r}, received rows of shape {shape}: "
                f"change the sizes, or the layer before it"
            )
        return tuple(rest if size == -1 else size for size in self.shape)

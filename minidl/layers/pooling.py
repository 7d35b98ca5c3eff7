"""Pooling of images: windows shrink to their largest number or to their mean, channel by channel."""

from typing import Any

import numpy as np

from minidl.kernels.pooling import (
    along,
    window_maxima,
    window_maxima_backward,
    window_means,
    window_means_backward,
)
from minidl.kernels.spans import Span
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, ShapeError, check_input, fitting
from minidl.layers.windows import Padding, Sizes, make_windows, windowed
from minidl.parameters import Array
from minidl.quiet import quiet

IMAGES = (None, None, None)
ADVICE = "images are (n, channels, height, width), a single one is x[None]"


class _Pool2D(Layer):
    """What both share: the windows of each row of pixels shrink first, then those of what is left, downwards."""

    def __init__(self, size: Sizes, *, stride: Sizes | None = None, padding: Padding = 0) -> None:
        self.windows = make_windows("size", size, size if stride is None else stride, padding, 2)
        if any(window.padding is not None and window.padding >= window.size for window in self.windows):
            raise ValueError(
                f"expected padding to be smaller than size, received size={size}, padding={padding}: "
                f"a window would lie beside the image"
            )

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The channels of the input, and the numbers of windows down and across."""
        channels, *lengths = fitting(self, shape, IMAGES)
        return (channels, *windowed(self, self.windows, tuple(lengths)))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return one number for each window."""
        check_input(self, x, IMAGES, advice=ADVICE)
        counts: Any = windowed(self, self.windows, x.shape[2:])
        self.x_shape, self.y_shape = x.shape, (*x.shape[:2], *counts)
        return self._shrunk(self._shrunk(x, 3), 2)

    @quiet
    def backward(self, dy: Array) -> Array:
        """The chain rule: upwards first, then along the rows of pixels."""
        self.check_dy(dy, self.y_shape)
        return self._grown(self._grown(np.asarray(dy), 2), 3)

    def _span(self, axis: int) -> Span:
        return self.windows[axis - 2].span(self.x_shape[axis])

    def _shrunk(self, x: Array, axis: int) -> Array:
        """One number for each window along an axis."""
        raise TypeError(f"{type(self).__name__} must define _shrunk(self, x, axis)")

    def _grown(self, dy: Array, axis: int) -> Array:
        """The gradient of what `_shrunk` was given."""
        raise TypeError(f"{type(self).__name__} must define _grown(self, dy, axis)")


class MaxPool2D(_Pool2D):
    """y = the largest number of each window, channel by channel: (n, channels, height, width) -> (n, channels, h, w).

    Args:
        size: height and width of a window: one number, or a pair.
        stride: from one window to the next, a number or a pair; None: `size`, so that windows lie side by side.
        padding: places around the image that are never the largest: a number or a pair, smaller than `size`, or "same",
            as in `Conv2D`.

    h and w are as in `Conv2D`: a window that would reach beyond the (padded) image is left out. Of equal numbers in a
    window the first one, row by row, gets all of its gradient. Input that is not (n, channels, height, width) in
    floats, and images smaller than a window, raise ShapeError. Source: Zhou and Chellappa, "Computation of optical
    flow using a neural network", ICNN 1988.

    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> pool = MaxPool2D(2)
    >>> pool.forward(x)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    >>> pool.backward(np.ones((1, 1, 2, 2)))
    array([[[[0., 0., 0., 0.],
             [0., 1., 0., 1.],
             [0., 0., 0., 0.],
             [0., 1., 0., 1.]]]])
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return the largest number of each window."""
        self.largest: dict[int, tuple[Array, Array]] = {}
        return super().forward(x)

    def _shrunk(self, x: Array, axis: int) -> Array:
        span = self._span(axis)
        x = _padded(x, axis, span, -np.inf)
        y = window_maxima(x, axis, span)
        self.largest[axis] = x, y
        return y

    def _grown(self, dy: Array, axis: int) -> Array:
        """Of each window the first number that is the largest gets dy."""
        span = self._span(axis)
        return _cut(window_maxima_backward(dy, *self.largest[axis], axis, span), axis, span, self.x_shape[axis])


class AveragePool2D(_Pool2D):
    """y = the mean of each window, channel by channel: (n, channels, height, width) -> (n, channels, h, w).

    Args:
        size: height and width of a window: one number, or a pair.
        stride: from one window to the next, a number or a pair; None: `size`, so that windows lie side by side.
        padding: places around the image: a number or a pair, smaller than `size`, or "same", as in `Conv2D`. They do
            not count: a window at the border is the mean of its pixels inside the image.

    h and w are as in `Conv2D`: a window that would reach beyond the (padded) image is left out. Input that is not
    (n, channels, height, width) in floats, and images smaller than a window, raise ShapeError. Source: LeCun, Bottou,
    Bengio and Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 86, 1998.

    >>> AveragePool2D(2).forward(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    >>> AveragePool2D(3, stride=2, padding=1).forward(np.ones((1, 1, 4, 4)))
    array([[[[1., 1.],
             [1., 1.]]]])
    """

    def _shrunk(self, x: Array, axis: int) -> Array:
        span = self._span(axis)
        return window_means(_padded(x, axis, span, 0.0), self._shares(axis, x.dtype), axis, span)

    def _grown(self, dy: Array, axis: int) -> Array:
        """Every number of a window gets its share of dy."""
        span = self._span(axis)
        dx = window_means_backward(dy, self._shares(axis, dy.dtype), axis, span)
        return _cut(dx, axis, span, self.x_shape[axis])

    def _shares(self, axis: int, dtype: np.dtype[Any]) -> Array:
        """1 / how many numbers of each window are not padding."""
        span = self._span(axis)
        begins = np.arange(span.count) * span.stride - span.before
        counts = np.minimum(begins + span.size, self.x_shape[axis]) - np.maximum(begins, 0)
        shares: Array = (1 / counts).astype(dtype)
        return shares


class GlobalAveragePool2D(Layer):
    """y = the mean of all pixels, channel by channel: (n, channels, height, width) -> (n, channels).

    Input that is not (n, channels, height, width) in floats, and images without pixels, raise ShapeError. Source: Lin,
    Chen and Yan, "Network in network", ICLR 2014.

    >>> GlobalAveragePool2D().forward(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[1.5, 5.5]])
    """

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(channels,)."""
        return fitting(self, shape, IMAGES)[:1]

    @quiet
    def forward(self, x: Array) -> Array:
        """Return the mean of each channel of each image."""
        check_input(self, x, IMAGES, advice=ADVICE)
        if 0 in x.shape[2:]:
            raise ShapeError(f"expected images with pixels, received x.shape={x.shape}: there is no mean of none")
        self.shape = x.shape
        y: Array = x.mean(axis=(2, 3))
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = dy / (height width) at every pixel."""
        n, channels, height, width = self.shape
        self.check_dy(dy, (n, channels))
        share = np.divide(dy, height * width)
        dx = np.empty((n, height, width, channels), share.dtype)  # channels last, as convolutions want it
        dx[...] = share[:, None, None]
        return dx.transpose(0, 3, 1, 2)


def _padded(x: Array, axis: int, span: Span, fill: float) -> Array:
    """From the beginning of the first window to the end of the last along an axis."""
    inside, places = span.inside(x.shape[axis])
    if inside == slice(0, span.length):
        return x[along(axis, places)]
    padded: Array = np.full_like(x, fill, shape=(*x.shape[:axis], span.length, *x.shape[axis + 1 :]))
    padded[along(axis, inside)] = x[along(axis, places)]
    return padded


def _cut(dx: Array, axis: int, span: Span, length: int) -> Array:
    """The gradient of x where `dx` is that of `_padded`; what no window saw is 0."""
    inside, places = span.inside(length)
    if places == slice(0, length):
        return dx[along(axis, inside)]
    whole: Array = np.zeros_like(dx, shape=(*dx.shape[:axis], length, *dx.shape[axis + 1 :]))
    whole[along(axis, places)] = dx[along(axis, inside)]
    return whole

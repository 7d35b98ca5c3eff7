"""Convolutions of images and of sequences: one kernel slides over all places."""

from typing import Any

import numpy as np

from minidl.arguments import check_integer
from minidl.initializers import glorot_uniform, zeros
from minidl.layers.base import Layer
from minidl.layers.patches import Grid, patches
from minidl.layers.shapes import SampleShape, check_input, fitting
from minidl.layers.windows import Padding, Sizes, Span, make_windows, windowed
from minidl.parameters import Array, Floats, Initializer, Parameter
from minidl.quiet import quiet


class _Convolution(Layer):
    """What Conv1D and Conv2D share; inside, a sequence is an image one pixel high."""

    _axes: int
    _advice_for_x: str

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Sizes,
        *,
        stride: Sizes = 1,
        padding: Padding = 0,
        bias: bool = True,
        weight_init: Initializer = glorot_uniform,
        bias_init: Initializer = zeros,
    ) -> None:
        self.in_channels = check_integer("in_channels", in_channels, minimum=1)
        self.out_channels = check_integer("out_channels", out_channels, minimum=1)
        self.windows = make_windows("kernel", kernel, stride, padding, self._axes)
        sizes = tuple(window.size for window in self.windows)
        self.weight = Parameter((*sizes, self.in_channels, self.out_channels), weight_init)
        self.bias = Parameter((self.out_channels,), bias_init, decay=False) if bias else None

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The number of output channels, and of windows along the other axes."""
        known = fitting(self, shape, (self.in_channels, *[None] * self._axes))
        return (self.out_channels, *windowed(self, self.windows, known[1:]))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return the sum over kernel and channels of x W, plus b, at every place."""
        W = self.weight.value
        check_input(self, x, (self.in_channels, *[None] * self._axes), W.dtype, advice=self._advice_for_x)
        counts: Any = windowed(self, self.windows, x.shape[2:])
        self.x = x
        out = self.out_channels
        images, grid = self._images(x), self._grid(x.shape)
        y = np.empty((len(x), grid[0].count, grid[1].count, out), x.dtype)
        bias = None if self.bias is None else np.tile(self.bias.value, grid[1].count)  # long rows are added faster
        for place, block in patches(images, grid):
            part = y[place]
            np.matmul(block, W.reshape(-1, out), out=part.reshape(-1, out))
            if bias is not None:
                lines = part.reshape(-1, len(bias))
                lines += bias
        return _channels_first(y).reshape(len(x), out, *counts)

    @quiet
    def backward(self, dy: Array) -> Array:
        """dW = sum over places of patch^T dy,  db = sum over places of dy,  dx = sum of dy W^T over windows."""
        counts: Any = windowed(self, self.windows, self.x.shape[2:])
        self.check_dy(dy, (len(self.x), self.out_channels, *counts))
        dy = np.ascontiguousarray(self._images(dy))
        if self.bias is not None:
            rows = dy.reshape(-1, self.out_channels)
            np.matmul(np.ones(len(rows), dy.dtype), rows, out=self.bias.grad)
        if not self.needs_dx:
            self._set_dW(dy)
            return dy
        return _channels_first(self._set_dW_and_return_dx(dy)).reshape(self.x.shape)

    def _set_dW(self, dy: Array) -> None:  # noqa: N802
        """dW = sum of patch^T dy."""
        dW = np.zeros((self.weight.size // self.out_channels, self.out_channels), dy.dtype)
        for place, block in patches(self._images(self.x), self._grid(self.x.shape)):
            dW += block.T @ dy[place].reshape(-1, self.out_channels)
        self.weight.grad = dW.reshape(self.weight.shape)

    def _set_dW_and_return_dx(self, dy: Array) -> Array:  # noqa: N802
        """dx is a convolution, too: a pixel sees the windows that cover it, through the kernel turned around.

        With a stride, pixels see kernels of their own: the offsets at which they lie in windows. The patches of dy are
        what each pixel x is multiplied with in dW, so that they serve both.
        """
        x, (_, _, channels, out) = self._images(self.x), self._kernel_shape
        W, dW = self.weight.value.reshape(self._kernel_shape), self.weight.grad.reshape(self._kernel_shape)
        dx: Floats = np.zeros(x.shape, x.dtype)
        dW[...] = 0
        rows, columns = self._grid(self.x.shape)
        for down, up, row_span in rows.phases(x.shape[1]):
            for right, left, column_span in columns.phases(x.shape[2]):
                turned = W[up, left][::-1, ::-1].transpose(0, 1, 3, 2)
                if turned.size == 0 or 0 in (row_span.count, column_span.count):
                    continue  # pixels between the windows
                dx_part, x_part = dx[:, down, right], x[:, down, right]
                sums = np.zeros((channels, turned.size // channels), dy.dtype)
                for place, block in patches(dy, (row_span, column_span)):
                    dx_part[place] = (block @ turned.reshape(-1, channels)).reshape(dx_part[place].shape)
                    sums += x_part[place].reshape(-1, channels).T @ block
                dW_part = sums.reshape(channels, *turned.shape[:2], out).transpose(1, 2, 0, 3)
                dW[up, left] = dW_part[::-1, ::-1]
        return dx

    @property
    def _kernel_shape(self) -> tuple[int, int, int, int]:
        height, width, channels, out = (*[1] * (2 - self._axes), *self.weight.shape)
        return height, width, channels, out

    def _images(self, x: Array) -> Array:
        """(n, channels, ...) as (n, height, width, channels)."""
        return (x if x.ndim == 4 else x[:, :, None]).transpose(0, 2, 3, 1)

    def _grid(self, shape: tuple[int, ...]) -> Grid:
        spans = [window.span(length) for window, length in zip(self.windows, shape[2:], strict=True)]
        rows, columns = (*[Span(1, 1, 0, 1)] * (2 - self._axes), *spans)
        return rows, columns


def _channels_first(y: Array) -> Array:
    """A view: the channels of a place go on lying together, as the next convolution wants them."""
    return y.transpose(0, 3, 1, 2)


class Conv2D(_Convolution):
    """y[n, o, i, j] = b[o] + sum_abc x[n, c, s i + a - p, s j + b - p] W[a, b, c, o], with 0 for x beyond its borders.

    (n, in_channels, height, width) -> (n, out_channels, h, w), where h = (height + 2 padding - kernel) // stride + 1
    and w likewise: what is left over at the lower and right border is not seen.

    Args:
        in_channels, out_channels: of x and y.
        kernel: height and width of the window, one number or a pair.
        stride: from one window to the next, one number or a pair.
        padding: rows of zeros above and below, and columns left and right, one number or a pair; or "same", with which
            h = height / stride, rounded up: as many zeros as the windows need, half of them above and left, and an odd
            one below and right.
        bias: whether b is there.
        weight_init: initializer of W, shape (kernel height, kernel width, in_channels, out_channels).
        bias_init: initializer of b, shape (out_channels,).

    As in all of this field the kernel is not turned around. The bias is not decayed by regularizers. Another number of
    channels or axes, another dtype, and images smaller than the kernel raise ShapeError. y lies in memory with its
    channels last, which is fastest for the layer behind. Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based
    learning applied to document recognition", Proceedings of the IEEE 86, 1998; as products of matrices: Chellapilla,
    Puri and Simard, IWFHR 2006.

    >>> layer = Conv2D(3, 8, 5, padding="same").build(seed=0)
    >>> layer.forward(np.zeros((4, 3, 32, 32), np.float32)).shape
    (4, 8, 32, 32)
    >>> Conv2D(3, 8, 5, stride=2).output_shape((3, 32, 32))
    (8, 14, 14)
    """

    _axes = 2
    _advice_for_x = "images are (n, channels, height, width)"


class Conv1D(_Convolution):
    """y[n, o, i] = b[o] + sum_ac x[n, c, s i + a - p] W[a, c, o], with 0 for x beyond its ends.

    (n, in_channels, length) -> (n, out_channels, l), where l = (length + 2 padding - kernel) // stride + 1: what is
    left over at the end is not seen.

    Args:
        in_channels, out_channels: of x and y.
        kernel: length of the window.
        stride: from one window to the next.
        padding: zeros at both ends; or "same", as in `Conv2D`.
        bias: whether b is there.
        weight_init: initializer of W, shape (kernel, in_channels, out_channels).
        bias_init: initializer of b, shape (out_channels,).

    The bias is not decayed by regularizers. Another number of channels or axes, another dtype, and sequences shorter
    than the kernel raise ShapeError. Source: Waibel, Hanazawa, Hinton, Shikano and Lang, "Phoneme recognition using
    time-delay neural networks", IEEE Transactions on Acoustics, Speech and Signal Processing 37, 1989.

    >>> layer = Conv1D(2, 4, 3, padding=1).build(seed=0)
    >>> layer.forward(np.zeros((5, 2, 10), np.float32)).shape
    (5, 4, 10)
    """

    _axes = 1
    _advice_for_x = (
        "sequences are (n, channels, length) here, so (n, time, features) is to be transposed: x.transpose(0, 2, 1)"
    )

"""Convolutions of images and of sequences: one kernel slides over all places."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np

from minidl.arguments import check_flag, check_integer
from minidl.initializers import glorot_uniform, zeros
from minidl.kernels.spans import Span
from minidl.layers.base import Layer
from minidl.layers.correlation import all_gradients, correlation, kernel_gradients
from minidl.layers.patches import Grid
from minidl.layers.shapes import SampleShape, check_input, fitting
from minidl.layers.windows import Padding, Sizes, make_windows, windowed
from minidl.parameters import Array, Initializer, Parameter
from minidl.quiet import quiet


class _Convolution(Layer):
    """What Conv1D and Conv2D share; inside, a sequence is an image one pixel high."""

    _axes: int  # besides those of the samples and the channels

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
        biased = check_flag("bias", bias, np.bool_, int)
        self.bias = Parameter((self.out_channels,), bias_init, decay=False) if biased else None

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The number of output channels, and of windows along the other axes."""
        known = fitting(self, shape, self._row(self.in_channels, [None] * self._axes))
        return self._row(self.out_channels, windowed(self, self.windows, self._lengths(known)))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return the sum over kernel and channels of x W, plus b, at every place."""
        wanted = self._row(self.in_channels, [None] * self._axes)
        check_input(self, x, wanted, self.weight.value.dtype, advice=self._advice_for(np.shape(x)[1:]))
        counts: Any = windowed(self, self.windows, self._lengths(x.shape[1:]))
        self.x = x
        self.y_shape: tuple[Any, ...] = (len(x), *self._row(self.out_channels, counts))
        bias = None if self.bias is None else self.bias.value
        return self._rows_of(correlation(self._images(x), self._kernel, bias, self._grid))

    @quiet
    def backward(self, dy: Array) -> Array:
        """dW = sum over places of patch^T dy,  db = sum over places of dy,  dx = sum of dy W^T over windows."""
        self.check_dy(dy, self.y_shape)
        given = self._images(self.x), np.ascontiguousarray(self._images(np.asarray(dy))), self._kernel, self._grid
        if self.needs_dx:
            dW, db, dx = all_gradients(*given)
            dy = self._rows_of(dx)
        else:
            dW, db = kernel_gradients(*given)
        self.weight.grad = dW.reshape(self.weight.shape)
        if self.bias is not None:
            self.bias.grad = db
        return dy

    @property
    def _kernel(self) -> Array:
        """W (height, width, in_channels, out_channels)."""
        return self.weight.value.reshape(*[1] * (2 - self._axes), *self.weight.shape)

    @property
    def _grid(self) -> Grid:
        """The windows along height and width of the newest x."""
        lengths = self._lengths(self.x.shape[1:])
        spans = [window.span(length) for window, length in zip(self.windows, lengths, strict=True)]
        rows, columns = (*[Span(1, 1, 0, 1)] * (2 - self._axes), *spans)
        return rows, columns

    @abstractmethod
    def _row(self, channels: int, lengths: Iterable[int | None]) -> tuple[int | None, ...]:
        """The shape of a row."""

    @abstractmethod
    def _lengths(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """The sizes of a row along which windows slide."""

    @abstractmethod
    def _images(self, x: Array) -> Array:
        """x as (n, height, width, channels), a view."""

    @abstractmethod
    def _rows_of(self, images: Array) -> Array:
        """What `_images` makes, turned back, a view."""

    @abstractmethod
    def _advice_for(self, row: tuple[int, ...]) -> str:
        """What to do about rows of another shape."""


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

    def _row(self, channels: int, lengths: Iterable[int | None]) -> tuple[int | None, ...]:
        return (channels, *lengths)

    def _lengths(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return row[1:]

    def _images(self, x: Array) -> Array:
        return x.transpose(0, 2, 3, 1)

    def _rows_of(self, images: Array) -> Array:
        """The channels of a place go on lying together, as the next convolution wants them."""
        return images.transpose(0, 3, 1, 2)

    def _advice_for(self, row: tuple[int, ...]) -> str:
        return "" if len(row) == 3 else "images are (n, channels, height, width), a single one is x[None]"


class Conv1D(_Convolution):
    """y[n, i, o] = b[o] + sum_ac x[n, s i + a - p, c] W[a, c, o], with 0 for x beyond its ends.

    (n, time, in_channels) -> (n, steps, out_channels), where steps = (time + 2 padding - kernel) // stride + 1: what is
    left over at the end is not seen. Sequences are as for all layers of sequences here, such as `LSTM`; an array
    (n, channels, time) is given as x.transpose(0, 2, 1).

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
    >>> layer.forward(np.zeros((5, 10, 2), np.float32)).shape
    (5, 10, 4)
    """

    _axes = 1

    def _row(self, channels: int, lengths: Iterable[int | None]) -> tuple[int | None, ...]:
        return (*lengths, channels)

    def _lengths(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        return row[:-1]

    def _images(self, x: Array) -> Array:
        return x[:, None]

    def _rows_of(self, images: Array) -> Array:
        return images[:, 0]

    def _advice_for(self, row: tuple[int, ...]) -> str:
        if len(row) == 2 and row[0] == self.in_channels:
            return "sequences are (n, time, channels): x.transpose(0, 2, 1)"
        return "" if len(row) == 2 else "sequences are (n, time, channels), a single one is x[None]"

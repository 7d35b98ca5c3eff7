"""The largest number and the mean of each window along one axis, and their gradients. Both forms give the same bits."""

from functools import reduce

import numpy as np

from minidl.kernels.forms import Kernel
from minidl.kernels.spans import Span
from minidl.parameters import Array, Floats


@Kernel
def window_maxima(x: Array, axis: int, span: Span) -> Array:
    """y_i = max_k x_(s i + k) along an axis of x, which reaches from the first window to the end of the last."""
    y: Array = reduce(np.maximum, taps(x, axis, span))
    return y


@Kernel
def window_maxima_backward(dy: Array, x: Array, y: Array, axis: int, span: Span) -> Array:
    """dx: of each window the first number that is y gets dy: the last one has it until another takes it."""
    dx: Floats = np.zeros_like(x)
    places = taps(dx, axis, span)
    shared = span.stride < span.size
    *ahead, last = [np.empty_like(y) for _ in places] if shared else places
    last[...] = dy
    for part, share in zip(taps(x, axis, span), ahead, strict=False):
        np.multiply(last, part == y, out=share)
        last -= share
    if shared:
        for place, share in zip(places, (*ahead, last), strict=True):
            place += share
    return dx


@Kernel
def window_means(x: Array, shares: Array, axis: int, span: Span) -> Array:
    """y_i = c_i sum_k x_(s i + k) along an axis of x, which reaches from the first window to the end of the last."""
    y: Array = reduce(np.add, taps(x, axis, span))
    return y * _beside(shares, axis)


@Kernel
def window_means_backward(dy: Array, shares: Array, axis: int, span: Span) -> Array:
    """dx: every number of window i gets c_i dy_i; those in several windows get several."""
    share = dy * _beside(shares, axis)
    dx: Floats = np.zeros_like(dy, shape=(*dy.shape[:axis], span.length, *dy.shape[axis + 1 :]))
    for place in taps(dx, axis, span):
        place += share
    return dx


def _beside(shares: Array, axis: int) -> Array:
    """A number for each window along an axis of images, to be broadcast along the other axes."""
    return shares.reshape(-1, *[1] * (3 - axis))


def taps(x: Array, axis: int, span: Span) -> list[Array]:
    """Views of the first numbers of all windows along an axis, of the second ones, and so on."""
    reach = (span.count - 1) * span.stride + 1
    return [x[along(axis, slice(offset, offset + reach, span.stride))] for offset in range(span.size)]


def along(axis: int, places: slice) -> tuple[slice, ...]:
    """The index of places along an axis."""
    return (*[slice(None)] * axis, places)

"""Normalization: statistics of channels over stacks of matrices, or of each row, and the gradients of both.

A stack is (n, values, channels) with `last`, else (n, channels, values). Numbers of channels are float64, (channels,)
or (n, channels), and are rounded to the dtype of the stack where they meet it. Means are taken first, and squares are
of what is left without them, in both forms, so that a large offset costs no digits.

The forms differ by the roundings of sums, which NumPy takes in the dtype of the stack, and the loops in parts that are
added in float64: less than k units of that dtype in the last place of the sum of the sizes of k terms. A product and a
sum may be one rounding: less than 2 units of the largest term.
"""

import numpy as np

from minidl.kernels.forms import Kernel
from minidl.parameters import Array, Floats


@Kernel
def channel_sums(stack: Array, last: bool) -> Floats:
    """sum_v x_v for each channel in each of the n, (n, channels), as float64."""
    values = stack.shape[1 if last else 2]
    if values == 1:
        return stack.reshape(len(stack), stack.shape[2 if last else 1]).astype(np.float64)
    ones = np.ones(values, stack.dtype)
    sums = ones @ stack if last else stack @ ones  # several times as fast as stack.sum(axis=...)
    return sums.astype(np.float64)


@Kernel
def centered(stack: Array, mean: Floats, last: bool) -> tuple[Array, Floats]:
    """a = x - mean for each channel, and sum_v a_v^2 (n, channels)."""
    away = stack - spread(mean, stack, last)
    return away, channel_sums.plain(away * away, last)


@Kernel
def channel_affine(stack: Array, factor: Floats, bias: Floats, last: bool) -> Array:
    """y = factor x + bias for each channel."""
    y: Array = stack * spread(factor, stack, last)
    y += spread(bias, y, last)
    return y


@Kernel
def gradient_sums(g: Array, away: Array, last: bool) -> tuple[Floats, Floats]:
    """sum_v g_v and sum_v g_v a_v for each channel in each of the n, (n, channels)."""
    return channel_sums.plain(g, last), channel_sums.plain(g * away, last)


@Kernel
def through_statistics(g: Array, away: Array, factor: Floats, slope: Floats, shift: Floats, last: bool) -> Array:
    """dx = factor g - (slope a + shift) for each channel: the gradient of x through y, variance and mean."""
    dx: Array = g * spread(factor, g, last)
    through = away * spread(slope, g, last)
    through += spread(shift, g, last)
    dx -= through
    return dx


def spread(numbers: Floats, like: Array, last: bool) -> Array:
    """A number for each channel, (channels,), or for each of the n, (n, channels), to calculate with stacks."""
    numbers = numbers.astype(like.dtype)
    if not last:
        return numbers[..., None]
    if numbers.ndim == 1:  # written out where many rows use it, so that the inner loop is long
        return np.tile(numbers, (like.shape[1] if len(like) > 1 else 1, 1))
    return numbers[:, None, :]


@Kernel
def normalize_rows(x: Array, gain: Array, bias: Array, eps: float) -> tuple[Array, Array, Array]:
    """y = gain z + bias with z = (x - mean) r and r = 1 / sqrt(variance + eps) of each row (n, k).

    Returns y, z and r (n, 1). z is less than 8 + k units in the last place of the largest number of its row, times r,
    apart in the two forms.
    """
    z = x - _means(x)
    r: Array = 1 / np.sqrt(_means(z * z) + eps)
    z *= r
    y = z * gain
    y += bias
    return y, z, r


@Kernel
def normalize_rows_backward(
    dy: Array, z: Array, r: Array, gain: Array, needs_dx: bool
) -> tuple[Array, Array, Array | None]:
    """dgain = sum dy z and dbias = sum dy over the rows, and dx = r (g - mean(g) - z mean(g z)) with g = gain dy.

    Means are those of each row (n, k). dx is less than 8 + k units in the last place of its largest term apart in the
    two forms; without `needs_dx` there is none.
    """
    product, each = dy * z, np.ones(len(dy), dy.dtype)
    dgain, dbias = each @ product, each @ dy
    if not needs_dx:
        return dgain, dbias, None
    product *= gain
    np.multiply(z, _means(product), out=product)
    dx: Array = dy * gain
    product += _means(dx)
    dx -= product
    dx *= r
    return dgain, dbias, dx


def _means(rows: Array) -> Array:
    """The mean of each row as a column, by a product."""
    k = rows.shape[1]
    means: Array = rows @ np.full((k, 1), 1 / k, rows.dtype)
    return means

"""Sums over windows as products of matrices, for images with channels last: the arithmetic of convolutions.

y[n, i, j, o] = sum_abc x[n, s i + a - p, s j + b - p, c] W[a, b, c, o], and its two gradients.
"""

import numpy as np

from minidl.kernels.spans import Span
from minidl.layers.patches import Grid, patches
from minidl.parameters import Array, Floats

WIDE = 32  # outputs with which a product is fast


def correlation(x: Array, W: Array, bias: Array | None, grid: Grid) -> Array:
    """y for the images x and the kernel W (height, width, channels, outputs), plus the bias of each output."""
    (rows, columns), out = grid, W.shape[3]
    y: Floats = np.empty((len(x), rows.count, columns.count, out), x.dtype)
    together = _together(out, columns)
    span = _wide(columns, together)
    kernel = np.zeros((W.shape[0], span.size, W.shape[2], together * out), W.dtype)
    for number in range(together):
        kernel[_part(number, columns, out)] = W
    wide = y.reshape(len(x), rows.count, span.count, together * out)
    matrix = kernel.reshape(-1, together * out)
    if bias is not None:
        matrix = np.concatenate([matrix, np.tile(bias, together)[None]])
    for place, block in patches(x, (rows, span), ones=int(bias is not None)):
        np.matmul(block, matrix, out=wide[place].reshape(-1, together * out))
    return y


def kernel_gradients(x: Array, dy: Array, W: Array, grid: Grid) -> tuple[Array, Array]:
    """dW = sum over places of patch^T dy, and db = sum over places of dy: what a patch of ones gives."""
    (rows, columns), out = grid, W.shape[3]
    together = _together(out, columns)
    span = _wide(columns, together)
    wide = dy.reshape(len(dy), rows.count, span.count, together * out)
    sums = np.zeros((W.shape[0] * span.size * W.shape[2] + 1, together * out), dy.dtype)
    for place, block in patches(x, (rows, span), ones=1):
        sums += block.T @ wide[place].reshape(-1, together * out)
    kernel = sums[:-1].reshape(W.shape[0], span.size, W.shape[2], together * out)
    dW = sum((kernel[_part(number, columns, out)] for number in range(together)), np.zeros(W.shape, dy.dtype))
    return dW, sums[-1].reshape(together, out).sum(axis=0)


def all_gradients(x: Array, dy: Array, W: Array, grid: Grid) -> tuple[Array, Array, Array]:
    """dW, db, and dx, a correlation, too: a pixel sees the windows that cover it, through the kernel turned around.

    With a stride, pixels see kernels of their own: the offsets at which they lie in windows. The patches of dy are what
    each pixel of x is multiplied with in dW, so that they serve both.
    """
    dx, dW = np.zeros(x.shape, x.dtype), np.zeros(W.shape, W.dtype)
    rows, columns = grid
    for down, up, row_span in rows.phases(x.shape[1]):
        for right, left, column_span in columns.phases(x.shape[2]):
            turned = W[up, left][::-1, ::-1].transpose(0, 1, 3, 2)
            if turned.size == 0 or 0 in (row_span.count, column_span.count):
                continue  # pixels between windows
            matrix, sums = turned.reshape(-1, turned.shape[3]), np.zeros((W.shape[2], turned[..., 0].size), dy.dtype)
            dx_part, x_part = dx[:, down, right], x[:, down, right]
            for place, block in patches(dy, (row_span, column_span)):
                target = dx_part[place]
                if target.flags.c_contiguous:
                    np.matmul(block, matrix, out=target.reshape(-1, W.shape[2]))
                else:
                    target[...] = (block @ matrix).reshape(target.shape)
                sums += x_part[place].reshape(-1, W.shape[2]).T @ block
            dW[up, left] = sums.reshape(-1, *turned.shape[:3]).transpose(1, 2, 0, 3)[::-1, ::-1]
    db = np.ones(dy[..., 0].size, dy.dtype) @ dy.reshape(-1, W.shape[3])
    return dW, db, dx


def _together(out: int, columns: Span) -> int:
    """How many neighbours in a row are taken as one place with that many times the outputs, where outputs are few."""
    return next(number for number in (4, 2, 1) if number == 1 or (number * out <= WIDE and not columns.count % number))


def _wide(columns: Span, together: int) -> Span:
    """The windows of neighbours as one."""
    size = columns.size + (together - 1) * columns.stride
    return Span(size, together * columns.stride, columns.before, columns.count // together)


def _part(number: int, columns: Span, out: int) -> tuple[slice, slice, slice, slice]:
    """Where the kernel of one of the neighbours stands in that of all of them."""
    first = number * columns.stride
    return slice(None), slice(first, first + columns.size), slice(None), slice(number * out, (number + 1) * out)

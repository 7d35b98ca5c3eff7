"""Sums over windows as products of matrices, for images with channels last: the arithmetic of convolutions.

y[n, i, j, o] = sum_abc x[n, s i + a - p, s j + b - p, c] W[a, b, c, o], and its two gradients.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from minidl.kernels.alone import VECTOR, add_product, multiply_rows, rows_alone
from minidl.kernels.spans import Span
from minidl.layers.patches import Block, Grid, over_patches
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
    alone = rows_alone(matrix.shape, 8)

    def multiply(blocks: Iterable[Block]) -> None:
        for place, block in blocks:
            multiply_rows(block, matrix, wide[place].reshape(-1, together * out), alone)

    over_patches(multiply, x, (rows, span), ones=int(bias is not None), shared=alone > 0)
    return y


def kernel_gradients(x: Array, dy: Array, W: Array, grid: Grid) -> tuple[Array, Array]:
    """dW = sum over places of patch^T dy, and db = sum over places of dy: what a patch of ones gives."""
    (rows, columns), out = grid, W.shape[3]
    together = _together(out, columns)
    span = _wide(columns, together)
    wide = dy.reshape(len(dy), rows.count, span.count, together * out)
    shape = W.shape[0] * span.size * W.shape[2] + 1, together * out
    alone = rows_alone(shape, 24)

    def add(blocks: Iterable[Block]) -> Array:
        sums = np.zeros(shape, dy.dtype)
        for place, block in blocks:
            add_product(sums, block, wide[place].reshape(-1, together * out), alone)
        return sums

    sums = sum(over_patches(add, x, (rows, span), ones=1, shared=alone > 0), np.zeros(shape, dy.dtype))
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
            phase = _Phase(dy, x[:, down, right], dx[:, down, right], turned.reshape(-1, turned.shape[3]))
            sums = phase.gradients((row_span, column_span))
            dW[up, left] = sums.reshape(-1, *turned.shape[:3]).transpose(1, 2, 0, 3)[::-1, ::-1]
    db = np.zeros((1, W.shape[3]), dy.dtype)
    add_product(db, np.ones((dy[..., 0].size, 1), dy.dtype), dy.reshape(-1, W.shape[3]), VECTOR // W.shape[3])
    return dW, db[0], dx


@dataclass(eq=False)
class _Phase:
    """The pixels that see the same part of a kernel.

    Attributes:
        dy: the gradient, (n, h, w, outputs).
        x, dx: the pixels, and where their gradient goes.
        matrix: that part of the kernel, turned around, (height * width * outputs, channels).
    """

    dy: Array
    x: Array
    dx: Array
    matrix: Array

    def gradients(self, grid: Grid) -> Array:
        """Fill dx; returns the sum over pixels of x^T times the patches of dy, (channels, height * width * outputs)."""
        shape = self.matrix.shape[::-1]
        alone = rows_alone(shape, 24)

        def multiply(blocks: Iterable[Block]) -> Array:
            sums = np.zeros(shape, self.dy.dtype)
            for place, block in blocks:
                target = self.dx[place]
                product = target if target.flags.c_contiguous else np.empty(target.shape, target.dtype)
                multiply_rows(block, self.matrix, product.reshape(-1, shape[0]), alone)
                if product is not target:
                    target[...] = product
                add_product(sums, self.x[place].reshape(-1, shape[0]), block, alone)
            return sums

        strands = over_patches(multiply, self.dy, grid, shared=alone > 0)
        return sum(strands, np.zeros(shape, self.dy.dtype))


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

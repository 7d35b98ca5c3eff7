"""Patches of images as rows of a matrix, which is what a convolution multiplies. Both forms copy the same bits."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minidl.kernels.forms import Kernel
from minidl.kernels.spans import Span
from minidl.parameters import Array


class Memory:
    """One array for matrices that follow each other, each written over the one before."""

    def __init__(self) -> None:
        self._kept: Array | None = None

    def numbers(self, size: int, dtype: np.dtype[Any]) -> Array:
        """That many numbers, whatever they hold."""
        if self._kept is None or self._kept.size < size:
            self._kept = np.empty(size, dtype)
        return self._kept[:size]


@Kernel
def patch_matrix(x: Array, rows: Span, columns: Span, ones: int, memory: Memory) -> Array:
    """The row of window (n, i, j) holds x[n, s i + a - p, t j + b - q, c] for all (a, b, c), 0 beyond the borders of x.

    x is (n, height, width, channels), `rows` has the windows along the height (s, p) and `columns` those along the
    width (t, q). With `ones` there are that many columns of ones more. The matrix lies in `memory`.
    """
    length = rows.size * columns.size * x.shape[3]
    numbers = memory.numbers(len(x) * rows.count * columns.count * (length + ones), x.dtype)
    fill = _by_columns if x.strides[2] == x.itemsize else _by_rows
    return fill(x, (rows, columns), numbers, length, ones)


def _by_rows(x: Array, grid: tuple[Span, Span], memory: Array, length: int, ones: int) -> Array:
    """For channels that lie together: a row of a window is one run of numbers."""
    (rows, columns), (n, height, width, channels) = grid, x.shape
    inside, there = (rows.inside(height), columns.inside(width)), (rows.length, columns.length)
    area = x[:, inside[0][1], inside[1][1]]
    if area.shape[1:3] != there:
        padded = np.zeros((n, *there, channels), x.dtype)
        padded[:, inside[0][0], inside[1][0]] = area
        area = padded
    a, b, c, d = area.strides
    shape = (n, rows.count, columns.count, rows.size, columns.size, channels)
    matrix = memory.reshape(n * rows.count * columns.count, length + ones)
    matrix[:, :length].reshape(shape)[...] = as_strided(area, shape, (a, b * rows.stride, c * columns.stride, b, c, d))
    matrix[:, length:] = 1
    return matrix


def _by_columns(x: Array, grid: tuple[Span, Span], memory: Array, length: int, ones: int) -> Array:
    """For pixels that lie together: the matrix is written column by column, where an image is one run of numbers.

    First copies of the images moved along the width, then those moved along the height.
    """
    (rows, columns), (n, height, width, channels) = grid, x.shape
    (down, up), across = rows.inside(height), columns.inside(width)[0]
    whole = (down, across) == (slice(0, rows.length), slice(0, columns.length))
    moved = (np.empty if whole else np.zeros)((columns.size, channels, n, rows.length, columns.count), x.dtype)
    for offset in range(columns.size):
        windows, places = columns.tap(offset, width)
        moved[offset, :, :, down, windows] = x[:, up, places].transpose(3, 0, 1, 2)
    a, b, c, d, e = moved.strides
    shape = (rows.size, columns.size, channels, n, rows.count, columns.count)
    matrix = memory.reshape(length + ones, n * rows.count * columns.count)
    matrix[:length].reshape(shape)[...] = as_strided(moved, shape, (d, a, b, c, d * rows.stride, e))
    matrix[length:] = 1
    return matrix.T

"""Patches of images as rows of a matrix, a few samples at a time: what makes a convolution a matrix product.

A matrix of all patches is k k times as large as the images, and slow to write and read. A block of it stays in the
cache of the processor, and its memory is used again for the next block.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minidl.layers.windows import Span
from minidl.parameters import Array

Grid: TypeAlias = tuple[Span, Span]
Place: TypeAlias = tuple[slice, slice]
BLOCK = 2**18  # numbers in a block of patches: a megabyte of float32
LEAST = 256  # patches in a block, however long they are: products of fewer are slow


def patches(x: Array, grid: Grid, *, ones: int = 0) -> Iterator[tuple[Place, Array]]:
    """All patches of the images x (n, height, width, channels) in blocks.

    Yields the place of a block in the output, a slice of the samples and one of the rows, and the block:
    (patches, height of a window * its width * channels), which is overwritten by the next one. With `ones` it has that
    many columns of ones more, for what is to be added to every product.
    """
    rows, columns = grid
    length = rows.size * columns.size * x.shape[3] + ones
    memory = np.empty(0, x.dtype)
    fill = _by_columns if x.strides[2] == x.itemsize else _by_rows
    for samples, strip in _blocks(len(x), grid, length):
        part = x[samples]
        part_rows = rows.part(strip)
        size = len(part) * part_rows.count * columns.count * length
        memory = memory if memory.size else np.empty(size, x.dtype)  # the first block is the largest
        yield (samples, strip), fill(part, (part_rows, columns), memory[:size], length - ones)


def _blocks(n: int, grid: Grid, length: int) -> Iterator[Place]:
    """Several samples, or some rows of one."""
    rows, columns = grid
    most, whole = max(BLOCK // length, LEAST), rows.count * columns.count
    samples = max(most // whole, 1)
    height = rows.count if whole <= most else max(most // columns.count, 1)
    for first in range(0, n, samples):
        for top in range(0, rows.count, height):
            yield slice(first, min(first + samples, n)), slice(top, min(top + height, rows.count))


def _by_rows(x: Array, grid: Grid, memory: Array, length: int) -> Array:
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
    matrix = memory.reshape(n * rows.count * columns.count, -1)
    matrix[:, :length].reshape(shape)[...] = as_strided(area, shape, (a, b * rows.stride, c * columns.stride, b, c, d))
    matrix[:, length:] = 1
    return matrix


def _by_columns(x: Array, grid: Grid, memory: Array, length: int) -> Array:
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
    matrix = memory.reshape(-1, n * rows.count * columns.count)
    matrix[:length].reshape(shape)[...] = as_strided(moved, shape, (d, a, b, c, d * rows.stride, e))
    matrix[length:] = 1
    return matrix.T

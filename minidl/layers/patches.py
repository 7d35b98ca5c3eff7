"""Patches of images as rows of a matrix, a few samples at a time: what makes a convolution a matrix product.

A matrix of all patches is k k times as large as the images, and slow to write and read. A block of it stays in the
cache of the processor, and its memory is used again for the next block.
"""

from collections.abc import Iterator
from typing import TypeAlias

from minidl.kernels.patches import Memory, patch_matrix
from minidl.kernels.spans import Span
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
    memory = Memory()
    for samples, strip in _blocks(len(x), grid, rows.size * columns.size * x.shape[3] + ones):
        yield (samples, strip), patch_matrix(x[samples], rows.part(strip), columns, ones, memory)


def _blocks(n: int, grid: Grid, length: int) -> Iterator[Place]:
    """Several samples, or some rows of one."""
    rows, columns = grid
    most, whole = max(BLOCK // length, LEAST), rows.count * columns.count
    samples = max(most // whole, 1)
    height = rows.count if whole <= most else max(most // columns.count, 1)
    for first in range(0, n, samples):
        for top in range(0, rows.count, height):
            yield slice(first, min(first + samples, n)), slice(top, min(top + height, rows.count))

"""Patches of images as rows of a matrix, a few samples at a time: what makes a convolution a matrix product.

A matrix of all patches is k k times as large as the images, and slow to write and read. A block of it stays in the
cache of the processor, and its memory is used again for the next block.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeAlias, TypeVar

from minidl.kernels.patches import Memory, patch_matrix
from minidl.kernels.sharing import in_threads
from minidl.kernels.spans import Span
from minidl.parameters import Array

Grid: TypeAlias = tuple[Span, Span]
Place: TypeAlias = tuple[slice, slice]
Block: TypeAlias = tuple[Place, Array]
R = TypeVar("R")
BLOCK = 2**18  # numbers in a block of patches: a megabyte of float32
STRANDS = 8  # of blocks: so many threads can share them
LEAST = 256  # patches in a block, however long they are: products of fewer are slow


def over_patches(
    work: Callable[[Iterable[Block]], R], x: Array, grid: Grid, *, ones: int = 0, shared: bool = True
) -> list[R]:
    """What `work` makes of all patches of the images x (n, height, width, channels), in blocks that follow each other.

    The blocks are dealt out to a few strands, always as many, and `work` is called for each, for several at a time
    where `shared`: so no bit of what is returned, one result for each strand, depends on the number of threads.

    Each block comes with its place in the output, a slice of the samples and one of the rows. It has the shape
    (patches, height of a window * its width * channels), and is overwritten by the next one. With `ones` it has that
    many columns of ones more, for what is to be added to every product.
    """
    rows, columns = grid
    places = list(_blocks(len(x), grid, rows.size * columns.size * x.shape[3] + ones))
    length = max(-(-len(places) // STRANDS), 1)
    strands = [places[first : first + length] for first in range(0, len(places), length)]
    memories = [Memory() for _ in strands]  # those of strands that follow each other are the same

    def blocks(strand: list[Place]) -> Iterator[Block]:
        memory = memories.pop()
        for samples, strip in strand:
            yield (samples, strip), patch_matrix(x[samples], rows.part(strip), columns, ones, memory)
        memories.append(memory)

    return in_threads([partial(work, blocks(strand)) for strand in strands], most=None if shared else 1)


def _blocks(n: int, grid: Grid, length: int) -> Iterator[Place]:
    """Several samples, or some rows of one."""
    rows, columns = grid
    most, whole = max(BLOCK // length, LEAST), rows.count * columns.count
    samples = max(most // whole, 1)
    height = rows.count if whole <= most else max(most // columns.count, 1)
    for first in range(0, n, samples):
        for top in range(0, rows.count, height):
            yield slice(first, min(first + samples, n)), slice(top, min(top + height, rows.count))

"""Long vectors block by block, so that the second pass over a block finds it in the cache."""

from collections.abc import Iterator

import numpy as np

from minidl.parameters import Array

BLOCK = 65_536  # numbers per block: the fastest of 8 thousand to 128 thousand, for SGD and Adam in float32


def blocks(*vectors: Array) -> Iterator[tuple[Array, ...]]:
    """The vectors (n,) block by block, each time with one more vector of scratch space at the end.

    An update passes over its vectors several times. Block by block the numbers are still in cache at the second
    pass, and no intermediate result is as long as the model. The content of the scratch is undefined.

    >>> value, grad = np.zeros(3), np.ones(3)
    >>> for w, g, scratch in blocks(value, grad):
    ...     w -= np.multiply(g, 0.1, out=scratch)
    >>> value
    array([-0.1, -0.1, -0.1])
    """
    size = vectors[0].size
    scratch = np.empty(min(size, BLOCK), vectors[0].dtype)
    for start in range(0, size, BLOCK):
        pieces = [vector[start : start + BLOCK] for vector in vectors]
        yield (*pieces, scratch[: pieces[0].size])

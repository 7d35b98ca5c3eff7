"""Products of matrices a few rows at a time, which a matrix library makes in one thread and without copying them first.

So threads of ours can make several at once, no bit depends on how many threads there are, and no thread of the matrix
library goes on waiting for work on a core that is needed, as it does for some time after each product it had a part in.
"""

from math import prod

import numpy as np

from minidl.parameters import Array

ALONE = 2**19  # products of two numbers that OpenBLAS makes in one thread: it did in 516 096, and not in 589 824
VECTOR = 2**13  # the same for a vector and a matrix
EVEN = 4  # rows of such a product are a multiple of this
NARROW = 8  # rows or columns of a matrix below which all at once is faster


def rows_alone(shape: tuple[int, ...], least: int) -> int:
    """How many rows at a time are multiplied with a matrix of this shape, or make sums of it; 0: all at once."""
    rows = ALONE // max(prod(shape), 1) // EVEN * EVEN
    return rows if rows >= least and min(shape) >= NARROW else 0


def multiply_rows(block: Array, matrix: Array, out: Array, rows: int) -> None:
    """out = block @ matrix, some rows at a time, or all at once."""
    for some, to in zip(_split(block, rows), _split(out, rows), strict=True):
        np.matmul(some, matrix, out=to)


def add_product(sums: Array, a: Array, b: Array, rows: int) -> None:
    """sums += a^T b, some rows at a time, or all at once."""
    for some, others in zip(_split(a, rows), _split(b, rows), strict=True):
        product = some.swapaxes(-1, -2) @ others
        sums += product if product.ndim == 2 else product.sum(axis=0)


def _split(a: Array, rows: int) -> list[Array]:
    """Most of a matrix as a stack of matrices of so many rows, and what is left over; as it is where `rows` is 0."""
    whole = len(a) // rows * rows if rows else 0
    stack = [a[:whole].reshape(-1, rows, a.shape[1])] if whole else []
    return stack + [a[whole:]] * (whole < len(a))

"""Gathering rows, such as the batches of a training set, and adding rows up. All forms give the same bits."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from minidl.kernels.forms import Kernel, form
from minidl.kernels.sharing import Ahead, threads
from minidl.parameters import Array

MANY = 1 << 18  # numbers in a batch, from which on it pays to gather the next one in another thread


@Kernel
def gather(array: Array, rows: Array) -> Array:
    """array[rows], for whole row numbers from 0 on and an array (n, ...) in C order and native byte order."""
    gathered: Array = array.take(rows, axis=0)
    return gathered


@Kernel
def scattered_sum(dy: Array, rows: Array, count: int) -> Array:
    """(count, features): row k is the sum of dy[i] over all i with rows[i] = k, in order; dy is (n, features)."""
    width = dy.shape[1]
    places = rows.reshape(-1, 1) * width + np.arange(width)  # in the flat table, where np.add.at is fast
    table = np.zeros(count * width, dy.dtype)
    np.add.at(table, places.ravel(), dy.ravel())
    return table.reshape(count, width)


def gathered(array: Array, batches: Iterable[Array]) -> Iterator[Array]:
    """array[rows] for the rows of each batch in turn.

    With compiled kernels, which leave the second core alone where the products are small, long batches are gathered one
    ahead: the next while this one is trained on. So the array must not change meanwhile.
    """
    ahead, many = None, _many(array)
    try:
        for rows in batches:
            if ahead is not None:
                yield_now, ahead = ahead, _ahead(array, rows)
                yield yield_now.result()
            elif len(rows) >= many and threads() > 1 and form() == "compiled":
                ahead = _ahead(array, rows)
            else:
                yield gather(array, rows)
        if ahead is not None:
            last, ahead = ahead, None
            yield last.result()
    finally:
        if ahead is not None:
            ahead.result()


def _ahead(array: Array, rows: Array) -> Ahead[Array]:
    return Ahead(gather, array, rows)


def _many(array: Array) -> float:
    """From how many rows on a batch is long."""
    return MANY * len(array) / array.size if array.size and array.dtype.char in "fd" else math.inf

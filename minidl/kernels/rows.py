"""Gathering rows, such as the batches of a training set, and adding rows up. All forms give the same bits."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np

from minidl.kernels.ahead import Ahead, Gatherer, gatherer
from minidl.kernels.forms import Kernel, form
from minidl.kernels.sharing import threads
from minidl.parameters import Array

WIDE = 256  # numbers in a row, from which on a compiled loop is faster than numpy
LONG = 1 << 14  # numbers in a batch, from which on it pays to gather the next one in another thread


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
    """array[rows] for the rows of each batch in turn, of an array as `gather` takes it.

    With compiled kernels, which leave the second core alone where the products are small, batches are gathered one
    ahead in another thread: the next while this one is trained on. So the array must not change meanwhile.
    """
    plan, waiting = _Plan(array), deque[_Later | Ahead]()
    for rows in batches:
        waiting.append(plan.batch(rows))
        if len(waiting) > 1 or plan.thread is None:
            yield waiting.popleft().result()  # without a name: whoever trains on it may be the last to hold it
    while waiting:
        yield waiting.popleft().result()


class _Plan:
    """Which batches of an array are gathered ahead: those that are long enough, while nobody else wants the core."""

    thread: Gatherer | None = None

    def __init__(self, array: Array) -> None:
        self.array, width = array, array.size // max(len(array), 1)
        if width >= WIDE and array.dtype.char in "fd" and threads() > 1 and form() == "compiled":
            self.least, self.address, self.thread = LONG / width, array.ctypes.data, gatherer()

    def batch(self, rows: Array) -> "_Later | Ahead":
        """The rows, of which one asks when they are wanted."""
        thread, asked = self.thread, None
        if thread is not None and len(rows) >= self.least and rows.dtype == np.int64 and thread.is_free():
            asked = thread.ask(self.array, self.address, rows)
        return _Later(self.array, rows) if asked is None else asked


class _Later:
    """array[rows], gathered when it is asked for."""

    def __init__(self, array: Array, rows: Array) -> None:
        self.array, self.rows = array, rows

    def result(self) -> Array:
        return gather(self.array, self.rows)

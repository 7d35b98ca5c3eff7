"""Gathering rows, four side by side: while one waits for memory, the next is asked for; and adding rows up."""

from math import prod

import numpy as np

from minidl.kernels import rows as plain
from minidl.kernels.compiled.loops import loop


def gather(array, rows):
    width = prod(array.shape[1:])
    if width < plain.WIDE or rows.dtype != np.int64 or not rows.flags.c_contiguous:
        return plain.gather.plain(array, rows)
    gathered = np.empty((len(rows), *array.shape[1:]), array.dtype)
    if not _gather(array.reshape(len(array), width), rows, gathered.reshape(len(rows), width)):
        return plain.gather.plain(array, rows)  # which says what is wrong with them
    return gathered


def scattered_sum(dy, rows, count):
    if rows.dtype != np.int64:
        return plain.scattered_sum.plain(dy, rows, count)
    table = np.zeros((count, dy.shape[1]), dy.dtype)
    if not _add_rows(table, np.ascontiguousarray(rows), np.ascontiguousarray(dy)):
        return plain.scattered_sum.plain(dy, rows, count)
    return table


@loop
def all_there(rows, count):
    """Whether the row numbers are those of an array with so many rows."""
    strangers = 0
    for i in range(np.uint64(rows.size)):
        strangers += not 0 <= rows[i] < count
    return strangers == 0


@loop
def _gather(array, rows, gathered):
    if not all_there(rows, len(array)):
        return False
    copy_rows(array, rows, gathered)
    return True


@loop
def copy_rows(array, rows, gathered):
    """gathered = array[rows], all of which are there."""
    one, two, three, size = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(rows.size)
    for i in range(np.uint64(0), size, np.uint64(4)):
        j, k, m = min(i + one, size - one), min(i + two, size - one), min(i + three, size - one)
        a, b, c, d = array[rows[i]], array[rows[j]], array[rows[k]], array[rows[m]]
        p, q, r, s = gathered[i], gathered[j], gathered[k], gathered[m]
        for column in range(np.uint64(p.size)):
            p[column], q[column], r[column], s[column] = a[column], b[column], c[column], d[column]


@loop
def _add_rows(table, rows, dy):
    if not all_there(rows, len(table)):
        return False
    for i in range(np.uint64(rows.size)):
        row, change = table[rows[i]], dy[i]
        for column in range(np.uint64(row.size)):
            row[column] += change[column]
    return True

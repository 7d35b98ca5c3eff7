"""Compiled softmax: a few passes over some rows at a time, which lie in the cache."""

import numpy as np

from minidl.kernels import softmax as plain
from minidl.kernels.compiled.exponentials import exp, log
from minidl.kernels.compiled.loops import loop, summing_loop
from minidl.kernels.compiled.reductions import largest_of_rows

BLOCK = 4096  # numbers that one pass after the other goes over


def softmax_rows(x):
    y = np.array(x, order="C", subok=False)
    rows = _rows(y)
    largest, sums = np.empty((2, len(rows)), x.dtype)
    _row_exponentials(rows, largest, sums)
    _divide_rows(rows, sums)
    return y


def softmax_backward(y, dy):
    dx = np.empty(y.shape, y.dtype)
    _softmax_backward(_rows(y), _rows(dy), _rows(dx))
    return dx


def log_softmax_rows(x):
    y = np.array(x, order="C", subok=False)
    rows = _rows(y)
    largest, sums = np.empty((2, len(rows)), x.dtype)
    _row_exponentials(rows, largest, sums)
    _log_softmax_rows(_rows(x), largest, sums, rows)
    return y


def log_softmax_backward(y, dy):
    dx = np.empty(y.shape, y.dtype)
    _log_softmax_backward(_rows(y), _rows(dy), _rows(dx))
    return dx


def row_exponentials(x):
    if not x.flags.c_contiguous or not x.size:
        return plain.row_exponentials.plain(x)
    rows = _rows(x)
    largest, sums = np.empty((2, len(rows)), x.dtype)
    _row_exponentials(rows, largest, sums)
    return sums.reshape(x.shape[:-1])


def weighed_differences(d, means, e):
    if not d.flags.c_contiguous:
        return plain.weighed_differences.plain(d, means, e)
    return _weighed_differences(_rows(d), np.ascontiguousarray(means).reshape(-1), _rows(e))


def softmax_parts(scores):
    probability, shifted = np.empty(scores.shape, scores.dtype), np.empty(scores.shape, scores.dtype)
    logarithms = np.empty(len(scores), scores.dtype)
    _softmax_parts(np.ascontiguousarray(scores), probability, shifted, logarithms)
    return probability, shifted, logarithms


def _rows(x):
    """The same numbers as (n, K), one after the other."""
    return np.ascontiguousarray(x).reshape(-1, x.shape[-1] or 1)


@summing_loop
def _row_exponentials(x, largest, sums):
    n, classes = np.uint64(x.shape[0]), np.uint64(x.shape[1])
    step = max(np.uint64(BLOCK) // classes, np.uint64(1))
    for start in range(np.uint64(0), n, step):
        stop = min(np.uint64(start + step), n)
        _exponentials_of_block(x[start:stop], largest[start:stop], sums[start:stop])


@summing_loop
def _exponentials_of_block(x, largest, sums):
    n, classes, flat = np.uint64(x.shape[0]), np.uint64(x.shape[1]), x.ravel()
    largest_of_rows(x, largest)
    for i in range(n):
        row = x[i]
        for k in range(classes):
            row[k] -= largest[i]
    for j in range(np.uint64(flat.size)):
        flat[j] = exp(flat[j])
    for i in range(n):
        row, total = x[i], x.dtype.type(0)
        for k in range(classes):
            total += row[k]
        sums[i] = total


@loop
def _divide_rows(x, sums):
    for i in range(np.uint64(x.shape[0])):
        row, total = x[i], sums[i]
        for k in range(np.uint64(x.shape[1])):
            row[k] /= total


@loop
def _log_softmax_rows(x, largest, sums, y):
    for i in range(np.uint64(len(sums))):
        sums[i] = log(sums[i])
    for i in range(np.uint64(x.shape[0])):
        given, row, most, logarithm = x[i], y[i], largest[i], sums[i]
        for k in range(np.uint64(x.shape[1])):
            row[k] = given[k] - most - logarithm


@summing_loop
def _softmax_backward(y, dy, dx):
    for i in range(np.uint64(y.shape[0])):
        p, d, row, total = y[i], dy[i], dx[i], y.dtype.type(0)
        for k in range(np.uint64(y.shape[1])):
            total += d[k] * p[k]
        for k in range(np.uint64(y.shape[1])):
            row[k] = p[k] * d[k] - p[k] * total


@summing_loop
def _log_softmax_backward(y, dy, dx):
    given, flat = y.ravel(), dx.ravel()
    for j in range(np.uint64(flat.size)):
        flat[j] = exp(given[j])
    for i in range(np.uint64(y.shape[0])):
        d, row, total = dy[i], dx[i], y.dtype.type(0)
        for k in range(np.uint64(y.shape[1])):
            total += d[k]
        for k in range(np.uint64(y.shape[1])):
            row[k] = d[k] - row[k] * total


@loop
def _weighed_differences(d, means, e):
    for i in range(np.uint64(d.shape[0])):
        row, weight, mean = d[i], e[i], means[i]
        for k in range(np.uint64(d.shape[1])):
            row[k] = (row[k] - mean) * weight[k]


@summing_loop
def _softmax_parts(scores, probability, shifted, logarithms):
    n, classes = np.uint64(scores.shape[0]), np.uint64(scores.shape[1])
    largest_of_rows(scores, logarithms)
    for i in range(n):
        s, away, largest = scores[i], shifted[i], logarithms[i]
        for k in range(classes):
            away[k] = s[k] - largest
    given, flat = shifted.ravel(), probability.ravel()
    for j in range(np.uint64(flat.size)):
        flat[j] = exp(given[j])
    for i in range(n):
        p, total = probability[i], scores.dtype.type(0)
        for k in range(classes):
            total += p[k]
        logarithms[i] = total
        for k in range(classes):
            p[k] = p[k] / total
    for i in range(n):
        logarithms[i] = log(logarithms[i])

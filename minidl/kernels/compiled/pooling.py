"""Compiled pooling of images whose channels lie together: along an axis, a place is one run of numbers."""

from math import prod

import numpy as np

from minidl.kernels import pooling as plain
from minidl.kernels.compiled.loops import exact_loop

MEMORY = (0, 2, 3, 1)  # the axes of images (n, channels, height, width) in the order in which they lie there


def window_maxima(x, axis, span):
    if not _together(x):
        return plain.window_maxima.plain(x, axis, span)
    y = _like(x, axis, span.count)
    _maxima(_runs(x, axis), _runs(y, axis), span.size, span.stride)
    return y


def window_maxima_backward(dy, x, y, axis, span):
    if not _together(x):
        return plain.window_maxima_backward.plain(dy, x, y, axis, span)
    covered = span.stride == span.size
    dx = _like(x, axis, x.shape[axis], np.empty if covered else np.zeros)
    left = np.empty(dy.size // (len(dy) * prod(dy.shape[2 : axis + 1])), x.dtype)
    given = _runs(dy, axis), _runs(x, axis), _runs(y, axis)
    _maxima_backward(*given, _runs(dx, axis), left, span.size, span.stride)
    return dx


def window_means(x, shares, axis, span):
    if not _together(x):
        return plain.window_means.plain(x, shares, axis, span)
    y = _like(x, axis, span.count)
    _means(_runs(x, axis), np.ascontiguousarray(shares), _runs(y, axis), span.size, span.stride)
    return y


def window_means_backward(dy, shares, axis, span):
    if not _together(dy):
        return plain.window_means_backward.plain(dy, shares, axis, span)
    covered = span.stride == span.size
    dx = _like(dy, axis, span.length, np.empty if covered else np.zeros)
    _means_backward(_runs(dy, axis), np.ascontiguousarray(shares), _runs(dx, axis), span.size, span.stride)
    return dx


def _together(x):
    """Whether the channels of images lie together."""
    return x.size and x.ndim == 4 and x.shape[1] > 1 and x.strides[1] == x.itemsize


def _like(x, axis, length, make=np.empty):
    """A new array of that length along the axis, with its channels together."""
    shape = list(x.shape)
    shape[axis] = length
    return make([shape[i] for i in MEMORY], x.dtype).transpose(0, 3, 1, 2)


def _runs(x, axis):
    """(places before the axis, along it, numbers of each place)."""
    x, axis = np.ascontiguousarray(x.transpose(MEMORY)), axis - 1
    return x.reshape(prod(x.shape[:axis]), x.shape[axis], -1)


@exact_loop
def _maxima(x, y, size, stride):
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            best, first, second = y[i, j], x[i, j * stride], x[i, j * stride + min(size - 1, 1)]
            for c in range(np.uint64(best.size)):
                a, b = first[c], second[c]
                best[c] = a if a >= b or a != a else b
            for k in range(2, size):
                part = x[i, j * stride + k]
                for c in range(np.uint64(best.size)):
                    a, b = best[c], part[c]
                    best[c] = a if a >= b or a != a else b


@exact_loop
def _maxima_backward(dy, x, y, dx, left, size, stride):
    """Windows in order, or where three may share a place the last one first, as NumPy adds them up."""
    zero, one = dy.dtype.type(0), dy.dtype.type(1)
    for i in range(dy.shape[0]):
        for window in range(dy.shape[1]):
            j = window if size <= 2 * stride else dy.shape[1] - 1 - window
            d, best, start = dy[i, j], y[i, j], j * stride
            if size == 2 == stride:
                part, share, last = x[i, start], dx[i, start], dx[i, start + 1]
                for c in range(np.uint64(d.size)):
                    s = d[c] * (one if part[c] == best[c] else zero)
                    share[c] = s
                    last[c] = d[c] - s
                continue
            for c in range(np.uint64(d.size)):
                left[c] = d[c]
            for k in range(size - 1):
                part, share = x[i, start + k], dx[i, start + k]
                for c in range(np.uint64(d.size)):
                    s = left[c] * (one if part[c] == best[c] else zero)
                    left[c] -= s
                    share[c] = s if stride >= size else share[c] + s
            last = dx[i, start + size - 1]
            for c in range(np.uint64(d.size)):
                last[c] = left[c] if stride >= size else last[c] + left[c]


@exact_loop
def _means(x, shares, y, size, stride):
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            total, share, first = y[i, j], shares[j], x[i, j * stride]
            for c in range(np.uint64(total.size)):
                total[c] = first[c]
            for k in range(1, size):
                part = x[i, j * stride + k]
                for c in range(np.uint64(total.size)):
                    total[c] += part[c]
            for c in range(np.uint64(total.size)):
                total[c] *= share


@exact_loop
def _means_backward(dy, shares, dx, size, stride):
    zero = dy.dtype.type(0)
    for i in range(dy.shape[0]):
        for window in range(dy.shape[1]):
            j = window if size <= 2 * stride else dy.shape[1] - 1 - window
            d, share = dy[i, j], shares[j]
            for k in range(size):
                place = dx[i, j * stride + k]
                for c in range(np.uint64(d.size)):
                    place[c] = (zero if stride == size else place[c]) + d[c] * share

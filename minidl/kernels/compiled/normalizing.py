"""Compiled normalization: channels that lie together are written out several times, so that inner loops are long."""

import math

import numpy as np

from minidl.kernels import normalizing as plain
from minidl.kernels.compiled.loops import loop, summing_loop

WIDE = 512  # numbers of an inner loop
PARTS = 64  # of them are added in their own dtype before they are added to a sum in float64


def channel_sums(stack, last):
    if not last or not stack.size:
        return plain.channel_sums.plain(stack, last)
    sums = np.zeros((len(stack), stack.shape[2]))
    _channel_sums(np.ascontiguousarray(stack), sums)
    return sums


def centered(stack, mean, last):
    if not last or not stack.size:
        return plain.centered.plain(stack, mean, last)
    squares, away = np.zeros((len(stack), stack.shape[2])), np.empty(stack.shape, stack.dtype)
    _centered(np.ascontiguousarray(stack), _each(mean), away, squares)
    return away, squares


def channel_affine(stack, factor, bias, last):
    if not last or not stack.size:
        return plain.channel_affine.plain(stack, factor, bias, last)
    y = np.empty(stack.shape, stack.dtype)
    _channel_affine(np.ascontiguousarray(stack), _each(factor), _each(bias), y)
    return y


def gradient_sums(g, away, last):
    if not last or not g.size:
        return plain.gradient_sums.plain(g, away, last)
    sums, products = np.zeros((len(g), g.shape[2])), np.zeros((len(g), g.shape[2]))
    _gradient_sums(np.ascontiguousarray(g), np.ascontiguousarray(away), sums, products)
    return sums, products


def through_statistics(g, away, factor, slope, shift, last):
    if not last or not g.size:
        return plain.through_statistics.plain(g, away, factor, slope, shift, last)
    dx = np.empty(g.shape, g.dtype)
    stacks = np.ascontiguousarray(g), np.ascontiguousarray(away)
    _through_statistics(*stacks, _each(factor), _each(slope), _each(shift), dx)
    return dx


def _each(numbers):
    """Numbers of channels as rows of float64, a single one for all or one for each of the n."""
    return np.array(numbers, np.float64, order="C", ndmin=2)


@loop
def _rows(stack):
    """Each of the n as one row, and how long an inner loop is: all channels at 1, 2, 4, ... positions."""
    n, values, channels = stack.shape
    wide = channels
    while 2 * wide <= min(WIDE, values * channels):
        wide *= 2
    return stack.reshape(n, values * channels), wide


@loop
def _repeated(numbers, i, memory):
    """Write the numbers of the channels one behind the other, twice as many each time."""
    if i > 0 and len(numbers) == 1:
        return
    size = np.uint64(numbers.shape[1])
    for k in range(size):
        memory[k] = numbers[i, k]
    while size < np.uint64(memory.size):
        for k in range(size):
            memory[size + k] = memory[k]
        size += size


@loop
def _added(part, sums):
    """Add up what stands in the part for each channel, half to half, and begin anew."""
    size = np.uint64(part.size)
    while size > np.uint64(sums.size):
        size //= np.uint64(2)
        for k in range(size):
            part[k] += part[size + k]
    for k in range(size):
        sums[k] += part[k]
    for k in range(np.uint64(part.size)):
        part[k] = 0


@loop
def _channel_sums(stack, sums):
    x, wide = _rows(stack)
    part = np.zeros(wide, x.dtype)
    for i in range(len(x)):
        for start in range(0, x.shape[1], PARTS * wide):
            for j in range(start, min(start + PARTS * wide, x.shape[1]), wide):
                v = x[i, j : j + wide]
                for k in range(np.uint64(v.size)):
                    part[k] += v[k]
            _added(part, sums[i])


@loop
def _centered(stack, mean, deviations, squares):
    (x, wide), away = _rows(stack), _rows(deviations)[0]
    part, means = np.zeros(wide, x.dtype), np.empty(wide, x.dtype)
    for i in range(len(x)):
        _repeated(mean, i, means)
        for start in range(0, x.shape[1], PARTS * wide):
            for j in range(start, min(start + PARTS * wide, x.shape[1]), wide):
                v, a = x[i, j : j + wide], away[i, j : j + wide]
                for k in range(np.uint64(v.size)):
                    a[k] = v[k] - means[k]
                    part[k] += a[k] * a[k]
            _added(part, squares[i])


@loop
def _channel_affine(stack, factor, bias, scaled):
    (x, wide), y = _rows(stack), _rows(scaled)[0]
    factors, biases = np.empty(wide, x.dtype), np.empty(wide, x.dtype)
    for i in range(len(x)):
        _repeated(factor, i, factors)
        _repeated(bias, i, biases)
        for j in range(0, x.shape[1], wide):
            v, out = x[i, j : j + wide], y[i, j : j + wide]
            for k in range(np.uint64(v.size)):
                out[k] = v[k] * factors[k] + biases[k]


@loop
def _gradient_sums(gradient, deviations, sums, products):
    (g, wide), away = _rows(gradient), _rows(deviations)[0]
    part, product = np.zeros(wide, g.dtype), np.zeros(wide, g.dtype)
    for i in range(len(g)):
        for start in range(0, g.shape[1], PARTS * wide):
            for j in range(start, min(start + PARTS * wide, g.shape[1]), wide):
                v, a = g[i, j : j + wide], away[i, j : j + wide]
                for k in range(np.uint64(v.size)):
                    part[k] += v[k]
                    product[k] += v[k] * a[k]
            _added(part, sums[i])
            _added(product, products[i])


@loop
def _through_statistics(gradient, deviations, factor, slope, shift, given):
    (g, wide), away, dx = _rows(gradient), _rows(deviations)[0], _rows(given)[0]
    factors, slopes, shifts = np.empty(wide, g.dtype), np.empty(wide, g.dtype), np.empty(wide, g.dtype)
    for i in range(len(g)):
        _repeated(factor, i, factors)
        _repeated(slope, i, slopes)
        _repeated(shift, i, shifts)
        for j in range(0, g.shape[1], wide):
            v, a, out = g[i, j : j + wide], away[i, j : j + wide], dx[i, j : j + wide]
            for k in range(np.uint64(v.size)):
                out[k] = v[k] * factors[k] - (a[k] * slopes[k] + shifts[k])


def normalize_rows(x, gain, bias, eps):
    if not x.size:
        return plain.normalize_rows.plain(x, gain, bias, eps)
    y, z, r = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype), np.empty((len(x), 1), x.dtype)
    _normalize_rows(np.ascontiguousarray(x), np.ascontiguousarray(gain), np.ascontiguousarray(bias), eps, y, z, r)
    return y, z, r


def normalize_rows_backward(dy, z, r, gain, needs_dx):
    if not dy.size:
        return plain.normalize_rows_backward.plain(dy, z, r, gain, needs_dx)
    sums, products = gradient_sums(dy[None], z[None], True)
    dgain, dbias = products[0].astype(dy.dtype), sums[0].astype(dy.dtype)
    if not needs_dx:
        return dgain, dbias, None
    dx = np.empty(dy.shape, dy.dtype)
    given = np.ascontiguousarray(dy), np.ascontiguousarray(z), np.ascontiguousarray(r), np.ascontiguousarray(gain)
    _normalize_rows_backward(*given, dx)
    return dgain, dbias, dx


@summing_loop
def _normalize_rows(x, gain, bias, eps, y, z, r):
    one, share = x.dtype.type(1), x.dtype.type(1 / x.shape[1])
    size = np.uint64(x.shape[1])
    for i in range(len(x)):
        v, a, out, mean, variance = x[i], z[i], y[i], x.dtype.type(0), x.dtype.type(0)
        for k in range(size):
            mean += v[k]
        mean *= share
        for k in range(size):
            a[k] = v[k] - mean
            variance += a[k] * a[k]
        scale = one / math.sqrt(variance * share + x.dtype.type(eps))
        r[i, 0] = scale
        for k in range(size):
            a[k] *= scale
            out[k] = a[k] * gain[k] + bias[k]


@summing_loop
def _normalize_rows_backward(dy, z, r, gain, dx):
    share, size = dy.dtype.type(1 / dy.shape[1]), np.uint64(dy.shape[1])
    for i in range(len(dy)):
        v, a, out, mean, slope, scale = dy[i], z[i], dx[i], dy.dtype.type(0), dy.dtype.type(0), r[i, 0]
        for k in range(size):
            g = v[k] * gain[k]
            mean += g
            slope += g * a[k]
        mean *= share
        slope *= share
        for k in range(size):
            out[k] = scale * (v[k] * gain[k] - (mean + a[k] * slope))

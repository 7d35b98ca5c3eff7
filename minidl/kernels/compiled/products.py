"""Compiled products with few outputs: four rows and five outputs, or eight rows and two outputs, at a time.

W is transposed first, so that the loops go along the features. Where rows or outputs of y are no multiple of these, the
last one is taken again instead of a loop of its own, so that every row is added up in the same order, whatever batch it
is in. In several threads each takes some rows of y, or some rows of dW.
"""

import numpy as np

from minidl.kernels import products
from minidl.kernels.alone import ALONE, multiply_rows, rows_alone
from minidl.kernels.compiled.loops import exact_loop, loop, summing_loop
from minidl.kernels.sharing import shared_range

FEW = range(3, 16)  # outputs; with others the matrix library is as fast
WIDE = 128  # features, from which on it pays
SMALL = 1_000_000  # products of two numbers, up to which OpenBLAS has kernels of its own, as fast as the gradient here
BLOCK = 1024  # features that stay in the cache while all rows are added to them
ROWS, FEATURES = 4, 512  # parts of a product for one thread begin at multiples of these


def affine(x, W, bias):
    features, outputs = W.shape
    if outputs not in FEW or features < WIDE or not len(x) or not (x.flags.c_contiguous and W.flags.c_contiguous):
        return products.affine.plain(x, W, bias)
    columns, y = np.empty((outputs, features), x.dtype), np.empty((len(x), outputs), x.dtype)
    _transpose(W, columns)
    added = np.zeros(outputs, x.dtype) if bias is None else np.ascontiguousarray(bias)
    shared_range(_affine, len(x), x.size * outputs, ROWS, x, columns, added, y)
    return y


def affine_gradients(x, dy, dW, db):
    features, outputs = dW.shape
    few = outputs in FEW and features >= WIDE and x.size * outputs > SMALL
    if not (few and x.flags.c_contiguous and dy.flags.c_contiguous and dW.flags.c_contiguous):
        products.affine_gradients.plain(x, dy, dW, db)
        return
    width = outputs + -outputs % 5
    padded, columns = np.zeros((len(x), width), x.dtype), np.zeros((width, features), x.dtype)
    _pad(dy, padded, padded[0, :0] if db is None else db)
    shared_range(_gradients, features, x.size * outputs, FEATURES, x, padded, columns, dW)


def affine_input_gradient(dy, W):
    """By the matrix library, in one thread where it would use more: what takes time is memory."""
    rows = rows_alone(W.shape, 1) if W.shape[1] in FEW and dy.size * len(W) > ALONE else 0
    if not rows or dy.dtype != W.dtype:
        return products.affine_input_gradient.plain(dy, W)
    dx = np.empty((len(dy), len(W)), dy.dtype)
    multiply_rows(dy, W.T, dx, rows)
    return dx


@loop
def _transpose(W, columns):
    for k in range(np.uint64(len(columns))):
        column = columns[k]
        for j in range(np.uint64(column.size)):
            column[j] = W[j, k]


@summing_loop
def _affine(x, columns, bias, y, start, stop):
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    last, last_output = np.uint64(stop - 1), np.uint64(len(columns) - 1)
    for i in range(np.uint64(start), np.uint64(stop), np.uint64(4)):
        rows = i, min(i + one, last), min(i + two, last), min(i + three, last)
        x0, x1, x2, x3 = x[rows[0]], x[rows[1]], x[rows[2]], x[rows[3]]
        for k in range(np.uint64(0), np.uint64(len(columns)), np.uint64(5)):
            k1, k2, k3 = min(k + one, last_output), min(k + two, last_output), min(k + three, last_output)
            k4 = min(k + two + two, last_output)
            u, v, w, p, q = columns[k], columns[k1], columns[k2], columns[k3], columns[k4]
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = x.dtype.type(0)
            d0 = d1 = d2 = d3 = e0 = e1 = e2 = e3 = x.dtype.type(0)
            for j in range(np.uint64(u.size)):
                a0, a1, a2, a3 = a0 + x0[j] * u[j], a1 + x1[j] * u[j], a2 + x2[j] * u[j], a3 + x3[j] * u[j]
                b0, b1, b2, b3 = b0 + x0[j] * v[j], b1 + x1[j] * v[j], b2 + x2[j] * v[j], b3 + x3[j] * v[j]
                c0, c1, c2, c3 = c0 + x0[j] * w[j], c1 + x1[j] * w[j], c2 + x2[j] * w[j], c3 + x3[j] * w[j]
                d0, d1, d2, d3 = d0 + x0[j] * p[j], d1 + x1[j] * p[j], d2 + x2[j] * p[j], d3 + x3[j] * p[j]
                e0, e1, e2, e3 = e0 + x0[j] * q[j], e1 + x1[j] * q[j], e2 + x2[j] * q[j], e3 + x3[j] * q[j]
            _put(y, rows, k, bias[k], a0, a1, a2, a3)
            _put(y, rows, k1, bias[k1], b0, b1, b2, b3)
            _put(y, rows, k2, bias[k2], c0, c1, c2, c3)
            _put(y, rows, k3, bias[k3], d0, d1, d2, d3)
            _put(y, rows, k4, bias[k4], e0, e1, e2, e3)


@summing_loop
def _put(y, rows, k, b, a0, a1, a2, a3):
    y[rows[0], k], y[rows[1], k], y[rows[2], k], y[rows[3], k] = a0 + b, a1 + b, a2 + b, a3 + b


@exact_loop
def _pad(dy, padded, db):
    db[:] = 0
    for i in range(np.uint64(len(dy))):
        for k in range(np.uint64(dy.shape[1])):
            padded[i, k] = dy[i, k]
        for k in range(np.uint64(db.size)):
            db[k] += dy[i, k]


@summing_loop
def _gradients(x, dy, columns, dW, start, stop):
    whole = np.uint64(len(x) - len(x) % 4)
    for k in range(np.uint64(0), np.uint64(len(columns)), np.uint64(5)):
        for begin in range(start, stop, BLOCK):
            end = min(begin + BLOCK, stop)
            u, v, w = columns[k][begin:end], columns[k + np.uint64(1)][begin:end], columns[k + np.uint64(2)][begin:end]
            p, q = columns[k + np.uint64(3)][begin:end], columns[k + np.uint64(4)][begin:end]
            for i in range(np.uint64(0), whole, np.uint64(4)):
                x0, x1 = x[i][begin:end], x[i + np.uint64(1)][begin:end]
                x2, x3 = x[i + np.uint64(2)][begin:end], x[i + np.uint64(3)][begin:end]
                a0, a1, a2, a3 = _four_of(dy, i, k)
                b0, b1, b2, b3 = _four_of(dy, i, k + np.uint64(1))
                c0, c1, c2, c3 = _four_of(dy, i, k + np.uint64(2))
                d0, d1, d2, d3 = _four_of(dy, i, k + np.uint64(3))
                e0, e1, e2, e3 = _four_of(dy, i, k + np.uint64(4))
                for j in range(np.uint64(u.size)):
                    z0, z1, z2, z3 = x0[j], x1[j], x2[j], x3[j]
                    u[j] += a0 * z0 + a1 * z1 + a2 * z2 + a3 * z3
                    v[j] += b0 * z0 + b1 * z1 + b2 * z2 + b3 * z3
                    w[j] += c0 * z0 + c1 * z1 + c2 * z2 + c3 * z3
                    p[j] += d0 * z0 + d1 * z1 + d2 * z2 + d3 * z3
                    q[j] += e0 * z0 + e1 * z1 + e2 * z2 + e3 * z3
    for i in range(whole, np.uint64(len(x))):
        row = x[i][start:stop]
        for k in range(np.uint64(dW.shape[1])):
            v, a = columns[k][start:stop], dy[i, k]
            for j in range(np.uint64(v.size)):
                v[j] += a * row[j]
    for j in range(np.uint64(start), np.uint64(stop)):
        for k in range(np.uint64(dW.shape[1])):
            dW[j, k] = columns[k, j]


@loop
def _four_of(dy, i, k):
    one = np.uint64(1)
    return dy[i, k], dy[i + one, k], dy[i + one + one, k], dy[i + one + one + one, k]

"""Compiled products with few outputs: four rows and two outputs, or eight rows and two outputs, at a time.

Where rows or outputs of y are no multiple of these, the last one is taken again instead of a loop of its own, so that
every row is added up in the same order, whatever batch it is in.
"""

import numpy as np

from minidl.kernels import products
from minidl.kernels.compiled.loops import summing_loop

FEW, WIDE = 16, 128  # outputs, and features, from which on the matrix library is as fast; as it is with one output


def affine(x, W, bias):
    features, outputs = W.shape
    if not 1 < outputs <= FEW or features < WIDE or not x.flags.c_contiguous or not len(x):
        return products.affine.plain(x, W, bias)
    y = np.empty((len(x), outputs), x.dtype)
    _affine(x, np.ascontiguousarray(W.T), y)
    if bias is not None:
        y += bias
    return y


def affine_gradients(x, dy, dW, db):
    features, outputs = dW.shape
    if not 1 < outputs <= FEW or features < WIDE or not x.flags.c_contiguous:
        products.affine_gradients.plain(x, dy, dW, db)
        return
    columns = np.zeros((outputs, features), x.dtype)
    _gradients(x, np.ascontiguousarray(dy), columns)
    dW[...] = columns.T
    if db is not None:
        np.add.reduce(dy, axis=0, out=db)


@summing_loop
def _affine(x, columns, y):
    one, zero = np.uint64(1), x.dtype.type(0)
    last, last_output = np.uint64(len(x) - 1), np.uint64(len(columns) - 1)
    for i in range(np.uint64(0), np.uint64(len(x)), np.uint64(4)):
        i1, i2, i3 = min(i + one, last), min(i + np.uint64(2), last), min(i + np.uint64(3), last)
        x0, x1, x2, x3 = x[i], x[i1], x[i2], x[i3]
        for k in range(np.uint64(0), np.uint64(len(columns)), np.uint64(2)):
            k1 = min(k + one, last_output)
            v, w = columns[k], columns[k1]
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero
            for j in range(np.uint64(v.size)):
                a0 += x0[j] * v[j]
                a1 += x1[j] * v[j]
                a2 += x2[j] * v[j]
                a3 += x3[j] * v[j]
                b0 += x0[j] * w[j]
                b1 += x1[j] * w[j]
                b2 += x2[j] * w[j]
                b3 += x3[j] * w[j]
            y[i, k], y[i1, k], y[i2, k], y[i3, k] = a0, a1, a2, a3
            y[i, k1], y[i1, k1], y[i2, k1], y[i3, k1] = b0, b1, b2, b3


@summing_loop
def _gradients(x, dy, columns):
    rows, outputs = np.uint64(dy.shape[0]), np.uint64(dy.shape[1])
    one, whole = np.uint64(1), rows // np.uint64(8) * np.uint64(8)
    for i in range(np.uint64(0), whole, np.uint64(8)):
        x0, x1, x2, x3 = _four(x, i)
        x4, x5, x6, x7 = _four(x, i + np.uint64(4))
        for k in range(np.uint64(0), outputs - outputs % np.uint64(2), np.uint64(2)):
            v, w = columns[k], columns[k + one]
            a0, a1, a2, a3 = _four_of(dy, i, k)
            a4, a5, a6, a7 = _four_of(dy, i + np.uint64(4), k)
            b0, b1, b2, b3 = _four_of(dy, i, k + one)
            b4, b5, b6, b7 = _four_of(dy, i + np.uint64(4), k + one)
            for j in range(np.uint64(v.size)):
                p0, p1, p2, p3, p4, p5, p6, p7 = x0[j], x1[j], x2[j], x3[j], x4[j], x5[j], x6[j], x7[j]
                v[j] += a0 * p0 + a1 * p1 + a2 * p2 + a3 * p3 + a4 * p4 + a5 * p5 + a6 * p6 + a7 * p7
                w[j] += b0 * p0 + b1 * p1 + b2 * p2 + b3 * p3 + b4 * p4 + b5 * p5 + b6 * p6 + b7 * p7
        if outputs % np.uint64(2):
            v = columns[outputs - one]
            a0, a1, a2, a3 = _four_of(dy, i, outputs - one)
            a4, a5, a6, a7 = _four_of(dy, i + np.uint64(4), outputs - one)
            for j in range(np.uint64(v.size)):
                v[j] += a0 * x0[j] + a1 * x1[j] + a2 * x2[j] + a3 * x3[j]
                v[j] += a4 * x4[j] + a5 * x5[j] + a6 * x6[j] + a7 * x7[j]
    for i in range(whole, rows):
        row = x[i]
        for k in range(outputs):
            v, a = columns[k], dy[i, k]
            for j in range(np.uint64(v.size)):
                v[j] += a * row[j]


@summing_loop
def _four(x, i):
    one = np.uint64(1)
    return x[i], x[i + one], x[i + one + one], x[i + one + one + one]


@summing_loop
def _four_of(dy, i, k):
    one = np.uint64(1)
    return dy[i, k], dy[i + one, k], dy[i + one + one, k], dy[i + one + one + one, k]

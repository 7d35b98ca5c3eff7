"""Softmax of rows, its logarithm, their derivatives, and parts of them."""

import numpy as np

from tests.kernels.cases.case import Case

SIZES = (1, 2, 33, 400)


def rows_of(classes, count=1):
    return lambda rng, dtype, rows: tuple(
        (3 * rng.standard_normal((rows, classes))).astype(dtype) for _ in range(count)
    )


def in_heads(rng, dtype, rows):
    return ((3 * rng.standard_normal((rows, 2, 3, 20))).astype(dtype),)


def probable(log):
    def make(rng, dtype, rows):
        scores = rng.standard_normal((rows, 10))
        y = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return (np.log(y) if log else y).astype(dtype), rng.standard_normal((rows, 10)).astype(dtype)

    return make


def differences(rng, dtype, rows):
    d, e = rows_of(50, 2)(rng, dtype, rows)
    return d, rng.standard_normal(rows).astype(dtype), e


def largest(*arrays):
    return sum(np.nan_to_num(np.abs(a).max(axis=-1, keepdims=True, initial=0), posinf=0) for a in arrays)


def parts_scale(x):
    return [1.0, np.abs(x) + largest(x), np.log(x.shape[1]), x]


def log_scale(x):
    return [np.abs(x) + largest(x) + np.log(x.shape[-1]), x]


def differences_scale(d, means, e):
    return [(np.abs(d) + np.abs(means)[:, None]) * np.abs(e), means, e]


CASES = [
    Case("softmax_rows", rows_of(10), 14, lambda x: [1.0, x], sizes=(0, *SIZES)),
    Case("softmax_rows", in_heads, 24, lambda x: [1.0, x], sizes=(0, *SIZES), label="in heads"),
    Case("softmax_rows", rows_of(5000), 5004, lambda x: [1.0, x], sizes=(3,), label="longer than a block"),
    Case("log_softmax_rows", rows_of(10), 14, log_scale, sizes=(0, *SIZES)),
    Case("log_softmax_rows", in_heads, 24, log_scale, sizes=(0, *SIZES), label="in heads"),
    Case("softmax_backward", probable(log=False), 14, lambda y, dy: [largest(dy), y, dy], hostile=(1,), extremes=False),
    Case(
        "log_softmax_backward",
        probable(log=True),
        14,
        lambda y, dy: [10 * largest(dy), y, dy],
        hostile=(1,),
        extremes=False,
    ),
    Case("row_exponentials", rows_of(50), 54, lambda x: [50.0, 1.0], sizes=(0, *SIZES)),
    Case("row_exponentials", in_heads, 24, lambda x: [20.0, 1.0], sizes=(0, *SIZES), label="in heads"),
    Case("weighed_differences", differences, 4, differences_scale, sizes=(0, *SIZES), extremes=False),
    Case("softmax_parts", rows_of(10), 14, parts_scale, sizes=SIZES),
    Case("softmax_parts", rows_of(2), 6, parts_scale, sizes=SIZES, label="of two classes"),
    Case("softmax_parts", rows_of(300), 304, parts_scale, sizes=SIZES, label="of many classes"),
]

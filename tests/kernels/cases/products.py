"""Products with few outputs; where they are many, both forms are one."""

import numpy as np

from tests.kernels.cases.case import Case

SIZES = (1, 2, 5, 8, 19, 401)  # rows
BOUND = 4


def batch(features, outputs, *, bias=True):
    def make(rng, dtype, rows):
        x, W = (
            rng.standard_normal((rows, features)).astype(dtype),
            rng.standard_normal((features, outputs)).astype(dtype),
        )
        return x, W, rng.standard_normal(outputs).astype(dtype) if bias else None

    return make


def affine_scale(x, W, bias):
    return [np.sqrt(len(W)) * (np.abs(x) @ np.abs(W)), x, W, *([] if bias is None else [bias])]


def gradients(features, outputs, *, bias=True):
    def make(rng, dtype, rows):
        x, dy = rng.standard_normal((rows, features)).astype(dtype), rng.standard_normal((rows, outputs)).astype(dtype)
        return x, dy, np.zeros((features, outputs), dtype), np.zeros(outputs, dtype) if bias else None

    return make


def gradients_scale(x, dy, dW, db):
    sums = np.abs(dy).sum(axis=0)
    return [x, dy, np.sqrt(len(x)) * (np.abs(x).T @ np.abs(dy)), *([] if db is None else [np.sqrt(len(x)) * sums])]


def input_gradient(features, outputs):
    def make(rng, dtype, rows):
        dy, W = rng.standard_normal((rows, outputs)), rng.standard_normal((features, outputs))
        return dy.astype(dtype), W.astype(dtype)

    return make


def input_gradient_scale(dy, W):
    return [np.sqrt(W.shape[1]) * (np.abs(dy) @ np.abs(W).T), dy, W]


CASES = [
    *(
        Case("affine", batch(*shape, bias=bias), BOUND, affine_scale, sizes=SIZES, extremes=False, label=label)
        for label, shape, bias in [
            ("of ten outputs", (784, 10), True),
            ("of one output", (200, 1), True),
            ("of three outputs, no bias", (131, 3), False),
            ("of seven outputs", (1030, 7), True),
            ("of many outputs", (130, 17), True),
        ]
    ),
    *(
        Case(
            "affine_gradients",
            gradients(*shape, bias=bias),
            BOUND,
            gradients_scale,
            hostile=(0, 1),
            sizes=SIZES,
            extremes=False,
            label=label,
        )
        for label, shape, bias in [
            ("of ten outputs", (784, 10), True),
            ("of one output", (200, 1), True),
            ("of three outputs, no bias", (1100, 3), False),
            ("of seven outputs", (1030, 7), True),
            ("of many outputs", (130, 17), True),
        ]
    ),
    *(
        Case(
            "affine_input_gradient",
            input_gradient(features, outputs),
            BOUND,
            input_gradient_scale,
            sizes=SIZES,
            extremes=False,
            label=f"of {outputs} outputs",
        )
        for features, outputs in [(20_480, 10), (2048, 8), (200, 1), (130, 17)]
    ),
]

"""Normalization of channels, which lie together or apart, with numbers for all or for each of the n, and of rows."""

import numpy as np

from tests.kernels.cases.case import Case


def stacks(count, values, channels, last, each, numbers):
    """So many stacks, and numbers of channels, for all or for each of the n."""

    def make(rng, dtype, n):
        shape = (n, values, channels) if last else (n, channels, values)
        arrays = [(rng.standard_normal(shape) + 3).astype(dtype) for _ in range(count)]
        return *arrays, *(rng.standard_normal((n, channels) if each else channels) for _ in range(numbers)), last

    return make


def rows(count, k):
    """Rows, and vectors for all of them."""

    def make(rng, dtype, n):
        arrays = [(rng.standard_normal((n, k)) + 3).astype(dtype) for _ in range(count)]
        return *arrays, *(rng.standard_normal(k).astype(dtype) for _ in range(2)), 1e-5

    return make


def backward(k, needs_dx):
    def make(rng, dtype, n):
        dy, z = (rng.standard_normal((n, k)).astype(dtype) for _ in range(2))
        return dy, z, rng.random((n, 1)).astype(dtype), rng.standard_normal(k).astype(dtype), needs_dx

    return make


def sizes_of(terms, last, dtype):
    """The sum of the sizes of terms, for units of the stack where it is kept in float64."""
    return np.abs(terms).sum(axis=1 if last else 2, dtype=float) * (np.finfo(dtype).eps / np.finfo(np.float64).eps)


def over(numbers, last):
    return np.abs(numbers[..., None, :] if last else numbers[..., None])


def sum_scale(x, last):
    return [sizes_of(x, last, x.dtype), x]


def center_scale(x, mean, last):
    sizes = np.abs(x) + over(mean, last)
    return [sizes, sizes_of(sizes * sizes, last, x.dtype), x, mean]


def affine_scale(x, factor, bias, last):
    return [np.abs(x) * over(factor, last) + over(bias, last), x, factor, bias]


def gradient_scale(g, away, last):
    return [sizes_of(g, last, g.dtype), sizes_of(g * away, last, g.dtype), g, away]


def through_scale(g, away, factor, slope, shift, last):
    terms = np.abs(g) * over(factor, last) + np.abs(away) * over(slope, last) + over(shift, last)
    return [terms, g, away, factor, slope, shift]


def row_scale(x, gain, bias, eps):
    most = np.abs(x).max(axis=1, keepdims=True, initial=0)
    r = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    return [np.abs(gain) * most * r + np.abs(bias), most * r, r * (1 + most**2 * r**2), x, gain, bias]


def row_gradient_scale(dy, z, r, gain, needs_dx):
    g = np.abs(dy * gain)
    mean, slope = g.mean(axis=1, keepdims=True), (g * np.abs(z)).mean(axis=1, keepdims=True)
    sums = [np.abs(dy * z).sum(axis=0), np.abs(dy).sum(axis=0)]
    return [*sums, *([r * (g + mean + np.abs(z) * slope)] if needs_dx else []), dy, z, r, gain]


SIZES = (0, 1, 3, 20)
CASES = []
for label, values, channels, last, each in (
    ("together", 30, 16, True, False),
    ("together, of each row", 9, 5, True, True),
    ("of one value", 1, 7, True, True),
    ("of one channel", 300, 1, True, False),
    ("of many", 40, 600, True, False),
    ("apart", 30, 4, False, False),
    ("apart, of each row", 5, 4, False, True),
):
    stack = values, channels, last, each
    others = {"sizes": SIZES, "label": label, "extremes": False, "hostile": (0,)}
    CASES += [
        Case("channel_sums", stacks(1, *stack, 0), values, sum_scale, **others),
        Case("centered", stacks(1, *stack, 1), values, center_scale, **others),
        Case("channel_affine", stacks(1, *stack, 2), 2, affine_scale, **others),
        Case("gradient_sums", stacks(2, *stack, 0), values, gradient_scale, **others),
        Case("through_statistics", stacks(2, *stack, 3), 2, through_scale, **others),
    ]
CASES += [
    Case("normalize_rows", rows(1, k), 8 + k, row_scale, sizes=SIZES, extremes=False, hostile=(0,), label=f"of {k}")
    for k in (1, 10, 64, 200)
]
CASES += [
    Case(
        "normalize_rows_backward",
        backward(k, needs_dx),
        8 + k,
        row_gradient_scale,
        sizes=SIZES,
        extremes=False,
        hostile=(0, 1),
        label=f"of {k}{'' if needs_dx else ', without dx'}",
    )
    for k, needs_dx in ((1, True), (10, True), (64, False), (200, True))
]

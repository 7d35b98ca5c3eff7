"""Pooling along both axes of images, whose channels lie together or apart."""

import numpy as np

from minidl.kernels.pooling import window_maxima
from minidl.kernels.spans import Span
from tests.kernels.cases.case import Case


def images(axis, size, stride, last=True, channels=5):
    """Images with many numbers that are equal, one more place than windows need, and their windows."""

    def make(rng, dtype, n):
        span = Span(size, stride, 0, 3)
        lengths = [4, 4]
        lengths[axis - 2] = span.length
        shape = (n, *lengths, channels) if last else (n, channels, *lengths)
        x = rng.integers(-2, 3, shape).astype(dtype)
        return x.transpose(0, 3, 1, 2) if last else x, axis, span

    return make


def backward(*how, **more):
    def make(rng, dtype, n):
        x, axis, span = images(*how, **more)(rng, dtype, n)
        y = window_maxima.plain(x, axis, span)
        dy = np.empty_like(y)
        dy[...] = rng.standard_normal(y.shape)
        return dy, x, y, axis, span

    return make


def with_shares(*how, **more):
    def make(rng, dtype, n):
        x, axis, span = images(*how, **more)(rng, dtype, n)
        return x, rng.random(span.count).astype(dtype), axis, span

    return make


def means_backward(*how, **more):
    def make(rng, dtype, n):
        dy, _, _, axis, span = backward(*how, **more)(rng, dtype, n)
        return dy, rng.random(span.count).astype(dtype), axis, span

    return make


CASES = []
for label, how, more in (
    ("side by side", (3, 2, 2), {}),
    ("side by side, downwards", (2, 2, 2), {}),
    ("three wide", (3, 3, 3), {}),
    ("overlapping", (3, 3, 2), {}),
    ("overlapping, downwards", (2, 3, 1), {}),
    ("with places between", (2, 2, 3), {}),
    ("of one", (3, 1, 2), {}),
    ("channels apart", (2, 2, 2), {"last": False}),
    ("one channel", (3, 2, 2), {"channels": 1}),
):
    kinds = {"sizes": (0, 1, 4), "label": label}
    CASES += [
        Case("window_maxima", images(*how, **more), 0, **kinds),
        Case("window_maxima_backward", backward(*how, **more), 0, **kinds),
        Case("window_means", with_shares(*how, **more), 0, hostile=(0,), **kinds),
        Case("window_means_backward", means_backward(*how, **more), 0, hostile=(0,), **kinds),
    ]

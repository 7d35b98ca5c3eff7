"""Softmax of rows of scores x (..., K) with K > 0, its logarithm, their derivatives, and parts of them.

The forms differ by the roundings of exp and log, and of sums of K terms: less than 4 + K units in the last place of the
largest term. Where a result is NaN or infinite in one form, it is so in the other.
"""

import numpy as np

from minidl.kernels.forms import Kernel
from minidl.parameters import Array, Floats


@Kernel
def softmax_rows(x: Array) -> Floats:
    """exp(x_k - m) / sum_j exp(x_j - m), with m = max_j x_j."""
    y: Floats = np.exp(x - x.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    return y


@Kernel
def softmax_backward(y: Array, dy: Array) -> Array:
    """y_k (dy_k - sum_j dy_j y_j)."""
    dx: Array = dy * y
    dx -= y * dx.sum(axis=-1, keepdims=True)
    return dx


@Kernel
def log_softmax_rows(x: Array) -> Floats:
    """x_k - m - log sum_j exp(x_j - m), with m = max_j x_j."""
    y: Floats = x - x.max(axis=-1, keepdims=True)
    y -= np.log(np.exp(y).sum(axis=-1, keepdims=True))
    return y


@Kernel
def log_softmax_backward(y: Array, dy: Array) -> Array:
    """dy_k - exp(y_k) sum_j dy_j."""
    dx: Array = np.exp(y)
    dx *= -np.sum(dy, axis=-1, keepdims=True)
    dx += dy
    return dx


@Kernel
def row_exponentials(x: Array) -> Array:
    """Replace x_k by e_k = exp(x_k - m), with m = max_j x_j, and return sum_k e_k (...)."""
    x -= x.max(axis=-1, keepdims=True, initial=-np.inf)
    np.exp(x, out=x)
    sums: Array = x @ np.ones(x.shape[-1], x.dtype)
    return sums


@Kernel
def weighed_differences(d: Array, means: Array, e: Array) -> None:
    """Replace d_k by (d_k - mean) e_k, with one mean for each row."""
    d -= means[..., None]
    d *= e


@Kernel
def softmax_parts(scores: Array) -> tuple[Array, Array, Array]:
    """p_k = exp(s_k - m) / sum_j exp(s_j - m), s - m, and log sum_j exp(s_j - m), with m = max_j s_j.

    Returns p (n, K), s - m (n, K) and the logarithms (n,).
    """
    shifted = scores - scores[np.arange(len(scores)), scores.argmax(axis=1)][:, None]  # twice as fast as max(axis=1)
    exponentials = np.exp(shifted)
    sums: Array = exponentials @ np.ones(scores.shape[1], scores.dtype)
    return np.divide(exponentials, sums[:, None], out=exponentials), shifted, np.log(sums)

"""What losses of classes make of rows of scores s (n, K) with labels y (n,), and the logistic loss of single scores.

The forms differ by the roundings of exp and log, and of sums of K terms: less than 4 + K units in the last place of the
largest term. Where a result is NaN or infinite in one form, it is so in the other.
"""

import numpy as np

from minidl.kernels.activations import logistic
from minidl.kernels.forms import Kernel
from minidl.parameters import Array


@Kernel
def less_at_labels(values: Array, labels: Array, share: float) -> Array:
    """v_k - share 1{k = y}: the gradient of a softmax loss, of its probabilities (n, K)."""
    gradient = values.copy()
    gradient[np.arange(len(values)), labels] -= share
    return gradient


@Kernel
def rival_losses(scores: Array, labels: Array, margin: float) -> tuple[Array, Array]:
    """v_j = 1{margin + s_j - s_y > 0} and l = sum_j max(0, margin + s_j - s_y), both over j != y, with v_y = 0.

    Returns v (n, K), in the dtype of the scores, and l (n,).
    """
    rows = np.arange(len(scores))
    violations: Array = scores - scores[rows, labels][:, None]
    violations += margin
    violations[rows, labels] = 0
    np.maximum(violations, 0, out=violations)
    losses: Array = violations @ np.ones(scores.shape[1], scores.dtype)
    return (violations > 0).astype(scores.dtype), losses


@Kernel
def squared_rival_losses(scores: Array, labels: Array, margin: float) -> tuple[Array, Array]:
    """v_j = max(0, margin + s_j - s_y) and l = sum_j v_j^2, both over j != y, with v_y = 0.

    Returns v (n, K) and l (n,).
    """
    rows = np.arange(len(scores))
    violations: Array = scores - scores[rows, labels][:, None]
    violations += margin
    violations[rows, labels] = 0
    np.maximum(violations, 0, out=violations)
    losses: Array = np.square(violations) @ np.ones(scores.shape[1], scores.dtype)
    return violations, losses


@Kernel
def rival_gradients(values: Array, labels: Array, factor: float) -> Array:
    """c v_j for j != y, and -c sum_j v_j for y: the gradient of a sum over rivals (n, K), with v_y = 0."""
    gradient: Array = factor * values
    gradient[np.arange(len(values)), labels] = -(gradient @ np.ones(values.shape[1], values.dtype))
    return gradient


@Kernel
def strongest_rivals(scores: Array, labels: Array, margin: float) -> tuple[Array, Array]:
    """j = argmax_{j != y} s_j, the first of several, and l = max(0, margin + s_j - s_y).

    Returns j (n,), whole numbers, and l (n,).
    """
    rows = np.arange(len(scores))
    rivals = scores.copy()
    rivals[rows, labels] = -np.inf
    strongest = rivals.argmax(axis=1)
    violation: Array = rivals[rows, strongest] - scores[rows, labels] + margin
    return strongest, np.maximum(violation, 0)


@Kernel
def strongest_rival_gradients(losses: Array, rivals: Array, labels: Array, classes: int) -> Array:
    """1{l > 0} (e_j - e_y) with the unit vectors e of the rival j and of the label y: (n, K)."""
    gradient = np.zeros((len(losses), classes), losses.dtype)
    violated, rows = (losses > 0).astype(losses.dtype), np.arange(len(losses))
    gradient[rows, rivals] = violated
    gradient[rows, labels] = -violated
    return gradient


@Kernel
def means_over_columns(values: Array) -> Array:
    """sum_k v_k / K of each row of (n, K)."""
    means: Array = (values / values.shape[1]).sum(axis=1)  # not .mean: the sum alone could overflow
    return means


@Kernel
def logistic_losses(scores: Array, targets: Array) -> Array:
    """|s| |1{s > 0} - t| + log(1 + exp(-|s|)) for each score: no term is negative, so no digit is lost."""
    sizes = np.abs(scores)
    losses: Array = np.log1p(np.exp(-sizes))
    share = np.abs((scores > 0) - targets)
    sizes *= share
    losses += np.where(share > 0, sizes, 0)  # 0 * inf is NaN
    return losses


@Kernel
def logistic_gradients(scores: Array, targets: Array, share: float) -> Array:
    """share (1 / (1 + exp(-s)) - t) for each score."""
    gradient: Array = logistic.plain(scores)
    gradient -= targets
    gradient *= share
    return gradient


@Kernel
def squared_errors(scores: Array, targets: Array) -> tuple[Array, Array]:
    """d = s - t, in the shape of both, and sum_k d_k^2 / K over the K numbers of each row (n,)."""
    difference: Array = scores - targets
    squares = np.square(difference).reshape(len(scores), -1)
    return difference, squares[:, 0] if squares.shape[1] == 1 else means_over_columns.plain(squares)


@Kernel
def all_between(values: Array, least: float, most: float) -> bool:
    """Whether least <= v <= most for all of at least one number: False if one is NaN."""
    return bool(values.min() >= least and values.max() <= most)


@Kernel
def all_finite(values: Array) -> bool:
    """Whether no number is NaN or infinite."""
    return bool(np.isfinite(values).all())

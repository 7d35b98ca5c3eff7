"""Losses of regression that grow no faster than the error: a few outliers do not decide."""

import numpy as np

from minidl.arguments import check_number
from minidl.layers.losses.base import Loss, row_means
from minidl.parameters import Array


class MeanAbsoluteError(Loss):
    """l = mean_k |s_k - t_k|: scores and targets of the same shape, (n,) or (n, ...).

    Its minimum is the median of the targets, that of `MeanSquaredError` their mean. Where a score is its target, the
    gradient is 0.

    Source: Hastie, Tibshirani and Friedman, "The elements of statistical learning", 2009, section 10.6.

    >>> loss = MeanAbsoluteError()
    >>> loss.forward(np.array([[3.0], [1.0]]), np.array([[1.0], [1.0]]))
    1.0
    >>> loss.backward()
    array([[0.5],
           [0. ]])
    """

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """The mean of the sizes of the differences of each row."""
        self.difference = scores - targets
        return row_means(np.abs(self.difference))

    def row_gradients(self) -> Array:
        """dl/ds_k = sign(s_k - t_k) / K."""
        gradient: Array = np.sign(self.difference)
        gradient *= len(gradient) / gradient.size
        return gradient


class Huber(Loss):
    """l = mean_k of d_k^2 / 2 where |d_k| <= delta, else delta (|d_k| - delta / 2), with d = s - t.

    Scores and targets have the same shape, (n,) or (n, ...). A parabola inside, straight lines outside, which meet
    with the same slope; `delta` is in the unit of the targets.

    Args:
        delta: > 0.

    Raises:
        ValueError: a bad delta.

    Source: Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964.

    >>> loss = Huber(delta=1.0)
    >>> loss.forward(np.array([[3.0], [0.5]]), np.array([[0.0], [0.0]]))
    1.3125
    >>> loss.backward()
    array([[0.5 ],
           [0.25]])
    """

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = check_number("delta", delta, minimum=0, exclusive=True)

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """The mean of c (d - c / 2) of each row, where c is d cut off at -delta and delta."""
        d = scores - targets
        self.cut = np.clip(d, -self.delta, self.delta)
        d -= self.cut / 2
        d *= self.cut
        return row_means(d)

    def row_gradients(self) -> Array:
        """dl/ds_k = c_k / K."""
        gradient: Array = self.cut * (len(self.cut) / self.cut.size)
        return gradient

"""Losses of regression."""

from minidl.kernels.scores import squared_errors
from minidl.layers.losses.base import Loss
from minidl.parameters import Array


class MeanSquaredError(Loss):
    """l = mean_k (s_k - t_k)^2: scores and targets of the same shape, (n,) or (n, ...).

    Source: Bishop 2006, section 3.1.1, without the factor 1/2.

    >>> import numpy as np
    >>> loss = MeanSquaredError()
    >>> loss.forward(np.array([[3.0], [1.0]]), np.array([[1.0], [1.0]]))
    2.0
    >>> loss.backward()
    array([[2.],
           [0.]])
    """

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """The mean of the squared differences of each row."""
        self.difference, losses = squared_errors(scores, targets)
        return losses

    def row_gradients(self) -> Array:
        """dl/ds_k = 2 (s_k - t_k) / K."""
        gradient: Array = self.difference * (2 * len(self.difference) / self.difference.size)
        return gradient

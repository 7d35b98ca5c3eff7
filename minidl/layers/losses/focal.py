"""Focal loss: cross-entropy in which rows that are right already count little."""

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import check_number
from minidl.kernels.softmax import softmax_parts
from minidl.layers.activations import softmax
from minidl.layers.losses.base import ClassLoss, row_sums
from minidl.parameters import Array
from minidl.quiet import quiet


class Focal(ClassLoss):
    """l = -(1 - p_y)^gamma log p_y with p = softmax(s): scores (n, K), integer labels y (n,).

    gamma = 0 is the cross-entropy. The alpha of the source is one of `class_weights` for each class; as everywhere
    here the rows' weights are divided by their sum. 1 - p_y is the sum of the other probabilities, and the logarithm
    never sees a zero, so scores of any size are taken.

    Args:
        gamma: >= 0.
        class_weights, ignore: see `ClassLoss`.

    Raises:
        ValueError: a bad argument.

    Source: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object detection", ICCV 2017, of two classes
    there.

    >>> loss = Focal(gamma=2.0)
    >>> round(loss.forward(np.array([[0.0, 0.0], [0.0, 4.0]]), np.array([0, 1])), 5)
    0.08665
    >>> loss.backward().round(4)
    array([[-0.1491,  0.1491],
           [ 0.    , -0.    ]])
    """

    def __init__(
        self, gamma: float = 2.0, *, class_weights: ArrayLike | None = None, ignore: int | None = None
    ) -> None:
        super().__init__(class_weights=class_weights, ignore=ignore)
        self.gamma = check_number("gamma", gamma, minimum=0)

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """l = q^gamma (-log p_y) with q = 1 - p_y as the sum of the others."""
        rows = np.arange(len(scores))
        probability, shifted, logarithms = softmax_parts(scores)
        p = probability[rows, targets]
        others = probability.copy()
        others[rows, targets] = 0
        q = row_sums(others)
        # log p = log(1 - q) where p is large, where log sum - shifted has few digits left
        cost = np.where(p > 0.5, -np.log1p(-np.minimum(q, 0.5)), logarithms - shifted[rows, targets])
        self.rows, self.targets, self.probability, self.p, self.q, self.cost = rows, targets, probability, p, q, cost
        losses: Array = q**self.gamma * cost
        return losses

    def row_gradients(self) -> Array:
        """dl/ds_k = (p_k - 1{k = y}) q^gamma (1 + gamma p_y c), with c = -log p_y / q, which is 1 at q = 0.

        From dl/dlog p_y = -q^gamma + gamma q^(gamma - 1) p_y log p_y and dlog p_y/ds_k = 1{k = y} - p_k. Where p_y is 0
        so is p_y log p_y.
        """
        c = np.divide(self.cost, self.q, out=np.ones_like(self.cost), where=self.q > 0)
        pull = np.multiply(self.p, c, out=np.zeros_like(c), where=self.p > 0)
        gradient: Array = self.probability.copy()
        gradient[self.rows, self.targets] = -self.q
        gradient *= (self.q**self.gamma * (1 + self.gamma * pull))[:, None]
        return gradient

    @quiet
    def probabilities(self, scores: Array) -> Array:
        """softmax(s), (n, K)."""
        return softmax(scores)

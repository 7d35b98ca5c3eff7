"""Multi-class hinge losses: the maximum of Crammer and Singer, and the sum of Weston and Watkins."""

from numpy.typing import ArrayLike

from minidl.arguments import check_number
from minidl.kernels.scores import (
    rival_gradients,
    rival_losses,
    squared_rival_losses,
    strongest_rival_gradients,
    strongest_rivals,
)
from minidl.layers.losses.base import ClassLoss
from minidl.parameters import Array


class Hinge(ClassLoss):
    """l = max(0, margin + max_{j != y} s_j - s_y): scores (n, ..., K), integer labels y (n, ...).

    Where several rivals tie, the first of them is credited; where the margin is met exactly, the gradient is 0.

    Args:
        margin: how far the true score must lead, > 0.
        class_weights, ignore: see `ClassLoss`.

    Source: Crammer and Singer, Journal of Machine Learning Research 2, 2001.

    >>> import numpy as np
    >>> loss = Hinge()
    >>> loss.forward(np.array([[3.0, 1.0, 2.5]]), np.array([0]))
    0.5
    >>> loss.backward()
    array([[-1.,  0.,  1.]])
    """

    def __init__(
        self, *, margin: float = 1.0, class_weights: ArrayLike | None = None, ignore: int | None = None
    ) -> None:
        super().__init__(class_weights=class_weights, ignore=ignore)
        self.margin = check_number("margin", margin, minimum=0, exclusive=True)

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """The violation of the margin by the strongest rival."""
        self.targets, self.classes = targets, scores.shape[1]
        self.rival, self.losses = strongest_rivals(scores, targets, self.margin)
        return self.losses

    def row_gradients(self) -> Array:
        """dl/ds = 1{violated} (e_rival - e_y)."""
        return strongest_rival_gradients(self.losses, self.rival, self.targets, self.classes)


class WestonWatkinsHinge(Hinge):
    """l = sum_{j != y} max(0, margin + s_j - s_y): scores (n, ..., K), integer labels y (n, ...).

    Every rival within the margin counts, not only the strongest as in `Hinge`.

    Args:
        margin: how far the true score must lead each other one, > 0.
        class_weights, ignore: see `ClassLoss`.

    Source: Weston and Watkins, ESANN 1999.

    >>> import numpy as np
    >>> loss = WestonWatkinsHinge()
    >>> loss.forward(np.array([[3.0, 2.75, 2.5]]), np.array([0]))
    1.25
    >>> loss.backward()
    array([[-2.,  1.,  1.]])
    """

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """The sum of the violations of the margin."""
        self.targets = targets
        self.violated, losses = rival_losses(scores, targets, self.margin)
        return losses

    def row_gradients(self) -> Array:
        """dl/ds_j = 1{violated_j} for j != y, and minus their number for y."""
        return rival_gradients(self.violated, self.targets, 1.0)


class SquaredHinge(WestonWatkinsHinge):
    """l = sum_{j != y} max(0, margin + s_j - s_y)^2: scores (n, ..., K), integer labels y (n, ...).

    Every rival within the margin counts, as in `WestonWatkinsHinge`, by the square of its violation: the gradient has
    no jump anywhere, and large violations pull harder. PyTorch's `multi_margin_loss` with p=2 divides by K.

    Args:
        margin: how far the true score must lead each other one, > 0.
        class_weights, ignore: see `ClassLoss`.

    Source: Tang, "Deep learning using linear support vector machines", ICML workshop 2013, of one class against the
    rest there; the sum over rivals: Weston and Watkins, ESANN 1999.

    >>> import numpy as np
    >>> loss = SquaredHinge()
    >>> loss.forward(np.array([[3.0, 2.5, 2.75]]), np.array([0]))
    0.8125
    >>> loss.backward()
    array([[-2.5,  1. ,  1.5]])
    """

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """The sum of the squares of the violations."""
        self.targets = targets
        self.violations, losses = squared_rival_losses(scores, targets, self.margin)
        return losses

    def row_gradients(self) -> Array:
        """dl/ds_j = 2 violation_j for j != y, and minus their sum for y."""
        return rival_gradients(self.violations, self.targets, 2.0)

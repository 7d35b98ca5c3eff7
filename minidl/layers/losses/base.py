"""Loss: what every loss shares, which is the mean over rows, the weights, and the checks at the door."""

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import Recorded, check_integer
from minidl.kernels.scores import means_over_columns
from minidl.layers.losses.targets import (
    check_class_labels,
    check_class_weights,
    check_real_targets,
    check_scores,
    check_weights,
    refuse_masked,
)
from minidl.layers.shapes import ShapeError
from minidl.parameters import Array
from minidl.quiet import quiet

MEAN = "forward returns the mean over rows, which its weights= weigh; row_losses are those of single rows"
HABITS = {
    "call": "forward(scores, targets) returns a float",
    "item": "forward returns a Python float, there is nothing to unpack",
    "grad gradient": "backward() returns dL/dscores of the newest forward",
    "reduction size_average reduce": MEAN,
    "sample_weight weights": "forward(scores, targets, weights) takes one weight a row, class_weights one a class",
    "ignore_index": "losses of classes have ignore=label in their constructor; or give such rows the weight 0",
    "from_logits": "every loss takes raw scores (logits)",
    "predict_proba softmax sigmoid": "probabilities(scores), where the scores mean that",
    "build parameters train train_mode eval to cuda cpu": "a loss has no parameters, modes or devices: leave it out",
}


class Loss(Recorded):
    """A scalar function of raw scores and targets: L = sum_i w_i l_i / sum_i w_i over the rows i.

    `forward` returns exactly that number and `backward` its derivative with respect to the scores. Without weights
    every w_i is 1, so L is the mean. To write a loss, define the two halves for single rows, `row_losses` and
    `row_gradients`; the mean, the weights and their derivative are given.

    Attributes:
        total_weight: sum_i w_i of the newest forward, which is what an average over batches must weight L by.

    >>> class AbsoluteError(Loss):
    ...     '''l_i = sum_k |s_ik - t_ik|: scores and targets (n, k).'''
    ...     def row_losses(self, scores, targets):
    ...         self.difference = scores - targets
    ...         return np.abs(self.difference).sum(axis=1)
    ...     def row_gradients(self):  # dl_i/ds_ik = sign(s_ik - t_ik)
    ...         return np.sign(self.difference)
    >>> loss = AbsoluteError()
    >>> loss.forward(np.array([[1.0], [2.0]]), np.array([[0.0], [0.0]]), weights=np.array([3.0, 1.0]))
    1.25
    >>> loss.backward()
    array([[0.75],
           [0.25]])
    """

    total_weight: float
    _row_factors: float | Array
    _set_by = "forward"
    _passes = ("forward", "backward")
    _habits = HABITS

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """To write: l_i for every row, (n,), keeping on self what `row_gradients` needs."""
        raise TypeError(f"{type(self).__name__} must define row_losses(self, scores, targets)")

    def row_gradients(self) -> Array:
        """To write: dl_i/ds_i for every row of the newest scores, in their shape."""
        raise TypeError(f"{type(self).__name__} must define row_gradients(self)")

    def check_targets(self, scores: Array, targets: Array) -> Array:
        """Return targets in the form `row_losses` takes, or raise: real numbers in the shape and dtype of the scores.

        A loss of other targets overrides this; one of class labels derives from `ClassLoss`.
        """
        return check_real_targets(scores, targets)

    def row_weights(self, targets: Array, classes: int) -> Array | None:
        """The weight that its class gives each row, (n,), for scores of `classes` columns; None for 1 everywhere."""
        return None

    def as_rows(self, scores: Array, targets: Array) -> tuple[Array, Array]:
        """Scores and targets as `row_losses` takes them, m rows of each: m is n, or n times the positions of a row."""
        return scores, targets

    @quiet
    def forward(self, scores: Array, targets: Array, weights: Array | None = None) -> float:
        """Return L, a Python float.

        Args:
            scores: (n, ...) raw scores, float; never probabilities.
            targets: n rows, in the form the class documents.
            weights: (n,) finite and non-negative; None for equal ones. If all are 0, L and its derivative are 0.

        Raises:
            ShapeError: shapes that do not belong together; nothing is ever broadcast.
            ValueError: targets out of range or not finite, an empty batch, unusable weights.
        """
        check_scores(scores)
        refuse_masked("targets", targets)
        refuse_masked("weights", weights)
        targets = self.check_targets(scores, np.asarray(targets))
        rows, targets_of_rows = self.as_rows(scores, targets)
        losses = self.row_losses(rows, targets_of_rows)
        self._shape, positions = scores.shape, len(rows) // len(scores)
        if losses.shape != (len(rows),):
            raise ShapeError(f"expected row_losses of shape ({len(rows)},), received {losses.shape}: one for each row")
        combined = self.row_weights(targets, scores.shape[-1])
        if combined is not None:
            combined = combined.reshape(-1)
        if weights is not None:
            given = np.repeat(check_weights(weights, len(scores)), positions)
            combined = given if combined is None else given * combined
        if combined is None:
            self.total_weight, self._row_factors = float(len(scores)), 1 / len(rows)
            if losses.dtype == np.float32:  # their sum cannot overflow in float64; that of float64 could
                return float(np.add.reduce(losses, dtype=np.float64)) / len(losses)
            return float(np.divide(losses, len(losses), dtype=np.float64).sum())
        total = float(combined.sum(dtype=np.float64))
        self.total_weight = total / positions
        factors = combined.astype(np.float64) / (total or 1.0)
        self._row_factors = factors.astype(scores.dtype).reshape(-1, *[1] * (rows.ndim - 1))
        return float(factors @ np.where(factors > 0, losses, 0))  # 0 * inf is NaN

    @quiet
    def backward(self) -> Array:
        """Return dL/dscores for the newest forward, in the shape and dtype of the scores."""
        gradient: Array = self.row_gradients() * self._row_factors
        if not isinstance(self._row_factors, float):
            gradient = np.where(self._row_factors > 0, gradient, 0)
        return gradient if gradient.shape == self._shape else gradient.reshape(self._shape)

    def probabilities(self, scores: Array) -> Array:
        """What the scores mean as probabilities, for losses where they mean that."""
        raise TypeError(f"the scores of {type(self).__name__} are not logarithms of probabilities")


class ClassLoss(Loss):
    """A loss of scores (n, classes) whose targets are labels (n,) from 0 to classes - 1.

    Rows may have positions, as the time steps of a text or the pixels of an image: scores (n, ..., classes) with labels
    (n, ...). Then every position is a row to `row_losses`, and L is the mean over all of them, weighted.

    Args:
        class_weights: one number >= 0 a class; each position then weighs as its class does, on top of the weight of its
            row.
        ignore: a label that stands for nothing, as for padding: such positions weigh 0. It may be a number that is no
            label, such as -1.
    """

    _habits = HABITS | {"weight pos_weight": "class_weights=... of the constructor, one number a class"}

    def __init__(self, *, class_weights: ArrayLike | None = None, ignore: int | None = None) -> None:
        self.class_weights = check_class_weights(class_weights)
        self.ignore = None if ignore is None else check_integer("ignore", ignore, minimum=-(1 << 31))

    def check_targets(self, scores: Array, targets: Array) -> Array:
        """Integer labels, one a position."""
        return check_class_labels(scores, targets, self.ignore)

    def as_rows(self, scores: Array, targets: Array) -> tuple[Array, Array]:
        """Every position as a row; what is ignored gets the label 0, and no weight."""
        labels = targets if targets.ndim == scores.ndim else self._labels(targets)
        if scores.ndim == 2:
            return scores, labels
        return scores.reshape(-1, scores.shape[-1]), labels.reshape(-1, *labels.shape[scores.ndim - 1 :])

    def row_weights(self, targets: Array, classes: int) -> Array | None:
        """The weight of the class of each position, in the shape of the labels."""
        if self.class_weights is None:
            return None if self.ignore is None else (targets != self.ignore).astype(np.float64)
        if len(self.class_weights) != classes:
            raise ValueError(f"expected {classes} class_weights, one a score, received {self.class_weights.tolist()}")
        weights: Array = self.class_weights[self._labels(targets)]
        return weights if self.ignore is None else np.where(targets == self.ignore, 0.0, weights)

    def _labels(self, targets: Array) -> Array:
        return targets if self.ignore is None else np.where(targets == self.ignore, 0, targets)


def row_sums(values: Array) -> Array:
    """The sum of each row, (n, k) -> (n,), as a matrix product: three to nine times as fast as `values.sum(axis=1)`."""
    sums: Array = values @ np.ones(values.shape[1], values.dtype)
    return sums


def row_means(values: Array) -> Array:
    """The mean over everything but the rows: (n, ...) -> (n,)."""
    columns = values.reshape(len(values), -1)
    return columns[:, 0] if columns.shape[1] == 1 else means_over_columns(columns)

"""Cross-entropy losses from raw scores: right for scores of any size, with no clipping anywhere."""

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import check_number
from minidl.kernels.scores import all_between, less_at_labels, logistic_gradients, logistic_losses
from minidl.kernels.softmax import softmax_parts
from minidl.layers.activations import sigmoid, softmax
from minidl.layers.losses.base import ClassLoss, row_means, row_sums
from minidl.layers.losses.targets import check_real_targets, first_of
from minidl.layers.shapes import ShapeError
from minidl.parameters import Array
from minidl.quiet import quiet


class SoftmaxCrossEntropy(ClassLoss):
    """l = -sum_k q_k log p_k with p = softmax(s): scores (n, K), fused so that no logarithm sees a zero.

    Targets are integer labels (n,), or rows of probabilities (n, K); both may have positions, see `ClassLoss`. With
    label smoothing a, the row q becomes (1 - a) q + a / K.

    Args:
        label_smoothing: a in [0, 1).
        class_weights, ignore: see `ClassLoss`; for labels only.

    Sources: Bishop 2006, section 4.3.4; label smoothing: Szegedy et al., CVPR 2016.

    >>> loss = SoftmaxCrossEntropy()
    >>> loss.forward(np.array([[0.0, 1e4]]), np.array([0]))
    10000.0
    >>> loss.backward()
    array([[-1.,  1.]])
    """

    def __init__(
        self, *, label_smoothing: float = 0.0, class_weights: ArrayLike | None = None, ignore: int | None = None
    ) -> None:
        super().__init__(class_weights=class_weights, ignore=ignore)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, minimum=0, maximum=1)
        if label_smoothing == 1:
            raise ValueError(
                "expected label_smoothing to be < 1, received label_smoothing=1: nothing of the labels is left"
            )

    def check_targets(self, scores: Array, targets: Array) -> Array:
        """Labels (n, ...) or rows of probabilities (n, ..., K)."""
        if targets.ndim < 2 or targets.shape != scores.shape or scores.shape[-1] < 2:
            return super().check_targets(scores, targets)
        if self.class_weights is not None or self.ignore is not None:
            option = "ignore" if self.class_weights is None else "class_weights"
            raise ValueError(f"expected integer labels with {option}, received rows of probabilities: use weights=")
        rows = check_real_targets(scores, targets)
        wrong = (rows < 0).any(axis=-1) | (np.abs(rows.sum(axis=-1) - 1) > 1e-4)
        if wrong.any():
            place = np.argwhere(wrong)[0].tolist()
            received = f"targets{place}={rows[tuple(place)].tolist()}"
            raise ValueError(f"expected rows of probabilities that sum to 1, received {received}")
        shares: Array = rows / rows.sum(axis=-1, keepdims=True)
        return shares

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """l = log sum_k exp(s_k) - sum_k q_k s_k, after subtracting the row maximum from s."""
        self.targets = targets
        self.probability, shifted, logarithms = softmax_parts(scores)
        hit = shifted[np.arange(len(scores)), targets] if targets.ndim == 1 else _shares_of(shifted, targets)
        if a := self.label_smoothing:
            hit = (1 - a) * hit + a * shifted.mean(axis=1)
        logarithms -= hit
        return logarithms

    def row_gradients(self) -> Array:
        """dl/ds_k = p_k - q_k."""
        a = self.label_smoothing
        gradient = self.probability - a / self.probability.shape[1] if a else self.probability
        if self.targets.ndim == 1:
            return less_at_labels(gradient, self.targets, 1 - a)
        return gradient - (1 - a) * self.targets

    @quiet
    def probabilities(self, scores: Array) -> Array:
        """softmax(s), (n, K)."""
        return softmax(scores)


def _shares_of(shifted: Array, targets: Array) -> Array:
    """sum_k q_k s_k of each row with 0 * -inf = 0, so that a class may be masked out by a score of -inf."""
    terms = np.zeros_like(shifted)
    np.multiply(targets, shifted, out=terms, where=targets > 0)
    return row_sums(terms)


class BinaryCrossEntropy(ClassLoss):
    """l = mean_k of -t_k log sigmoid(s_k) - (1 - t_k) log(1 - sigmoid(s_k)): scores (n,), (n, 1) or (n, ...).

    One score a row is logistic regression; K scores are K independent yes-or-no questions, averaged over K. Targets
    have the shape of the scores and lie in [0, 1].

    Args:
        class_weights: the weights (of 0, of 1); for one score a row and targets that are 0 or 1.

    Source: Bishop 2006, section 4.3.2.

    >>> loss = BinaryCrossEntropy()
    >>> loss.forward(np.array([[0.0], [-1e4]]), np.array([[1], [1]])).__round__(3)
    5000.347
    >>> loss.backward()
    array([[-0.25],
           [-0.5 ]])
    """

    def __init__(self, *, class_weights: ArrayLike | None = None) -> None:
        super().__init__(class_weights=class_weights)

    def as_rows(self, scores: Array, targets: Array) -> tuple[Array, Array]:
        """As they are: the scores of a row are questions of their own."""
        return scores, targets

    def check_targets(self, scores: Array, targets: Array) -> Array:
        """Numbers in [0, 1] in the shape of the scores."""
        if targets.shape == scores.shape and targets.dtype == scores.dtype and all_between(targets, 0.0, 1.0):
            return targets  # neither NaN nor infinite either
        targets = check_real_targets(scores, targets)
        if targets.min() < 0 or targets.max() > 1:
            received = first_of(targets, (targets < 0) | (targets > 1))
            raise ValueError(f"expected targets from 0 to 1, received {received}: use 0 and 1 as the labels")
        return targets

    def row_losses(self, scores: Array, targets: Array) -> Array:
        """l = mean_k of |s| |1{s > 0} - t| + log(1 + exp(-|s|)): no term is negative, so no digit is lost."""
        self.scores, self.targets = scores, targets
        return row_means(logistic_losses(scores, targets))

    def row_gradients(self) -> Array:
        """dl/ds_k = (sigmoid(s_k) - t_k) / K."""
        return logistic_gradients(self.scores, self.targets, len(self.scores) / self.scores.size)

    def row_weights(self, targets: Array, classes: int) -> Array | None:
        """The weight of the label, 0 or 1, of each row."""
        if self.class_weights is None:
            return None
        if targets.size != len(targets) or len(self.class_weights) != 2:
            raise ShapeError(
                f"expected two class_weights and one score a row, received class_weights="
                f"{self.class_weights.tolist()} and scores of shape {targets.shape}: use weights="
            )
        labels = targets.reshape(-1).astype(np.int64)
        if (labels != targets.reshape(-1)).any():
            raise ValueError("expected targets that are 0 or 1 with class_weights, received other values: use weights=")
        return self.class_weights[labels]

    @quiet
    def probabilities(self, scores: Array) -> Array:
        """sigmoid(s), in the shape of the scores."""
        return sigmoid(scores)

"""Metrics: functions (scores, targets) -> float, computed over a whole set at once.

A metric of your own is any such function; its `__name__` names the column. As the Trainer hands it all rows of a set
together, no batch size can change its value. A score that is NaN agrees with no target.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from minidl.arguments import check_function, check_integer, short
from minidl.frozen import frozen
from minidl.layers.losses.targets import check_class_labels, check_scores
from minidl.layers.shapes import ShapeError
from minidl.parameters import Array
from minidl.quiet import quiet

Metric: TypeAlias = Callable[[Array, Array], float]
NO_CLASS = -1


@quiet
def accuracy(scores: Array, targets: Array) -> float:
    """The share of rows whose largest score is that of the target class.

    Args:
        scores: (n, classes), or (n, ..., classes) where rows have positions, which count as rows; the first of tied
            scores counts as the largest.
        targets: (n,) or (n, ...) integer labels, or one-hot rows or probabilities in the shape of the scores, whose
            largest entry is the label. Labels that stand for padding are left out by `ignoring`.

    >>> accuracy(np.array([[0.1, 0.9], [2.0, 1.0]]), np.array([1, 1]))
    0.5
    """
    labels = _labels(scores, targets)
    return float(np.mean(_predictions(scores) == labels))


def top_k_accuracy(k: int) -> Metric:
    """The metric "share of rows whose target class is among the k largest scores", named top_<k>_accuracy.

    >>> top_k_accuracy(2)(np.array([[0.1, 0.9, 0.5]]), np.array([2]))
    1.0
    """
    return _TopKAccuracy(check_integer("k", k, minimum=1))


@frozen
class _TopKAccuracy:
    """An object and not a nested function, so that a trainer with it can be pickled."""

    k: int

    @property
    def __name__(self) -> str:
        return f"top_{self.k}_accuracy"

    @quiet
    def __call__(self, scores: Array, targets: Array) -> float:
        labels = _labels(scores, targets)
        classes = scores.shape[-1]
        if self.k > classes:
            raise ValueError(f"expected k <= {classes}, the number of classes, received k={self.k}")
        best = np.argsort(-scores.reshape(-1, classes), axis=1, kind="stable")[:, : self.k]
        return float(np.mean((best == labels[:, None]).any(axis=1) & (_predictions(scores) != NO_CLASS)))


def ignoring(metric: Metric, label: int) -> Metric:
    """A metric of classes over those positions whose label is not `label`, as that of padding; named as the metric.

    For a loss with `ignore=label`. Where no position counts, the value is NaN.

    >>> scores = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    >>> ignoring(accuracy, -1)(scores, np.array([[1, -1]]))
    1.0
    """
    check_function("metric", metric, "scores", "targets", advice="such as accuracy")
    return _Ignoring(metric, check_integer("label", label, minimum=-(1 << 31)))


@frozen
class _Ignoring:
    """What `ignoring` returns."""

    metric: Metric
    label: int

    @property
    def __name__(self) -> str:
        return str(getattr(self.metric, "__name__", type(self.metric).__name__))

    def __call__(self, scores: Array, targets: Array) -> float:
        check_scores(scores)
        targets = np.asarray(targets)
        check_class_labels(scores, targets, self.label)
        counted = targets != self.label
        return float(self.metric(scores[counted], targets[counted])) if counted.any() else math.nan


@quiet
def binary_accuracy(scores: Array, targets: Array) -> float:
    """The share of entries where score >= 0, that is probability >= 1/2, agrees with target >= 1/2.

    Args:
        scores: (n,), (n, 1) or (n, labels) raw scores, as `BinaryCrossEntropy` takes them.
        targets: 0 or 1, in the shape of the scores.

    >>> binary_accuracy(np.array([[2.0], [-1.0]]), np.array([[1], [1]]))
    0.5
    """
    predicted, wanted = _entries(scores, targets)
    return float(np.mean(predicted == wanted))


@quiet
def subset_accuracy(scores: Array, targets: Array) -> float:
    """The share of rows in which every entry agrees: score >= 0, that is probability >= 1/2, where target >= 1/2.

    The strictest view of several labels a row; one class a row counts as right only where that class alone is found.

    Args:
        scores: (n,), (n, 1) or (n, labels) raw scores, as `BinaryCrossEntropy` takes them. For another threshold t on
            probabilities p, give p - t.
        targets: 0 or 1, in the shape of the scores.

    Raises:
        ShapeError: targets of another shape.

    >>> subset_accuracy(np.array([[2.0, -1.0], [2.0, 1.0]]), np.array([[1, 0], [1, 0]]))
    0.5
    """
    predicted, wanted = _entries(scores, targets)
    return float(np.mean((predicted == wanted).reshape(len(scores), -1).all(axis=1)))


@quiet
def f1_score(scores: Array, targets: Array) -> float:
    """F1 = 2 TP / (2 TP + FP + FN) over all entries, where score >= 0, that is probability >= 1/2, predicts a label.

    The harmonic mean of precision and recall, of all labels together ("micro"); a column alone gives that of one label.
    A score that is NaN is wrong, a false positive or a false negative. 1 where no label is there and none is predicted.

    Args:
        scores: (n,), (n, 1) or (n, labels) raw scores, as `BinaryCrossEntropy` takes them. For another threshold t on
            probabilities p, give p - t.
        targets: 0 or 1, in the shape of the scores.

    Raises:
        ShapeError: targets of another shape.

    Source: van Rijsbergen, Information Retrieval, 2nd edition, 1979, chapter 7.

    >>> f1_score(np.array([[2.0, -1.0], [2.0, 1.0]]), np.array([[1, 0], [1, 0]]))
    0.8
    """
    predicted, wanted = _entries(scores, targets)
    found, marked = int(np.sum(predicted & wanted)), int(np.sum(predicted)) + int(np.sum(wanted))
    return 2 * found / marked if marked else 1.0


@quiet
def label_counts(scores: Array) -> Array:
    """How many rows have 0, 1, ..., all labels with score >= 0, that is probability >= 1/2: (labels + 1,) counts.

    Says how often independent labels leave a row without any, or give it several. A score that is NaN is no label.

    Args:
        scores: (n,), (n, 1) or (n, labels) raw scores, as `BinaryCrossEntropy` takes them. For another threshold t on
            probabilities p, give p - t.

    >>> label_counts(np.array([[2.0, 1.0], [2.0, -1.0], [-3.0, -1.0], [-2.0, -1.0]]))
    array([2, 1, 1])
    """
    check_scores(scores)
    found = (scores >= 0).reshape(len(scores), -1)
    return np.bincount(found.sum(axis=1), minlength=found.shape[1] + 1)


@quiet
def confusion_matrix(scores: Array, targets: Array) -> Array:
    """How often each class was taken for each: (classes, classes) counts, rows are targets, columns predictions.

    Raises ValueError where a score is NaN, as that predicts no class.

    >>> confusion_matrix(np.array([[0.1, 0.9], [2.0, 1.0], [0.0, 1.0]]), np.array([1, 1, 0]))
    array([[0, 1],
           [1, 1]])
    """
    labels, predictions, classes = _labels(scores, targets), _predictions(scores), scores.shape[-1]
    if (predictions == NO_CLASS).any():
        row = int(np.flatnonzero(predictions == NO_CLASS)[0])
        received = f"scores[{row}]={scores.reshape(-1, classes)[row].tolist()}"
        raise ValueError(f"expected scores that are numbers, received {received}")
    pairs = labels.astype(np.int64) * classes + predictions
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def _entries(scores: Array, targets: Array) -> tuple[Array, Array]:
    """Which labels are predicted and which are wanted, entry by entry; a score that is NaN predicts the wrong one."""
    check_scores(scores)
    if np.shape(targets) != scores.shape:
        raise ShapeError(f"expected targets of shape {scores.shape}, received targets.shape={np.shape(targets)}")
    given = np.asarray(targets)
    if given.dtype.kind not in "biuf" or not ((given >= 0) & (given <= 1)).all():
        raise ValueError(
            f"expected targets of 0 and 1, received {short(np.unique(given))}: they mark which labels hold"
        )
    wanted = given >= 0.5
    return np.where(np.isnan(scores), ~wanted, scores >= 0), wanted


def _predictions(scores: Array) -> Array:
    """The class with the largest score at each position, (m,), or NO_CLASS where one of them is NaN."""
    return np.where(np.isnan(scores).any(axis=-1), NO_CLASS, scores.argmax(axis=-1)).reshape(-1)


def _labels(scores: Array, targets: Array) -> Array:
    """The label of each position, (m,)."""
    check_scores(scores)
    targets = np.asarray(targets)
    if targets.ndim >= 2 and targets.shape == scores.shape and scores.shape[-1] > 1:
        wrong = (targets < 0).any(axis=-1) | ~(np.abs(targets.sum(axis=-1, dtype=np.float64) - 1) <= 1e-4)
        if wrong.any():
            place = np.argwhere(wrong)[0].tolist()
            raise ValueError(
                f"expected one class a row, as labels or rows that sum to 1, received targets{place}="
                f"{targets[tuple(place)].tolist()}: several labels a row are counted by binary_accuracy"
            )
        targets = targets.argmax(axis=-1)
    return check_class_labels(scores, targets).reshape(-1)

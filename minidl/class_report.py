"""A report for each class: precision, recall, F1 and support, from the confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minidl.html import table
from minidl.metrics import confusion_matrix
from minidl.parameters import Array

COLUMNS = ("precision", "recall", "F1", "support")


@dataclass(frozen=True, eq=False)
class ClassificationReport:
    """Precision, recall, F1 and support of each class, and their averages; prints as a table.

    Attributes:
        matrix: (classes, classes) counts; rows are targets, columns predictions.
        classes: the name of each class.
        precision, recall, f1: (classes,) floats.
        support: (classes,) how many rows have the class as their target.
        accuracy: the share of rows that are right.
        macro: precision, recall and F1 as plain means over classes.
        weighted: the same, weighed by support.
    """

    matrix: Array
    classes: tuple[str, ...]
    precision: Array
    recall: Array
    f1: Array
    support: Array
    accuracy: float
    macro: tuple[float, float, float]
    weighted: tuple[float, float, float]

    def rows(self) -> list[tuple[str, float, float, float, int]]:
        """The lines of the table: each class, then both averages."""
        values = zip(self.classes, self.precision, self.recall, self.f1, self.support, strict=True)
        total = int(self.support.sum())
        each = [(name, float(p), float(r), float(f), int(n)) for name, p, r, f, n in values]
        return [*each, ("macro average", *self.macro, total), ("weighted average", *self.weighted, total)]

    def __str__(self) -> str:
        """The table, with the accuracy below."""
        rows = self.rows()
        wide = max(len(row[0]) for row in rows)
        lines = [" " * wide + "".join(f"{name:>11}" for name in COLUMNS)]
        lines += [f"{name:<{wide}}" + "".join(f"{v:>11.3f}" for v in values) + f"{n:>11}" for name, *values, n in rows]
        return "\n".join([*lines, f"accuracy {self.accuracy:.3f}"])

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        shown = [(name, *(f"{value:.3f}" for value in values), n) for name, *values, n in self.rows()]
        return table(("", *COLUMNS), shown, title=f"accuracy {self.accuracy:.3f}")


def classification_report(scores: Array, targets: Array, *, classes: Sequence[str] = ()) -> ClassificationReport:
    """For each class c: precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN).

    TP are rows of class c that are taken for c, FP others that are taken for it, FN rows of c that are not. A quotient
    0 / 0 is 0: of a class that is never predicted the precision is 0, of one without rows the recall. `macro` averages
    count classes without rows too, as scikit-learn does where it is given them as labels.

    Args:
        scores: (n, classes), or (n, ..., classes) with positions, as for `accuracy`.
        targets: (n,) integer labels, or what `accuracy` takes.
        classes: the name of each class, such as `dataset.classes`; none shows label numbers.

    Raises:
        ValueError: a score is NaN, or another number of names.

    Source: van Rijsbergen, Information Retrieval, 2nd edition, 1979, chapter 7.

    >>> print(classification_report(np.eye(2)[[0, 0, 1, 1]], np.array([0, 0, 0, 1]), classes=("cat", "dog")))
                      precision     recall         F1    support
    cat                   1.000      0.667      0.800          3
    dog                   0.500      1.000      0.667          1
    macro average         0.750      0.833      0.733          4
    weighted average      0.875      0.750      0.767          4
    accuracy 0.750
    """
    matrix = confusion_matrix(scores, targets)
    if classes and len(classes) != len(matrix):
        raise ValueError(f"expected {len(matrix)} class names or none, received {classes=}")
    names = tuple(map(str, classes or range(len(matrix))))
    right, support, taken = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall, f1 = _over(right, taken), _over(right, support), _over(2 * right, taken + support)
    columns = (precision, recall, f1)
    total = int(support.sum())
    macro, weighted = (_averages(columns, weights) for weights in (np.ones(len(matrix)), support))
    return ClassificationReport(matrix, names, *columns, support, int(right.sum()) / total, macro, weighted)


def _averages(columns: tuple[Array, Array, Array], weights: Array) -> tuple[float, float, float]:
    precision, recall, f1 = (float(np.average(column, weights=weights)) for column in columns)
    return precision, recall, f1


def _over(part: Array, whole: Array) -> Array:
    """part / whole, 0 where both are 0."""
    shares: Array = part / np.maximum(whole, 1)
    return shares

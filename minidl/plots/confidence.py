"""How sure a classifier is of the true class."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from minidl.parameters import Array
from minidl.plots.repeats import histograms


def true_class_histogram(
    probabilities: ArrayLike, targets: ArrayLike, *, bins: int = 20, ax: Axes | None = None
) -> Figure:
    """The distribution of the true class' probability, for the rows that are right and for those that are wrong.

    Right is a row whose largest probability is that of its target; the first of tied ones counts as the largest. With
    a softmax, a wrong row cannot lie above 1/2.

    Args:
        probabilities: (n, classes) in [0, 1], such as `loss.probabilities(model.predict(x))`. They need not sum to 1:
            those of independent labels serve as well.
        targets: (n,) integer labels.
        bins: how many intervals from 0 to 1.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: these are no probabilities of the rows of these targets, or no integer labels.

    >>> figure = true_class_histogram([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], [0, 1, 1], bins=2)
    >>> [patch.get_data().values.tolist() for patch in figure.axes[0].patches]
    [[0, 2], [1, 0]]
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['right (2)', 'wrong (1)']
    """
    labels = np.asarray(targets)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
        raise ValueError(
            f"expected targets to be (n,) integer labels, received shape={labels.shape}, dtype={labels.dtype}"
        )
    own = of_true_class(probabilities, labels)
    right = np.asarray(probabilities).argmax(axis=1) == labels
    groups = {f"{name} ({kept.sum()})": own[kept] for name, kept in (("right", right), ("wrong", ~right))}
    return histograms(groups, xlabel="probability of the true class", ylabel="rows", bins=bins, ax=ax)


def of_true_class(probabilities: ArrayLike, labels: Array) -> Array:
    """The probability of the true class of each row, after both were found to belong together."""
    given = np.asarray(probabilities)
    fits = given.ndim == 2 and len(given) == len(labels) and labels.min() >= 0 and labels.max() < given.shape[1]
    if not fits or not ((given >= 0) & (given <= 1)).all():
        raise ValueError(
            f"expected probabilities in [0, 1] of shape ({len(labels)}, classes), received shape "
            f"{given.shape}: raw scores go through loss.probabilities(scores) first"
        )
    own: Array = given[np.arange(len(labels)), labels]
    return own

"""Matrices as figures: counts of a confusion matrix, and values over a grid of two parameters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from minidl.parameters import Array
from minidl.plots.style import (
    NEUTRAL,
    OKABE_ITO,
    SHARE_MAP,
    SMALL,
    add_bar,
    axes_for,
    figure_of,
    label_axes,
    text_width,
)

SMALLEST = 1.4  # inches, the side of the matrix of a new figure


def confusion_heatmap(matrix: Array, *, classes: Sequence[str] = (), ax: Axes | None = None) -> Figure:
    """A confusion matrix with its counts: rows are targets, columns predictions.

    The colour of a cell is its share of the row, white for 0 and dark for 1, so rare and frequent classes compare.

    Args:
        matrix: (classes, classes) integer counts, as `confusion_matrix` returns them.
        classes: the name of each class; none shows label numbers.
        ax: where to draw; None makes a new figure, larger for more classes.

    Raises:
        ValueError: anything but a square matrix of counts, or another number of names.

    >>> figure = confusion_heatmap(np.array([[3, 1], [0, 4]]), classes=("cat", "dog"))
    >>> figure.axes[0].images[0].get_array().tolist(), [text.get_text() for text in figure.axes[0].texts]
    ([[0.75, 0.25], [0.0, 1.0]], ['3', '1', '0', '4'])
    """
    matrix = np.asarray(matrix)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] > 0
    if not square or matrix.dtype.kind not in "iu" or (matrix < 0).any():
        raise ValueError(
            f"expected a square matrix of counts, received matrix.shape={matrix.shape}, dtype={matrix.dtype}: "
            f"make one with minidl.confusion_matrix(scores, targets)"
        )
    if classes and len(classes) != len(matrix):
        raise ValueError(f"expected {len(matrix)} class names or none, received {classes=}")
    names = list(classes) or [str(label) for label in range(len(matrix))]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    longest = text_width(names, SMALL)
    cell = max(0.36, text_width([str(matrix.max())], SMALL) + 0.1, SMALLEST / len(matrix))
    slanted = longest > cell
    below = longest * 0.71 if slanted else 0.15  # a slant of 45 degrees
    side = cell * len(matrix)
    ax = axes_for(ax, width=side + longest + 1.2, height=side + below + 0.4)
    image = ax.imshow(shares, SHARE_MAP, vmin=0, vmax=1, interpolation="nearest")
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if shares[row, column] > 0.5 else "black" if count else NEUTRAL
        ax.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=SMALL)
    slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    ax.set_xticks(range(len(names)), names, **slant)
    ax.set_yticks(range(len(names)), names)
    ax.spines[:].set_visible(False)
    label_axes(ax, "prediction", "target")
    ax.tick_params(length=0)
    add_bar(ax, image, "share of the target class")
    return figure_of(ax)


def grid_heatmap(
    values: ArrayLike,
    rows: Sequence[object] | Array,
    columns: Sequence[object] | Array,
    *,
    xlabel: str,
    ylabel: str,
    label: str = "",
    digits: int = 1,
    between: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """A value for each pair of two parameters, dark where it is large, with its number; a framed cell is the largest.

    Args:
        values: (rows, columns); what is not finite leaves a cell empty.
        rows: the values of the parameter down the side.
        columns: the values of the parameter along the bottom.
        xlabel: the name of the parameter of the columns.
        ylabel: the name of the parameter of the rows.
        label: what the values are, beside a colour bar; "" draws none.
        digits: after the decimal point.
        between: the values for white and dark, the same for figures that are to be compared; None takes those here.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: values of another shape, or none that is finite.

    >>> figure = grid_heatmap([[38.5, 41.2]], [0.1], [50, 100], xlabel="batch", ylabel="rate", label="accuracy in %")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['38.5', '41.2']
    """
    numbers = np.asarray(values, float)
    if numbers.shape != (len(rows), len(columns)) or not np.isfinite(numbers).any():
        raise ValueError(f"expected finite values of shape ({len(rows)}, {len(columns)}), received {numbers.shape}")
    finite = np.where(np.isfinite(numbers), numbers, np.nan)
    low, high = (np.nanmin(finite), np.nanmax(finite)) if between is None else between
    ax = axes_for(ax, width=0.55 * len(columns) + 1.7, height=0.36 * len(rows) + 0.75)
    image = ax.imshow(finite, SHARE_MAP, vmin=low, vmax=high, interpolation="nearest", aspect="auto")
    for (row, column), value in np.ndenumerate(numbers):
        if np.isfinite(value):
            colour = "white" if value - low > 0.6 * (high - low) else "black"
            ax.text(column, row, f"{value:.{digits}f}", ha="center", va="center", color=colour, fontsize=SMALL)
    best = np.unravel_index(np.nanargmax(finite), numbers.shape)
    place = best[1] - 0.5, best[0] - 0.5
    frame = Rectangle(place, 1, 1, fill=False, edgecolor=OKABE_ITO[1], linewidth=2, clip_on=False, zorder=3)
    ax.add_patch(frame)
    ax.set_xticks(range(len(columns)), [_tick(value) for value in columns])
    ax.set_yticks(range(len(rows)), [_tick(value) for value in rows])
    ax.spines[:].set_visible(False)
    label_axes(ax, xlabel, ylabel)
    ax.tick_params(length=0)
    if label:
        add_bar(ax, image, label)
    return figure_of(ax)


def _tick(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

"""Figures of what a network sees and says: filters, features in two dimensions, decisions, and range tests."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from minidl.arguments import check_integer
from minidl.diagnostics import RangeTest
from minidl.inputs import as_array
from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.plots.images import weight_images
from minidl.plots.style import (
    LINE_WIDTH,
    NEUTRAL,
    OKABE_ITO,
    SMALL,
    add_grid,
    add_legend,
    axes_for,
    colours,
    figure_of,
    label_axes,
    legend_key,
)
from minidl.returned import as_finite
from minidl.training.door import Data, as_dataset


def filters(weight: ArrayLike, *, count: int = 32, columns: int = 8, ax: Axes | None = None) -> Figure:
    """The filters of a convolution as images, one for each output, on one scale: blue below 0, red above.

    Filters over 3 channels are shown in colour, each on its own scale; those over another number by their first
    channel, or by another that is chosen before, as in `weight[:, :, 4:5]`.

    Args:
        weight: (height, width, in_channels, out_channels), such as `model[0].weight.value` of a `Conv2D`.
        count: at most so many outputs.
        columns: how many stand side by side.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: an array of another rank, or without a filter.

    >>> from minidl import Conv2D
    >>> figure = filters(Conv2D(1, 4, 3).build(seed=0).weight.value)
    >>> len(figure.axes[0].images)
    4
    """
    weights = np.asarray(weight)
    if weights.ndim != 4 or not weights.size:
        raise ValueError(
            f"expected weights of shape (height, width, in_channels, out_channels), received weight.shape="
            f"{weights.shape}: those of a Linear layer are drawn by weight_images"
        )
    channels = weights.shape[2] if weights.shape[2] in (1, 3) else 1
    chosen = np.moveaxis(weights[:, :, :channels, : check_integer("count", count, minimum=1)], 2, 0)
    flat = chosen.reshape(-1, chosen.shape[-1])
    return weight_images(flat, chosen.shape[:3], columns=columns, shared_scale=channels == 1, ax=ax)


def embedding(
    features: ArrayLike, targets: ArrayLike, *, classes: tuple[str, ...] = (), ax: Axes | None = None
) -> Figure:
    """Rows of features in the plane of their two principal components, with a colour for each class.

    The name of a class stands at the median of its rows. The components are the two directions in which the rows spread
    most, by a singular value decomposition of the features without their mean; the axes say which share of the variance
    each has.

    Args:
        features: (n, ...) numbers, such as `model[:3].predict(x)`; further axes are flattened.
        targets: (n,) integer labels.
        classes: the name of each class; none shows label numbers.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: fewer than 3 rows or 2 features, numbers that are not finite, labels of another length, or a label
            without a name.

    >>> figure = embedding([[0.0, 0, 0], [4, 0, 0], [0, 2, 0], [4, 2, 0]], [0, 1, 0, 1])
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('first component, 80 % of the variance', 'second component, 20 % of the variance')
    """
    given, labels = as_array("features", features), np.asarray(targets)
    few = given.ndim < 2 or len(given) < 3 or given.size < 2 * len(given)
    if few or labels.shape != given.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"expected (n, ...) features with 3 rows and 2 columns at least, and (n,) integer labels, received shapes "
            f"{given.shape} and {labels.shape}"
        )
    rows = as_finite("features", given.reshape(len(given), -1), np.float64)
    _check_names(labels, classes)
    centred = rows - rows.mean(axis=0)
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    shares = s**2 / max(float((s**2).sum()), np.finfo(float).tiny)
    upright = np.sign(vt[np.arange(2), np.abs(vt[:2]).argmax(axis=1)])  # a component has two directions: choose one
    ax = axes_for(ax, width=5.0, height=4.0)
    points = u[:, :2] * s[:2] * upright
    _scatter(ax, points, labels, classes)
    for label in np.unique(labels).tolist():  # colours alone do not tell ten classes apart
        x, y = np.median(points[labels == label], axis=0)
        name = classes[label] if classes else str(label)
        box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
        ax.text(x, y, name, ha="center", va="center", fontsize=SMALL, fontweight="bold", bbox=box)
    add_grid(ax)
    names = zip(("first", "second"), shares, strict=False)
    label_axes(ax, *(f"{name} component, {100 * share:.0f} % of the variance" for name, share in names))
    return figure_of(ax)


def decision_regions(model: Layer, data: Data, *, points: int = 200, ax: Axes | None = None) -> Figure:
    """The class that a model takes for each point of the plane, pale, and the rows of a set with two features on it.

    Args:
        model: built; takes (n, 2) and returns (n, classes) scores, or (n,) or (n, 1) of which >= 0 is class 1.
        data: two features a row, and (n,) integer labels; its classes are the legend.
        points: of the grid along each axis.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: another number of features, no integer labels from 0 on, or outputs that are no scores of classes.

    >>> from minidl import Dataset, Linear
    >>> data = Dataset(np.float32([[0, 0], [1, 1]]), np.array([0, 1]))
    >>> len(decision_regions(Linear(2, 2).build(seed=0), data, points=10).axes[0].images)
    1
    """
    data = as_dataset("data", data)
    labels = np.asarray(data.targets).reshape(-1) if np.size(data.targets) == len(data) else data.targets
    if data.x.ndim != 2 or data.x.shape[1] != 2 or labels.ndim != 1 or not _are_labels(labels):
        raise ValueError(
            f"expected data with two features a row and (n,) integer labels from 0 on, received x.shape="
            f"{data.x.shape}, targets.shape={data.targets.shape}, dtype={data.targets.dtype}"
        )
    check_integer("points", points, minimum=2)
    low, high = data.x.min(axis=0).astype(float), data.x.max(axis=0).astype(float)
    room = np.where(high > low, high - low, 1.0) * 0.08
    low, high = low - room, high + room
    across, up = (np.linspace(low[axis], high[axis], points) for axis in (0, 1))
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    scores = _scores(model, grid)
    binary = scores.ndim == 1 or scores.shape[-1] == 1
    taken = (scores.reshape(-1) >= 0).astype(int) if binary else scores.argmax(axis=1)
    number = max(2 if binary else scores.shape[1], int(labels.max()) + 1, len(data.classes))
    ax = axes_for(ax, width=4.6, height=3.8)
    ax.imshow(
        taken.reshape(points, points),
        ListedColormap(colours(number)),
        vmin=-0.5,
        vmax=number - 0.5,
        extent=(low[0], high[0], low[1], high[1]),
        origin="lower",
        aspect="auto",
        alpha=0.3,
        interpolation="nearest",
    )
    _scatter(ax, data.x, labels.astype(int), data.classes, number=number, regions=np.unique(taken).tolist())
    label_axes(ax, "first feature", "second feature")
    return figure_of(ax)


def range_curve(found: RangeTest, *, ax: Axes | None = None) -> Figure:
    """The costs of a range test against the learning rate: single batches pale, their smooth mean, and the suggestion.

    What rises beyond twice the first cost is cut off.

    >>> from minidl.diagnostics import RangeTest
    >>> rates, costs = np.array([0.1, 1.0, 10.0]), np.array([2.0, 1.0, 3.0])
    >>> range_curve(RangeTest(rates, costs, costs, 0.3, 0.1, 1.0, True)).axes[0].get_xscale()
    'log'
    """
    if not isinstance(found, RangeTest):
        raise TypeError(f"expected what range_test(trainer, train) returns, received {type(found).__name__}")
    ax = axes_for(ax)
    ax.plot(found.rates, found.costs, color=NEUTRAL, linewidth=0.7, alpha=0.7)
    ax.plot(found.rates, found.smooth, color=OKABE_ITO[0], linewidth=LINE_WIDTH)
    place = int(np.abs(np.log(found.rates / found.suggestion)).argmin())
    ax.axvline(found.suggestion, color=OKABE_ITO[1], linestyle=":", linewidth=LINE_WIDTH)
    ax.plot(found.suggestion, found.smooth[place], "o", color=OKABE_ITO[1], markersize=5)
    ax.set_xscale("log")
    low, first = float(found.smooth.min()), float(found.smooth[0])
    ax.set_ylim(min(0.0, low), min(float(found.costs.max()) * 1.05, 2 * first))
    add_grid(ax)
    label_axes(ax, "learning rate", "cost")
    keys = [
        legend_key("one batch", NEUTRAL),
        legend_key("smooth", OKABE_ITO[0]),
        legend_key(f"suggestion {found.suggestion:.2g}", OKABE_ITO[1], ":", marker="o", markersize=5),
    ]
    add_legend(ax, keys)
    return figure_of(ax)


def _are_labels(labels: Array) -> bool:
    return labels.dtype.kind in "iub" and bool((labels >= 0).all())


def _check_names(labels: Array, classes: tuple[str, ...]) -> None:
    if classes and (labels.min() < 0 or labels.max() >= len(classes)):
        raise ValueError(
            f"expected labels from 0 to {len(classes) - 1} for {len(classes)} class names, received labels from "
            f"{labels.min()} to {labels.max()}: name every class, or none"
        )


def _scores(model: Layer, grid: Array) -> Array:
    """What a model says of points of the plane, if that are scores of classes."""
    if not isinstance(model, Layer):
        raise TypeError(f"expected model to be a built layer, received {type(model).__name__}")
    scores = model.predict(grid)
    if scores.ndim > 2 or not np.isfinite(scores).all():
        raise ValueError(
            f"expected a model with finite scores (n, classes), (n, 1) or (n,), received outputs of shape "
            f"{scores.shape}, {np.count_nonzero(~np.isfinite(scores))} of them not finite"
        )
    return scores


def _scatter(
    ax: Axes,
    points: Array,
    labels: Array,
    classes: tuple[str, ...],
    *,
    number: int = 0,
    regions: Sequence[int] = (),
) -> None:
    """Points with a colour for each class that is there, and a legend of them and of the regions."""
    present = np.unique(labels).tolist()
    shown = range(number) if number else present
    palette = dict(zip(shown, colours(len(shown)), strict=True))
    keys = []
    for label in sorted({*present, *regions}):
        of_class = points[labels == label]
        ax.scatter(of_class[:, 0], of_class[:, 1], s=9, color=[palette[label]], alpha=0.8, linewidths=0)
        name = classes[label] if 0 <= label < len(classes) else str(label)
        keys.append(legend_key(name, palette[label], "", marker="o", markersize=4))
    add_legend(ax, keys)
    ax.tick_params(labelsize=SMALL)

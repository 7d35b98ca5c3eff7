"""Rows of numbers as pictures: weights, samples of a dataset, and the samples a model gets most wrong."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minidl.arguments import check_integer
from minidl.data.dataset import Dataset
from minidl.parameters import Array
from minidl.plots.confidence import of_true_class
from minidl.plots.style import (
    EDGE,
    GREY_MAP,
    NEUTRAL,
    SMALL,
    TEXT,
    WEIGHT_MAP,
    WIDTH,
    add_bar,
    axes_for,
    axes_of_size,
    figure_of,
    text_width,
)

LARGEST = 1.1  # inches, the width of one image
TALLEST = 7.0  # inches, all rows of images
BAR = 0.8  # inches, the numbers and the label of a colour bar
GAP = 0.08  # between images, as a part of their width
TITLE_LINE = 0.16  # inches


def weight_images(
    weights: Array,
    image_shape: tuple[int, ...],
    *,
    titles: Sequence[str] = (),
    columns: int = 5,
    shared_scale: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """The columns of a weight matrix as images, one for each unit, unit after unit in rows.

    Grey weights: blue below zero, white at zero, red above, to the largest |weight|. Colour weights: from the
    smallest, black, to the largest, white.

    Args:
        weights: (features, units), such as `model[0].weight.value`.
        image_shape: what one column is: (height, width) or (channels, height, width) with 1 or 3 channels.
        titles: one for each unit, such as the names of the classes, or none.
        columns: how many images stand side by side.
        shared_scale: False: each image has its own scale, and only patterns compare. True: one scale for all of them,
            so that strengths compare too, with a colour bar for grey weights.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: weights that are not a matrix of finite numbers, or shapes, titles or channels that do not fit.

    >>> figure = weight_images(np.array([[-2.0], [0.0], [1.0], [2.0]]), (2, 2))
    >>> figure.axes[0].images[0].get_array().tolist(), figure.axes[0].images[0].get_clim()
    ([[-2.0, 0.0], [1.0, 2.0]], (-2.0, 2.0))
    """
    weights = np.asarray(weights, float)
    if weights.ndim != 2 or 0 in weights.shape or len(weights) != prod(image_shape):
        raise ValueError(
            f"expected weights of shape ({prod(image_shape)}, units) for image_shape={image_shape}, received "
            f"weights.shape={weights.shape}: transpose it, or write weights[:, None] for a single unit"
        )
    if titles and len(titles) != weights.shape[1]:
        raise ValueError(f"expected {weights.shape[1]} titles or none, received {titles=}: one for each unit")
    images = _pictures(weights.T.reshape(-1, *image_shape))
    within = None if shared_scale else (1, 2, 3)[: images.ndim - 1]
    if images.ndim == 4:
        return _mosaic(ax, list(_between_0_and_1(images, within)), columns, titles=titles)
    most = np.broadcast_to(np.abs(images).max(axis=within, keepdims=True), (len(images), 1, 1)).ravel()
    limits = [(-bound, bound) for bound in np.where(most > 0, most, 1.0).tolist()]
    bar = "weight" if shared_scale else ""
    return _mosaic(ax, list(images), columns, titles=titles, cmap=WEIGHT_MAP, limits=limits, bar=bar)


def sample_images(dataset: Dataset, *, per_class: int = 5, ax: Axes | None = None) -> Figure:
    """The first images of each class, in the order of the dataset: one row for each class, with its name.

    Classes of which the dataset has no row are left out. Black is the smallest and white the largest number: of all
    the images shown where they hold integers, of each image where they hold real numbers, such as standardized ones.

    Args:
        dataset: has an image_shape of 1 or 3 channels, and integer targets (n,).
        per_class: how many images of each class; fewer where there are no more.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: the dataset has no images or no integer labels, or shows numbers that are not finite.

    >>> data = Dataset(np.eye(4), np.array([0, 1, 1, 1]), classes=("cat", "dog"), image_shape=(2, 2))
    >>> figure = sample_images(data, per_class=2)
    >>> len(figure.axes[0].images), [label.get_text() for label in figure.axes[0].get_yticklabels()]
    (3, ['cat', 'dog'])
    """
    per_class = check_integer("per_class", per_class, minimum=1)
    targets = _labels(dataset)
    present = np.unique(targets).tolist()
    rows = [np.flatnonzero(targets == label)[:per_class] for label in present]
    shown = iter(_shown(dataset, np.concatenate(rows)))
    images = [next(shown) if column < len(of_class) else None for of_class in rows for column in range(per_class)]
    return _mosaic(ax, images, per_class, names=[_class_name(dataset, label) for label in present])


def worst_images(
    dataset: Dataset, probabilities: Array, *, count: int = 10, columns: int = 5, ax: Axes | None = None
) -> Figure:
    r"""The samples whose own class was given the smallest probability, worst first.

    Above each image stand its class, then the class taken for it, both with their probabilities. Black and white are
    those of `sample_images`.

    Args:
        dataset: has an image_shape of 1 or 3 channels, and integer targets (n,); raw images look best, also where
            the model saw standardized ones.
        probabilities: (n, classes), such as `loss.probabilities(model.predict(dataset.x))`.
        count: how many images, or all where there are no more.
        columns: how many stand side by side.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: the dataset has no images or no integer labels, or these are no probabilities of its rows.

    >>> data = Dataset(np.eye(4), np.array([0, 1, 1, 1]), classes=("cat", "dog"), image_shape=(2, 2))
    >>> figure = worst_images(data, np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]), count=1)
    >>> figure.axes[0].texts[0].get_text()
    'true dog 0.20\nsaid cat 0.80'
    """
    count = check_integer("count", count, minimum=1)
    targets, probabilities = _labels(dataset), np.asarray(probabilities)
    own = of_true_class(probabilities, targets)
    worst = np.argsort(own, kind="stable")[:count]
    titles = []
    for row in worst:
        taken = int(probabilities[row].argmax())
        title = f"true {_class_name(dataset, targets[row])} {own[row]:.2f}"
        if taken != targets[row]:
            title += f"\nsaid {_class_name(dataset, taken)} {probabilities[row, taken]:.2f}"
        titles.append(title)
    return _mosaic(ax, list(_shown(dataset, worst)), columns, titles=titles)


def _mosaic(
    ax: Axes | None,
    images: Sequence[Array | None],
    columns: int,
    *,
    titles: Sequence[str] = (),
    names: Sequence[str] = (),
    cmap: str = GREY_MAP,
    limits: Sequence[tuple[float, float]] = (),
    bar: str = "",
) -> Figure:
    """Draw images in rows of `columns`, with a title above each, or a name before each row; None leaves a hole.

    A unit of the axes is an inch. A `bar` is what the colour bar to the right measures, "" draws none.
    """
    columns = min(check_integer("columns", columns, minimum=1), len(images))
    rows = -(-len(images) // columns)
    shape = next(image.shape[0] / image.shape[1] for image in images if image is not None)
    lines = [line for title in titles for line in title.split("\n")]
    above = TITLE_LINE * max((title.count("\n") + 1 for title in titles), default=0)
    needed = text_width(lines, SMALL)
    if ax is None:
        tile = max(min(LARGEST, WIDTH / columns, TALLEST / rows / (shape + GAP)), needed)
    else:
        tile = _fitting(axes_for(ax), columns, rows, shape, above)
    shrunk = min(1.0, tile / needed) if needed else 1.0
    above *= shrunk  # or titles would stand far from their images
    gap, height = tile * GAP, tile * shape
    across, down = tile + gap, above + height + gap
    size = columns * across - gap, rows * down - gap
    if ax is None:
        left = EDGE + (text_width(names, TEXT) + EDGE if names else 0.0)
        ax = axes_of_size(*size, left=left, right=EDGE + (BAR + 0.065 * size[0] if bar else 0.0))
    for place, image in enumerate(images):
        if image is None:
            continue
        x, y = place % columns * across, place // columns * down + above
        low, high = limits[place] if limits else (0.0, 1.0)
        ax.imshow(image, cmap, vmin=low, vmax=high, extent=(x, x + tile, y + height, y), interpolation="nearest")
        ax.add_patch(Rectangle((x, y), tile, height, fill=False, edgecolor=NEUTRAL, linewidth=0.4, clip_on=False))
        if titles:
            ax.text(x + tile / 2, y - 0.02, titles[place], ha="center", va="bottom", fontsize=SMALL * shrunk)
    ax.set(xlim=(0, size[0]), ylim=(size[1], 0), aspect="equal")
    ax.set_xticks([])
    ax.set_yticks([row * down + above + height / 2 for row in range(len(names))], names)
    ax.tick_params(length=0, labelsize=TEXT)
    ax.spines[:].set_visible(False)
    if bar:
        add_bar(ax, ax.images[-1], bar)
    return figure_of(ax)


def _fitting(ax: Axes, columns: int, rows: int, shape: float, above: float) -> float:
    """The width in inches that images get in `ax`, where each has a title `above` inches high."""
    width, height = (size / ax.figure.dpi for size in ax.bbox.size)
    return max(min(width / columns / (1 + GAP), (height / rows - above) / (shape + GAP)), 0.1)


def _shown(dataset: Dataset, rows: Array) -> Array:
    """Pictures of these rows in [0, 1]: bytes on one scale, as they are meant, other numbers image by image."""
    images = _pictures(dataset.take(rows).images())
    within = None if images.dtype.kind in "biu" else (1, 2, 3)[: images.ndim - 1]
    return _between_0_and_1(images.astype(float), within)


def _between_0_and_1(images: Array, axes: tuple[int, ...] | None) -> Array:
    """From the smallest number along the axes to the largest; one half where they are the same."""
    low, high = images.min(axis=axes, keepdims=True), images.max(axis=axes, keepdims=True)
    return np.where(high > low, (images - low) / np.where(high > low, high - low, 1.0), 0.5)


def _pictures(images: Array) -> Array:
    """(n, height, width) for one channel, (n, height, width, 3) for three."""
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[1] not in (1, 3)):
        raise ValueError(
            f"expected images (height, width), or (channels, height, width) with 1 or 3 channels, received images of "
            f"shape {images.shape[1:]}: choose the channels to show"
        )
    if not np.isfinite(images).all():
        raise ValueError(f"expected finite numbers, received {np.count_nonzero(~np.isfinite(images))} that are not")
    if images.ndim == 3:
        return images
    return images[:, 0] if images.shape[1] == 1 else np.moveaxis(images, 1, -1)


def _labels(dataset: Dataset) -> Array:
    targets = dataset.targets
    if targets.ndim != 1 or targets.dtype.kind not in "iu":
        raise ValueError(
            f"expected integer targets of shape (n,), received targets.shape={targets.shape}, dtype={targets.dtype}: "
            f"rows of one-hot targets become labels by targets.argmax(axis=1)"
        )
    return targets


def _class_name(dataset: Dataset, label: Any) -> str:
    return dataset.classes[label] if dataset.classes else str(label)

"""The door of the losses: what scores, targets and weights must look like. Nothing is ever broadcast."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from minidl.kernels.scores import all_finite
from minidl.layers.shapes import ShapeError
from minidl.parameters import Array


def check_class_labels(scores: Array, targets: Array, ignore: int | None = None) -> Array:
    """`targets` if they are (n, ...) integer labels in [0, k), or `ignore`, for scores (n, ..., k) with k >= 2."""
    if scores.ndim < 2 or scores.shape[-1] < 2:
        raise ShapeError(f"expected scores of shape (n, ..., classes) with at least 2 classes, received {scores.shape}")
    if targets.shape != scores.shape[:-1]:
        hint = f"one label a {'row' if scores.ndim == 2 else 'position'}"
        if targets.size == scores.size // scores.shape[-1]:
            hint = f"use targets.reshape({', '.join(map(str, scores.shape[:-1])) if scores.ndim > 2 else -1})"
        elif targets.shape == scores.shape[:1]:
            hint = "scores have positions and targets have none: Flatten, or take the last step, before the last layer"
        raise ShapeError(
            f"expected labels of shape {scores.shape[:-1]}, received targets.shape={targets.shape}: {hint}"
        )
    if targets.dtype.kind not in "iu":
        advice = "use targets.astype(np.int64)"
        if targets.dtype.kind == "f" and (missing := ~np.isfinite(targets)).any():
            advice = f"{first_of(targets, missing)} is none, so drop such rows first"
        raise ValueError(f"expected integer labels, received dtype {targets.dtype}: {advice}")
    counted = targets if ignore is None else targets[targets != ignore]
    if counted.size and counted.astype(np.uint64).max() >= scores.shape[-1]:  # a negative one has become huge
        wrong = (targets < 0) | (targets >= scores.shape[-1])
        received = first_of(targets, wrong if ignore is None else wrong & (targets != ignore))
        raise ValueError(
            f"expected labels from 0 to {scores.shape[-1] - 1} for {scores.shape[-1]} scores a row, "
            f"received {received}: number the classes from 0"
        )
    return targets


def check_real_targets(scores: Array, targets: Array) -> Array:
    """`targets` in the dtype of the scores, if they have exactly their shape and are finite."""
    if targets.shape != scores.shape:
        hint = f"use targets.reshape({', '.join(map(str, scores.shape))})"
        if targets.size != scores.size:
            hint = "one target for each score"
        raise ShapeError(f"expected targets of shape {scores.shape}, received targets.shape={targets.shape}: {hint}")
    if targets.dtype.kind not in "biuf":
        raise ValueError(f"expected numbers, received targets.dtype={targets.dtype}")
    cast = targets
    if targets.dtype != scores.dtype:
        with np.errstate(over="ignore"):  # what the dtype of the scores cannot hold is refused below
            cast = targets.astype(scores.dtype)
    if not all_finite(cast):
        received = first_of(targets, ~np.isfinite(cast))
        raise ValueError(f"expected finite targets of dtype {scores.dtype}, received {received}: clean the data")
    return cast


def first_of(targets: Array, wrong: Array) -> str:
    """The first target where the mask `wrong` is True, with its position."""
    position = np.argwhere(wrong)[0].tolist()
    return f"targets{position}={targets[tuple(position)]}"


def check_weights(weights: Array, rows: int) -> Array:
    """`weights` if they are (rows,) finite, non-negative numbers."""
    weights = np.asarray(weights)
    if weights.shape != (rows,):
        raise ShapeError(f"expected weights of shape ({rows},), received weights.shape={weights.shape}")
    if weights.dtype.kind not in "biuf" or not ((weights >= 0) & (weights <= np.finfo(np.float64).max / rows)).all():
        raise ValueError(f"expected finite weights >= 0 with a finite sum, received weights={weights!r}")
    return weights


def check_class_weights(class_weights: ArrayLike | None) -> Array | None:
    """A copy of one finite weight >= 0 for each class, not all 0, as float64, or None."""
    if class_weights is None:
        return None
    try:
        values = np.array(class_weights, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all() or (values < 0).any() or not values.any():
        by_name = "; a mapping, and equal shares of all classes, are of the data: weighted({...}), balanced()"
        raise ValueError(
            f"expected class_weights to hold one finite number >= 0 a class, received {class_weights!r}: list them"
            + (by_name if isinstance(class_weights, Mapping | str) else "")
        )
    return values


def check_scores(scores: Array) -> None:
    """Refuse scores that are not a float array with at least one row."""
    refuse_masked("scores", scores)
    if not isinstance(scores, np.ndarray) or scores.dtype.kind != "f":
        given = isinstance(scores, np.ndarray)
        received = scores.dtype if given else type(scores)
        advice = "give the scores first and the targets second" if given else "use np.asarray(scores)"
        raise TypeError(f"expected scores to be a float array, received {received}: {advice}")
    if scores.ndim == 0 or scores.size == 0:
        raise ShapeError(f"expected at least one row of scores, received scores.shape={scores.shape}: an empty batch")


def refuse_masked(name: str, array: object) -> None:
    """Refuse a masked array, whose mask nobody would look at."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"expected {name} to be a plain array, received a masked one: fill it in, as with .filled(0)")

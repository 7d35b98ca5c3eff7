"""What a data set is made of: row numbers, weights, names of classes, shapes of images; and what is refused of each."""

from math import prod

import numpy as np

from minidl.arguments import check_integer, check_numbers, short
from minidl.parameters import Array


def in_brief(given: object) -> str:
    """One line for what was given in place of a data set: of a tuple of arrays their shapes."""
    return f"({', '.join(map(short, given))})" if isinstance(given, tuple) else short(given)


def check_rows(name: str, rows: Array, n: int) -> Array:
    """`rows` if it is a non-empty 1-D array of integers in [0, n)."""
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or len(rows) == 0:
        advice = {
            "b": "row numbers of a mask are np.flatnonzero(mask), and where(mask) takes it",
            "f": "cast with .astype(int)",
        }
        raise ValueError(
            f"expected {name} to be a non-empty 1-D array of integers, received {name} of shape={rows.shape}, "
            f"dtype={rows.dtype}: {advice.get(rows.dtype.kind, 'give the numbers of rows, such as np.arange(n)')}"
        )
    if rows.min() < 0 or rows.max() >= n:
        raise ValueError(f"expected {name} in 0..{n - 1}, received values from {rows.min()} to {rows.max()}")
    return rows


def check_weights(weights: Array) -> None:
    """Refuse what are no weights of rows, or none that weigh anything."""
    check_numbers("weights", weights)
    if weights.ndim != 1:
        raise ValueError(f"expected weights of shape (n,), received weights.shape={weights.shape}: one per row")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            "expected weights to be finite, >= 0 and not all zero, received "
            f"{np.count_nonzero(~np.isfinite(weights))} not finite, {np.count_nonzero(weights < 0)} negative, "
            f"{np.count_nonzero(weights)} of {len(weights)} not zero"
        )


def check_classes(classes: tuple[str, ...], targets: Array) -> None:
    """Refuse what are no names, and labels that have none."""
    if not isinstance(classes, tuple) or not all(isinstance(name, str) for name in classes):
        raise TypeError(f"expected classes to be a tuple of strings, received classes={classes!r}")
    if classes and targets.ndim == 1 and targets.dtype.kind in "iu":
        low, high = targets.min(), targets.max()
        if low < 0 or high >= len(classes):
            raise ValueError(
                f"expected targets in 0..{len(classes) - 1} for {len(classes)} classes, received labels from "
                f"{low} to {high}"
            )


def check_image_shape(image_shape: tuple[int, ...], row_shape: tuple[int, ...]) -> None:
    """Refuse a shape that is no image's, or not that of a row."""
    if not isinstance(image_shape, tuple) or len(image_shape) not in (0, 2, 3):
        raise ValueError(
            f"expected image_shape to be (height, width) or (channels, height, width), received {image_shape=!r}"
        )
    sizes = [check_integer("each entry of image_shape", size, minimum=1) for size in image_shape]
    if sizes and prod(sizes) != prod(row_shape):
        raise ValueError(
            f"expected image_shape with {prod(row_shape)} entries as a row of x has, received {image_shape=} "
            f"with {prod(sizes)}"
        )


def check_names(columns: tuple[str, ...], row_shape: tuple[int, ...]) -> None:
    """Refuse what are no names of columns, or not one for each."""
    if not isinstance(columns, tuple) or not all(isinstance(name, str) for name in columns):
        raise TypeError(f"expected columns to be a tuple of strings, received {columns=!r}")
    if columns and row_shape != (len(set(columns)),):
        raise ValueError(
            f"expected a name of its own for each column of x, received {len(columns)} columns ({len(set(columns))} "
            f"names) for rows of shape {row_shape}"
        )

"""Joining: several datasets as one."""

from dataclasses import replace

import numpy as np

from minidl.data.dataset import Dataset
from minidl.data.door import in_brief


def join(*sets: Dataset) -> Dataset:
    """The rows of all sets one after another, as a copy: `join(train, validation)` to train on both at the end.

    Raises:
        TypeError: something other than datasets.
        ValueError: no set, or sets that differ in the shape of a row, in a dtype, in `classes` or `image_shape`, or of
            which only some have weights. Nothing is cast: bytes from 0 to 255 and floats from 0 to 1 are no one set.

    >>> data = Dataset(np.eye(3), np.arange(3))
    >>> join(data[2:], data[:2]).targets
    array([2, 0, 1])
    """
    for number, data in enumerate(sets):
        if not isinstance(data, Dataset):
            raise TypeError(
                f"expected Datasets, received {in_brief(data)} as number {number}: write join(first, second)"
            )
    if not sets:
        raise ValueError("expected at least one set to join, received none: write join(first, second)")
    for number, data in enumerate(sets):
        for what, first, here in zip(KEPT, _kept(sets[0]), _kept(data), strict=True):
            if first != here:
                raise ValueError(
                    f"expected sets alike, with {what}={first!r} as in the first, received {what}={here!r} in number "
                    f"{number}: convert one of them before"
                )
    x, targets, *weights = (np.concatenate(arrays) for arrays in zip(*(data.arrays for data in sets), strict=True))
    return replace(sets[0], x=x, targets=targets, weights=weights[0] if weights else None)


KEPT = (
    "shape of a row",
    "dtype of x",
    "shape of a target",
    "dtype of targets",
    "weighted",
    "classes",
    "image_shape",
    "columns",
)


def _kept(data: Dataset) -> tuple[object, ...]:
    """What must be the same in all, in the order of KEPT."""
    x, targets = data.x, data.targets
    of_arrays = (x.shape[1:], str(x.dtype), targets.shape[1:], str(targets.dtype))
    return (*of_arrays, data.weights is not None, data.classes, data.image_shape, data.columns)

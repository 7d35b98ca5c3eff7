"""What is done to x before training: standardization, one-hot labels."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minidl.arguments import check_integer, short
from minidl.data.dataset import Dataset
from minidl.data.door import in_brief
from minidl.parameters import Array
from minidl.quiet import quiet

ROUNDINGS = 4  # of the mean, up to which a deviation is that of a constant
LARGE = 2.0**1020  # numbers beyond it may overflow where one is subtracted from another
ROOT = 2.0**500  # squares of numbers beyond it may overflow, and those of their inverses vanish
CHUNK = 1 << 16  # numbers held as float64 at a time; half a megabyte stays in a processor cache


@dataclass(frozen=True, eq=False, repr=False)
class Standardizer:
    """y = (x - mean) / scale, with `mean` and `scale` of the training set.

    The result is float32, or float64 where x is. Arithmetic is in float64, a few rows at a time.

    Attributes:
        mean: a number, or an array shaped like one row of x.
        scale: likewise; every entry > 0.

    Raises:
        ValueError: a mean or scale that is not finite (so x was not), a scale <= 0, or rows of another shape.

    >>> train = Dataset(np.array([[1.0, 7.0], [3.0, 7.0]]), np.arange(2))
    >>> Standardizer.per_feature(train)(train).x
    array([[-1.,  0.],
           [ 1.,  0.]])
    """

    mean: ArrayLike
    scale: ArrayLike

    def __post_init__(self) -> None:
        """Keep private, read-only float64 copies."""
        for name in ("mean", "scale"):
            value = np.array(getattr(self, name), dtype=np.float64)
            bad = np.argwhere(~np.isfinite(value) | ((value <= 0) & (name == "scale")))
            if len(bad):
                where = tuple(bad[0].tolist())
                raise ValueError(
                    f"expected a finite mean and a finite scale > 0, received {name}={value[where]} at entry {where} "
                    f"of a row: remove NaN and infinity from x first"
                )
            value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    def per_feature(cls, train: Dataset) -> Standardizer:
        """Mean and population standard deviation of every feature; one that is constant has scale 1 and becomes 0.

        Constant is what differs by roundings only: a deviation of at most four roundings of the mean in the dtype of x.
        """
        return cls(*_mean_and_scale(train.x, axis=0))

    @classmethod
    def scalar(cls, train: Dataset) -> Standardizer:
        """One mean and one population standard deviation over all entries of x."""
        return cls(*_mean_and_scale(train.x, axis=None))

    @classmethod
    def mean_image(cls, train: Dataset) -> Standardizer:
        """The mean row, and scale 1: only centres."""
        mean, _ = _mean_and_scale(train.x, axis=0)
        return cls(mean, 1.0)

    @quiet
    def __call__(self, dataset: Dataset) -> Dataset:
        """The dataset with standardized rows in a new array."""
        mean, scale = np.asarray(self.mean), np.asarray(self.scale)
        for name, value in (("mean", mean), ("scale", scale)):
            if value.ndim and value.shape != dataset.x.shape[1:]:
                raise ValueError(
                    f"expected rows of shape {value.shape} like {name}, received x.shape={dataset.x.shape}: "
                    f"standardize before reshaping, or reshape first everywhere"
                )
        wide = dataset.x.dtype.kind == "f" and dataset.x.dtype.itemsize >= 8
        y = np.empty(dataset.x.shape, np.float64 if wide else np.float32)
        unit = 4.0 if np.abs(mean).max() > LARGE else 1.0  # where x - mean could overflow
        for rows in _chunks(dataset.x):
            difference = np.subtract(
                dataset.x[rows] / unit if unit > 1 else dataset.x[rows], mean / unit, dtype=np.float64
            )
            np.divide(difference, scale / unit, out=difference)
            y[rows] = difference
        return replace(dataset, x=y)

    def __repr__(self) -> str:
        return f"Standardizer(mean={short(self.mean)}, scale={short(self.scale)})"


def standardize(train: Dataset, *others: Dataset) -> tuple[Dataset, ...]:
    """All datasets with mean 0 and standard deviation 1 per feature, as measured on the first one only.

    >>> train, test = standardize(Dataset(np.array([[0.0], [2.0]]), np.arange(2)), Dataset(np.ones((1, 1)), np.ones(1)))
    >>> train.x.ravel(), test.x.ravel()
    (array([-1.,  1.]), array([0.]))
    """
    _check_datasets(train, *others)
    return _all(Standardizer.per_feature(train), train, *others)


def standardize_scalar(train: Dataset, *others: Dataset) -> tuple[Dataset, ...]:
    """All datasets minus one number, divided by one number: mean and deviation of all entries of the first."""
    _check_datasets(train, *others)
    return _all(Standardizer.scalar(train), train, *others)


def subtract_mean_image(train: Dataset, *others: Dataset) -> tuple[Dataset, ...]:
    """All datasets minus the mean row of the first."""
    _check_datasets(train, *others)
    return _all(Standardizer.mean_image(train), train, *others)


def one_hot(labels: Array, classes: int, *, dtype: DTypeLike = np.float32) -> Array:
    """(n,) labels in 0..classes-1 -> (n, classes) rows with a single 1.

    Raises ValueError for labels that are not (n,) integers in that range.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    labels, classes = np.asarray(labels), check_integer("classes", classes, minimum=1)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"expected labels to be (n,) integers, received labels of shape={labels.shape}, dtype={labels.dtype}"
        )
    if len(labels) and (labels.min() < 0 or labels.max() >= classes):
        raise ValueError(
            f"expected labels in 0..{classes - 1} for classes={classes}, received labels from {labels.min()} to "
            f"{labels.max()}"
        )
    rows = np.zeros((len(labels), classes), dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def _check_datasets(*datasets: object) -> None:
    """Refuse arrays and tuples, of which nobody knows what is x."""
    for given in datasets:
        if not isinstance(given, Dataset):
            advice = "write Dataset(x, targets)" if isinstance(given, tuple) else "give one Dataset after the other"
            raise TypeError(f"expected Datasets, received {in_brief(given)}: {advice}")


def _all(standardizer: Standardizer, *datasets: Dataset) -> tuple[Dataset, ...]:
    return tuple(standardizer(dataset) for dataset in datasets)


def _chunks(x: Array) -> Iterator[slice]:
    rows = max(1, CHUNK // prod(x.shape[1:]))
    return (slice(start, start + rows) for start in range(0, len(x), rows))


@quiet
def _mean_and_scale(x: Array, *, axis: int | None) -> tuple[Array, Array]:
    """Mean and population standard deviation over the rows, or over everything where axis is None; 1 for constants."""
    mean, variance = _moments(x, np.ones(()), axis=axis)
    deviation = np.sqrt(variance)
    if not np.isfinite(mean + variance).all() or (variance < 1 / ROOT).any():
        size = np.abs(x).max(axis=axis).astype(np.float64)
        if not ((size == 0) | ((size > 1 / ROOT) & (size < ROOT))).all():  # squares over- or underflow
            mean, variance = _moments(x, np.where(size > 0, size, 1.0), axis=axis)
            mean, deviation = mean * size, np.sqrt(variance) * size
    rounding = np.finfo(x.dtype).eps if x.dtype.kind == "f" else 0.0
    return mean, np.where(deviation <= ROUNDINGS * rounding * np.abs(mean), 1.0, deviation)


def _moments(x: Array, unit: Array, *, axis: int | None) -> tuple[Array, Array]:
    """Mean and population variance of x / unit over the rows, or over everything where axis is None.

    d = x - x[0] has the variance of x, and is exactly 0 where x is constant, so constants are recognized.
    """
    row = x[:1][0]
    shift = np.asarray(row if axis == 0 else row.flat[0], dtype=np.float64) / unit
    total = square = np.zeros_like(shift)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found afterwards
        for rows in _chunks(x):
            d = np.divide(x[rows], unit, dtype=np.float64)
            d -= shift
            total = total + d.sum(axis=axis)
            square = square + np.square(d, out=d).sum(axis=axis)
        count = len(x) if axis == 0 else prod(x.shape)
        mean = total / count
        return shift + mean, np.maximum(square / count - mean * mean, 0)

"""What is measured of one array, one layer and one parameter: a few numbers each, whatever their size."""

import math

import numpy as np

from minidl.layers.activations import Sigmoid, Tanh
from minidl.layers.base import Layer
from minidl.layers.piecewise_linear import HardTanh
from minidl.parameters import Array

BINS = 30  # of a histogram
SAMPLED = 1 << 16  # numbers of an array that are looked at, in whole rows
FEWEST = 4  # rows that are looked at, however large
NEAR = 0.0127  # of the range: where a sigmoid has less than 5 % of its steepest slope
LIMITS: dict[type[Layer], tuple[float, float]] = {Sigmoid: (0.0, 1.0), Tanh: (-1.0, 1.0), HardTanh: (-1.0, 1.0)}


def sample(array: Array) -> Array:
    """The first rows, about 65 536 numbers of them and four rows at least; batches are shuffled, so they are a sample.

    >>> sample(np.zeros((1000, 1000))).shape
    (66, 1000)
    """
    per_row = max(1, array[0].size) if len(array) else 1
    return array[: max(FEWEST, -(-SAMPLED // per_row))]


def summary(array: Array) -> tuple[tuple[float, float, float], Array]:
    """Mean, standard deviation and largest absolute value in float64, not finite where a number is not; a histogram.

    The histogram, (2 + BINS,): the smallest and the largest finite number, and how many lie in each equal interval
    between them.

    >>> (mean, deviation, largest), counts = summary(np.float32([1, -3]))
    >>> (mean, deviation, largest), counts[:3].tolist(), counts[-1].item()
    ((-1.0, 2.0, 3.0), [-3.0, 1.0, 1.0], 1.0)
    """
    values = array.astype(np.float64).reshape(-1)
    if not values.size:
        return (math.nan, math.nan, math.nan), np.full(2 + BINS, np.nan, np.float32)
    mean, low, high = float(values.mean()), float(values.min()), float(values.max())
    square = float(values.dot(values)) / values.size
    if not (math.isfinite(low) and math.isfinite(high)):  # NaN is the smallest and the largest number
        finite = values[np.isfinite(values)]
        counted = histogram(finite, float(finite.min()), float(finite.max())) if finite.size else None
    else:
        counted = histogram(values, low, high)
    shown = np.full(2 + BINS, np.nan, np.float32) if counted is None else counted
    return (mean, math.sqrt(max(square - mean * mean, 0.0)), max(-low, high)), shown


def histogram(values: Array, low: float, high: float) -> Array:
    """(2 + BINS,): both limits, and how many of the finite float64 values lie in each interval between them."""
    half = high / 2 - low / 2  # the difference itself may overflow
    share = (values / 2 - low / 2) * (BINS / half) if half > 0 else np.full(values.shape, BINS / 2)
    counts = np.bincount(np.minimum(share.astype(np.intp), BINS - 1), minlength=BINS)
    return np.array([low, high, *counts]).astype(np.float32)


def norm(array: Array) -> float:
    """The square root of the sum of all squares, in float64 where float32 has no room for it."""
    flat = array.reshape(-1)
    total = float(flat.dot(flat))
    if not 1e-20 < total < math.inf:
        total = float(np.square(flat, dtype=np.float64).sum())
    return math.sqrt(total)


def unit_axis(array: Array) -> int:
    """The axis of the units: channels of images (n, channels, height, width), else the last one."""
    return 1 if array.ndim == 4 else array.ndim - 1


def active_units(y: Array) -> Array:
    """(units,) flags: whether a unit was other than 0 anywhere in the batch.

    >>> active_units(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]]))
    array([False,  True,  True])
    """
    flags: Array = (y != 0).any(axis=tuple(axis for axis in range(y.ndim) if axis != unit_axis(y)))
    return flags


def saturated(layer: Layer, y: Array) -> float:
    """The share of outputs so close to a limit that the slope is below 5 % of the steepest; NaN without limits.

    >>> saturated(Sigmoid(), np.array([[0.001, 0.5, 0.999, 0.6]]))
    0.5
    """
    limits = next((LIMITS[kind] for kind in type(layer).__mro__ if kind in LIMITS), None)
    if limits is None or not y.size:
        return math.nan
    near = NEAR * (limits[1] - limits[0])
    return float(((y < limits[0] + near) | (y > limits[1] - near)).mean())


def twins(weight: Array) -> float:
    """The share of units, along the last axis, whose weights are those of the first unit; NaN for a bias.

    >>> twins(np.ones((3, 4))), twins(np.eye(2))
    (1.0, 0.0)
    """
    if weight.ndim < 2:
        return math.nan
    if weight.shape[-1] < 2:
        return 0.0
    columns = weight.reshape(-1, weight.shape[-1])
    left = np.arange(1, columns.shape[1])
    for rows in (columns[:FEWEST], columns):  # mostly the first rows tell all of them apart
        if left.size:
            allowed = 1e-6 * float(np.abs(columns).max())
            left = left[(np.abs(rows[:, left] - rows[:, :1]) <= allowed).all(axis=0)]
    return left.size / (columns.shape[1] - 1)


def size_of_input(x: Array) -> float:
    """The root mean square of the numbers other than 0, so sparse rows are as large as what they hold; 0 without any.

    >>> size_of_input(np.array([[0.0, 3.0], [0.0, -3.0]]))
    3.0
    """
    there = x[x != 0].astype(np.float64)
    return math.sqrt(float(there.dot(there)) / there.size) if there.size else 0.0


def spread_of_features(x: Array) -> float:
    """The largest standard deviation of a feature over the median of those that vary; 1 where none does.

    What is within the rounding of its numbers does not vary.

    >>> spread_of_features(np.array([[0.0, 0.0, 5.0], [2.0, 2000.0, 5.0]])).__round__(3)
    1.998
    """
    axes = tuple(axis for axis in range(x.ndim) if axis != unit_axis(x))
    deviations = x.std(axis=axes, dtype=np.float64)
    rounding = np.finfo(x.dtype).eps * np.abs(x.mean(axis=axes, dtype=np.float64))
    varying = deviations[deviations > rounding]
    return float(varying.max() / np.median(varying)) if varying.size else 1.0

"""How a parameter starts: functions (rng, shape) -> float64 array, which the flat store casts to the model's dtype.

Because the draws are float64, a float32 and a float64 model of the same seed start from the same numbers. An
initializer of your own is any such function; define it at the top of a module, so that a model can be pickled.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

import math
from dataclasses import dataclass

import numpy as np

from minidl.arguments import check_number
from minidl.parameters import Array, Initializer


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """0 everywhere.

    >>> zeros(np.random.default_rng(0), (2,))
    array([0., 0.])
    """
    return np.zeros(shape)


def ones(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """1 everywhere.

    >>> ones(np.random.default_rng(0), (2,))
    array([1., 1.])
    """
    return np.ones(shape)


def normal(std: float, *, mean: float = 0.0) -> Initializer:
    """An initializer that draws from N(mean, std**2).

    Raises:
        ValueError: `std` is negative, or an argument is not finite.

    >>> init = normal(0.01)
    >>> init
    normal(0.01, mean=0.0)
    >>> init(np.random.default_rng(0), (3, 4)).shape
    (3, 4)
    """
    return _Normal(check_number("std", std, minimum=0), check_number("mean", mean))


def uniform(low: float, high: float) -> Initializer:
    """An initializer that draws uniformly from [low, high).

    Raises:
        ValueError: `high` is not above `low`, or an argument is not finite.

    >>> uniform(-0.1, 0.1)
    uniform(-0.1, 0.1)
    """
    low, high = check_number("low", low), check_number("high", high)
    if low >= high:
        raise ValueError(f"expected low < high, received low={low}, high={high}: swap them")
    return _Uniform(low, high)


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Uniform in [-a, a) with a = sqrt(6 / (fan_in + fan_out)), so the variance is 2 / (fan_in + fan_out).

    For layers whose activation is near the identity at 0, such as tanh. A matrix is (fan_in, fan_out); axes before
    these two are the receptive field, a factor of both, as in a kernel (height, width, in, out); both fans of a vector
    are its length.

    Raises:
        ValueError: `shape` is ().

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, equation 16.

    >>> bool(abs(glorot_uniform(np.random.default_rng(0), (4, 2))).max() <= 1)
    True
    """
    bound = math.sqrt(6 / sum(_fans(shape)))
    return rng.uniform(-bound, bound, shape)


def glorot_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """N(0, 2 / (fan_in + fan_out)): the variance of `glorot_uniform`, with the same rule for fans, errors and source.

    >>> glorot_normal(np.random.default_rng(0), (4, 2)).shape
    (4, 2)
    """
    return rng.normal(0.0, math.sqrt(2 / sum(_fans(shape))), shape)


def he_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Uniform in [-a, a) with a = sqrt(6 / fan_in), so the variance is 2 / fan_in.

    For layers followed by a ReLU. The fan is that of `glorot_uniform`.

    Raises:
        ValueError: `shape` is ().

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers: surpassing human-level performance on ImageNet
    classification", ICCV 2015, equation 10.

    >>> bool(abs(he_uniform(np.random.default_rng(0), (6, 2))).max() <= 1)
    True
    """
    fan_in, _ = _fans(shape)
    bound = math.sqrt(6 / fan_in)
    return rng.uniform(-bound, bound, shape)


def he_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """N(0, 2 / fan_in): the variance of `he_uniform`, with the same rule for fans, errors and source.

    >>> he_normal(np.random.default_rng(0), (6, 2)).shape
    (6, 2)
    """
    fan_in, _ = _fans(shape)
    return rng.normal(0.0, math.sqrt(2 / fan_in), shape)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many inputs and outputs a weight array connects: axes before the last two are a receptive field."""
    if not shape:
        raise ValueError("expected a shape with at least one axis, received shape=(): use normal(std) or uniform")
    *field, fan_in, fan_out = shape if len(shape) > 1 else shape * 2
    return math.prod(field) * fan_in, math.prod(field) * fan_out


@dataclass(frozen=True)
class _Normal:
    std: float
    mean: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.normal(self.mean, self.std, shape)

    def __repr__(self) -> str:
        return f"normal({self.std}, mean={self.mean})"


@dataclass(frozen=True)
class _Uniform:
    low: float
    high: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.uniform(self.low, self.high, shape)

    def __repr__(self) -> str:
        return f"uniform({self.low}, {self.high})"

"""How a parameter starts: functions (rng, shape) -> float64 array, which the flat store casts to the model's dtype.

Because the draws are float64, a float32 and a float64 model of the same seed start from the same numbers. An
initializer of your own is any such function; define it at the top of a module, so that a model can be pickled.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

import math

import numpy as np

from minidl.arguments import check_function, check_integer, check_number, short
from minidl.frozen import frozen
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


def orthogonal(gain: float = 1.0) -> Initializer:
    """An initializer whose matrix, of all axes but the last against the last, has orthogonal rows or columns.

    Uniform among the orthogonal matrices (Haar), times `gain`. It keeps the lengths of vectors, which recurrent weights
    and deep nets without normalization want. `shape` needs two axes or more.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", ICLR 2014; Mezzadri, Notices of the AMS 54, 2007, for the signs.

    Raises:
        ValueError: `gain` is not a finite number > 0.

    >>> W = orthogonal()(np.random.default_rng(0), (4, 4))
    >>> bool(np.allclose(W @ W.T, np.eye(4)))
    True
    """
    return _Orthogonal(check_number("gain", gain, minimum=0, exclusive=True))


def blocks(init: Initializer, number: int) -> Initializer:
    """An initializer of `number` arrays side by side along the last axis, each of which `init` draws by itself.

    For the gates of a recurrent layer, which share one array but not their fans.

    >>> blocks(ones, 3)(np.random.default_rng(0), (2, 6)).shape
    (2, 6)
    """
    check_function("init", init, "rng", "shape", advice="such as he_normal or normal(0.01)")
    return _Blocks(init, check_integer("number", number, minimum=1))


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The numbers of inputs and outputs that one weight array connects; the axes before are a factor of both."""
    if not shape:
        raise ValueError("expected a shape with at least one axis, received shape=(): use normal(std) or uniform")
    *field, fan_in, fan_out = shape if len(shape) > 1 else shape * 2
    return math.prod(field) * fan_in, math.prod(field) * fan_out


@frozen
class _Normal:
    """What `normal` returns."""

    std: float
    mean: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.normal(self.mean, self.std, shape)

    def __repr__(self) -> str:
        return f"normal({self.std}, mean={self.mean})"


@frozen
class _Uniform:
    """What `uniform` returns."""

    low: float
    high: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.uniform(self.low, self.high, shape)

    def __repr__(self) -> str:
        return f"uniform({self.low}, {self.high})"


@frozen
class _Orthogonal:
    """What `orthogonal` returns."""

    gain: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if len(shape) < 2:
            raise ValueError(f"expected a shape with two axes or more, received shape={shape}: use normal(std)")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q *= np.sign(np.diag(r))  # else the distribution depends on how qr chooses signs
        return self.gain * (q if rows >= columns else q.T).reshape(shape)

    def __repr__(self) -> str:
        return "orthogonal()" if self.gain == 1 else f"orthogonal({self.gain})"


@frozen
class _Blocks:
    """What `blocks` returns."""

    init: Initializer
    number: int

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if not shape or shape[-1] % self.number:
            raise ValueError(
                f"expected a last axis that {self.number} divides, received shape={shape}: mind the number"
            )
        one = (*shape[:-1], shape[-1] // self.number)
        return np.concatenate([self.init(rng, one) for _ in range(self.number)], axis=-1)

    def __repr__(self) -> str:
        return f"blocks({short(self.init)}, {self.number})"

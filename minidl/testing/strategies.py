"""Hypothesis strategies for arrays that print short, shrink to 0 and are exact in float32 and in float64."""

import copy
import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil, floor
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.parameters import Array

Strategy: TypeAlias = st.SearchStrategy[Any]
Shape: TypeAlias = tuple[int | str, ...]
SIZES: Strategy = st.integers(1, 4)
LARGER = 7  # for shapes of few sizes: some mistakes begin beyond the first features or rows
SEEDS: Strategy = st.integers(0, 2**16)


def grid_arrays(shape: tuple[int, ...], *, domain: tuple[float, float] = (-3.0, 3.0)) -> Strategy:
    """float64 arrays of the given shape with multiples of 1/8 in the domain (of 1/64 in one narrower than 1).

    The grid lands on kinks and ties on purpose.

    >>> from hypothesis import find
    >>> find(grid_arrays((1, 2)), lambda x: x[0, 1] > 1)
    array([[0.   , 1.125]])
    """
    low, high = domain
    steps = 8 if high - low >= 1 else 64
    first, last = ceil(low * steps), floor(high * steps)
    if first > last:
        raise ValueError(f"expected a domain (low, high) that holds a multiple of 1/64, received domain={domain}")
    whole = hnp.arrays(np.int64, shape, elements=st.integers(first, last), fill=st.nothing())
    return whole.map(lambda k: k / steps)


def class_labels(shape: Sequence[int]) -> Strategy:
    """Integer labels (n,) for scores of shape (n, classes), both ends included."""
    return hnp.arrays(np.int64, (shape[0],), elements=st.integers(0, shape[1] - 1), fill=st.nothing())


def binary_labels(shape: Sequence[int]) -> Strategy:
    """0 and 1 in the shape of the scores, as integers."""
    return hnp.arrays(np.int64, tuple(shape), elements=st.integers(0, 1), fill=st.nothing())


def fractions(shape: Sequence[int]) -> Strategy:
    """Numbers from 0 to 1 in the shape of the scores, both ends included."""
    return grid_arrays(tuple(shape), domain=(0.0, 1.0))


def real_targets(shape: Sequence[int]) -> Strategy:
    """Real numbers in the shape of the scores."""
    return grid_arrays(tuple(shape))


def probability_rows(shape: Sequence[int]) -> Strategy:
    """Rows of probabilities (n, classes): shares of eight, with zeros and ones among them."""
    n, classes = shape
    shares = hnp.arrays(np.int64, (n, 8), elements=st.integers(0, classes - 1), fill=st.nothing())
    return shares.map(lambda picks: np.stack([np.bincount(row, minlength=classes) / 8 for row in picks]))


def upstream_gradient(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """dL/dy of random signs with sizes from 1/2 to 3/2 in steps of 1/16: never zero, so nothing hides behind it."""
    upstream: Array = rng.choice([-1.0, 1.0], shape)
    upstream *= rng.integers(8, 25, shape) / 16
    return upstream


def draw_object(
    draw: st.DrawFn, thing: Any, shape: Shape, arguments: Mapping[str, Any], sizes: Strategy = SIZES
) -> tuple[Any, tuple[int, ...]]:
    """Draw the sizes named in `shape`, then a fresh object made with them and the arguments: (object, shape).

    A class or factory is called with the sizes it has arguments for; anything else is deep-copied.
    """
    if sum(isinstance(size, str) for size in shape) <= 2:
        sizes = st.one_of(sizes, st.just(LARGER))
    chosen = {
        name: draw(arguments.get(name, sizes), label=name) for name in dict.fromkeys(shape) if isinstance(name, str)
    }
    given = {k: draw(v, label=k) if isinstance(v, st.SearchStrategy) else v for k, v in arguments.items()}
    if inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, partial):
        accepted = inspect.signature(thing).parameters
        given = {k: v for k, v in given.items() if k not in chosen}
        try:
            made = thing(**{name: size for name, size in chosen.items() if name in accepted}, **given)
        except TypeError as error:
            error.add_note(f"called with the names of shape={shape} that it has arguments for, and {list(given)}")
            raise
    else:
        made = copy.deepcopy(thing)
    return made, tuple(chosen[size] if isinstance(size, str) else size for size in shape)

"""Strategies for arrays that print short, shrink to 0 and are exact in float32 and in float64."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.testing.functions import GRID, Domain, steps_in

Strategy: TypeAlias = st.SearchStrategy[Any]


def grid_arrays(shape: tuple[int, ...], *, domain: Domain = GRID) -> Strategy:
    """float64 arrays of the given shape with multiples of 1/8 in the domain, of less in one narrower than 1.

    The grid lands on kinks and ties on purpose.

    >>> from hypothesis import find
    >>> find(grid_arrays((1, 2)), lambda x: x[0, 1] > 1)
    array([[0.   , 1.125]])
    """
    low, high = domain
    steps = steps_in(domain)
    first, last = math.ceil(low * steps), math.floor(high * steps)
    whole = hnp.arrays(np.int64, shape, elements=st.integers(first, last), fill=st.nothing())
    return whole.map(lambda k: np.asarray(k / steps))  # without axes it would be no array


def whole_numbers(shape: tuple[int, ...], low: int, high: int) -> Strategy:
    """int64 arrays of the given shape with numbers from `low` to `high - 1`."""
    return hnp.arrays(np.int64, shape, elements=st.integers(low, high - 1), fill=st.nothing())


def class_labels(shape: Sequence[int]) -> Strategy:
    """Integer labels (n, ...) for scores of shape (n, ..., classes), both ends included."""
    return hnp.arrays(np.int64, tuple(shape[:-1]), elements=st.integers(0, shape[-1] - 1), fill=st.nothing())


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

"""Hypothesis strategies for arrays that print short, shrink to 0 and are exact in float32 and in float64."""

import copy
import inspect
import math
from collections.abc import Container, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.arguments import short
from minidl.testing.functions import GRID, Domain, steps_in
from minidl.testing.report import name_of

Strategy: TypeAlias = st.SearchStrategy[Any]
Shape: TypeAlias = tuple[int | str, ...]
SIZES: Strategy = st.integers(1, 4)
WIDER: Strategy = st.sampled_from([1, 2, 3, 4, 9])  # for shapes of few sizes: some mistakes begin beyond the first ones
SEEDS: Strategy = st.integers(0, 2**16)


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
    return whole.map(lambda k: k / steps)


def whole_numbers(shape: tuple[int, ...], low: int, high: int) -> Strategy:
    """int64 arrays of the given shape with numbers from `low` to `high - 1`."""
    return hnp.arrays(np.int64, shape, elements=st.integers(low, high - 1), fill=st.nothing())


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


def draw_object(
    draw: st.DrawFn, thing: Any, shape: Shape, arguments: Mapping[str, Any], sizes: Strategy = SIZES
) -> tuple[Any, tuple[int, ...], dict[str, Any]]:
    """Draw the sizes named in `shape`, then a fresh object: (object, shape, the sizes and arguments drawn)."""
    if sum(isinstance(size, str) for size in shape) <= 2:
        sizes = WIDER if sizes is SIZES else WIDER.filter(lambda size: size > 1)
    named = dict.fromkeys(size for size in shape if isinstance(size, str))
    chosen = draw_arguments(draw, {name: arguments.get(name, sizes) for name in named})
    used = draw_arguments(draw, {name: value for name, value in arguments.items() if name not in chosen}) | chosen
    return (
        make_object(thing, used, optional=chosen),
        tuple(used[size] if isinstance(size, str) else size for size in shape),
        used,
    )


def draw_arguments(draw: st.DrawFn, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with a drawn value in place of every strategy."""
    return {k: draw(v, label=k) if isinstance(v, st.SearchStrategy) else v for k, v in arguments.items()}


def make_rule(thing: Any, arguments: Mapping[str, Any]) -> Any:
    """A fresh regularizer or schedule: a class, or a function that is given arguments, is called for it.

    Without arguments a function is one already; it is copied, as an object is.
    """
    return make_object(thing, arguments) if isinstance(thing, type) or arguments else copy.deepcopy(thing)


def make_object(thing: Any, arguments: Mapping[str, Any], *, optional: Container[str] = ()) -> Any:
    """A fresh object: a class or factory is called, anything else deep-copied.

    The `optional` arguments are those that are left out where the constructor does not have them.
    """
    if drawn := sorted(name for name, value in arguments.items() if isinstance(value, st.SearchStrategy)):
        raise TypeError(f"expected values for {drawn} beside at=..., received strategies: give those of the case")
    if not is_factory(thing):
        if extra := sorted(name for name in arguments if name not in optional):
            raise TypeError(f"{thing!r} is made already, received arguments {extra}: give its class or a factory")
        return copy.deepcopy(thing)
    accepted = inspect.signature(_constructor(thing)).parameters
    given = {name: value for name, value in arguments.items() if name in accepted or name not in optional}
    try:
        return thing(**given)
    except TypeError as error:
        error.add_note(f"{name_of(thing)} was called with {given}")
        raise


def _constructor(thing: Any) -> Any:
    """What names the arguments: of a class its `__init__`, since early 3.11 shows an inherited `__new__` instead."""
    written = inspect.isclass(thing) and thing.__init__ is not object.__init__
    return thing.__init__ if written else thing


def is_factory(thing: Any) -> bool:
    """Whether a thing is to be called for an object, rather than copied."""
    return inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, partial)


def check_shape(shape: Shape) -> None:
    """Refuse a shape that is not a tuple of names and sizes of at least 1."""
    fine = isinstance(shape, tuple | list) and all(
        isinstance(size, str) or (isinstance(size, int) and not isinstance(size, bool) and size >= 1) for size in shape
    )
    if not fine or not shape:
        raise ValueError(
            f'expected shape to be a tuple such as ("n", "features") or ("n", 4), received shape={shape!r}'
        )


def check_domain(domain: Domain | None) -> None:
    """Refuse a domain that is not a pair of finite numbers in order."""
    if domain is None:
        return
    fine = isinstance(domain, tuple | list) and len(domain) == 2 and all(isinstance(end, int | float) for end in domain)
    if not fine or not -1e9 <= domain[0] < domain[1] <= 1e9:
        raise ValueError(f"expected domain=(low, high) with low < high, both within 1e9, received domain={domain!r}")


def check_kind(made: Any, kind: type) -> None:
    """Refuse an object of another kind than the check is for."""
    if not isinstance(made, kind):
        name = kind.__name__
        raise TypeError(f"expected one {name}, its class or a factory, received {short(made)}, no {name}")

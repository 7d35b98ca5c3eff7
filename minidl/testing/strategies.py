"""Hypothesis strategies for arrays that print short, shrink to 0 and are exact in float32 and in float64."""

import copy
import inspect
import math
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.arguments import check_integer, short, suggest
from minidl.testing.functions import GRID, Domain, steps_in
from minidl.testing.report import name_of

Strategy: TypeAlias = st.SearchStrategy[Any]

OPTIONS = {
    "settings": "they are for a ..._test; here give max_examples",
    "max_examples": "it is for a check_...; here give settings=hypothesis.settings(max_examples=50, deadline=None)",
    "raises": "it is for a check_..., which returns a report",
    "at": "it is for a check_..., which runs the one case",
}
DECLARED = (
    *("shape", "rows_mix", "stochastic", "random_inference", "domain", "integers", "jumps", "targets", "regularizers"),
    *("reference", "whole_vector", "whole_parameters", "spares_biases", "fit"),
)


@dataclass(frozen=True)
class AtLeast:
    """A size to draw that is at least a number, or at least an argument of the constructor; see `at_least`."""

    low: int | str
    more: int = 0

    def __repr__(self) -> str:
        return f"at_least({self.low!r}{f', more={self.more}' if self.more else ''})"

    def sizes(self, known: Mapping[str, Any]) -> Strategy:
        """The strategy for the size, given the arguments that are drawn already."""
        if isinstance(self.low, str) and self.low not in known:
            raise ValueError(f"expected {self!r} to name an argument: {suggest(self.low, sorted(known))}")
        low = (known[self.low] if isinstance(self.low, str) else self.low) + self.more
        return st.sampled_from([low, low + 1, low + 2, low + 3, low + 8])


def at_least(low: int | str, *, more: int = 0) -> AtLeast:
    """A size in a `shape`, or under its name among the arguments: from `low + more`, a number or an argument's value.

    Where a layer needs some features, or as many as its kernel is long: `shape=("n", at_least(3))`, or
    `shape=("n", "time"), time=at_least("kernel", more=1), kernel=st.integers(1, 3)`.

    Raises:
        ValueError: `low` is neither a name nor an integer of at least 1, or `more` is no integer of at least 0.

    >>> at_least("kernel", more=1)
    at_least('kernel', more=1)
    """
    more = check_integer("more", more, minimum=0)
    return AtLeast(low if isinstance(low, str) else check_integer("low", low, minimum=1), more)


Shape: TypeAlias = tuple[int | str | AtLeast | Strategy, ...]
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
    used = draw_arguments(draw, {name: arguments.get(name, sizes) for name in named} | dict(arguments))
    unnamed = {str(i): size for i, size in enumerate(shape) if not isinstance(size, str)}
    known = draw_arguments(draw, unnamed, known=used) | used
    drawn = tuple(known[size if isinstance(size, str) else str(i)] for i, size in enumerate(shape))
    if any(not isinstance(size, int) or size < 1 for size in drawn):
        raise ValueError(f"expected sizes of at least 1, received {drawn} for shape={shape!r}: change their strategies")
    return make_object(thing, used, optional=named), drawn, used


def draw_arguments(
    draw: st.DrawFn, arguments: Mapping[str, Any], *, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The arguments with a drawn value in place of every strategy, and then of every size that is `at_least` one."""
    drawn = {k: draw(v, label=k) if isinstance(v, st.SearchStrategy) else v for k, v in arguments.items()}
    plain = {**(known or {}), **{k: v for k, v in drawn.items() if not isinstance(v, AtLeast)}}
    return {k: draw(v.sizes(plain), label=k) if isinstance(v, AtLeast) else v for k, v in drawn.items()}


def make_rule(thing: Any, arguments: Mapping[str, Any]) -> Any:
    """A fresh regularizer or schedule: a class, or a function that is given arguments, is called for it.

    Without arguments a function is one already; it is copied, as an object is.
    """
    return make_object(thing, arguments) if isinstance(thing, type) or arguments else copy.deepcopy(thing)


def make_object(thing: Any, arguments: Mapping[str, Any], *, optional: Container[str] = ()) -> Any:
    """A fresh object: a class or factory is called, anything else deep-copied.

    The `optional` arguments are those that are left out where the constructor does not have them.
    """
    if drawn := sorted(name for name, value in arguments.items() if isinstance(value, st.SearchStrategy | AtLeast)):
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
    """Refuse a shape that is not a tuple of names, strategies and sizes of at least 1."""
    fine = isinstance(shape, tuple | list) and all(
        isinstance(size, str | AtLeast | st.SearchStrategy)
        or (isinstance(size, int) and not isinstance(size, bool) and size >= 1)
        for size in shape
    )
    if not fine or not shape:
        raise ValueError(
            'expected shape to be a tuple such as ("n", "features"), ("n", 4) or ("n", at_least(3)), '
            f"received shape={shape!r}"
        )


def check_domain(domain: Domain | None) -> None:
    """Refuse a domain that is not a pair of finite numbers in order."""
    if domain is None:
        return
    fine = isinstance(domain, tuple | list) and len(domain) == 2 and all(isinstance(end, int | float) for end in domain)
    if not fine or not -1e9 <= domain[0] < domain[1] <= 1e9:
        raise ValueError(f"expected domain=(low, high) with low < high, both within 1e9, received domain={domain!r}")


def check_jumps(jumps: tuple[float, ...]) -> None:
    """Refuse jumps that are no tuple of finite numbers."""
    fine = isinstance(jumps, tuple | list) and all(
        isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at) for at in jumps
    )
    if not fine:
        raise ValueError(f"expected jumps to be a tuple of finite numbers such as (0.0,), received jumps={jumps!r}")


def check_options(call: str, chosen: Mapping[str, Any]) -> None:
    """Refuse a value that an option of a call cannot have."""
    own = chosen.get("settings")
    if own is not None and not isinstance(own, settings):
        advice = "write hypothesis.settings(max_examples=50, deadline=None); a profile is loaded by its name"
        raise TypeError(
            f"{call}: expected settings to be hypothesis settings, received settings={short(own)}: {advice}"
        )
    if "max_examples" in chosen:
        check_integer("max_examples", chosen["max_examples"], minimum=1)
    if not isinstance(chosen.get("raises", True), bool):
        raise TypeError(f"{call}: expected raises to be True or False, received raises={short(chosen['raises'])}")


def check_spelling(call: str, thing: Any, given: Mapping[str, Any], known: Container[str]) -> None:
    """Refuse an option of the other call of a kind, and one that is nearly spelt as one, unless `thing` takes it."""
    with suppress(TypeError, ValueError):
        if callable(thing) and (taken := inspect.signature(thing).parameters):
            given = {name: value for name, value in given.items() if name not in taken}
    names = [name for name in (*DECLARED, *OPTIONS) if name in known]
    for name, value in given.items():
        if name in OPTIONS and name not in known:
            raise TypeError(f"{call}: expected no {name}, received {name}={short(value)}: {OPTIONS[name]}")
        if name not in known and (close := get_close_matches(name, names, n=1, cutoff=0.8)):
            advice = f"did you mean {close[0]!r}?"
            raise TypeError(f"{call}: expected a known option, received {name}={short(value)}: {advice}")


def check_kind(made: Any, kind: type) -> None:
    """Refuse an object of another kind than the check is for."""
    if not isinstance(made, kind):
        name = kind.__name__
        raise TypeError(f"expected one {name}, its class or a factory, received {short(made)}, no {name}")

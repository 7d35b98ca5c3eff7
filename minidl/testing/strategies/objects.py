"""How sizes and arguments are drawn, and how a fresh object is made of them."""

import copy
import inspect
from collections.abc import Container, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeAlias

from hypothesis import strategies as st

from minidl.arguments import check_integer, short, suggest
from minidl.frozen import frozen
from minidl.testing.functions import name_of
from minidl.testing.strategies.arrays import Strategy

OWN_COPY = "make it when it is first needed, or say in __deepcopy__ what a copy shares: models are copied"


@frozen
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
LONGER, LONGEST = 9, 17  # what one size is, in a fourth of the cases or in half of them: of many sizes, and of few
SEEDS: Strategy = st.integers(0, 2**16)


def draw_object(
    draw: st.DrawFn, thing: Any, shape: Shape, arguments: Mapping[str, Any], sizes: Strategy = SIZES
) -> tuple[Any, tuple[int, ...], dict[str, Any]]:
    """Draw the sizes named in `shape`, then a fresh object: (object, shape, the sizes and arguments drawn)."""
    if sum(isinstance(size, str) for size in shape) <= 2:
        sizes = WIDER if sizes is SIZES else WIDER.filter(lambda size: size > 1)
    named = dict.fromkeys(size for size in shape if isinstance(size, str))
    free = [name for name in named if name not in arguments and name != shape[0]]
    none = [None] * len(free) * (3 if len(free) <= 2 else 1)  # each of many sizes is to be long in a sixth of the cases
    long = draw(st.sampled_from(none + free), label="long") if free else None
    strategies = dict.fromkeys(named, sizes) | ({long: st.just(LONGEST if len(named) <= 2 else LONGER)} if long else {})
    used = draw_arguments(draw, strategies | dict(arguments))
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
    return make_object(thing, arguments) if isinstance(thing, type) or arguments else copied(thing)


def copied(thing: Any, advice: str = "give a function that makes one, such as lambda: Mine(...)") -> Any:
    """A deep copy: an object is copied for every case, and the arguments for every object that is made."""
    try:
        return copy.deepcopy(thing)
    except Exception as error:
        given = (
            short(thing) if not isinstance(thing, Mapping) else ", ".join(f"{k}={short(v)}" for k, v in thing.items())
        )
        raise TypeError(
            f"expected what can be copied for every case, received {given} ({type(error).__name__}: {error}). Does it "
            f"hold a lock or an open file? Then {advice}"
        ) from error


def make_object(thing: Any, arguments: Mapping[str, Any], *, optional: Container[str] = ()) -> Any:
    """A fresh object: a class or factory is called, anything else deep-copied.

    The `optional` arguments are those that are left out where the constructor does not have them.
    """
    if drawn := sorted(name for name, value in arguments.items() if isinstance(value, st.SearchStrategy | AtLeast)):
        raise TypeError(f"expected values for {drawn} beside at=..., received strategies: give those of the case")
    if not is_factory(thing):
        if extra := sorted(name for name in arguments if name not in optional):
            raise TypeError(f"{thing!r} is made already, received arguments {extra}: give its class or a factory")
        return copied(thing)
    accepted = inspect.signature(_constructor(thing)).parameters
    given = {name: value for name, value in arguments.items() if name in accepted or name not in optional}
    try:
        _check_arguments(thing, accepted, given, [name for name in arguments if name not in given])
        return thing(**given)
    except TypeError as error:
        error.add_note(f"{name_of(thing)} was called with {given}")
        raise


def _check_arguments(
    thing: Any, accepted: Mapping[str, inspect.Parameter], given: Mapping[str, Any], unused: list[str]
) -> None:
    """Refuse names that a constructor does not have, and a call that lacks some; `unused` are names in shape."""
    kinds, name = {p.kind for p in accepted.values()}, name_of(thing)
    known = [p for p in accepted.values() if p.name != "self" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    extra = [] if inspect.Parameter.VAR_KEYWORD in kinds else [n for n in given if n not in {p.name for p in known}]
    if extra:
        advice = suggest(extra[0], [p.name for p in known])
        raise TypeError(f"expected arguments of {name}, received {extra[0]}={short(given[extra[0]])}: {advice}")
    lacking = [p.name for p in known if p.default is p.empty and p.name not in given]
    if lacking:
        close = get_close_matches(lacking[0], unused, n=1)
        advice = f"is {close[0]!r} in shape meant to be it?" if close else "name it in shape, or give it as an argument"
        raise TypeError(f"expected {lacking[0]} for {name}, received {[*given, *unused]}: {advice}")


def _constructor(thing: Any) -> Any:
    """What names the arguments: of a class its `__init__`, since early 3.11 shows an inherited `__new__` instead."""
    written = inspect.isclass(thing) and thing.__init__ is not object.__init__
    return thing.__init__ if written else thing


def is_factory(thing: Any) -> bool:
    """Whether a thing is to be called for an object, rather than copied."""
    return inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, partial)

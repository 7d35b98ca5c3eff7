"""The door of every `load_state`: which entries a state has, and what stands in each of them."""

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from minidl.arguments import check_integer, check_number, short

SHOWN = 8  # names in an error


def check_state(owner: object, state: object, names: Collection[str]) -> None:
    """Refuse what is no mapping with exactly these entries. `owner` is whose state it is, or a word for that.

    >>> check_state("a mean", {"weihgt": 1.0}, ["weight"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: expected a state of a mean with ['weight'], received ['weihgt']: is it another's? give what state() ...
    """
    of, wanted = owner if isinstance(owner, str) else short(owner), f"with {listed(names)}"
    if not isinstance(state, Mapping):
        raise TypeError(f"expected a state of {of} {wanted}, received {short(state)}: give what state() returned")
    if set(state) != set(names):
        raise ValueError(
            f"expected a state of {of} {wanted}, received {listed(state)}: is it another's? give what state() returned"
        )


def listed(names: Collection[object]) -> str:
    """Some names in order, and how many more there are."""
    known = sorted(map(str, names))
    return f"{known[:SHOWN]}" + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")


def number_in(state: Mapping[str, Any], name: str, *, minimum: float = -math.inf) -> float:
    """A finite number >= `minimum`."""
    return check_number(name, plain(state[name]), minimum=minimum)


def limit_in(state: Mapping[str, Any], name: str) -> float:
    """A number that may be infinite, but not NaN.

    >>> limit_in({"best": math.inf}, "best"), limit_in({"best": np.array(2)}, "best")
    (inf, 2.0)
    """
    value = plain(state[name])
    return float(value) if isinstance(value, float | np.floating) and np.isinf(value) else check_number(name, value)


def cost_in(state: Mapping[str, Any], name: str) -> float:
    """A float, NaN where there was none yet."""
    if not isinstance(value := plain(state[name]), float):
        raise TypeError(f"expected {name} to be a float, received {name}={short(value)}: give what state() returned")
    return float(value)


def count_in(state: Mapping[str, Any], name: str, *, minimum: int = 0) -> int:
    """A whole number >= `minimum`."""
    return check_integer(name, plain(state[name]), minimum=minimum)


def flag_in(state: Mapping[str, Any], name: str) -> bool:
    """True or False, and no number."""
    if not isinstance(flag := state[name], bool):
        raise TypeError(
            f"expected {name} to be True or False, received {name}={short(flag)}: give what state() returned"
        )
    return flag


def text_in(state: Mapping[str, Any], name: str) -> str:
    """A text."""
    if not isinstance(text := state[name], str):
        raise TypeError(f"expected {name} to be a text, received {name}={short(text)}: give what state() returned")
    return text


def floats_in(state: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[Any]]:
    """A copy of an array of floats in that shape, without NaN."""
    array = state[name]
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.shape != shape:
        raise ValueError(
            f"expected {name} to be an array {shape} of floats, received {name}={short(array)}: is it another's?"
        )
    if count := int(np.isnan(array).sum()):
        raise ValueError(f"expected {name} to hold numbers, received {count} NaN in it: no step mends that")
    return array.copy()


def plain(value: Any) -> Any:
    """The number in an array without axes, which an archive makes of a number; everything else as it is."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value

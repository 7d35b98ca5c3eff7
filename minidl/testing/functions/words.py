"""How things are named and arrays shown in what a check says."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from minidl.arguments import short


def name_of(thing: Any) -> str:
    """The name of a class or function, or of the class of an object."""
    if isinstance(thing, partial):
        return name_of(thing.func)
    return str(getattr(thing, "__name__", type(thing).__name__))


def call_of(made: Any, arguments: Mapping[str, Any]) -> str:
    """The call that makes an object: its repr, or the class with the arguments where the repr is only an address."""
    if object.__repr__(made) == repr(made):
        return f"{name_of(made)}({', '.join(f'{name}={short(value)}' for name, value in arguments.items()) or '...'})"
    return short(made)


def shown(array: Any) -> str:
    """An array as nested lists, as long as that fits; beyond it, by shape."""
    array = np.asarray(array)
    return str(array.tolist()) if array.size <= 64 else f"<array {array.shape} {array.dtype}>"

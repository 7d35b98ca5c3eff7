"""How things are named, arrays shown, and errors placed in what a check says."""

import linecache
import sysconfig
import traceback
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl.arguments import short

LIBRARIES = (str(Path(__file__).parents[2]), sysconfig.get_path("stdlib"), "<frozen ")
OTHERS = ("site-packages", "dist-packages")


class Line(NamedTuple):
    """A line of code: the function it is in, its number, its file, and what it says."""

    function: str
    number: int
    file: str
    source: str

    def __str__(self) -> str:
        said = f": {self.source}" if self.source else ""
        return f"in {self.function}, line {self.number} of {self.file}{said}"


def line_of(error: BaseException) -> Line | None:
    """The last line of the author's own code that an error went through; None where it went through none."""
    own = [
        (frame.f_code, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if not (name := frame.f_code.co_filename).startswith(LIBRARIES) and not any(part in name for part in OTHERS)
    ]
    if not own:
        return None
    code, number = own[-1]
    source = linecache.getline(code.co_filename, number).strip()
    return Line(code.co_qualname.replace(".<locals>", ""), number, Path(code.co_filename).name, source)


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

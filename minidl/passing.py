"""What a pass keeps on an object for the next one, which copies leave behind and a model forgets after training.

A layer keeps on itself what `backward` needs, often rows of data. Which attributes these are shows in the code of its
methods: what `forward` or `backward` sets and `__init__` does not, or sets to None or to an empty tuple, list or dict.
What `forward` reads before it has set it, as a table that is made once or a running mean, is its memory, and none of
these.
"""

from __future__ import annotations  # dis is loaded when it is needed

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from minidl.bytecode import codes_used
from minidl.flow import last_of, read_first, steps_of, touched

if TYPE_CHECKING:
    from dis import Instruction

NUMBERS = (bool, int, float, str, np.generic)
Start = Callable[[], Any]  # makes what the constructor gives an attribute
EMPTY: Mapping[tuple[str, Any], Start] = {
    ("LOAD_CONST", None): lambda: None,
    ("BUILD_LIST", 0): list,
    ("BUILD_MAP", 0): dict,
    ("CALL", "list"): list,
    ("CALL", "dict"): dict,
    ("LOAD_CONST", ()): tuple,
}


class Kept(NamedTuple):
    """What is kept from one pass to the next: for `backward`, each with what makes its start, and as a memory."""

    passing: Mapping[str, Start | None]
    memory: set[str]


_found: WeakKeyDictionary[type[Any], Kept] = WeakKeyDictionary()


def kept_by(kind: type[Any], methods: tuple[str, ...]) -> Kept:
    """The attributes that are of the newest pass only, whose start is None where they have none, and the memory.

    >>> class Square:
    ...     def __init__(self):
    ...         self.width, self.mask = 3, None
    ...         self.seen = []
    ...     def forward(self, x):
    ...         self.x = x
    ...         self.seen.append(x)
    ...         if self.mask is None:
    ...             self.mask = x > 0
    ...         return x * x
    >>> found = kept_by(Square, ("forward", "backward"))
    >>> sorted(found.passing), sorted(found.memory)
    (['seen', 'x'], ['mask'])
    """
    if kind not in _found:
        _found[kind] = _kept_by(kind, methods)
    return _found[kind]


def _kept_by(kind: type[Any], methods: tuple[str, ...]) -> Kept:
    set_there: set[str] = set()
    for method in methods:
        for code, own in codes_used(kind, method):
            for inner in _with_inner(code):
                set_there |= {name for what, name in touched(steps_of(inner), own) if what == "sets"}
    memory = set_there & read_first(kind, methods[0]) if methods else set()
    starts: dict[str, list[Start | None]] = {}
    for code, own in codes_used(kind, "__init__"):
        for name, start in _started(code, own):
            starts.setdefault(name, []).append(start)
    momentary = set_there - memory
    new = {name: None for name in momentary if name not in starts}
    empty = {name: made[0] for name, made in starts.items() if name in momentary and len(made) == 1 and made[0]}
    return Kept({**new, **empty}, memory)


@contextmanager
def trying(things: Iterable[Any], methods: tuple[str, ...]) -> Iterator[None]:
    """A block of passes that try something out, and of which the memory of things knows nothing afterwards."""
    before = []
    for thing in things:
        known, memory = vars(thing), kept_by(type(thing), methods).memory
        values = {name: known[name] for name in memory if name in known}
        before.append((known, memory, {n: v.copy() if isinstance(v, list | dict) else v for n, v in values.items()}))
    try:
        yield
    finally:
        for known, memory, values in before:
            for name in memory - values.keys():
                known.pop(name, None)
            known.update(values)


def kept(thing: Any, attributes: Mapping[str, Any], methods: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of a thing as a copy should have them: as if no pass had been made, but for single numbers."""
    left = dict(attributes)
    _clear(left, kept_by(type(thing), methods).passing)
    return left


def forget(thing: Any, methods: tuple[str, ...]) -> None:
    """Drop what the newest pass kept, but for single numbers, and lists and dicts, in which somebody may collect."""
    momentary = kept_by(type(thing), methods).passing
    _clear(vars(thing), {name: start for name, start in momentary.items() if start not in (list, dict)})


def _clear(attributes: dict[str, Any], momentary: Mapping[str, Start | None]) -> None:
    for name, start in momentary.items():
        if isinstance(attributes.get(name, 0), NUMBERS):
            continue
        if start is None:
            del attributes[name]
        else:
            attributes[name] = start()


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)


def _started(code: CodeType, own: tuple[str, ...]) -> Iterator[tuple[str, Start | None]]:
    """Each attribute that a constructor assigns, and what makes its start where that is empty."""
    steps = steps_of(code)
    for name, place in _stores(steps, own):
        yield name, EMPTY.get(_value(steps, place))


def _stores(steps: list[Instruction], own: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The attributes of `self` that are assigned, and at which step."""
    for place in range(1, len(steps)):
        if steps[place].opname == "STORE_ATTR" and last_of(steps[place - 1]) == own:
            yield steps[place].argval, place


def _value(steps: list[Instruction], place: int) -> tuple[str, Any]:
    """The step that makes the value which is assigned at a place, also in `a = b = None` and `a, b = None, {}`."""
    place, targets = place - 2, 0
    while steps[place].opname in ("STORE_ATTR", "COPY"):
        targets += steps[place].opname == "STORE_ATTR"
        place -= 2 if steps[place].opname == "STORE_ATTR" else 1
    made = steps[place]
    if made.opname == "UNPACK_SEQUENCE" and (several := steps[place - 1]).opname == "LOAD_CONST":
        return "LOAD_CONST", several.argval[targets]
    last = place if made.opname == "SWAP" else place - 1  # of some values: behind the step that made the newest one
    if made.opname in ("SWAP", "UNPACK_SEQUENCE") and (made.opname == "SWAP" or steps[last].opname == "BUILD_TUPLE"):
        values = steps[last - made.argval : last]
        if all(value.opname.startswith("LOAD_") or (value.opname, value.argval) in EMPTY for value in values):
            made = values[targets]
    if made.opname == "CALL" and not made.argval:
        return "CALL", steps[place - 2 if steps[place - 1].opname == "PRECALL" else place - 1].argval
    return made.opname, made.argval

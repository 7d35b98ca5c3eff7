"""What a pass keeps on an object for the next one, which copies leave behind and a model forgets after training.

A layer keeps on itself what `backward` needs, often rows of data. Which attributes these are shows in the code of its
methods: what `forward` or `backward` sets and `__init__` does not, or sets to None or to an empty list or dict.
"""

from __future__ import annotations  # dis is loaded when it is needed

from collections.abc import Callable, Iterator, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from minidl.bytecode import WRITERS, codes_used

if TYPE_CHECKING:
    from dis import Instruction

NUMBERS = (bool, int, float, str, np.generic)
Start = Callable[[], Any]  # makes what the constructor gives an attribute
EMPTY: Mapping[tuple[str, Any], Start] = {
    ("LOAD_CONST", None): lambda: None,
    ("BUILD_LIST", 0): list,
    ("BUILD_MAP", 0): dict,
}


_found: WeakKeyDictionary[type[Any], Mapping[str, Start | None]] = WeakKeyDictionary()


def passing(kind: type[Any], methods: tuple[str, ...]) -> Mapping[str, Start | None]:
    """The attributes that are of the newest pass only, with what makes their start; None where they have none.

    An attribute that is made once, as after `hasattr(self, "table")`, is not one of them.

    >>> class Square:
    ...     def __init__(self):
    ...         self.width, self.mask = 3, None
    ...         self.seen = []
    ...     def forward(self, x):
    ...         self.x = x
    ...         self.seen.append(x)
    ...         return x * x
    >>> sorted(passing(Square, ("forward", "backward")))
    ['seen', 'x']
    """
    if kind not in _found:
        _found[kind] = _passing(kind, methods)
    return _found[kind]


def _passing(kind: type[Any], methods: tuple[str, ...]) -> Mapping[str, Start | None]:
    set_there: set[str] = set()
    asked: set[str] = set()
    for method in methods:
        for code, own in codes_used(kind, method):
            for inner in _with_inner(code):
                set_there |= _filled(inner, own)
                asked |= _asked_for(inner, own)
    starts: dict[str, list[Start | None]] = {}
    for code, own in codes_used(kind, "__init__"):
        for name, start in _started(code, own):
            starts.setdefault(name, []).append(start)
    new = {name: None for name in set_there - asked if name not in starts}
    empty = {name: made[0] for name, made in starts.items() if name in set_there and len(made) == 1 and made[0]}
    return {**new, **empty}


def kept(thing: Any, attributes: Mapping[str, Any], methods: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of a thing as a copy should have them: as if no pass had been made, but for single numbers."""
    left = dict(attributes)
    _clear(left, passing(type(thing), methods))
    return left


def forget(thing: Any, methods: tuple[str, ...]) -> None:
    """Drop what the newest pass kept, but for single numbers, and lists and dicts, in which somebody may collect."""
    momentary = passing(type(thing), methods)
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


def _filled(code: CodeType, own: tuple[str, ...]) -> set[str]:
    """The attributes of `self` that code assigns, or into which it writes: `self.x = ...`, `self.kept["x"] = ...`."""
    steps = _steps(code)
    found = {name for name, _ in _stores(steps, own)}
    for loading, attribute, then, last in zip(steps, steps[1:], steps[2:], [*steps[3:], None], strict=False):
        if attribute.opname in ("LOAD_ATTR", "LOAD_METHOD") and _last(loading) == own:
            writes = then.opname in ("LOAD_ATTR", "LOAD_METHOD") and then.argval in WRITERS
            if writes or (last is not None and last.opname == "STORE_SUBSCR"):
                found.add(attribute.argval)
    return found


def _asked_for(code: CodeType, own: tuple[str, ...]) -> set[str]:
    """The attributes of `self` of which code asks whether they are there."""
    steps, found = _steps(code), set()
    for first, second, third in zip(steps, steps[1:], steps[2:], strict=False):
        if first.argval in ("hasattr", "getattr") and _last(second) == own:
            found.add(third.argval)
        if second.argval == "vars" and _last(third) == own:  # "table" in vars(self)
            found.add(first.argval)
    return found


def _started(code: CodeType, own: tuple[str, ...]) -> Iterator[tuple[str, Start | None]]:
    """Each attribute that a constructor assigns, and what makes its start where that is empty."""
    steps = _steps(code)
    for name, place in _stores(steps, own):
        yield name, EMPTY.get(_value(steps, place))


def _stores(steps: list[Instruction], own: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """The attributes of `self` that are assigned, and at which step."""
    for place in range(1, len(steps)):
        if steps[place].opname == "STORE_ATTR" and _last(steps[place - 1]) == own:
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
    return made.opname, made.argval


def _last(step: Instruction) -> tuple[Any, ...]:
    """The name that a step puts on the stack last; one step may put two."""
    return step.argval[-1:] if isinstance(step.argval, tuple) else (step.argval,)


def _steps(code: CodeType) -> list[Instruction]:
    from dis import get_instructions

    return list(get_instructions(code))

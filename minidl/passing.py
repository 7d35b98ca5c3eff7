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

from minidl.bytecode import WRITERS, codes_of, codes_used

if TYPE_CHECKING:
    from dis import Instruction

LOADS = ("LOAD_ATTR", "LOAD_METHOD")
ENDS = ("RAISE_VARARGS", "RERAISE")
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
                set_there |= {name for what, name in _touched(_steps(inner), own) if what == "sets"}
    memory = set_there & _flow(kind, methods[0])[0] if methods else set()
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


def _touched(steps: list[Instruction], own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What each step does with an attribute of `self`: ("sets", name), ("reads", name), or ("", "").

    An attribute is set, too, where something is written into it: `self.kept["x"] = x`, `self.kept.append(x)`.
    """
    again = set[str]()  # attributes that `self.n += 1` reads, and sets behind a SWAP
    for place, step in enumerate(steps):
        before, first = (steps[max(0, place - back)] for back in (1, 2))
        copied = before.opname == "COPY" and _last(first) == own
        of_self = copied or _last(before) == own
        if step.opname == "STORE_ATTR" and (of_self or (before.opname == "SWAP" and step.argval in again)):
            yield "sets", step.argval
        elif of_self and step.opname in LOADS:
            again |= {step.argval} if copied else set()
            then, last = [*steps[place + 1 : place + 3], step, step][:2]
            written = (then.opname in LOADS and then.argval in WRITERS) or last.opname == "STORE_SUBSCR"
            yield ("sets" if written else "reads"), step.argval
        elif of_self and first.argval in ("hasattr", "getattr"):
            yield "reads", step.argval
        else:
            yield "", ""


def _flow(kind: type[Any], method: str, depth: int = 0, within: tuple[Any, ...] = ()) -> tuple[set[str], set[str]]:
    """The attributes that a method may read before it has set them, and those that it sets on every way to its end.

    `depth` counts the classes from which `super()` came; `within` are the methods that this one is called in.
    """
    read: set[str] = set()
    surely: set[str] = set()
    functions = [vars(owner)[method] for owner in kind.__mro__ if method in vars(owner)][depth:]
    if not functions or (method, depth) in within:
        return read, surely
    within = (*within, (method, depth))
    for code in codes_of(functions[0]):
        steps = _steps(code)
        effects = []
        for step, (what, name) in zip(steps, _touched(steps, code.co_varnames[:1]), strict=True):
            if what == "reads" and any(name in vars(owner) for owner in kind.__mro__):
                effects.append(_flow(kind, name, 0, within))
            elif "super" in (step.argval, step.opname[5:10].lower()):
                effects.append(_flow(kind, method, depth + 1, within))
            else:
                effects.append(({name} if what == "reads" else set(), {name} if what == "sets" else set()))
        first, on_every_way = _through(steps, effects)
        read |= first - surely
        surely |= on_every_way
    return read, surely


def _through(steps: list[Instruction], effects: list[tuple[set[str], set[str]]]) -> tuple[set[str], set[str]]:
    """The names that are read before they are set on some way through the steps, and those set on every way."""
    from dis import hasjabs, hasjrel

    places = {step.offset: place for place, step in enumerate(steps)}
    known, waiting, read, ends = {0: set[str]()}, [0], set[str](), dict[int, set[str]]()
    while waiting:
        step = steps[place := waiting.pop()]
        read |= effects[place][0] - known[place]
        after = known[place] | effects[place][1]
        following = [places[step.argval]] if step.opcode in (*hasjrel, *hasjabs) else []
        if step.opname in ("RETURN_VALUE", "RETURN_CONST"):
            ends[place] = after
        elif step.opname not in ENDS and not (step.opname.startswith("JUMP_") and "IF" not in step.opname):
            following.append(place + 1)
        for place in following:
            before = known.get(place)
            known[place] = after if before is None else after & before
            if known[place] != before:
                waiting.append(place)
    return read, set.intersection(*ends.values()) if ends else set()


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
    if made.opname == "CALL" and not made.argval:
        return "CALL", steps[place - 2 if steps[place - 1].opname == "PRECALL" else place - 1].argval
    return made.opname, made.argval


def _last(step: Instruction) -> tuple[Any, ...]:
    """The name that a step puts on the stack last; one step may put two."""
    return step.argval[-1:] if isinstance(step.argval, tuple) else (step.argval,)


def _steps(code: CodeType) -> list[Instruction]:
    from dis import get_instructions

    return list(get_instructions(code))

"""What a method does with the attributes of `self`, in which order, as far as it shows in its code."""

from __future__ import annotations  # dis is loaded when it is needed

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from minidl.bytecode import WRITERS, codes_of

if TYPE_CHECKING:
    from dis import Instruction
    from types import CodeType

LOADS = ("LOAD_ATTR", "LOAD_METHOD")
RETURNS = ("RETURN_VALUE", "RETURN_CONST")


def touched(steps: list[Instruction], own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What each step does with an attribute of `self`: ("sets", name), ("reads", name), or ("", "").

    An attribute is set, too, where something is written into it: `self.kept["x"] = x`, `self.kept.append(x)`.
    """
    again = set[str]()  # attributes that `self.n += 1` reads, and sets behind a SWAP
    for place, step in enumerate(steps):
        before, first = (steps[max(0, place - back)] for back in (1, 2))
        copied = before.opname == "COPY" and last_of(first) == own
        of_self = copied or last_of(before) == own
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


def read_first(kind: type[Any], method: str) -> set[str]:
    """The attributes of `self` that a method may read before it has set them, in training or not.

    >>> class Centred:
    ...     def forward(self, x):
    ...         if self.mean is None:
    ...             self.mean = x.mean(axis=0)
    ...         self.x = x
    ...         return self.x - self.mean
    >>> read_first(Centred, "forward")
    {'mean'}
    """
    return _flow(kind, method, training=True)[0] | _flow(kind, method, training=False)[0]


def _flow(
    kind: type[Any], method: str, training: bool, depth: int = 0, within: tuple[Any, ...] = ()
) -> tuple[set[str], set[str]]:
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
        steps = steps_of(code)
        effects = []
        for step, (what, name) in zip(steps, touched(steps, code.co_varnames[:1]), strict=True):
            if what == "reads" and hasattr(getattr(kind, name, None), "__code__"):
                effects.append(_flow(kind, name, training, 0, within))
            elif "super" in (step.argval, step.opname[5:10].lower()):
                effects.append(_flow(kind, method, training, depth + 1, within))
            else:
                effects.append(({name} if what == "reads" else set(), {name} if what == "sets" else set()))
        first, on_every_way = _through(steps, effects, training)
        read |= first - surely
        surely |= on_every_way
    return read, surely


def _through(
    steps: list[Instruction], effects: list[tuple[set[str], set[str]]], training: bool
) -> tuple[set[str], set[str]]:
    """The names that are read before they are set on some way through the steps, and those set on every way."""
    places = {step.offset: place for place, step in enumerate(steps)}
    known, waiting, read, ends = {0: set[str]()}, [0], set[str](), dict[int, set[str]]()
    while waiting:
        step = steps[place := waiting.pop()]
        read |= effects[place][0] - known[place]
        after = known[place] | effects[place][1]
        if step.opname in RETURNS:
            ends[place] = after
        for there in _following(steps, places, place, training):
            before = known.get(there)
            known[there] = after if before is None else after & before
            if known[there] != before:
                waiting.append(there)
    return read, set.intersection(*ends.values()) if ends else set()


def _following(steps: list[Instruction], places: Mapping[int, int], place: int, training: bool) -> list[int]:
    """Which steps may come after one: no loop is left before its body was gone through."""
    from dis import hasjabs, hasjrel

    step, asked = steps[place], steps[place - 1 - (steps[place - 1].opname == "TO_BOOL")]
    if step.opname in (*RETURNS, "RAISE_VARARGS", "RERAISE"):
        return []
    if step.opname == "FOR_ITER" or step.opcode not in (*hasjrel, *hasjabs):
        return [place + 1]
    there = places[step.argval]
    if steps[there].opname == "FOR_ITER":
        return [there + 1, places[steps[there].argval]]
    if "IF" not in step.opname and step.opname.startswith("JUMP_"):
        return [there]
    if asked.argval == "training":
        return [there if ("TRUE" in step.opname) == training else place + 1]
    return [there, place + 1]


def last_of(step: Instruction) -> tuple[Any, ...]:
    """The name that a step puts on the stack last; one step may put two."""
    return step.argval[-1:] if isinstance(step.argval, tuple) else (step.argval,)


@lru_cache(maxsize=256)
def steps_of(code: CodeType) -> list[Instruction]:
    """The steps of a code object, in their order."""
    from dis import get_instructions

    return list(get_instructions(code))

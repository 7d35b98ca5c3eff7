"""What code does, as far as it shows without being run: which names it sets, and whether a call runs it."""

from __future__ import annotations  # dis is loaded when it is needed

from collections.abc import Iterator, Sequence
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dis import Instruction

STORES = {"STORE_ATTR": 0, "STORE_SUBSCR": 1, "DELETE_SUBSCR": 1, "STORE_SLICE": 2}  # and what lies above the thing
WRITERS = {"append", "clear", "extend", "fill", "insert", "pop", "put", "setdefault", "shuffle", "sort", "update"}
INTO_FIRST = {"copyto", "put", "shuffle"}  # functions that write into their first argument
GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")


def reads(kind: type, method: str, name: str) -> bool:
    """Whether the code of a method reads `self.<name>`, or that of a method of `self` which it uses."""
    return any(name in read for _, read in _used(kind, method))


def assigns(kind: type, method: str, name: str) -> bool:
    """Whether the code of a method assigns `self.<name>`, or that of a method of `self` which it uses.

    >>> class Doubling:
    ...     def forward(self, x):
    ...         return self.keep(x) * 2
    ...     def keep(self, x):
    ...         self.x = x
    ...         return x
    >>> assigns(Doubling, "forward", "x"), assigns(Doubling, "forward", "y")
    (True, False)
    """
    return any(name in stored for stored, _ in _used(kind, method))


def _used(kind: type, method: str) -> Iterator[tuple[set[str], set[str]]]:
    """What a method assigns and reads of `self`, and what the methods of `self` do that it uses."""
    for code, own in codes_used(kind, method):
        yield _names_of_self(code, own)


def codes_used(kind: type, method: str) -> Iterator[tuple[CodeType, tuple[str, ...]]]:
    """The code of a method and of the methods of `self` which it uses, and in each the name of `self`."""
    waiting, seen = [method], set()
    while waiting:
        seen.add(used := waiting.pop())
        for function in [vars(owner)[used] for owner in kind.__mro__ if used in vars(owner)]:
            codes = list(codes_of(function))
            for code in codes:
                own = code.co_varnames[:1]
                yield code, own
                waiting += _names_of_self(code, own)[1] - seen
            if not any("super" in code.co_names for code in codes):  # nobody calls that of a base class
                break


def codes_of(function: Any) -> Iterator[CodeType]:
    """The code of a function, and of what it wraps; nothing for what is no function."""
    while hasattr(function, "__code__"):
        yield function.__code__
        function = getattr(function, "__wrapped__", None)


def _names_of_self(code: CodeType, own: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """The attributes of `self` that code assigns and those that it reads, in the functions inside it too."""
    from dis import get_instructions

    stored: set[str] = set()
    read: set[str] = set()
    earlier: tuple[Any, ...] = ()
    before: tuple[Any, ...] = ()
    for step in get_instructions(code):
        if before == own and step.opname in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"):
            (stored if step.opname == "STORE_ATTR" else read).add(step.argval)
        if (earlier, before, step.opname) == (("setattr",), own, "LOAD_CONST"):  # setattr(self, "name", ...)
            stored.add(step.argval)
        earlier, before = (
            before,
            step.argval[-1:] if isinstance(step.argval, tuple) else (step.argval,),
        )  # one may load two
    for inner in (constant for constant in code.co_consts if isinstance(constant, CodeType)):
        more = _names_of_self(inner, own)
        stored, read = stored | more[0], read | more[1]
    return stored, read


def runs_later(function: object) -> str:
    """What a function is of which a call runs nothing yet; "" for every other."""
    import inspect

    while isinstance(function, partial):
        function = function.func
    called = function if inspect.isroutine(function) else getattr(function, "__call__", None)  # noqa: B004
    of_kinds = {
        "a generator function": inspect.isgeneratorfunction,
        "an async function": lambda f: inspect.iscoroutinefunction(f) or inspect.isasyncgenfunction(f),
    }
    return next((words for words, is_one in of_kinds.items() if is_one(called)), "")


def written_names(code: CodeType) -> set[str]:
    """The global names that code assigns or writes into: by an index, by `out=`, or by a function that does.

    >>> buffer, offsets = [], [1, 2]
    >>> def fill(k):
    ...     buffer[k] = offsets[k]
    >>> written_names(fill.__code__)
    {'buffer'}
    """
    from dis import get_instructions

    steps = list(get_instructions(code))
    found = {step.argval for step in steps if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")}
    for place, step in enumerate(steps):
        if step.opname in STORES:
            found |= _thing(steps, place, STORES[step.opname])
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and step.argval in WRITERS | INTO_FIRST:
            found |= _thing(steps, place, 0)
            first = next(later for later in steps[place + 1 :] if later.opname != "PUSH_NULL")
            if step.argval in INTO_FIRST and first.opname in GLOBAL:
                found.add(first.argval)
        names = code.co_consts[step.arg or 0] if step.opname in ("KW_NAMES", "LOAD_CONST") else ()
        if isinstance(names, tuple) and "out" in names:  # of the last arguments of a call
            found |= _thing(steps, place, len(names) - 1 - names.index("out"))
    return found.union(*(written_names(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def _thing(steps: Sequence[Instruction], place: int, above: int) -> set[str]:
    """The global name, if it has one, of the thing that lies under `above` others on the stack at a place in code."""
    from dis import stack_effect

    if steps[place - 1].opname == "SWAP":  # of x[i] += y the thing and the index were copied, and come back
        while steps[place].opname != "COPY" or steps[place - 1].opname == "COPY":
            place -= 1
    height, unsure, between = 0, False, set()
    for step in reversed(steps[:place]):
        height += stack_effect(step.opcode, step.arg)
        between |= {step.argval} if step.opname in GLOBAL else set()
        unsure |= "JUMP" in step.opname  # a choice within an index: any name of the line may be the one
        if unsure and step.starts_line:
            return between
        if height > above and not unsure:
            return {step.argval} if step.opname in GLOBAL else set()
    return between if unsure else set()

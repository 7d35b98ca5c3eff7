"""What code does, as far as it shows without being run: which attributes a method sets, and whether a call runs it."""

from collections.abc import Iterator
from functools import partial
from types import CodeType
from typing import Any


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
    waiting, seen = [method], set()
    while waiting:
        seen.add(used := waiting.pop())
        for function in [vars(owner)[used] for owner in kind.__mro__ if used in vars(owner)]:
            codes = list(_codes(function))
            for code in codes:
                stored, read = _names_of_self(code, code.co_varnames[:1])
                yield stored, read
                waiting += read - seen
            if not any("super" in code.co_names for code in codes):  # nobody calls that of a base class
                break


def _codes(function: Any) -> Iterator[CodeType]:
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

"""One text for one meaning: of plain values and of code, the same in every process."""

from __future__ import annotations  # inspect and hashlib are loaded when they are needed

from collections.abc import Iterable
from types import CodeType
from typing import Any

WRITERS = {"append", "copyto", "extend", "fill", "insert", "pop", "put", "shuffle", "sort", "update"}
PLAIN = (float, int, str, bytes, tuple, list, dict, set, frozenset, type(None))


def byte_code(thing: Any) -> str:
    """What a function or the methods of a class do, as a text; "" for what has no byte code."""
    import inspect

    thing = inspect.unwrap(thing)
    if inspect.isclass(thing):
        return canonical({name: byte_code(value) for name, value in vars(thing).items() if callable(value)})
    code = getattr(thing, "__code__", None)
    return "" if code is None else canonical(code)


def global_names(code: CodeType) -> set[str]:
    """The global names that a function uses, in the functions inside it too; names of attributes are others."""
    import dis

    here = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return here.union(*(global_names(c) for c in code.co_consts if isinstance(c, CodeType)))


def written_names(code: CodeType) -> set[str]:
    """The global names in lines of code that write into something: by an index, by `out=`, or by a function that does.

    >>> buffer = []
    >>> def fill(k):
    ...     buffer[:] = range(k)
    >>> "buffer" in written_names(fill.__code__)
    True
    """
    import dis

    lines: list[list[dis.Instruction]] = [[]]
    for step in dis.get_instructions(code):
        if step.starts_line:
            lines.append([])
        lines[-1].append(step)
    here = {
        step.argval
        for line in lines
        if any(_writes(step) for step in line)
        for step in line
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    return here.union(*(written_names(c) for c in code.co_consts if isinstance(c, CodeType)))


def _writes(step: Any) -> bool:
    named = isinstance(step.argval, str) and step.argval in WRITERS
    out = isinstance(step.argval, tuple) and "out" in step.argval
    return named or out or step.opname in ("STORE_SUBSCR", "STORE_SLICE")


def canonical(value: Any) -> str:
    """A text for plain values and code that is the same in every process: sets are sorted, addresses left out."""
    if isinstance(value, CodeType):
        return f"code({value.co_code.hex()}, {value.co_names}, {canonical(value.co_consts)})"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({', '.join(sorted(map(canonical, value)))})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{canonical(key)}: {canonical(item)}' for key, item in value.items())})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(canonical, value))})"
    return repr(value) if isinstance(value, PLAIN) else type(value).__name__


def digest(pieces: Iterable[bytes]) -> str:
    """A short name for a long content, given piece by piece."""
    from hashlib import sha256

    found = sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()[:16]

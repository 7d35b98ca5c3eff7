"""One text for one meaning: of plain values and of code, the same in every process."""

from __future__ import annotations  # inspect and hashlib are loaded when they are needed

from collections.abc import Iterable
from types import CodeType
from typing import Any

import numpy as np

PLAIN = (float, int, str, bytes, tuple, list, dict, set, frozenset, type(None))


def byte_code(thing: Any) -> str:
    """What a function or the methods of a class do, as a text; "" for what has no byte code."""
    import inspect

    thing = inspect.unwrap(thing)
    if inspect.isclass(thing):
        return canonical({name: byte_code(value) for name, value in vars(thing).items() if callable(value)})
    code = getattr(thing, "__code__", None)
    return "" if code is None else canonical(code)


def unwrapped(value: Any) -> Any:
    """The function behind a cache, as that of functools, which does what the function does; anything else as it is."""
    return value.__wrapped__ if hasattr(value, "cache_info") and hasattr(value, "__wrapped__") else value


def global_names(code: CodeType) -> set[str]:
    """The global names that a function uses, in the functions inside it too; names of attributes are others."""
    import dis

    here = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return here.union(*(global_names(c) for c in code.co_consts if isinstance(c, CodeType)))


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
    if isinstance(value, PLAIN):
        return repr(value)
    of_numbers = isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject
    return type(value).__name__ + (f"({value.dtype}, {digest([value.tobytes()])})" if of_numbers else "")


def digest(pieces: Iterable[bytes]) -> str:
    """A short name for a long content, given piece by piece."""
    from hashlib import sha256

    found = sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()[:16]

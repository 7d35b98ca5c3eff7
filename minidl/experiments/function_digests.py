"""What a function says: the part of a run's identity that is not in its setting."""

import ast
import inspect
import json
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from minidl.bytecode import written_names
from minidl.canonical import PLAIN, byte_code, canonical, digest, global_names
from minidl.training.identity import described, is_constant


def code_digest(function: Callable[..., Any]) -> str:
    """A digest of what a function says, and of what it uses of its own module, of outer functions and as defaults.

    Looked at are functions and classes by their text, and plain constants, arrays and dataclasses by their value.
    Comments, layout and docstrings are not, nor is any other module.
    """
    texts: dict[str, str] = {}
    _collect(function, texts, set(), _text)
    return _digest(texts)


def behaviour_digest(function: Callable[..., Any]) -> str:
    """The same of the byte code instead of the text, which a worker process can tell of what it was sent."""
    texts: dict[str, str] = {}
    _collect(function, texts, set(), byte_code)
    return _digest(texts)


def _digest(texts: dict[str, str]) -> str:
    return digest([json.dumps(texts, sort_keys=True).encode("utf-8", "replace")])


def _collect(thing: Any, texts: dict[str, str], seen: set[int], text: Callable[[Any], str]) -> None:
    """Add the text of a function or class, and of what it uses, each once; two may have one name."""
    thing = inspect.unwrap(thing)
    if id(thing) in seen:
        return
    seen.add(id(thing))
    name = f"{thing.__qualname__} {len(seen)}"
    texts[name] = text(thing)
    methods = (
        [getattr(value, "__func__", value) for value in vars(thing).values()] if inspect.isclass(thing) else [thing]
    )
    functions = [function for function in methods if isinstance(function, FunctionType)]
    for used, value in (pair for function in functions for pair in _uses(function)):
        if isinstance(value, PLAIN):
            texts[f"{name} uses {used}"] = canonical(value)
        elif is_constant(value):
            texts[f"{name} uses {used}"] = described(value)
        elif getattr(value, "__module__", "") == thing.__module__ and hasattr(value, "__qualname__"):
            _collect(value, texts, seen, text)


def _uses(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Names and values: globals, variables of outer functions, and defaults."""
    written = written_names(function.__code__)  # holds what the last call left
    for name in sorted(global_names(function.__code__)):
        if name in function.__globals__ and not (name in written and is_constant(function.__globals__[name])):
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not set yet
            continue
    yield "defaults", (function.__defaults__, function.__kwdefaults__)


def _text(thing: Any) -> str:
    """The syntax tree without docstrings; without a source of its own, the byte code."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError):  # written at a prompt, built in, or a lambda inside a longer line
        return byte_code(thing)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    several = getattr(thing, "__name__", "") == "<lambda>"  # one line may hold two
    return ast.dump(tree) + (byte_code(thing) if several else "")

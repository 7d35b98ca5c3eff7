"""What a run is known by: a checkpoint is for this run only, and a refusal says what differs."""

from __future__ import annotations  # hashlib and inspect are loaded when they are needed

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from numbers import Number
from types import FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from minidl.arguments import Recorded
from minidl.bytecode import written_names
from minidl.canonical import PLAIN, canonical, digest, global_names, unwrapped
from minidl.data.dataset import Dataset
from minidl.inputs import in_memory
from minidl.kernels.forms import form
from minidl.parameters import Array
from minidl.training.batch_stream import Batches
from minidl.training.plan import OF_ONE_CALL, Plan
from minidl.training.view import TrainerView
from minidl.version import __version__

FORMAT = 3  # of the file
SAMPLED = 4096  # rows of a memory-mapped file by which it is told from another
CHUNK = 1 << 24  # bytes hashed together


def identity(trainer: TrainerView, plan: Plan, data: Mapping[str, Dataset], monitor: str) -> dict[str, str]:
    """What must be the same for a run to go on, in words; `epochs` is not part of it, so a run can be made longer.

    `data` are the sets by name, "train" first.
    """
    parameters = trainer.model.parameters.named.items()
    named = {
        "format of the file": FORMAT,
        "version of minidl": __version__,
        "model": trainer.model,
        "parameters": [f"{name} {parameter.value.dtype} {parameter.shape}" for name, parameter in parameters],
        "frozen": trainer.model.parameters.frozen,
        "kernels": form(),
        "shares of a batch": trainer.share[1],
        "metrics": [[name, metric] for name, metric in trainer.metrics.items()],
        "validation sets": list(data)[1:],
        "monitor": monitor,
    }
    named |= {name: value for name, value in plan._asdict().items() if name not in OF_ONE_CALL}
    return {name: described(value) for name, value in named.items()} | {
        f"data {name!r}": _fingerprint(given) for name, given in data.items()
    }


def differences(saved: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """One clause for each entry that is not the same.

    >>> differences({"seed": "0", "batch_size": "32"}, {"seed": "1", "batch_size": "32"})
    ['seed: 0 there, 1 here']
    """
    names = [*now, *(name for name in saved if name not in now)]
    kept, new = ({n: str(entries.get(n, "nothing")) for n in names} for entries in (saved, now))
    return [f"{n}: {kept[n]} there, {new[n]} here" for n in names if kept[n] != new[n]]


def described(value: Any) -> str:
    """A text that is the same, in any process, for what trains the same: arguments left out and given are one.

    Arrays are told apart by their content, functions by what they do: byte code, defaults, and what they use of
    outer functions and, where it is plain, of their module.

    >>> from minidl import Adam
    >>> described(Adam(lr=0.1)) == described(Adam(0.1, beta1=0.9)), described([1, 1.0])
    (True, '[1, 1.0]')
    """
    return _described(value, frozenset())


def _described(value: Any, outside: frozenset[int]) -> str:
    """`outside` are the objects that this one is a part of: one that holds itself has an end all the same."""
    if id(value) in outside:
        return "..."
    inside = outside | {id(value)}
    if isinstance(value, np.ma.MaskedArray):
        return f"masked{_described([np.ma.getdata(value), np.ma.getmaskarray(value)], inside)}"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return f"<{value.dtype} {value.shape} {digest([value.tobytes()])}>"
    if isinstance(value, np.ndarray):
        return _described(value.tolist(), inside)
    if isinstance(value, np.random.Generator):
        return f"Generator({_described(value.bit_generator.state, inside)})"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(_described(item, inside) for item in value))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_described(item, inside) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {_described(item, inside)}' for key, item in value.items())}}}"
    value = unwrapped(value)
    if isinstance(value, FunctionType):
        return f"{value.__name__} {digest([_behaviour(value, inside).encode()])}"
    if (parts := _parts(value)) is not None:
        return f"{type(value).__name__}({', '.join(f'{name}={_described(p, inside)}' for name, p in parts.items())})"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _parts(value: Any) -> dict[str, Any] | None:
    """What an object is made of, by name: the arguments of its constructor if they are known."""
    if (given := arguments(value)) is not None:
        return given
    if isinstance(value, MethodType):
        return {"of": value.__self__, "function": value.__func__}
    if isinstance(value, partial):
        return {"function": value.func, "args": value.args, "keywords": value.keywords}
    if isinstance(value, type | ModuleType):
        return None
    if type(value).__module__.startswith("minidl."):
        return {}  # a trainer or a run, which holds what changes
    called = getattr(type(value), "__call__", None)  # noqa: B004
    call = {"__call__": called} if isinstance(called, FunctionType) else {}
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()) if hasattr(value, name)]
    return call | {name: getattr(value, name) for name in slots} | getattr(value, "__dict__", {}) or None


def arguments(value: Any) -> dict[str, Any] | None:
    """The arguments of the constructor by name, those left out too; None where nobody knows them."""
    import inspect

    if not isinstance(value, Recorded):
        plain = is_dataclass(value) and not isinstance(value, type)
        return {field.name: getattr(value, field.name) for field in fields(value)} if plain else None
    args, kwargs = value._arguments
    bound = inspect.signature(type(value).__init__).bind(value, *args, **kwargs)
    bound.apply_defaults()
    return dict(list(bound.arguments.items())[1:])  # without self


def _behaviour(function: FunctionType, inside: frozenset[int], written: frozenset[str] | None = None) -> str:
    """`written` are names of its module that hold what the last call left: no constants."""
    written = frozenset(_written(function, set())) if written is None else written
    outer = []
    for cell in function.__closure__ or ():
        try:
            outer.append(_described(cell.cell_contents, inside))
        except ValueError:  # not set yet
            outer.append("unset")
    known = function.__globals__
    used = {name: known[name] for name in sorted(global_names(function.__code__)) if name in known}
    constant = sorted(used.keys() - written)
    texts = [f"{name}: {_described(used[name], inside)}" for name in constant if is_constant(used[name])]
    texts += [f"{name}: {_of_module(value, known, inside, written)}" for name, value in used.items()]
    code = canonical(function.__code__)
    return code + _described([function.__defaults__, function.__kwdefaults__, texts, outer], inside)


def _written(function: FunctionType, seen: set[int]) -> set[str]:
    """The names of its module that a function writes into, or a function of its module that it uses."""
    if id(function) in seen:
        return set()
    seen.add(id(function))
    known = function.__globals__
    used = [unwrapped(known[name]) for name in global_names(function.__code__) if name in known]
    own = [value for value in used if isinstance(value, FunctionType) and value.__globals__ is known]
    return written_names(function.__code__).union(*(_written(value, seen) for value in own))


def is_constant(value: Any) -> bool:
    """Whether a value of a module is told by what it is; data sets are told apart by themselves."""
    if isinstance(value, np.memmap) or type(value).__module__.startswith("minidl."):
        return False
    if is_dataclass(value) or type(value).__module__ == "argparse":  # as of settings from the command line
        return not isinstance(value, type)
    return isinstance(value, (*PLAIN, Number, range, SimpleNamespace, np.ndarray, np.generic))


def _of_module(value: Any, known: dict[str, Any], inside: frozenset[int], written: frozenset[str]) -> str:
    """What a function or class of the same module does; "" for anything else."""
    value = unwrapped(value)
    if id(value) in inside:
        return "..."
    if isinstance(value, FunctionType) and value.__globals__ is known:
        return _behaviour(value, inside | {id(value)}, written)
    if not isinstance(value, type) or value.__module__ != known.get("__name__"):
        return ""
    members = {name: getattr(member, "__func__", member) for name, member in vars(value).items()}
    constants = [f"{n}: {_described(m, inside)}" for n, m in members.items() if is_constant(m) and n[:2] != "__"]
    return " ".join(constants + [_of_module(m, known, inside | {id(value)}, written) for m in members.values()])


def _fingerprint(data: Dataset | Batches) -> str:
    """Shape, dtype, and a digest of every number; of a memory-mapped file, of up to 4096 rows over its length."""
    if isinstance(data, Batches):
        return data.described()
    return f"{data!r} {digest(piece.tobytes() for piece in _pieces(data))}"


def _pieces(data: Dataset) -> Iterator[Array]:
    yield from data.arrays[1:]
    if not in_memory(data.x):
        yield data.x[np.unique(np.linspace(0, len(data) - 1, SAMPLED).astype(np.int64))]
        return
    step = max(1, CHUNK * len(data) // data.x.nbytes)
    yield from (data.x[start : start + step] for start in range(0, len(data), step))

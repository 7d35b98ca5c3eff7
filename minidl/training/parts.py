"""Parts: what a trainer trains with, and which of its attributes say how it works."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from inspect import getattr_static, signature, unwrap
from types import FunctionType
from typing import Any

import numpy as np

from minidl.layers.base import Layer
from minidl.optim.base import Optimizer
from minidl.training.callbacks import Callback, remembering
from minidl.training.identity import arguments, described
from minidl.training.view import TrainerView

ELSEWHERE = {  # attributes that others look after
    Optimizer: {"_arguments", "_model", "_layout", "_lr", "_lr_scale", "lr_scale", "steps", "slots"},
    Layer: {"_arguments", "training", "needs_dx", "rng", "parameters", "_input_shape", "_trains_in", "_predicts_in"}
    | {"columns"},
}


def parts_of(trainer: TrainerView) -> dict[str, list[Any]]:
    """What a trainer trains with, by the attribute that holds it: every layer, and callbacks with a memory."""
    return {
        "optimizer": [trainer.optimizer],
        "loss": [trainer.loss],
        "regularizers": list(trainer.regularizers),
        "model": list(trainer.model.layers_inside()),
        "callbacks": remembering(trainer.callbacks),
    }


def text_of(parts: list[Any]) -> str:
    """The parts of one kind in words."""
    return described(parts[0] if len(parts) == 1 else parts)


def paths(parts: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    """The parts by a path, such as "optimizer" or "model[3]"."""
    for kind, several in parts.items():
        yield from ((f"{kind}[{place}]" if len(several) > 1 else kind, part) for place, part in enumerate(several))


def inner(parts: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    """The schedule and the clipper of the optimizer, where they are objects with attributes."""
    for name in ("lr", "clip"):
        value = getattr(parts["optimizer"][0], name)
        if not isinstance(value, FunctionType | type | int | float | None):
            yield f"optimizer.{name}", value


def settable(part: Any) -> list[str]:
    """The attributes of a part that are named as an argument of its constructor and can be assigned."""
    code = getattr(unwrap(type(part).__init__), "__code__", None)
    if isinstance(part, FunctionType | type) or code is None:
        return []
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    others = elsewhere(part)
    found = ((name, getattr(type(part), name, None)) for name in names if name not in others)
    return [name for name, on_class in found if not (isinstance(on_class, property) and on_class.fset is None)]


def elsewhere(part: Any) -> set[str]:
    """The attributes of a part that others look after."""
    return next((names for kind, names in ELSEWHERE.items() if isinstance(part, kind)), {"_arguments"})


def slots(part: Any) -> list[str]:
    """The attributes for which the classes of a part have slots."""
    named = (vars(kind).get("__slots__", ()) for kind in type(part).__mro__)
    names = [name for several in named for name in ((several,) if isinstance(several, str) else several)]
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def refusal(part: Any, name: str, value: Any, given: Any) -> str:
    """What speaks against a setting that a file has for a part of the library; "" for nothing, or where nobody knows.

    Nobody trains with what the constructor refuses, be it alone or beside the other arguments. Of a callback a run may
    make more than its constructor takes, such as a patience of 15.0 or without end.
    """
    if not is_ours(part):
        return ""
    if isinstance(part, Callback):
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        return "" if isinstance(given, str) or (number and value >= 0) else "a number >= 0 belongs there"
    made, said = arguments(part) or {}, ""
    needed = {n: made[n] for n, p in signature(type(part)).parameters.items() if p.default is p.empty and n in made}
    for others in (needed, made):
        try:
            type(part)(**{**others, name: value})
        except (ValueError, TypeError) as error:
            said = str(error)
        else:
            return ""
    return said


def is_ours(part: Any) -> bool:
    """Whether a function or the class of a part is one of the library."""
    return str(getattr(part, "__module__", "")).startswith("minidl.")


def is_free(part: Any, name: str) -> bool:
    """Whether an attribute that the object does not have may be set: no method, property or somebody else's."""
    on_class = getattr_static(type(part), name, None)
    plain = name in slots(part) or isinstance(on_class, cached_property) or not hasattr(on_class, "__get__")
    return name.isidentifier() and plain and not callable(on_class) and name not in elsewhere(part)

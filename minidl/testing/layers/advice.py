"""What an author of a layer is told to do, beyond what is wrong."""

import inspect
import re
from typing import Any

import numpy as np

from minidl.layers.base import Layer
from minidl.parameters import Parameter
from minidl.testing.functions import Domain, line_of, name_of
from minidl.testing.strategies import Shape, is_factory


def on_sizes(layer: Any, shape: Shape) -> str:
    """What to say if an object that is made already does not fit the sizes of x."""
    drawn = [size for size in shape[1:] if isinstance(size, str)]
    taken = inspect.signature(layer).parameters if is_factory(layer) and not isinstance(layer, type) else {}
    if isinstance(layer, type) or set(drawn) & set(taken):
        return ""
    if drawn:
        names = ", ".join(map(repr, drawn))
        advice = f"\n  {names} in shape={shape} are drawn: give the sizes that this object was made for, as in "
        return f"{advice}shape=('n', 3), or its class, which is then made for the sizes drawn"
    return "" if taken else f"\n  is it an object made for other sizes than those of shape={shape}?"


def on_domain(domain: Domain | None) -> str:
    """What to ask where an output is not finite."""
    return "is a domain=(low, high) needed?" if domain is None else f"domain={domain} is open to it"


def on_parameters(error: BaseException, layer: Layer) -> str:
    """What to write where the line that failed takes a Parameter for its numbers."""
    line = line_of(error)
    named = {name for inner in layer.layers_inside() for name, v in vars(inner).items() if isinstance(v, Parameter)}
    found = re.findall(r"\bself\.(\w+)\b(?!\s*\.\s*(?:value|grad|shape|size)\b)", line.source if line else "")
    return "".join(
        f"\n  self.{name} is a Parameter: write self.{name}.value for its numbers" for name in found if name in named
    )


def plain_arrays(layer: Layer) -> tuple[str, ...]:
    """The attributes of a layer and those inside that hold real numbers in an array, which no optimizer trains."""
    return tuple(
        name if inner is layer else f"{name_of(inner)}.{name}"
        for inner in layer.layers_inside()
        for name, value in vars(inner).items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )

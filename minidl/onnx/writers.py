"""Which function writes which layer."""

from collections.abc import Callable
from typing import Any, TypeVar

from minidl.arguments import short
from minidl.layers.base import Layer
from minidl.layers.container import Container
from minidl.layers.shapes import SampleShape
from minidl.onnx.graph import Graph

Shape = tuple[int | None, ...]  # of a row; None is any size
Writer = Callable[[Graph, Any, str, Shape], str]
W = TypeVar("W", bound=Writer)
_writers: dict[type[Layer], Writer] = {}


def writes(*kinds: type[Layer]) -> Callable[[W], W]:
    """Say that a function (graph, layer, x, shape) -> y writes layers of these kinds.

    `x` and `y` are the names of input and output, and `shape` is that of a row of x, in which None is any size.
    """

    def keep(function: W) -> W:
        _writers.update(dict.fromkeys(kinds, function))
        return function

    return keep


def write(graph: Graph, layer: Layer, x: str, shape: Shape) -> str:
    """Add a layer to a graph; returns the name of its output."""
    own = getattr(layer, "to_onnx", None)
    if own is None:
        return _writer_of(layer)(graph, layer, x, shape)
    y = own(graph, x, shape)
    if not isinstance(y, str):
        raise TypeError(
            f"expected to_onnx of {short(layer)} to return the name of its output, received {short(y)}: return what "
            f"graph(...) returned"
        )
    return y


def shape_after(layer: Layer, shape: Shape) -> Shape:
    """The shape of a row that a layer returns."""
    after: SampleShape = layer.output_shape(shape)
    if after is None:
        raise TypeError(
            f"expected layers that say the shape of their output, received {short(layer)}: "
            f"define its output_shape(shape)"
        )
    return tuple(after)


def _writer_of(layer: Layer) -> Writer:
    """The function for the class of a layer, or for one above it whose forward it has."""
    for kind in type(layer).__mro__:
        if kind in _writers and type(layer).forward is kind.forward:
            return _writers[kind]
    raise TypeError(
        f"expected layers that ONNX can say, received {short(layer)}: give {type(layer).__name__} a method "
        f"to_onnx(self, graph, x, shape) that returns the name of its output, see docs/formats.md"
    )


def in_turn(graph: Graph, layers: Container, x: str, shape: Shape) -> str:
    """The layers of a container, each given what the one before it returns."""
    for layer in layers:
        x, shape = write(graph, layer, x, shape), shape_after(layer, shape)
    return x

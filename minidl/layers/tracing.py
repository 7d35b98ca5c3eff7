"""What the layers inside a model are given and return, whichever containers hand it on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from minidl.layers.base import Layer
from minidl.parameters import Array

WATCHED = ("forward", "backward")


@dataclass(eq=False)
class Call:
    """One forward of a layer, and the backward of it, if there was one.

    Attributes:
        path: of the layer in the model, such as "0.1"; "" for the model itself.
        layer: it.
        x, y: its input and output.
        dy: the gradient that its backward was given.
    """

    path: str
    layer: Layer
    x: Array
    y: Array
    dy: Array | None = None


@contextmanager
def traced(model: Layer) -> Iterator[list[Call]]:
    """A block in which every call of a layer in the model is noted, in the order in which the forwards end.

    >>> import numpy as np
    >>> from minidl.layers import Residual, Sequential, Tanh
    >>> model = Sequential(Residual(Tanh()), Tanh())
    >>> with traced(model) as calls:
    ...     y = model.forward(np.zeros((1, 2)))
    >>> [call.path for call in calls]
    ['0.0', '0', '1', '']
    """
    calls: list[Call] = []
    layers = list(_by_path(model, ""))
    own = [{name: vars(layer)[name] for name in WATCHED if name in vars(layer)} for _, layer in layers]
    for path, layer in layers:
        _watch(layer, path, calls)
    try:
        yield calls
    finally:
        for (_, layer), methods in zip(layers, own, strict=True):
            for name in WATCHED:
                del vars(layer)[name]
            vars(layer).update(methods)


def _by_path(layer: Layer, path: str) -> Iterator[tuple[str, Layer]]:
    yield path, layer
    for name, child in layer.children().items():
        yield from _by_path(child, f"{path}.{name}" if path else name)


def _watch(layer: Layer, path: str, calls: list[Call]) -> None:
    forward, backward = layer.forward, layer.backward

    def watched_forward(x: Array) -> Array:
        y = forward(x)
        calls.append(Call(path, layer, x, y))
        return y

    def watched_backward(dy: Array) -> Array:
        newest = next((call for call in reversed(calls) if call.layer is layer), None)
        if newest is not None:
            newest.dy = dy
        return backward(dy)

    vars(layer).update(forward=watched_forward, backward=watched_backward)

"""What the layers inside a model are given and return, whichever containers hand it on; a tap on one of them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from minidl.layers.base import Layer
from minidl.parameters import Array


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
    with ExitStack() as taps:
        for path, layer in by_path(model):
            taps.callback(tap(layer, "forward", after=partial(_note, calls, path, layer)))
            taps.callback(tap(layer, "backward", before=partial(_note_gradient, calls, layer)))
        yield calls


def by_path(layer: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """A layer and all inside it with their paths, in the order of the model; its own is ""."""
    yield path, layer
    for name, child in layer.children().items():
        yield from by_path(child, f"{path}.{name}" if path else name)


def _note(calls: list[Call], path: str, layer: Layer, x: Array, y: Array) -> None:
    calls.append(Call(path, layer, x, y))


def _note_gradient(calls: list[Call], layer: Layer, dy: Array) -> None:
    newest = next((call for call in reversed(calls) if call.layer is layer), None)
    if newest is not None:
        newest.dy = dy


class _Tap:
    """What stands for a forward or backward while it is watched: calls that of the layer, and shows what passes."""

    def __init__(self, layer: Layer, name: str) -> None:
        self.own = {name: vars(layer)[name]} if name in vars(layer) else {}
        self.inner: Callable[[Array], Array] = getattr(layer, name)
        self.before: list[Callable[[Array], None]] = []
        self.after: list[Callable[[Array, Array], None]] = []

    def __call__(self, given: Array) -> Array:
        for look in self.before:
            look(given)
        returned = self.inner(given)
        for show in self.after:
            show(given, returned)
        return returned


def tap(
    layer: Layer,
    name: str,
    *,
    before: Callable[[Array], None] | None = None,
    after: Callable[[Array, Array], None] | None = None,
) -> Callable[[], None]:
    """Look at what passes through a method of one layer; several may, and leave in any order.

    Returns:
        what lets go of it: with the last one the layer is as it was.
    """
    found = vars(layer).get(name)
    here = found if isinstance(found, _Tap) else _Tap(layer, name)
    vars(layer)[name] = here
    here.before += [before] if before else []
    here.after += [after] if after else []

    def let_go() -> None:
        here.before[:] = [look for look in here.before if look is not before]
        here.after[:] = [show for show in here.after if show is not after]
        if not here.before and not here.after:
            del vars(layer)[name]
            vars(layer).update(here.own)

    return let_go

"""Training and inference: the mode of some layers inside a block, and which thread may use them meanwhile."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, get_ident
from typing import Protocol, TypeVar

T = TypeVar("T")
_changes = Condition()  # of what follows, in any layer


class Moded(Protocol):
    """See the attributes of `Layer`."""

    training: bool
    _trains_in: int | None
    _predicts_in: tuple[int, ...]


@contextmanager
def training(owner: T, layers: Sequence[Moded]) -> Iterator[T]:
    """A block in which the layers are training, in this thread only; gives the owner."""
    me = get_ident()

    def others_predict() -> bool:
        return any(thread != me for layer in layers for thread in layer._predicts_in)

    with _changes:
        if not any(me in layer._predicts_in for layer in layers):  # else two could wait for each other
            _changes.wait_for(lambda: not others_predict())
        _refuse_others(layers, me, busy=others_predict())
        before = [(layer, layer.training, layer._trains_in) for layer in layers]
        for layer in layers:
            layer.training, layer._trains_in = True, me
    try:
        yield owner
    finally:
        with _changes:
            for layer, mode, thread in before:
                layer.training, layer._trains_in = mode, thread


@contextmanager
def inference(layers: Sequence[Moded]) -> Iterator[None]:
    """A block in which the layers are in inference mode, also inside a `training` block of this thread."""
    me = get_ident()
    with _changes:
        _refuse_others(layers, me)
        before = [(layer, layer.training) for layer in layers]
        for layer in layers:
            layer.training, layer._predicts_in = False, (*layer._predicts_in, me)
    try:
        yield
    finally:
        with _changes:
            for layer, mode in before:
                threads = list(layer._predicts_in)
                threads.remove(me)
                layer.training, layer._predicts_in = mode, tuple(threads)
            _changes.notify_all()


def _refuse_others(layers: Sequence[Moded], me: int, *, busy: bool = False) -> None:
    if busy or any(layer._trains_in not in (None, me) for layer in layers):
        raise RuntimeError(
            "expected a model in one thread while it trains, as layers keep what backward needs, received a call from "
            "another: use a copy there, copy.deepcopy(model)"
        )

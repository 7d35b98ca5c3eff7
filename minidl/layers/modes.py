"""Training and inference: the mode of some layers inside a block, and which thread may use them meanwhile."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Condition, Thread, current_thread
from typing import Protocol, TypeVar

T = TypeVar("T")
PATIENCE = 60.0  # seconds to wait for one prediction of another thread to end, which may be waiting for this one
_changes = Condition()  # of what follows, in any layer
_predicting: Counter[Thread] = Counter()  # blocks of inference that a thread is inside of, with any layers
_waiting: dict[Thread, Sequence["Moded"]] = {}  # threads that wait to train, and with which layers


class Moded(Protocol):
    """See the attributes of `Layer`, and `Recorded._forget`."""

    training: bool
    needs_dx: bool
    _trains_in: Thread | None
    _predicts_in: tuple[Thread, ...]

    def _forget(self) -> None: ...


@contextmanager
def training(owner: T, layers: Sequence[Moded]) -> Iterator[T]:
    """A block in which the layers are training, in this thread only; gives the owner.

    Predictions of other threads are waited for, unless this thread is inside of one itself: two could wait for each
    other. Those that come meanwhile wait in turn, so that the last of those under way is the last one waited for.
    """
    me = current_thread()
    with _changes:
        if not _predicting[me]:
            _wait_for_predictions(layers, me)
        _forget_ended(layers)
        _refuse_others(layers, me, _predicting_else(layers, me))
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
    """A block in which the layers are in inference mode, also inside a `training` block of this thread.

    Where another thread waits to train them it goes first, unless this one is predicting already, which it waits for.
    After the last of such blocks the layers forget their input, so that no model keeps data alive.
    """
    me = current_thread()
    with _changes:
        if not _predicting[me]:
            _changes.wait_for(lambda: not _waiting_else(layers, me))
        _forget_ended(layers)
        _refuse_others(layers, me)
        before = [(layer, layer.training) for layer in layers]
        for layer in layers:
            layer.training, layer._predicts_in = False, (*layer._predicts_in, me)
        _predicting[me] += 1
    try:
        yield
    finally:
        with _changes:
            _predicting[me] -= 1
            if not _predicting[me]:
                del _predicting[me]
            for layer, mode in before:
                threads = list(layer._predicts_in)
                threads.remove(me)
                layer.training, layer._predicts_in = mode, tuple(threads)
                if not threads:
                    layer._forget()
            _changes.notify_all()


def _wait_for_predictions(layers: Sequence[Moded], me: Thread) -> None:
    """Wait until no other thread predicts with the layers; in vain where none of them comes to its end."""
    _waiting[me] = layers
    try:
        while busy := _under_way(layers, me):
            if not _changes.wait_for(partial(_moved, layers, me, busy), timeout=PATIENCE):
                return
    finally:
        del _waiting[me]
        _changes.notify_all()


def _moved(layers: Sequence[Moded], me: Thread, busy: Counter[Thread]) -> bool:
    return _under_way(layers, me) != busy


def _waiting_else(layers: Sequence[Moded], me: Thread) -> bool:
    """Whether another thread waits to train one of the layers."""
    wanted = {id(layer) for thread, several in _waiting.items() if thread is not me for layer in several}
    return any(id(layer) in wanted and layer._trains_in is not me for layer in layers)


def _under_way(layers: Sequence[Moded], me: Thread) -> Counter[Thread]:
    """The predictions of other threads with the layers."""
    threads = (thread for layer in layers for thread in layer._predicts_in)
    return Counter(thread for thread in threads if thread is not me and thread.is_alive())


def _predicting_else(layers: Sequence[Moded], me: Thread) -> Thread | None:
    """Another thread that predicts with one of the layers."""
    threads = (thread for layer in layers for thread in layer._predicts_in)
    return next((thread for thread in threads if thread is not me and thread.is_alive()), None)


def _forget_ended(layers: Sequence[Moded]) -> None:
    """End the training of threads that did not live to leave their block."""
    for layer in layers:
        if layer._trains_in is not None and not layer._trains_in.is_alive():
            layer.training, layer._trains_in = False, None


def _refuse_others(layers: Sequence[Moded], me: Thread, busy: Thread | None = None) -> None:
    """Raise where another thread trains one of the layers, or is busy with it."""
    busy = busy or next((layer._trains_in for layer in layers if layer._trains_in not in (None, me)), None)
    if busy is not None:
        raise RuntimeError(
            f"expected a model in one thread while it trains, as layers keep what backward needs, received a call from "
            f"{me.name!r} while {busy.name!r} uses it: use a copy, copy.deepcopy(model)"
        )


@contextmanager
def without_dx(layers: Sequence[Moded]) -> Iterator[None]:
    """A block of steps: without the gradient with respect to the input of the first layer, which holds the others.

    At its end they forget what they kept, so that no model keeps data alive.
    """
    before = [(layer, layer.needs_dx) for layer in layers]
    layers[0].needs_dx = False
    try:
        yield
    finally:
        for layer, needed in before:
            layer.needs_dx = needed
            layer._forget()

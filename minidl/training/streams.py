"""Streams: where every generator of a run stands, those of the layers and those that its parts keep themselves."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from minidl.layers.base import Layer
from minidl.remembered import text_in
from minidl.seeding import position, put_at
from minidl.training.memory import can_be_written
from minidl.training.view import TrainerView


class Streams:
    """The memory of random streams: the layers' own, and those that parts of a trainer keep as attributes."""

    def __init__(self, trainer: TrainerView) -> None:
        own = (trainer.optimizer, trainer.optimizer.lr, trainer.optimizer.clip, trainer.loss, *trainer.regularizers)
        self.owners = [*trainer.model.layers_inside(), *own]

    def state(self) -> dict[str, Any]:
        """Where each stream stands."""
        return {name: position(rng) for name, rng, _ in self._streams()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Put each stream where it stood: one that several hold stays one, one made meanwhile is made or dropped."""
        found, moved = list(self._streams()), dict[int, Any]()
        for name, rng, put in found:
            if name in state:
                moved[id(rng)] = moved.get(id(rng)) or put_at(rng, text_in(state, name))
                if moved[id(rng)] is not rng:
                    put(moved[id(rng)])
        for name in {*state} ^ {name for name, _, _ in found}:
            place, _, attribute = name.partition(".")
            owner = self.owners[int(place)] if place.isdecimal() and int(place) < len(self.owners) else None
            held = getattr(owner, "__dict__", {})
            kept = name not in state and attribute == "rng" and isinstance(owner, Layer)  # which build gives each layer
            taken = name in state and not can_be_written(held.get(attribute))  # such as a parameter
            if owner is None or kept or taken or not attribute.isidentifier() or hasattr(type(owner), attribute):
                raise ValueError(f"expected the random streams of these parts, found others: {name}")
            held.pop(attribute, None)
            if name in state:
                held[attribute] = put_at(None, text_in(state, name))

    def _streams(self) -> Iterator[tuple[str, Any, Callable[[Any], None]]]:
        """Every generator among the attributes, with a name and how another takes its place."""
        for place, owner in enumerate(self.owners):
            held = getattr(owner, "__dict__", {})
            for name, value in [item for item in held.items() if item[0] != "_arguments"]:
                yield from _generators(f"{place}.{name}", value, partial(held.__setitem__, name))


def _generators(name: str, value: Any, put: Callable[[Any], None]) -> Iterator[tuple[str, Any, Callable[[Any], None]]]:
    if isinstance(value, np.random.Generator | np.random.RandomState):
        yield name, value, put
    elif isinstance(value, list | dict):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield from _generators(f"{name}[{key!r}]", item, partial(value.__setitem__, key))
    elif isinstance(value, tuple):
        items = list(value)  # as they are now, whichever others were put
        make = getattr(type(value), "_make", tuple)
        for key, item in enumerate(value):
            yield from _generators(f"{name}[{key}]", item, partial(_put_into, items, key, make, put))


def _put_into(items: list[Any], key: int, make: Callable[[Any], Any], put: Callable[[Any], None], item: Any) -> None:
    items[key] = item
    put(make(items))

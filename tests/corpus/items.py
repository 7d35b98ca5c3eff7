"""How the corpus is written: every component is registered with what its author would declare about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Item:
    """One component: `check_<kind>(thing, **options)` is to catch it, or to stay silent."""

    name: str
    kind: str
    thing: Any
    options: dict[str, Any]


class Shelf(list[Item]):
    """A list of items that classes and functions are put on: `@shelf.layer(rows_mix=True)`."""

    def put(self, kind: str, thing: Any, options: dict[str, Any], name: str | None = None) -> Any:
        self.append(Item(name or thing.__name__, kind, thing, options))
        return thing

    def layer(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        return lambda thing: self.put("layer", thing, options, name)

    def loss(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        return lambda thing: self.put("loss", thing, options, name)

    def regularizer(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        return lambda thing: self.put("regularizer", thing, options, name)

    def optimizer(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        return lambda thing: self.put("optimizer", thing, options, name)

    def model(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        return lambda thing: self.put("model", thing, options, name)

    def schedule(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        return lambda thing: self.put("schedule", thing, options, name)

    def callback(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        return lambda thing: self.put("callback", thing, options, name)

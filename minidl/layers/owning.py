"""What belongs to a layer: the parameters, states and layers among its attributes."""

from collections.abc import Iterator
from typing import Any


def owned(attributes: dict[str, Any], kind: type[Any]) -> Iterator[tuple[str, Any]]:
    """The objects of one kind among the attributes, looking into lists, tuples and dicts."""
    for name, value in attributes.copy().items():  # at once: another thread may train, and keep something new
        if name == "_arguments":  # what the constructor was called with, for the repr
            continue
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, list | tuple | dict):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            yield from ((f"{name}.{path}", item) for path, item in owned({str(k): v for k, v in items}, kind))


def refuse_shared(what: str, objects: list[Any]) -> None:
    """Refuse one object in two places of a model."""
    seen: set[int] = set()
    for item in objects:
        if id(item) in seen:
            raise ValueError(
                f"expected every {what} in one place only, received {item!r} in two: "
                f"backward sets gradients, so make a second instance"
            )
        seen.add(id(item))

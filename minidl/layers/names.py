"""Names that every layer has from its base, and that a layer's own attributes must leave alone."""

from typing import Any

from minidl.arguments import short
from minidl.bytecode import assigns

GIVEN = {  # what is there without a method of that name, and the name of its type
    "parameters": ("Parameters", "build keeps the store of all numbers there"),
    "rng": ("Generator", "build gives every layer its random stream there"),
    "training": ("bool", "train_mode says there whether the layer is training"),
}


def check_names(layer: Any, base: type[Any]) -> None:
    """Refuse a layer of the class `base`, or one below it, with an attribute that has a name its base needs."""
    for name, (kind, use) in GIVEN.items():
        classes = [vars(owner)[name] for owner in _own(type(layer), base) if name in vars(owner)]
        taken = [value for value in classes if value is not False]  # what it is to begin with
        if name in vars(layer):
            value = vars(layer)[name]
            if kind not in {k.__name__ for k in type(value).__mro__} or assigns(type(layer), "__init__", name):
                taken.insert(0, value)
        if taken:
            raise ValueError(
                f"expected {type(layer).__name__} to leave the name {name!r} to Layer, received its own {name}="
                f"{short(taken[0])}: rename it, as {use}"
            )
    of_classes = {name: value for owner in reversed(_own(type(layer), base)) for name, value in vars(owner).items()}
    for name, value in {**of_classes, **vars(layer)}.items():
        if isinstance(value, classmethod | staticmethod):
            value = value.__func__
        if not name.startswith("_") and callable(getattr(base, name, None)) and not callable(value):
            raise ValueError(
                f"expected {type(layer).__name__} to leave the name {name!r} to the method of Layer, received its own "
                f"{name}={short(value)}: rename it"
            )
    for child in type(layer).children(layer).values():
        check_names(child, base)


def _own(kind: type[Any], base: type[Any]) -> list[type[Any]]:
    """The class and those between it and the base."""
    return [owner for owner in kind.__mro__ if issubclass(owner, base) and owner is not base]

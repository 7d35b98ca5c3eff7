"""Frozen dataclasses, made in a quarter of the time: the library has dozens, and `import minidl` waits for each."""

from dataclasses import Field, FrozenInstanceError, dataclass, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

T = TypeVar("T")
SHARED = ("__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")


@dataclass_transform(frozen_default=True)
def frozen(kind: type[T]) -> type[T]:
    """As `dataclass(frozen=True)`, with methods that all classes share, where Python writes and compiles six for each.

    What others write may go on from such a class as from any frozen dataclass, and the library takes both.

    >>> @frozen
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> Point(1.0), Point(1.0) == Point(1.0, 0.0), {Point(1.0)} == {Point(1.0)}
    (Point(x=1.0, y=0.0), True, True)
    >>> Point(1.0).x = 2.0
    Traceback (most recent call last):
    dataclasses.FrozenInstanceError: cannot assign to field 'x'
    """
    made = dataclass(eq=False, repr=False)(kind)  # which leaves its __init__ to be compiled
    for name in SHARED:
        if name not in vars(kind):
            setattr(made, name, vars(_Methods)[name])
    parameters = made.__dataclass_params__  # type: ignore[attr-defined]
    parameters.frozen = parameters.eq = parameters.repr = True  # what `dataclass` asks of the bases of a frozen class
    return made


class _Methods:
    """Those that Python would write for each class."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __repr__(self) -> str:
        shown = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
        return f"{type(self).__qualname__}({shown})"

    def __eq__(self, other: object) -> bool:
        return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(_compared(self))

    def __setattr__(self, name: str, value: object) -> None:
        """A field is set once, by `__init__`, and there is nothing else, except where a plain subclass adds to it."""
        if name in vars(self) if name in self.__dataclass_fields__ else _has_fields_only(self):
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dataclass_fields__ or _has_fields_only(self):
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        object.__delattr__(self, name)


def _compared(thing: Any) -> tuple[Any, ...]:
    return tuple(getattr(thing, each.name) for each in fields(thing) if each.compare)


def _has_fields_only(thing: object) -> bool:
    return "__dataclass_fields__" in vars(type(thing))

"""Slots: where an optimizer keeps the vectors that its rule remembers."""

from minidl.parameters import Array


class Slots(dict[str, Array]):
    """The vectors that a rule remembers; there are none before the first step, which says how long they are.

    >>> Slots()["velocity"]
    Traceback (most recent call last):
    KeyError: "no slot 'velocity': the first step makes those of slot_names, known: none"
    """

    def __missing__(self, name: object) -> Array:
        raise KeyError(
            f"no slot {name!r}: the first step makes those of slot_names, known: {', '.join(self) or 'none'}"
        )

"""Learning rates in pieces: a number for each, or a schedule for each."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any

from minidl.arguments import check_function, check_integer, check_number
from minidl.optim.schedules import Schedule


@dataclass(frozen=True)
class MultiStepDecay(Schedule):
    """lr * factor**k, where k milestones are <= step; factor in [0, 1].

    >>> schedule = MultiStepDecay(1.0, 0.5, milestones=(10, 15))
    >>> [schedule(step) for step in (9, 10, 14, 15)]
    [1.0, 0.5, 0.5, 0.25]
    """

    lr: float
    factor: float
    _: KW_ONLY
    milestones: Sequence[int]

    def __post_init__(self) -> None:
        self._keep(
            lr=check_number("lr", self.lr, minimum=0),
            factor=check_number("factor", self.factor, minimum=0, maximum=1),
            milestones=_increasing("milestones", self.milestones),
        )

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        return self.lr * self.factor ** bisect_right(self.milestones, step)


@dataclass(frozen=True)
class Joined(Schedule):
    """One schedule after the other; each counts its own time from 0.

    Piece i runs from boundary i - 1 (the first from 0) up to, not including, boundary i (the last for ever).

    >>> from minidl.optim import CosineDecay, LinearWarmup
    >>> schedule = Joined([LinearWarmup(1.0, 10), CosineDecay(1.0, 90)], boundaries=[10])
    >>> [round(schedule(step), 6) for step in (0, 5, 10, 55, 100)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    schedules: Sequence[Callable[[int], float]]
    _: KW_ONLY
    boundaries: Sequence[int]

    def __post_init__(self) -> None:
        schedules, boundaries = _listed("schedules", self.schedules), _increasing("boundaries", self.boundaries)
        for schedule in schedules:
            if not callable(schedule):
                raise ValueError(f"expected functions of the step, received {schedule!r}: a number is Constant(number)")
            check_function("each of schedules", schedule, "step", advice="write lambda step: ...")
        if len(schedules) != len(boundaries) + 1:
            raise ValueError(
                f"expected one boundary between each two schedules, received {len(schedules)} schedules and "
                f"boundaries={boundaries}"
            )
        self._keep(schedules=schedules, boundaries=boundaries)

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        piece = bisect_right(self.boundaries, step)
        began = self.boundaries[piece - 1] if piece else 0
        return self.schedules[piece](step - began)


def _listed(name: str, items: Iterable[Any]) -> tuple[Any, ...]:
    if not isinstance(items, Iterable):
        raise ValueError(f"expected {name} to be a list or tuple, received {name}={items!r}: put it in brackets")
    return tuple(items)


def _increasing(name: str, steps: Sequence[int]) -> tuple[int, ...]:
    checked = tuple(check_integer(f"each of {name}", step, minimum=1) for step in _listed(name, steps))
    if any(a >= b for a, b in pairwise(checked)):
        raise ValueError(f"expected {name} in increasing order, received {name}={checked}: sort them")
    return checked

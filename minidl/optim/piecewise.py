"""Learning rates in pieces: a number for each, a wave for each, or a schedule for each."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY
from itertools import pairwise
from typing import Any

from minidl.arguments import check_function, check_integer, check_number
from minidl.frozen import frozen
from minidl.optim.schedules import Schedule, between, half_wave


@frozen
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


@frozen
class OneCycle(Schedule):
    """Half a cosine wave up from lr / divide to `lr`, and half a one down to `final`, where it stays from `steps` on.

    The wave up takes the share `rise` of the steps. The source goes in straight lines, and lets the momentum fall where
    the rate rises; the momentum of an optimizer here stays. Source: Smith and Topin, "Super-convergence: very fast
    training of neural networks using large learning rates", 2018, section 4.

    Args:
        lr: the highest rate, >= 0.
        steps: how long one run is.
        rise: in (0, 1).
        divide: >= 1.
        final: in [0, lr].

    >>> schedule = OneCycle(1.0, 100, divide=10)
    >>> [round(schedule(step), 6) for step in (0, 15, 30, 65, 100, 200)]
    [0.1, 0.55, 1.0, 0.5, 0.0, 0.0]
    """

    lr: float
    steps: int
    _: KW_ONLY
    rise: float = 0.3
    divide: float = 25.0
    final: float = 0.0

    def __post_init__(self) -> None:
        lr = check_number("lr", self.lr, minimum=0)
        self._keep(
            lr=lr,
            steps=check_integer("steps", self.steps, minimum=1),
            rise=check_number("rise", self.rise, minimum=0, maximum=1, exclusive=True),
            divide=check_number("divide", self.divide, minimum=1),
            final=check_number("final", self.final, minimum=0, maximum=lr),
        )

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        top = self.rise * self.steps
        if step < top:
            return half_wave(self.lr / self.divide, self.lr, step / top)
        return half_wave(self.lr, self.final, (min(step, self.steps) - top) / (self.steps - top))


@frozen
class CosineRestarts(Schedule):
    """`CosineDecay` again and again: a first cycle of `steps`, each next one `growth` times as long as the one before.

    A cycle begins at `lr` and nears `final`, which its last step does not reach. Source: Loshchilov and Hutter, "SGDR:
    stochastic gradient descent with warm restarts", ICLR 2017, section 3.

    >>> schedule = CosineRestarts(1.0, 10, growth=2)
    >>> [round(schedule(step), 6) for step in (0, 5, 10, 20, 30)]
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    lr: float
    steps: int
    _: KW_ONLY
    growth: int = 1
    final: float = 0.0

    def __post_init__(self) -> None:
        lr = check_number("lr", self.lr, minimum=0)
        self._keep(
            lr=lr,
            steps=check_integer("steps", self.steps, minimum=1),
            growth=check_integer("growth", self.growth, minimum=1),
            final=check_number("final", self.final, minimum=0, maximum=lr),
        )

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        length = self.steps
        if self.growth == 1:
            step %= length
        while step >= length:
            step, length = step - length, length * self.growth
        return half_wave(self.lr, self.final, step / length)


@frozen
class InverseSquareRoot(Schedule):
    """From 0 straight up to `lr` in `warmup` steps, then lr * sqrt(warmup / step).

    Both are `lr` at step `warmup`. In the source lr is 1 / sqrt(d_model * warmup). As with `LinearWarmup`, the very
    first step moves nothing. Source: Vaswani et al., "Attention is all you need", NeurIPS 2017, section 5.3.

    >>> schedule = InverseSquareRoot(0.1, warmup=100)
    >>> [round(schedule(step), 6) for step in (0, 50, 100, 400)]
    [0.0, 0.05, 0.1, 0.05]
    """

    lr: float
    _: KW_ONLY
    warmup: int

    def __post_init__(self) -> None:
        self._keep(lr=check_number("lr", self.lr, minimum=0), warmup=check_integer("warmup", self.warmup, minimum=1))

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        if step < self.warmup:
            return between(0.0, self.lr, step / self.warmup)
        return self.lr * math.sqrt(self.warmup / step)


@frozen
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

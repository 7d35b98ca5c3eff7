"""Learning rates that change with time: pure functions from the number of steps already taken to a Python float.

An optimizer takes any function `int -> float` for its `lr`. The ones here show in their repr how they were made, check
their arguments when made, and know no state: asking twice, or out of order, gives the same answers. Time is
counted in optimizer steps; one epoch is `ceil(rows / batch_size)` of them.
"""

import math
from collections.abc import Callable
from dataclasses import KW_ONLY
from typing import Any, Self, TypeAlias

from minidl.advice import Advised
from minidl.arguments import check_integer, check_number
from minidl.frozen import frozen
from minidl.returned import as_number

LearningRate: TypeAlias = float | Callable[[int], float]


class Schedule(Advised):
    """A learning rate as a function of the step. To write one: a frozen dataclass that defines `at`.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class InverseRoot(Schedule):
    ...     '''lr / sqrt(1 + step).'''
    ...     lr: float
    ...     def at(self, step):
    ...         return self.lr / math.sqrt(1 + step)
    >>> schedule = InverseRoot(0.1)
    >>> schedule, schedule(3)
    (InverseRoot(lr=0.1), 0.05)
    """

    def __call__(self, step: int) -> float:
        """The learning rate of the step taken after `step` others, as a Python float.

        Raises:
            ValueError: `step` is negative or not an integer.
        """
        value = self.at(check_integer("step", step, minimum=0))
        return value if type(value) is float else as_number(f"{self!r}.at({step})", value)

    def at(self, step: int) -> float:
        """The learning rate at `step`, an int >= 0 that has been checked."""
        raise TypeError(f"{type(self).__name__} must define at(self, step)")

    def _keep(self, **checked: object) -> None:
        """Store arguments in the form the checks gave them, although the dataclass is frozen."""
        for name, value in checked.items():
            object.__setattr__(self, name, value)


@frozen
class Constant(Schedule):
    """`lr` at every step: a piece for `Joined`.

    >>> Constant(0.1)(1000)
    0.1
    """

    lr: float

    def __post_init__(self) -> None:
        self._keep(lr=check_number("lr", self.lr, minimum=0))

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        return self.lr


@frozen
class ExponentialDecay(Schedule):
    """lr * exp(-exponent * t) with t = floor(step / every).

    `every=1` decays at each step. With `every` the number of steps of an epoch, t counts epochs. Others mean
    lr * factor**t by this name, which is `StepDecay(lr, factor, every=every)`; so the exponent is given by its own.

    >>> ExponentialDecay(0.1, exponent=math.log(2), every=100)(250)
    0.025
    """

    lr: float
    _: KW_ONLY
    exponent: float
    every: int = 1

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Refuse the second argument of other libraries, which is a factor."""
        if len(args) > 1 or "rate" in kwargs:
            received = (*args[1:], *kwargs.values())[0]
            raise TypeError(
                f"expected ExponentialDecay(lr, exponent=k), which is lr * exp(-k * t), received {received!r} by "
                f"another name: a factor f for each t is StepDecay(lr, f, every=...)"
            )
        return super().__new__(cls)

    def __post_init__(self) -> None:
        self._keep(
            lr=check_number("lr", self.lr, minimum=0),
            exponent=check_number("exponent", self.exponent, minimum=0),
            every=check_integer("every", self.every, minimum=1),
        )

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        return self.lr * math.exp(-self.exponent * (step // self.every))


@frozen
class StepDecay(Schedule):
    """lr * factor**floor(step / every), with factor in [0, 1].

    >>> schedule = StepDecay(1.0, 0.5, every=10)
    >>> [schedule(step) for step in (0, 9, 10, 25)]
    [1.0, 1.0, 0.5, 0.25]
    """

    lr: float
    factor: float
    _: KW_ONLY
    every: int

    def __post_init__(self) -> None:
        self._keep(
            lr=check_number("lr", self.lr, minimum=0),
            factor=check_number("factor", self.factor, minimum=0, maximum=1),
            every=check_integer("every", self.every, minimum=1),
        )

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        return self.lr * self.factor ** (step // self.every)


@frozen
class CosineDecay(Schedule):
    """lr * c + final * (1 - c) with c = (1 + cos(pi * step / steps)) / 2, and `final` from step `steps` on.

    Half a cosine wave from `lr` down to `final`, both exact. Source: Loshchilov and Hutter, "SGDR: stochastic gradient
    descent with warm restarts", ICLR 2017, equation 5; with restarts it is `CosineRestarts`.

    >>> schedule = CosineDecay(0.1, 100)
    >>> [round(schedule(step), 6) for step in (0, 50, 100, 200)]
    [0.1, 0.05, 0.0, 0.0]
    """

    lr: float
    steps: int
    _: KW_ONLY
    final: float = 0.0

    def __post_init__(self) -> None:
        lr = check_number("lr", self.lr, minimum=0)
        final = check_number("final", self.final, minimum=0, maximum=lr)
        self._keep(lr=lr, steps=check_integer("steps", self.steps, minimum=1), final=final)

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        return half_wave(self.lr, self.final, min(step, self.steps) / self.steps)


@frozen
class PolynomialDecay(Schedule):
    """lr * r + final * (1 - r) with r = (1 - step / steps)**power, and `final` from step `steps` on.

    `power=1` is a straight line. For a warmup ahead of it, use `Joined`. Source: Liu, Rabinovich and Berg, "ParseNet:
    looking wider to see better", arXiv 1506.04579, 2015, section 3.2, there named "poly".

    >>> schedule = PolynomialDecay(0.1, 100, power=2)
    >>> [round(schedule(step), 6) for step in (0, 50, 100, 200)]
    [0.1, 0.025, 0.0, 0.0]
    """

    lr: float
    steps: int
    _: KW_ONLY
    power: float = 1.0
    final: float = 0.0

    def __post_init__(self) -> None:
        lr = check_number("lr", self.lr, minimum=0)
        power = check_number("power", self.power, minimum=0, exclusive=True)
        final = check_number("final", self.final, minimum=0, maximum=lr)
        self._keep(lr=lr, steps=check_integer("steps", self.steps, minimum=1), power=power, final=final)

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        return between(self.final, self.lr, (1 - min(step, self.steps) / self.steps) ** self.power)


@frozen
class LinearWarmup(Schedule):
    """lr * r + start * (1 - r) with r = step / steps, and `lr` from step `steps` on.

    With `start=0` the very first step moves nothing. Follow it with another schedule through `Joined`.

    >>> schedule = LinearWarmup(0.5, 4)
    >>> [schedule(step) for step in (0, 1, 4, 100)]
    [0.0, 0.125, 0.5, 0.5]
    """

    lr: float
    steps: int
    _: KW_ONLY
    start: float = 0.0

    def __post_init__(self) -> None:
        lr = check_number("lr", self.lr, minimum=0)
        start = check_number("start", self.start, minimum=0, maximum=lr)
        self._keep(lr=lr, steps=check_integer("steps", self.steps, minimum=1), start=start)

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        return between(self.start, self.lr, min(step, self.steps) / self.steps)


@frozen
class TriangularCycle(Schedule):
    """From `low` straight up to `high` in `half_cycle` steps, straight down in as many, and again.

    Source: Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.1.

    >>> schedule = TriangularCycle(0.0, 1.0, half_cycle=4)
    >>> [schedule(step) for step in (0, 1, 4, 7, 8)]
    [0.0, 0.25, 1.0, 0.25, 0.0]
    """

    low: float
    high: float
    _: KW_ONLY
    half_cycle: int

    def __post_init__(self) -> None:
        low = check_number("low", self.low, minimum=0)
        high = check_number("high", self.high, minimum=low)
        self._keep(low=low, high=high, half_cycle=check_integer("half_cycle", self.half_cycle, minimum=1))

    def at(self, step: int) -> float:
        """The learning rate at `step`."""
        position = step % (2 * self.half_cycle)
        return between(self.low, self.high, min(position, 2 * self.half_cycle - position) / self.half_cycle)


def between(low: float, high: float, part: float) -> float:
    """Exactly `low` at part 0 and exactly `high` at part 1; `low + part * (high - low)` may miss by rounding."""
    return low * (1 - part) + high * part


def half_wave(first: float, last: float, part: float) -> float:
    """Half a cosine wave, exactly `first` at part 0 and exactly `last` at part 1."""
    return between(last, first, (1 + math.cos(math.pi * part)) / 2)

"""Schedules with kinks, jumps, steps of size 0 and numbers that look random."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from minidl.optim import Schedule
from tests.corpus.items import Shelf

SHELF = Shelf()


def cosine(start, end, part):
    """From start (part 0) to end (part 1) along half a wave."""
    return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


@SHELF.schedule(lr=0.1)
@dataclass(frozen=True)
class InverseRoot(Schedule):
    """lr / sqrt(1 + step)."""

    lr: float

    def at(self, step):
        return self.lr / math.sqrt(1 + step)


@SHELF.schedule(width=64, warmup=st.integers(1, 50))
@dataclass(frozen=True)
class Noam(Schedule):
    """A linear rise, then the inverse root: a kink where they meet."""

    width: int
    warmup: int

    def at(self, step):
        return self.width**-0.5 * min((step + 1) ** -0.5, (step + 1) * self.warmup**-1.5)


@SHELF.schedule(lr=0.5, steps=st.integers(1, 100), power=st.sampled_from([0.5, 1.0, 2.0]))
@dataclass(frozen=True)
class Polynomial(Schedule):
    """lr (1 - step / steps)^power, then 0."""

    lr: float
    steps: int
    power: float

    def at(self, step):
        return self.lr * (1 - min(step, self.steps) / self.steps) ** self.power


@SHELF.schedule(high=1.0, steps=st.integers(4, 100))
@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up by a cosine, down by a longer one."""

    high: float
    steps: int

    def at(self, step):
        up = 0.3 * self.steps
        if step < up:
            return cosine(self.high / 25, self.high, step / up)
        return cosine(self.high, self.high / 1e4, min((step - up) / (self.steps - up), 1.0))


@SHELF.schedule(lr=0.1, first=st.integers(1, 10))
@dataclass(frozen=True)
class WarmRestarts(Schedule):
    """Cosine cycles, each twice as long as the one before."""

    lr: float
    first: int

    def at(self, step):
        k = (step // self.first + 1).bit_length() - 1
        began, length = self.first * (2**k - 1), self.first * 2**k
        return self.lr * (1 + math.cos(math.pi * ((step - began) / length))) / 2


@SHELF.schedule(low=0.0, high=0.2, half=st.integers(1, 20))
@dataclass(frozen=True)
class ShrinkingTriangles(Schedule):
    """Up and down in straight lines, half as high in each cycle."""

    low: float
    high: float
    half: int

    def at(self, step):
        cycle, position = divmod(step, 2 * self.half)
        part = min(position, 2 * self.half - position) / self.half
        return self.low + (self.high - self.low) * part * 0.5 ** min(cycle, 1000)


@SHELF.schedule(points=((0, 0.0), (5, 0.3), (6, 0.1), (50, 0.0)))
@dataclass(frozen=True)
class Points(Schedule):
    """Straight lines between points (step, lr), 0 at the end: steps of size 0 are allowed."""

    points: tuple

    def at(self, step):
        for (a, u), (b, v) in pairwise(self.points):
            if step < b:
                return u + (v - u) * (step - a) / (b - a)
        return self.points[-1][1]


@SHELF.schedule(lr=0.1)
@dataclass(frozen=True)
class Alternating(Schedule):
    """Large on even steps, 0 on odd ones."""

    lr: float

    def at(self, step):
        return self.lr if step % 2 == 0 else 0


@SHELF.schedule(seed=st.integers(0, 5))
@dataclass(frozen=True)
class PseudoRandom(Schedule):
    """A fresh generator for each step: the same step, the same rate."""

    seed: int

    def at(self, step):
        return np.random.default_rng([self.seed, step]).uniform(0.01, 0.1)

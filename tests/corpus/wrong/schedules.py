"""Schedules: functions of a step that are not pure, or not rates."""

import math

import numpy as np
from hypothesis import strategies as st

from minidl.optim import Schedule
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.schedule(lr=0.1)
class CountsCalls:
    """Decays with the number of calls, not with the step."""

    def __init__(self, lr):
        self.lr, self.calls = lr, 0

    def __call__(self, step):
        self.calls += 1
        return self.lr / self.calls


@SHELF.schedule(lr=0.1, steps=st.integers(1, 50))
class CosineNumpy:
    """np.cos returns a numpy float."""

    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def __call__(self, step):
        return self.lr * (1 + np.cos(np.pi * min(step, self.steps) / self.steps)) / 2


@SHELF.schedule(lr=0.1)
class InverseRootZero:
    """lr / sqrt(step): division by zero at step 0."""

    def __init__(self, lr):
        self.lr = lr

    def __call__(self, step):
        return self.lr / math.sqrt(step)


@SHELF.schedule(lr=0.1, steps=st.integers(1, 50))
class LinearNegative:
    """lr (1 - step / steps) goes below 0 beyond the end."""

    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def __call__(self, step):
        return self.lr * (1 - step / self.steps)


@SHELF.schedule(lr=0.1, steps=st.integers(1, 50))
class PolynomialComplex:
    """(1 - step / steps) ** 0.9 is a complex number beyond the end."""

    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def __call__(self, step):
        return self.lr * (1 - step / self.steps) ** 0.9


@SHELF.schedule(lr=0.1, steps=st.integers(2, 50))
class NaNBeyondEnd:
    """0/0 by numpy exactly at the end, as a Python float: NaN."""

    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def __call__(self, step):
        left = max(self.steps - step, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(self.lr * np.float64(left) / np.float64(left))


@SHELF.schedule(lr=0.1, steps=st.integers(1, 50))
class MonotoneMemory:
    """Remembers the lowest rate given so far: asking out of order gives other answers."""

    def __init__(self, lr, steps):
        self.lr, self.steps, self.low = lr, steps, lr

    def __call__(self, step):
        self.low = min(self.low, self.lr * max(0.0, 1 - step / self.steps))
        return self.low


@SHELF.schedule(lr=0.1, steps=st.integers(2, 50))
class CacheByRemainder:
    """Memoised by step modulo the length: the first asker decides for later cycles."""

    def __init__(self, lr, steps):
        self.lr, self.steps, self.kept = lr, steps, {}

    def __call__(self, step):
        return self.kept.setdefault(step % self.steps, self.lr / (1 + step))


@SHELF.schedule(lr=0.1)
class MilestonesPopped:
    """Pops milestones as they pass: going back finds them gone."""

    def __init__(self, lr):
        self.lr, self.milestones, self.k = lr, [3, 7], 0

    def __call__(self, step):
        while self.milestones and step >= self.milestones[0]:
            self.milestones.pop(0)
            self.k += 1
        return self.lr * 0.5**self.k


@SHELF.schedule(lr=0.1, steps=st.integers(1, 50))
class LogisticOverflow:
    """exp of a large positive number: OverflowError far beyond the end."""

    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def __call__(self, step):
        return self.lr / (1 + math.exp(step - self.steps))


@SHELF.schedule(lr=0.1, steps=st.integers(2, 50))
class WarmupInteger:
    """Returns the int 0, not a float, at step 0 and a float afterwards."""

    def __init__(self, lr, steps):
        self.lr, self.steps = lr, steps

    def __call__(self, step):
        return 0 if step == 0 else self.lr * min(1.0, step / self.steps)


@SHELF.schedule(lr=0.1)
class JitteredRate:
    """Multiplies with a random number: the same step gives different rates."""

    def __init__(self, lr):
        self.lr, self.rng = lr, np.random.default_rng(0)

    def __call__(self, step):
        return float(self.lr * self.rng.uniform(0.99, 1.01))


@SHELF.schedule(lr=0.1)
class CosineRestartPhase(Schedule):
    """The class keeps the last restart, which moves with each call: two schedules disturb each other."""

    last = 0

    def __init__(self, lr):
        self.lr = lr

    def at(self, step):
        if step - CosineRestartPhase.last >= 10:
            CosineRestartPhase.last = step
        return self.lr * (1 + math.cos(math.pi * (step - CosineRestartPhase.last) / 10)) / 2


@SHELF.schedule(reference=lambda step: 0.05 * (1 + math.cos(math.pi * (step % 20) / 20)))
def restarts_at_the_wrong_step(step):
    """A cycle has steps + 1 steps: the restart comes one late, each time."""
    return 0.05 * (1 + math.cos(math.pi * (step % 21) / 21))


@SHELF.schedule(reference=lambda step: 0.1 * min(step / 10, math.sqrt(10 / max(step, 1))))
def inverse_root_that_jumps_after_the_warmup(step):
    """lr / sqrt(step) after a warmup to lr: the rate falls to a third within one step."""
    return 0.1 * step / 10 if step < 10 else 0.1 / math.sqrt(step)

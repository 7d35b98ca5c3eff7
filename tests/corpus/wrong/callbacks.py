"""Callbacks: memories that a checkpoint does not hold, and hooks that do not stand every run."""

import numpy as np
from hypothesis import strategies as st

from minidl.training import AverageWeights, Callback, ExponentialAverage
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.callback()
class StopsByItsCount(Callback):
    """Counts evaluations and stops the run at the third; the count is in no state."""

    def on_fit_begin(self, trainer):
        self.count = 0

    def on_evaluation_end(self, trainer, row):
        self.count += 1
        if self.count == 3:
            trainer.stop("three evaluations are enough")


@SHELF.callback()
class HalvesByItsCount(Callback):
    """Halves the rate at every second step, counted by itself: a run that goes on halves at the others."""

    def on_fit_begin(self, trainer):
        self.steps = 0

    def on_step_end(self, trainer):
        self.steps += 1
        if self.steps % 2 == 0:
            trainer.optimizer.lr_scale *= 0.5


class Averages(Callback):
    """The mean of the weights over all steps, put into the model at the end."""

    def on_fit_begin(self, trainer):
        self.count, self.mean = 0, np.zeros(trainer.model.parameters.size)

    def on_step_end(self, trainer):
        self.count += 1
        self.mean += (trainer.model.parameters.value - self.mean) / self.count

    def on_fit_end(self, trainer):
        if self.count:
            trainer.model.parameters.value[...] = self.mean


SHELF.put("callback", Averages, {"fit": {"restore_best": False}}, "averages without a state")


@SHELF.callback(fit={"restore_best": False})
class AveragesHalfLoaded(Averages):
    """load_state forgets the count, so that the mean starts to move as if it were the first step."""

    def state(self):
        return {"count": self.count, "mean": self.mean.copy()}

    def load_state(self, state):
        self.mean = np.array(state["mean"])


@SHELF.callback(fit={"restore_best": False})
class AveragesLiveState(Averages):
    """state hands out the mean itself, which the next step changes."""

    def state(self):
        return {"count": self.count, "mean": self.mean}

    def load_state(self, state):
        self.count, self.mean = int(state["count"]), np.array(state["mean"])


@SHELF.callback()
class KeepsAList(Callback):
    """Its state is a list, which no file of ours holds."""

    def on_fit_begin(self, trainer):
        self.losses = []

    def on_step_end(self, trainer):
        self.losses.append(trainer.step_loss)

    def state(self):
        return {"losses": list(self.losses)}

    def load_state(self, state):
        self.losses = list(state["losses"])


@SHELF.callback()
class NeedsAStep(Callback):
    """Reads at the end what only a step sets."""

    def on_step_end(self, trainer):
        self.last = trainer.step_loss

    def on_fit_end(self, trainer):
        self.last = round(self.last, 3)


@SHELF.callback()
class NeedsAWholeEpoch(Callback):
    """Takes the mean of an epoch's losses at the end, which may come before the first epoch has ended."""

    def on_fit_begin(self, trainer):
        self.losses, self.means = [], []

    def on_step_end(self, trainer):
        self.losses.append(trainer.step_loss)

    def on_epoch_end(self, trainer):
        self.means.append(float(np.mean(self.losses)))
        self.losses.clear()

    def on_fit_end(self, trainer):
        if trainer.history.steps["step"]:
            self.best = min(self.means)


@SHELF.callback()
class OnceOnly(Callback):
    """Refuses a second run with the same object."""

    begun = False

    def on_fit_begin(self, trainer):
        if self.begun:
            raise RuntimeError("a run has begun already")
        self.begun = True


@SHELF.callback(every=st.integers(1, 3))
class CountsForAll(Callback):
    """Its count is one of the class: what one run does depends on the runs of other objects."""

    count = [0]  # noqa: RUF012 (the bug)

    def __init__(self, every):
        self.every = every

    def on_step_end(self, trainer):
        self.count[0] += 1
        trainer.optimizer.lr_scale = 1 / (1 + self.count[0] // self.every)


@SHELF.callback()
class RandomRate(Callback):
    """Draws the rate from numpy's global stream."""

    def on_step_end(self, trainer):
        trainer.optimizer.lr_scale = float(np.random.uniform(0.5, 1.5))  # noqa: NPY002 (the bug)


SHELF.put("callback", AverageWeights, {}, "an average of weights without restore_best=False")


@SHELF.callback()
class HalvesInEveryRun(Callback):
    """Halves the rate in every further run of a trainer; which one it is, is in no state."""

    def __init__(self):
        self.runs = 0

    def on_fit_begin(self, trainer):
        self.runs += 1

    def on_step_end(self, trainer):
        trainer.optimizer.lr_scale = 0.5**self.runs


@SHELF.callback(fit={"restore_best": False})
class ExponentialAverageWithoutItsCount(ExponentialAverage):
    """The count is in no state: where the run goes on, the correction begins anew and the first weights count whole."""

    def state(self):
        return {"mean": self.mean.copy()}

    def load_state(self, state):
        self.mean = np.array(state["mean"])


@SHELF.callback(fit={"restore_best": False})
class ExponentialAverageOfAllRuns(ExponentialAverage):
    """The average goes on in the next run of the same object, which may be of another model."""

    def on_fit_begin(self, trainer):
        if not self.count:
            super().on_fit_begin(trainer)

    def load_state(self, state):
        self.count, self.mean = 0, np.array(state["mean"])


@SHELF.callback()
class ShortensEverySecondStep(Callback):
    """Shortens the weights at every second step of its own count, which is in no state."""

    steps = 0

    def on_step_end(self, trainer):
        self.steps += 1
        if self.steps % 2 == 0:
            trainer.model.parameters.value *= 0.5

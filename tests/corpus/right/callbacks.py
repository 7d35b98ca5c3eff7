"""Callbacks with memories of every kind, with none, and with one that need not be kept."""

import numpy as np
from hypothesis import strategies as st

from minidl.training import Callback, EarlyStopping
from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.callback(last=st.integers(1, 8))
class StopAtStep(Callback):
    """Stops by the clock of the optimizer, and so needs no memory."""

    def __init__(self, last):
        self.last = last

    def on_step_end(self, trainer):
        if trainer.optimizer.steps == self.last:
            trainer.stop(f"{self.last} steps are enough")


@SHELF.callback()
class RateByTheClock(Callback):
    """Sets the rate by the clock, before the first step, too."""

    def on_fit_begin(self, trainer):
        self.on_step_end(trainer)

    def on_step_end(self, trainer):
        trainer.optimizer.lr_scale = 1 / (1 + trainer.optimizer.steps)


@SHELF.callback(evaluations=st.integers(1, 3))
class StopsAfterEvaluations(Callback):
    """Counts evaluations, which its state holds; the best loss is None before the first."""

    def __init__(self, evaluations):
        self.evaluations = evaluations

    def on_fit_begin(self, trainer):
        self.count, self.best = 0, None

    def on_evaluation_end(self, trainer, row):
        self.count += 1
        self.best = row["train_loss"] if self.best is None else min(self.best, row["train_loss"])
        if self.count == self.evaluations:
            trainer.stop(f"early stopping: {self.count} evaluations")

    def state(self):
        return {"count": self.count, "best": self.best}

    def load_state(self, state):
        self.count, self.best = state["count"], state["best"]


@SHELF.callback(fit={"restore_best": False}, decay=st.sampled_from([0.5, 0.9]))
class MovingAverage(Callback):
    """An exponential mean of the weights in float32, put into the model at the end."""

    def __init__(self, decay):
        self.decay = decay

    def on_fit_begin(self, trainer):
        self.mean = trainer.model.parameters.value.copy()

    def on_step_end(self, trainer):
        self.mean *= self.decay
        self.mean += (1 - self.decay) * trainer.model.parameters.value

    def on_fit_end(self, trainer):
        trainer.model.parameters.value[...] = self.mean

    def state(self):
        return {"mean": self.mean.copy()}

    def load_state(self, state):
        self.mean = np.array(state["mean"])


@SHELF.callback()
class Log(Callback):
    """Keeps lines for a log, which need not be those of the whole run after it went on."""

    def on_fit_begin(self, trainer):
        self.lines = []

    def on_evaluation_end(self, trainer, row):
        self.lines.append(f"{row['step']}: {row['validation_loss']:.3f}")


@SHELF.callback()
class MeasuresInBetween(Callback):
    """Evaluates the model on data of its own at every step, which moves nothing."""

    def on_fit_begin(self, trainer):
        self.losses = []

    def on_step_end(self, trainer):
        x = np.linspace(-1, 1, 6).reshape(3, 2)
        self.losses.append(trainer.evaluate((x, np.array([0, 1, 0])))["loss"])


@SHELF.callback(monitor="validation_accuracy", mode="max", patience=st.integers(1, 2))
class StoppingWithALog(EarlyStopping):
    """Early stopping with more hooks, whose state is that of its base and one number."""

    def on_fit_begin(self, trainer):
        super().on_fit_begin(trainer)
        self.epochs = 0

    def on_epoch_end(self, trainer):
        self.epochs += 1

    def state(self):
        return super().state() | {"epochs": self.epochs}

    def load_state(self, state):
        super().load_state(state)
        self.epochs = int(state["epochs"])


@SHELF.callback()
class ClipsTheRow(Callback):
    """Writes into the row it is given, which is its own: the callbacks behind it have theirs."""

    def on_evaluation_end(self, trainer, row):
        row["validation_loss"] = min(row["validation_loss"], 0.5)


@SHELF.callback()
class AddsToTheRow(Callback):
    """Puts a column of its own into its row."""

    def on_evaluation_end(self, trainer, row):
        row["gap"] = row["validation_loss"] - row["train_loss"]


@SHELF.callback()
class MeanInSingle(Callback):
    """A mean in float32, which must come back from the file as that: a Python float would be rounded otherwise."""

    mean = 0.0

    def on_step_end(self, trainer):
        self.mean = 0.9 * self.mean + 0.1 * trainer.model.parameters.value.mean()

    def state(self):
        return {"mean": self.mean}

    def load_state(self, state):
        self.mean = state["mean"]

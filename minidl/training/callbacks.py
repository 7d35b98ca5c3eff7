"""Callbacks: what may happen during a run besides training."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minidl.arguments import Recorded, check_integer, check_number, suggest
from minidl.training.monitor import Mode, Monitor
from minidl.training.view import TrainerView

HOOKS = ("on_fit_begin", "on_step_end", "on_evaluation_end", "on_epoch_end", "on_fit_end")


class Callback(Recorded):
    """Something that is told how a run goes. Override the hooks you need; a misspelt one is an error at once.

    A hook may read everything the trainer holds (`trainer.model`, `.optimizer`, `.history`) and call
    `trainer.stop(reason)`. Hooks are called in the order in which the callbacks were given.

    >>> class StopAt(Callback):
    ...     def on_step_end(self, trainer):
    ...         if trainer.optimizer.steps == 100:
    ...             trainer.stop("100 steps are enough")
    >>> class Typo(Callback):  # doctest: +ELLIPSIS
    ...     def on_epoch_ends(self, trainer): ...
    Traceback (most recent call last):
    TypeError: Typo.on_epoch_ends is no hook; did you mean 'on_epoch_end'? known: on_fit_begin, on_step_end, ...
    """

    def __init_subclass__(cls) -> None:
        """Refuse names that look like hooks and are none."""
        check_hooks(cls.__name__, dir(cls))
        if (cls.state is Callback.state) != (cls.load_state is Callback.load_state):
            raise TypeError(f"expected {cls.__name__} to define both state and load_state, or neither of them")

    def on_fit_begin(self, trainer: TrainerView) -> None:
        """Before the first step. Check here what can be checked; `trainer.history.evaluations` has its columns."""

    def on_step_end(self, trainer: TrainerView) -> None:
        """After every update of the weights."""

    def on_evaluation_end(self, trainer: TrainerView, row: dict[str, float]) -> None:
        """After every evaluation, with the row it added to `trainer.history.evaluations`."""

    def on_epoch_end(self, trainer: TrainerView) -> None:
        """After every full pass over the data, evaluation included."""

    def on_fit_end(self, trainer: TrainerView) -> None:
        """After the run, whatever ended it, and after the best weights came back."""

    def state(self) -> dict[str, Any]:
        """What a `Checkpoint` keeps: numbers, strings, None and arrays by name. To write where hooks remember any."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned; called after `on_fit_begin` of a run that goes on. To write with `state`."""


def check_hooks(owner: str, names: Iterable[str]) -> None:
    """Refuse names that look like hooks and are none."""
    for name in names:
        if name.startswith("on_") and name not in HOOKS:
            raise TypeError(f"{owner}.{name} is no hook; {suggest(name, HOOKS)}")


def check_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks as a list, if it is a list of callbacks."""
    if not isinstance(callbacks, Iterable):
        raise TypeError(f"expected callbacks to be a list, received callbacks={callbacks!r}: put it in [ ]")
    listed = list(callbacks)
    for callback in listed:
        if not isinstance(callback, Callback):
            raise TypeError(f"expected callbacks to be a list of Callback objects, received {callback!r} in it")
        check_hooks(type(callback).__name__, dir(callback))
    return listed


class EarlyStopping(Monitor, Callback):
    """Stop after exactly `patience` evaluations in a row without improvement, as `Monitor` defines it.

    What it monitors also decides which weights are the best ones, which `fit` gives back.

    Args:
        monitor, mode, min_delta: see `Monitor`.
        patience: evaluations, not epochs, >= 1.

    Source: Prechelt, "Early stopping - but when?", 1998.

    >>> EarlyStopping("validation_accuracy", mode="max", patience=5)
    EarlyStopping('validation_accuracy', mode='max', patience=5)
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        mode: Mode | None = None,
        patience: int = 10,
        min_delta: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.patience = check_integer("patience", patience, minimum=1)

    def on_fit_begin(self, trainer: TrainerView) -> None:
        """Start counting anew."""
        self.reset()

    def on_evaluation_end(self, trainer: TrainerView, row: dict[str, float]) -> None:
        """Count, and stop when patience has run out."""
        self.improved(row)
        if self.waited >= self.patience:
            more = f" by more than {self.min_delta:g}" if self.min_delta else ""
            trainer.stop(f"early stopping: {self.monitor} did not improve{more} in {self.patience} evaluations")


class ReduceOnPlateau(Monitor, Callback):
    """Multiply the learning rate by `factor` after every `patience` evaluations in a row without improvement.

    It acts on `optimizer.lr_scale`, so it goes with any schedule; the new rate holds from the next step on.

    Args:
        monitor, mode, min_delta: see `Monitor`.
        factor: between 0 and 1.
        patience: evaluations, >= 1, counted as in `EarlyStopping`.
        min_lr: the rate is not reduced below this.

    Raises:
        ValueError: at `fit`, where an `EarlyStopping` on the same column would always stop first.

    >>> ReduceOnPlateau(factor=0.5, patience=3)
    ReduceOnPlateau(factor=0.5, patience=3)
    """

    def __init__(
        self,
        monitor: str = "validation_loss",
        *,
        mode: Mode | None = None,
        factor: float = 0.1,
        patience: int = 5,
        min_delta: float = 0.0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.factor = check_number("factor", factor, minimum=0, maximum=1, exclusive=True)
        self.patience = check_integer("patience", patience, minimum=1)
        self.min_lr = check_number("min_lr", min_lr, minimum=0)

    def on_fit_begin(self, trainer: TrainerView) -> None:
        """Start counting anew, and refuse to be dead code."""
        self.reset()
        for other in trainer.callbacks:
            if isinstance(other, EarlyStopping) and other.same(self) and other.patience <= self.patience:
                raise ValueError(
                    f"expected patience={self.patience} of {self!r} to be less than that of {other!r}, "
                    f"which would always stop the run before the learning rate is reduced"
                )

    def on_evaluation_end(self, trainer: TrainerView, row: dict[str, float]) -> None:
        """Count, and reduce when patience has run out."""
        self.improved(row)
        rate = trainer.optimizer.learning_rate
        if self.waited >= self.patience:
            self.waited = 0
            if rate > self.min_lr:
                trainer.optimizer.lr_scale *= max(self.factor, self.min_lr / rate)


class AverageWeights(Callback):
    """End the run with the mean of the weights over its last part, instead of the last or the best ones.

    Args:
        last: the part, as a fraction of the planned steps, in (0, 1].

    Attributes:
        count: how many steps the mean was taken over; 0 leaves the weights as they are.

    Raises:
        ValueError: at `fit`, where `restore_best` would undo it: pass `restore_best=False`.

    Source: Polyak and Juditsky, SIAM Journal on Control and Optimization 30, 1992.

    >>> AverageWeights(last=0.25)
    AverageWeights(last=0.25)
    """

    def __init__(self, last: float = 1 / 3) -> None:
        self.last = check_number("last", last, minimum=0, maximum=1)
        if self.last == 0:
            raise ValueError("expected last to be > 0, received last=0: nothing would be averaged")
        self.count, self.first, self.mean = 0, 0, np.zeros(0)

    def on_fit_begin(self, trainer: TrainerView) -> None:
        """Find the first step to average."""
        if trainer.restores_best:
            raise ValueError(
                f"expected fit(..., restore_best=False) with {self!r}: a run ends with one kind of weights"
            )
        self.count = 0
        self.mean = np.zeros(trainer.model.parameters.size)
        self.planned = trainer.planned_steps
        self.first = trainer.optimizer.steps + round(self.planned * (1 - self.last)) + 1

    def on_step_end(self, trainer: TrainerView) -> None:
        """Move the mean: m <- m + (w - m) / count, in float64."""
        if trainer.optimizer.steps >= self.first:
            self.count += 1
            self.mean += (trainer.model.parameters.value - self.mean) / self.count

    def on_fit_end(self, trainer: TrainerView) -> None:
        """Put the mean into the model."""
        if self.count:
            trainer.model.parameters.value[...] = self.mean

    def state(self) -> dict[str, Any]:
        """The mean so far."""
        return {"count": self.count, "first": self.first, "mean": self.mean.copy(), "planned": self.planned}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on with it; refuses a run of another length, whose last part is another."""
        if state["planned"] != self.planned:
            raise ValueError(f"expected the {state['planned']} steps planned before, received {self.planned}")
        self.count, self.first, self.mean = int(state["count"]), int(state["first"]), np.array(state["mean"])

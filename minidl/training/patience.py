"""Callbacks with patience: they wait for a column to get better, and act when it does not."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.data.dataset import Dataset
from minidl.inputs import in_memory
from minidl.training.callbacks import Callback
from minidl.training.monitor import Mode, Monitor


class Patient(Monitor, Callback):
    """A callback that counts evaluations without improvement, anew in every run; `waited` is their number."""

    def __init__(self, monitor: str, *, mode: Mode | None, patience: int, min_delta: float) -> None:
        super().__init__(monitor, mode=mode, min_delta=min_delta)
        self.patience = check_integer("patience", patience, minimum=1)

    def on_fit_begin(self, trainer: Any) -> None:
        """Start counting anew."""
        self.reset()

    def look(self, trainer: Any, row: Mapping[str, float]) -> None:
        """Count one evaluation; before the first step nobody has waited, also where a column is NaN still."""
        self.improved(row)
        if not trainer.history.steps["step"]:
            self.waited = 0


class EarlyStopping(Patient):
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
        super().__init__(monitor, mode=mode, patience=patience, min_delta=min_delta)

    def on_evaluation_end(self, trainer: Any, row: dict[str, float]) -> None:
        """Count, and stop when patience has run out."""
        self.look(trainer, row)
        if self.waited >= self.patience:
            more = f" by more than {self.min_delta:g}" if self.min_delta else ""
            trainer.stop(f"early stopping: {self.monitor} did not improve{more} in {self.patience} evaluations")


class ReduceOnPlateau(Patient):
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
        super().__init__(monitor, mode=mode, patience=patience, min_delta=min_delta)
        self.factor = check_number("factor", factor, minimum=0, maximum=1, exclusive=True)
        self.min_lr = check_number("min_lr", min_lr, minimum=0)

    def on_fit_begin(self, trainer: Any) -> None:
        """Start counting anew, and refuse to be dead code."""
        super().on_fit_begin(trainer)
        for other in trainer.callbacks:
            if isinstance(other, EarlyStopping) and other.same(self) and other.patience <= self.patience:
                raise ValueError(
                    f"expected patience={self.patience} of {self!r} to be less than that of {other!r}, "
                    f"which would always stop the run before the learning rate is reduced"
                )

    def on_evaluation_end(self, trainer: Any, row: dict[str, float]) -> None:
        """Count, and reduce when patience has run out."""
        self.look(trainer, row)
        rate = trainer.optimizer.learning_rate
        if self.waited >= self.patience:
            self.waited = 0
            if rate > self.min_lr:
                trainer.optimizer.lr_scale *= max(self.factor, self.min_lr / rate)


def watch_of(callbacks: Iterable[Callback], sets: Mapping[str, Dataset]) -> Monitor | None:
    """What decides which weights are best.

    The first EarlyStopping; else the loss of the set called validation; else that of the first set that is not the
    training set by another name.
    """
    for callback in callbacks:
        if isinstance(callback, EarlyStopping):
            return Monitor(callback.monitor, mode=callback.mode)
    if "validation" in sets:
        return Monitor("validation_loss")
    train = sets["train"]
    return next((Monitor(f"{name}_loss") for name, data in sets.items() if not _same_rows(data, train)), None)


def _same_rows(one: Dataset, other: Dataset) -> bool:
    """Whether two sets hold the same numbers in the same order; those of a mapped file are not read."""
    if not isinstance(other, Dataset):  # a stream
        return False
    if one.x is other.x or one.x.shape != other.x.shape or not in_memory(other.x):
        return one.x is other.x
    return bool(np.array_equal(one.x[:1], other.x[:1])) and np.array_equal(one.x, other.x)

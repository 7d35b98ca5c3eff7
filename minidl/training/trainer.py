"""Trainer: the five statements of training, and a run around them that never loses its best weights."""

from __future__ import annotations  # numpy.random is loaded when it is needed

import math
from collections.abc import Callable, Iterable, Mapping
from threading import current_thread
from typing import Any

import numpy as np

from minidl.arguments import Recorded, short
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.metrics import Metric
from minidl.optim.base import Optimizer
from minidl.parameters import Array
from minidl.quiet import quietly, settings_kept
from minidl.regularizers import Regularizer
from minidl.remembered import check_state, cost_in, number_in, text_in
from minidl.storage import StrPath
from minidl.training.augmenting import Augment
from minidl.training.callbacks import Callback, check_callbacks
from minidl.training.divergence import DivergenceError, first_not_finite
from minidl.training.door import (
    Data,
    admitted,
    as_dataset,
    check_functions,
    check_kinds,
    check_scores_are_counted,
    check_scores_are_raw,
    metrics_by_name,
    penalty_of,
)
from minidl.training.evaluations import judged
from minidl.training.exclusive import exclusively, forgetting, refuse_second_fit, refuse_used_elsewhere
from minidl.training.habits import TRAINER
from minidl.training.history import History
from minidl.training.interrupts import interrupts
from minidl.training.plan import Plan
from minidl.training.progress import Progress
from minidl.training.run import Run
from minidl.training.settings import Settings
from minidl.training.streaming import as_stream

FOR_GOOD = "early stopping: "  # how a reason begins that also ends the run when it goes on


class Trainer(Recorded):
    """Trains a model on a loss with an optimizer.

    Args:
        model: a built layer, usually a Sequential.
        loss: what the scores are held against.
        optimizer: its clock counts the steps.
        regularizers: hooks that add their gradient and return their penalty, such as `L2(1e-4)`.
        metrics: functions (scores, targets) -> float; a mapping gives them other names than their own.
        callbacks: see `Callback`.

    Attributes:
        history: the record of the newest `fit`.
        epoch: how many passes over the data were made, over all calls of `fit`: 1.5 is one and a half.
        planned_steps: how many steps the newest `fit` was asked for.
        restores_best: whether the newest `fit` ends with the weights of its best evaluation.
        step_loss, step_penalty: the two parts of the cost of the newest step.
        run: the run that is under way, None outside of `fit`.
        share: (place, number): the part of each batch that `fit` trains on; see `minidl.distributed`.

    >>> from minidl import SGD, Dataset, Linear, Sequential, SoftmaxCrossEntropy, accuracy
    >>> model = Sequential(Linear(2, 2)).build(seed=0)
    >>> trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.5), metrics=[accuracy])
    >>> data = Dataset(np.float32([[0, 1], [1, 0]] * 10), np.array([0, 1] * 10))
    >>> history = trainer.fit(data, epochs=20, batch_size=5, progress=False)
    >>> history.stopped_because, trainer.evaluate(data)["accuracy"]
    ('limit: 20 epochs', 1.0)
    """

    share: tuple[int, int] = (0, 1)
    settings: Settings | None = None  # of the newest run that began, as is
    run: Any = None  # a Run; to a checker, hooks read it without asking whether it is there
    _of_the_moment = ("run",)
    _habits = TRAINER

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        *,
        regularizers: Iterable[Regularizer] = (),
        metrics: Iterable[Metric] | Mapping[str, Metric] = (),
        callbacks: Iterable[Callback] = (),
    ) -> None:
        check_kinds(model=(model, Layer), loss=(loss, Loss), optimizer=(optimizer, Optimizer))
        check_scores_are_raw(model, loss)
        self.model: Any = model  # to a checker: layers it holds and what they add is read without a cast
        self.loss, self.optimizer = loss, optimizer
        self.regularizers = check_functions("regularizers", regularizers, "parameters", advice="such as L2(1e-4)")
        self.metrics, self.callbacks = metrics_by_name(metrics), check_callbacks(callbacks)
        self.history, self.epoch, self.planned_steps, self.restores_best = History(), 0.0, 0, False
        self.step_loss, self.step_penalty, self.stop_reason = math.nan, math.nan, ""
        self.augmentation: np.random.Generator | None = None  # what `augment` drew from

    def step(self, x: Array, targets: Array, weights: Array | None = None) -> float:
        """Take one step on one batch: returns the cost = loss + penalty from before the update.

        Raises:
            DivergenceError: the cost is not finite; the weights were not changed.
        """
        refuse_used_elsewhere(self.loss)
        if self.model._trains_in is not current_thread():
            with self.model.train_mode():
                return self.step(x, targets, weights)
        looked: list[tuple[float, float]] = []  # first at the values as they are

        def cost() -> float:
            loss, penalty = self.loss_and_gradient(x, targets, weights), 0.0
            for regularize in self.regularizers:
                penalty += penalty_of(regularize, self.model.parameters)
            looked.append((loss, penalty))
            self.step_loss, self.step_penalty = looked[0]
            if not math.isfinite(loss + penalty):
                raise DivergenceError(self.optimizer.steps + 1, first_not_finite(self.model, x, loss, penalty))
            return loss + penalty

        with quietly():
            return self.optimizer.minimize(cost, self.model.parameters)

    def loss_and_gradient(self, x: Array, targets: Array, weights: Array | None) -> float:
        """Set the gradient, but for regularizers, and return the loss; overridden where several processes train."""
        loss = float(self.loss.forward(self.model.forward(x), targets, weights))
        self.model.backward(self.loss.backward())
        return loss

    def agreed(self, interrupted: bool) -> tuple[bool, str]:
        """After each step: whether to end as by Ctrl-C, and the reason to stop, "" for none."""
        return interrupted, self.stop_reason

    def evaluate(self, data: Data, *, batch_size: int | None = None) -> dict[str, float]:
        """Loss, penalty, cost and every metric on a whole set, in inference mode.

        Scores are computed in batches, as by `model.predict`, and everything else from all of them at once, so the
        result does not depend on the batch size beyond rounding. The loss weighs rows by the weights of the set;
        metrics count every row as one. Gradients are left as they were.
        """
        refuse_used_elsewhere(self.loss)
        data = as_dataset("data", data, self.model.columns)
        check_scores_are_counted(self.model, self.metrics)
        with forgetting(*[] if self.run else [self.loss]):
            return judged(self, data, batch_size=batch_size)

    def stop(self, reason: str) -> None:
        """End the run after the current step; for callbacks. Of several reasons the first counts."""
        if not isinstance(reason, str):
            raise TypeError(f'expected reason to be a text, received reason={short(reason)}: write trainer.stop("...")')
        self.stop_reason = self.stop_reason or (reason if reason.startswith(FOR_GOOD) else f"stopped: {reason}")

    def fit(
        self,
        train: Data | Any,
        validation: Data | Mapping[str, Data] | None = None,
        *,
        epochs: float | None = None,
        steps: int | None = None,
        steps_per_epoch: int | None = None,
        batch_size: int = 64,
        validate_every: float | Callable[[int], bool] = 1.0,
        validate_first: bool = False,
        shuffle: bool | Callable[[int], Array] = True,
        replacement: bool = False,
        drop_last: bool = False,
        augment: Augment | None = None,
        seed: int = 0,
        restore_best: bool = True,
        max_growth: float = 1e30,
        raise_divergence: bool = True,
        progress: bool = True,
        resume: StrPath | None = None,
    ) -> History:
        """Train for at most `epochs` passes over `train`, or `steps` steps, and return the record of the run.

        Whatever ends the run (limit, early stopping, Ctrl-C, divergence, an exception), the model is given back the
        weights of its best evaluation; `history.stopped_because` and `.best_step` say what happened. Best is what
        `EarlyStopping` monitors, without one the smallest validation loss. Without validation the last weights stay.
        Ctrl-C is no error: it ends the run. A second call goes on where the first ended.

        Args:
            train: a Dataset, or a tuple (x, targets) or (x, targets, weights). Floats of another dtype than the
                model's are cast once; bytes and files batch by batch. Or a stream, with `steps_per_epoch`.
            validation: one set, or a mapping of names to sets, which become the columns <name>_loss and so on.
            epochs: >= 0, a fraction too: 1.5 ends in the middle of the second pass, where the next call goes on.
            steps: >= 0, the length of the run in steps instead.
            steps_per_epoch: the batches of a pass of a stream: a function epoch -> batches, or any iterable.
            batch_size: rows a step.
            validate_every: how often to evaluate: a float counts epochs (0.2 is five times an epoch), an int counts
                steps, a function of the step (from 1) says where. The last step is always evaluated.
            validate_first: True evaluates before the first step too, where the training means are NaN.
            shuffle: True: an order that is a pure function of (seed, epoch). False: file order. A function
                epoch -> row numbers: the caller's own, with rows repeated or left out; with `steps`, of any lengths.
            replacement: True draws every row at random from all of them, n draws an epoch, in batches that are whole.
            drop_last: leave out a short last batch.
            augment: (x, rng) -> x, applied to training batches only, such as `RandomFlip`; or
                (x, targets, rng) -> (x, targets), as for mixup. Weights of rows stay.
            seed: of data order and augmentation.
            restore_best: False keeps the last weights.
            max_growth: a cost has diverged, too, at so many times that of the first step, or 1 if that was less.
            raise_divergence: False ends the run at a cost that has diverged, instead of raising.
            progress: some evaluations as lines on standard error, in a terminal above a bar; a bar in a notebook.
            resume: a file that a `Checkpoint` wrote in a run with the same model, data and settings (its length
                may differ, except with `AverageWeights`): goes on from there, to the same bits.

        Raises:
            DataError: `resume` is not such a file; the message says what differs, and nothing was changed.
            DivergenceError: see `raise_divergence`. The history stays in `trainer.history`.
            ValueError, TypeError: unusable arguments or data, before the first step.
        """
        refuse_second_fit(self.run)
        plan = Plan(
            epochs=epochs,
            steps=steps,
            batch_size=batch_size,
            validate_every=validate_every,
            validate_first=validate_first,
            shuffle=shuffle,
            replacement=replacement,
            drop_last=drop_last,
            augment=augment,
            seed=seed,
            restore_best=restore_best,
            max_growth=max_growth,
            raise_divergence=raise_divergence,
            progress=progress,
            resume=resume,
            steps_per_epoch=steps_per_epoch,
        )
        plan.check()
        callbacks = [*self.callbacks, *([Progress()] if progress else [])]
        try:
            with interrupts() as ctrl_c, settings_kept(), exclusively(self.loss, *self.callbacks):
                train = as_stream(train, plan, callbacks)
                sets = admitted(self.model, self.loss, self.metrics, train, validation, int(self.epoch))
                self.run = run = Run(self, sets, plan, callbacks, ctrl_c)
                return run.execute()
        finally:
            self.run = None

    def state(self) -> dict[str, Any]:
        """What of the trainer a run remembers, as a `Checkpoint` keeps it."""
        ended = self.stop_reason if self.stop_reason.startswith(FOR_GOOD) else ""
        return {"epoch": self.epoch, "loss": self.step_loss, "penalty": self.step_penalty, "ended": ended}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned; a reason to stop that came up meanwhile stays."""
        check_state("a Trainer", state, ("epoch", "loss", "penalty", "ended"))
        ended, loss, penalty = text_in(state, "ended"), cost_in(state, "loss"), cost_in(state, "penalty")
        if ended and not ended.startswith(FOR_GOOD):
            raise ValueError(f"expected ended to be a text that begins with {FOR_GOOD!r}, or '', received {ended=}")
        self.epoch, self.step_loss, self.step_penalty = number_in(state, "epoch", minimum=0), loss, penalty
        self.stop_reason = ended or self.stop_reason

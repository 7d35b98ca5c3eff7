"""One call of `fit`: the loop over epochs and batches, evaluations, the best weights, and every way to end."""

from __future__ import annotations  # numpy.random is loaded when it is needed

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from minidl.arguments import check_integer
from minidl.data.dataset import Dataset
from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.storage import StrPath
from minidl.training.callbacks import HOOKS, Callback, EarlyStopping
from minidl.training.checkpoint import Checkpoint
from minidl.training.divergence import DivergenceError
from minidl.training.door import cast_once, check_data, check_model
from minidl.training.feeding import Feed, Plan
from minidl.training.history import History, Table
from minidl.training.identity import identity
from minidl.training.interrupts import Interrupts
from minidl.training.monitor import Monitor
from minidl.training.points import evaluation_points
from minidl.training.saving import put_back, put_back_callbacks, read_run
from minidl.training.view import TrainerView

PARTS = ("loss", "penalty", "cost")


class Run:
    """The state of one `fit`; everything that can be refused is refused here, before the first step."""

    def __init__(
        self,
        trainer: TrainerView,
        train: Dataset,
        sets: Mapping[str, Dataset],
        plan: Plan,
    ) -> None:
        for name, data in {"train": train, **sets}.items():
            check_data(name, data, trainer.model, trainer.loss)
        check_model(trainer.model, trainer.loss, train)
        self.trainer, self.train, self.sets, self.plan = trainer, cast_once(train, trainer.model), dict(sets), plan
        epochs = check_integer("epochs", plan.epochs, minimum=0)
        self.feed = Feed(self.train, plan, trainer.model.parameters.dtype, trainer.epoch)
        self.per_epoch = self.feed.per_epoch
        self.due = evaluation_points(plan.validate_every, self.per_epoch)
        self.steps, self.planned_steps = 0, epochs * self.per_epoch
        self.epochs_before = trainer.epoch
        columns = [f"{name}_{key}" for name in sets for key in (*PARTS, *trainer.metrics)]
        train_columns = [f"train_{part}" for part in PARTS]
        self.history = History(evaluations=Table.of(["step", "epoch", *train_columns, *columns]))
        for callback in trainer.callbacks:
            if isinstance(callback, Monitor):
                callback.check(self.history.evaluations)
        self.checkpoints = [callback for callback in trainer.callbacks if isinstance(callback, Checkpoint)]
        self.watch = self._watch()
        self.best: tuple[int, float, dict[str, Array] | None] | None = None
        self.evaluated = True
        self._forget_batches()

    @property
    def position(self) -> int:
        """Steps taken in the epoch that is under way; 0 between two."""
        return self.steps % self.per_epoch

    @property
    def over(self) -> bool:
        """Whether no further step will be taken."""
        return self.steps >= self.planned_steps or bool(self.trainer.stop_reason) or self.ctrl_c.asked

    @property
    def restores_best(self) -> bool:
        """Whether the run is to end with the weights of its best evaluation."""
        return self.plan.restore_best and self.watch is not None

    def go_to(self, steps: int, *, epochs_before: int) -> None:
        """Stand where so many steps were taken, in a trainer that had begun so many epochs before the run."""
        self.steps = check_integer("steps", steps, minimum=0)
        self.epochs_before = check_integer("epochs_before", epochs_before, minimum=0)
        self.trainer.epoch = epochs_before - (-steps // self.per_epoch)  # begun, not ended: rounded up
        self.feed.check_first(epochs_before)

    def begin(self, callbacks: list[Callback], resume: StrPath | None) -> None:
        """Take the place of a run before, if there is one, and tell the callbacks that it begins."""
        self.hooks = {
            hook: [c for c in callbacks if hook in vars(c) or getattr(type(c), hook) is not getattr(Callback, hook)]
            for hook in HOOKS
        }
        if self.checkpoints or resume is not None:
            self.identity = identity(self)  # before anything can change
        saved = None if resume is None else read_run(self, resume)
        if saved is not None:
            put_back(self, saved)
        self._call("on_fit_begin")
        if saved is not None:
            reason = self.trainer.stop_reason
            put_back(self, saved)  # once more: a hook may have moved something, such as the weights
            put_back_callbacks(self, saved)
            self.trainer.stop_reason = self.trainer.stop_reason or reason

    def execute(self, ctrl_c: Interrupts) -> History:
        """Train to one of the ends, give back the best weights, and return the history."""
        history, model, self.ctrl_c = self.history, self.trainer.model, ctrl_c
        try:
            with model.train_mode(), _without_dx(model), ctrl_c.raised():
                self._epochs()
            history.stopped_because = self.trainer.stop_reason or f"limit: {self.plan.epochs} epochs"
        except KeyboardInterrupt:
            ctrl_c.asked, ctrl_c.open, ctrl_c.kept = False, False, 0  # it has been obeyed
            history.stopped_because = f"interrupted: Ctrl-C after step {self.trainer.optimizer.steps}"
        except DivergenceError as error:
            history.stopped_because = f"diverged: {error}"
            if self.plan.raise_divergence:
                raise
        except BaseException as error:
            history.stopped_because = f"error: {type(error).__name__}: {error}"
            raise
        finally:
            self._give_back()
            self._end()
        return history

    def _epochs(self) -> None:
        while not self.over:
            if self.position == 0:
                self.trainer.epoch += 1
            for batch in self.feed.batches(self.trainer.epoch - 1, self.position):
                self._step(batch)
                if self.position == 0:
                    self._call("on_epoch_end")
                with self.ctrl_c.held():
                    for checkpoint in self.checkpoints:
                        checkpoint.after_step(self)
                if self.over:
                    break
        with self.ctrl_c.held():
            for checkpoint in self.checkpoints:
                checkpoint.at_end(self)
        if not self.evaluated and not self.ctrl_c.asked:  # after the checkpoint: a longer run would not do so here
            self._evaluate()
        if self.ctrl_c.asked:
            raise KeyboardInterrupt

    def _give_back(self) -> None:
        """Restore the best weights, and drop what Ctrl-C left of a row that was being written."""
        for table in (self.history.steps, self.history.evaluations):
            table.cut()
        if self.best is not None:
            self.history.best_step, self.history.best_value, weights = self.best
            if weights is not None:
                self.trainer.model.parameters.restore(weights)
                self.history.restored_best = True

    def _end(self) -> None:
        """Call every `on_fit_end`, also where one of them raises."""
        with ExitStack() as stack:
            for callback in reversed(self.hooks["on_fit_end"]):
                stack.callback(callback.on_fit_end, self.trainer)

    def _step(self, batch: tuple[Array, ...]) -> None:
        trainer, history = self.trainer, self.history
        rate = trainer.optimizer.learning_rate
        try:
            cost = trainer.step(*batch)
        except DivergenceError as error:
            error.rows = self.feed.rows_of_step(self.position, len(batch[0]))
            raise
        self.steps += 1
        clock, epoch = trainer.optimizer.steps, (self.epochs_before * self.per_epoch + self.steps) / self.per_epoch
        row = (clock, epoch, trainer.step_loss, trainer.step_penalty, cost, rate)
        for column, value in zip(history.steps.values(), row, strict=True):
            column.append(value)
        weight = getattr(trainer.loss, "total_weight", len(batch[0]))
        self.weight += weight
        self.loss += weight * trainer.step_loss
        self.penalty += weight * trainer.step_penalty
        self._call("on_step_end")
        self.evaluated = False
        if self.due(clock, self.steps):
            self._evaluate()

    def _evaluate(self) -> None:
        clock, epoch = int(self.history.steps["step"][-1]), self.history.steps["epoch"][-1]
        loss, penalty = (sum_ / self.weight if self.weight else math.nan for sum_ in (self.loss, self.penalty))
        row = {
            "step": clock,
            "epoch": epoch,
            "train_loss": loss,
            "train_penalty": penalty,
            "train_cost": loss + penalty,
        }
        for name, data in self.sets.items():
            row |= {f"{name}_{key}": value for key, value in self.trainer.evaluate(data).items()}
        self.history.evaluations.append(row)
        if self.watch is not None and self.watch.improved(row):
            weights = self.trainer.model.parameters.snapshot() if self.plan.restore_best else None
            self.best = clock, self.watch.best, weights  # in one assignment, which no Ctrl-C can cut in two
            self.history.best_step, self.history.best_value = clock, self.watch.best
        self._forget_batches()
        self.evaluated = True
        self._call("on_evaluation_end", row)

    def _forget_batches(self) -> None:
        self.weight = self.loss = self.penalty = 0.0

    def _watch(self) -> Monitor | None:
        """What decides which weights are best: the first EarlyStopping, else the loss of the first validation set."""
        stoppers = [c for c in self.trainer.callbacks if isinstance(c, EarlyStopping)]
        if not stoppers and not self.sets:
            return None
        watch = Monitor(f"{next(iter(self.sets), '')}_loss")
        if stoppers:
            watch = Monitor(stoppers[0].monitor, mode=stoppers[0].mode)
        self.history.monitor = watch.monitor
        return watch

    def _call(self, hook: str, *arguments: object) -> None:
        for callback in self.hooks[hook]:
            getattr(callback, hook)(self.trainer, *arguments)


@contextmanager
def _without_dx(model: Layer) -> Iterator[None]:
    """Inside, the gradient with respect to the model's input is not computed."""
    before = [(layer, layer.needs_dx) for layer in model.layers_inside()]
    model.needs_dx = False
    try:
        yield
    finally:
        for layer, needed in before:
            layer.needs_dx = needed

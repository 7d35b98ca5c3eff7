"""One call of `fit`: the loop over epochs and batches, evaluations, the best weights, and every way to end."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, nullcontext
from functools import cached_property
from typing import Any

import numpy as np

from minidl.data.dataset import Dataset
from minidl.kernels.forms import form
from minidl.layers.modes import without_dx
from minidl.parameters import Array
from minidl.remembered import check_state, flag_in
from minidl.training.callbacks import Callback, by_hook, remembering
from minidl.training.divergence import DivergenceError, broken_array, check_growth, check_left, taken_back
from minidl.training.evaluations import BatchMeans, check_costs, evaluation_points
from minidl.training.history import History, Table
from minidl.training.identity import described, identity
from minidl.training.interrupts import Interrupts
from minidl.training.memory import Owner, Weights, packed, put_back, unchanged_on_error, unpacked
from minidl.training.monitor import BestWeights, Monitor
from minidl.training.patience import watch_of
from minidl.training.plan import Plan
from minidl.training.settings import Settings
from minidl.training.streaming import feed_of
from minidl.training.streams import Streams
from minidl.training.together import check_together
from minidl.training.view import TrainerView


class Run:
    """One `fit`, on sets of data that were admitted; what else can be refused is refused by the constructor.

    Attributes:
        evaluated: whether there was an evaluation after the newest step.
        interrupted: whether the run ends by Ctrl-C, as was agreed after the newest step.
    """

    def __init__(
        self,
        trainer: TrainerView,
        sets: Mapping[str, Dataset],
        plan: Plan,
        callbacks: Iterable[Callback],
        ctrl_c: Interrupts,
    ) -> None:
        self.trainer, self.plan = trainer, plan
        self.train, self.sets = sets["train"], {name: data for name, data in sets.items() if name != "train"}
        self.callbacks, self.ctrl_c = list(callbacks), ctrl_c
        self.feed: Any = feed_of(self.train, plan, trainer)
        self.due, self.hooks = evaluation_points(plan.validate_every), by_hook(self.callbacks)
        self.steps, self.planned_steps, self.interrupted = 0, self.feed.planned_steps, False
        self.means, self.evaluated = BatchMeans(), True
        columns = ["step", "epoch", *self.means.columns()]
        columns += [f"{name}_{key}" for name in self.sets for key in ("loss", "penalty", "cost", *trainer.metrics)]
        for monitor in (callback for callback in trainer.callbacks if isinstance(callback, Monitor)):
            monitor.check(columns)
        watch = watch_of(trainer.callbacks, sets)
        self.history = History(evaluations=Table.of(columns), monitor=watch.monitor if watch is not None else "")
        self.best = BestWeights(watch, trainer.model.parameters, keep=plan.restore_best, history=self.history)
        self.settings = Settings(trainer)
        self._owners: dict[str, Owner] = {
            "parameters": Weights(trainer.model.parameters),
            "streams": Streams(trainer),
            "optimizer": trainer.optimizer,
            "trainer": trainer,
            "steps": self.history.steps,
            "evaluations": self.history.evaluations,
            "feed": self.feed,
            "means": self.means,
            "best": self.best,
            **{f"callback {place}": callback for place, callback in enumerate(remembering(trainer.callbacks))},
            "settings": self.settings,
        }
        if plan.resume is not None or self.hooks["on_safe_point"]:
            _ = self.identity  # before anything can change

    @property
    def owners(self) -> dict[str, Owner]:
        """Whoever remembers what a checkpoint holds, in the order in which it is put back."""
        return {**self._owners, "run": self}  # last, as it holds the others together, and made anew: no ring

    @property
    def over(self) -> bool:
        """Whether no further step will be taken."""
        return self.steps >= self.planned_steps or bool(self.trainer.stop_reason) or self.interrupted

    def packed(self) -> dict[str, Array]:
        """All that the run is, as arrays by name: what a checkpoint holds.

        Raises:
            DivergenceError: the newest update left weights that are not finite, which nobody can go on with.
        """
        self._check_finite()
        return packed(self.owners, self.identity | {"kernels": described(form())})  # compiling may have failed since

    @cached_property
    def identity(self) -> dict[str, str]:
        """What the run is known by, found out when it is first asked for."""
        sets = {"train": self.train, **self.sets}
        return identity(self.trainer, self.plan, sets, self.history.monitor) | self.settings.identity()

    def state(self) -> dict[str, Any]:
        """Whether the newest step was evaluated."""
        return {"evaluated": self.evaluated}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there, if what the other owners remember belongs together."""
        check_state("a run", state, ("evaluated",))
        self.steps, self.evaluated = len(self.history.steps["step"]), flag_in(state, "evaluated")
        check_together(self.trainer, self.history, self.feed, self.best, evaluated=self.evaluated)
        self._check_finite()

    def execute(self) -> History:
        """Train to one of the ends, give back the best weights, and return the history."""
        self._begin()
        trainer, history, ctrl_c = self.trainer, self.history, self.ctrl_c
        try:
            with trainer.model.train_mode(), without_dx(list(trainer.model.layers_inside())), ctrl_c.raised():
                self._epochs()
            history.stopped_because = trainer.stop_reason or f"limit: {self.plan.length}"
        except KeyboardInterrupt:
            ctrl_c.asked, ctrl_c.open, ctrl_c.kept = False, False, 0  # it has been obeyed
            history.stopped_because = f"interrupted: Ctrl-C after step {trainer.optimizer.steps}"
        except DivergenceError as error:
            history.stopped_because = f"diverged: {error}"
            if self.plan.raise_divergence:
                raise
        except BaseException as error:
            history.stopped_because = f"error: {type(error).__name__}: {error}"
            raise
        finally:
            self._give_back()
            given_back = trainer.model.parameters.value.copy()
            try:
                self._end(self.callbacks)
            finally:
                self.settings.end()
                trainer.augmentation = self.feed.augmentation
        moved = not np.array_equal(trainer.model.parameters.value, given_back, equal_nan=True)
        if moved and not history.stopped_because.startswith(("interrupted", "diverged")):
            with taken_back(trainer, given_back, raising=self.plan.raise_divergence):
                check_left(trainer)
                if self.sets:
                    history.evaluations.append(self._row())  # of what callbacks left, such as a mean of weights
                    check_costs(history.evaluations.row(-1), self.sets)
        return history

    def _begin(self) -> None:
        """Tell the callbacks that it begins, and go on from a checkpoint if there is one; if not, nothing has moved."""
        trainer, path = self.trainer, self.plan.resume
        saved = None if path is None else unpacked(path, self.identity, self.owners)
        with nullcontext() if saved is None else unchanged_on_error(self.owners):
            if path is not None and saved is not None:  # where it began says how long it is
                put_back({"feed": self.feed}, saved, path)
                self.planned_steps = self.feed.planned_steps
            trainer.history, trainer.planned_steps = self.history, self.planned_steps
            trainer.restores_best, trainer.stop_reason = self.best.kept, ""
            begun: list[Callback] = []
            if saved is not None:
                self.settings.reset()
            try:
                for callback in self.callbacks:
                    callback.on_fit_begin(trainer)
                    begun.append(callback)
                self.settings.begin()
                trainer.settings = self.settings
                if path is not None and saved is not None:
                    trainer.optimizer.meet(trainer.model.parameters)
                    put_back({name: owner for name, owner in self.owners.items() if name != "feed"}, saved, path)
            except BaseException:
                self._end(begun)
                raise

    def _epochs(self) -> None:
        if self.plan.validate_first and not self.steps and not self.history.evaluations["step"]:
            self._evaluate()
        batches = self.feed.batches()
        while not self.over:
            self._step(next(batches))
            if self.feed.between:
                self._call("on_epoch_end")
            self.interrupted, self.trainer.stop_reason = self.trainer.agreed(self.ctrl_c.asked)
            self._rest()
        if self.steps:
            self._check_finite()
        self._rest()
        self.ctrl_c.asked |= self.interrupted
        if not self.evaluated and not self.ctrl_c.asked:  # after the checkpoint: a longer run would not do so here
            self._evaluate()
        if self.ctrl_c.asked:
            raise KeyboardInterrupt

    def _rest(self) -> None:
        """Nothing is pending here, and no Ctrl-C cuts it in two."""
        if self.hooks["on_safe_point"]:
            with self.ctrl_c.held():
                self._call("on_safe_point")

    def _give_back(self) -> None:
        """Restore the best weights, and drop what Ctrl-C left of a row that was being written."""
        for table in (self.history.steps, self.history.evaluations):
            table.cut()
        self.best.give_back()

    def _end(self, callbacks: Iterable[Callback]) -> None:
        """Tell all of them in turn that it ended, also where one of them raises."""
        with ExitStack() as stack:
            for callback in reversed(list(callbacks)):
                stack.callback(callback.on_fit_end, self.trainer)

    def _step(self, batch: tuple[Array, ...]) -> None:
        trainer, history, feed, rate = self.trainer, self.history, self.feed, self.trainer.optimizer.learning_rate
        try:
            cost = trainer.step(*batch)
        except DivergenceError as error:
            error.rows = feed.rows_of_step()
            raise
        before, clock = feed.passes, trainer.optimizer.steps
        feed.position, self.steps = feed.position + 1, self.steps + 1
        trainer.epoch = epoch = feed.passes
        row = (clock, epoch, trainer.step_loss, trainer.step_penalty, cost, rate)
        for column, value in zip(history.steps.values(), row):  # noqa: B905 `strict` takes longer
            column.append(value)
        check_growth(clock, cost, history.steps["cost"][0], self.plan.max_growth)
        self.means.add(getattr(trainer.loss, "total_weight", len(batch[0])), trainer.step_loss, trainer.step_penalty)
        self._call("on_step_end")
        self.evaluated = False
        if self.due(clock, before - feed.first, epoch - feed.first):
            self._evaluate()

    def _check_finite(self) -> None:
        if broken := broken_array(self.trainer.model):
            left = "its update left" if self.steps else "the run begins with"
            raise DivergenceError(self.trainer.optimizer.steps, f"{left} {broken}, that are not finite")

    def _evaluate(self) -> None:
        self._check_finite()
        row = self._row()
        self.history.evaluations.append(row)
        self.best.look(row)
        self.means.reset()
        self.evaluated = True
        check_costs(row, self.sets)
        for callback in self.hooks["on_evaluation_end"]:
            callback.on_evaluation_end(self.trainer, dict(row))  # one of its own, to do with as it likes

    def _row(self) -> dict[str, float]:
        """The columns of an evaluation of the weights as they are."""
        row = {"step": self.trainer.optimizer.steps, "epoch": self.trainer.epoch, **self.means.columns()}
        for name, data in self.sets.items():
            row |= {f"{name}_{key}": value for key, value in self.trainer.evaluate(data).items()}
        return row

    def _call(self, hook: str) -> None:
        for callback in self.hooks[hook]:
            getattr(callback, hook)(self.trainer)

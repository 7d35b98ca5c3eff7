"""What a file says of a run, held against itself: its clock, history, data and best evaluation belong together."""

import numpy as np

from minidl.training.evaluations import evaluation_points
from minidl.training.feeding import Feed
from minidl.training.history import History
from minidl.training.monitor import BestWeights
from minidl.training.parts import is_ours
from minidl.training.patience import Patient
from minidl.training.view import TrainerView


def check_together(trainer: TrainerView, history: History, feed: Feed, best: BestWeights, *, evaluated: bool) -> None:
    """Raise ValueError where what was taken back does not belong to one moment of one run."""
    clock, steps, epochs = trainer.optimizer.steps, history.steps["step"], history.steps["epoch"]
    if trainer.epoch != feed.passes:
        raise ValueError(f"its trainer is at epoch {trainer.epoch}, its data at {feed.passes}")
    if steps and (steps[-1], epochs[-1]) != (clock, trainer.epoch):
        raise ValueError(f"its optimizer is at step {clock}, its history at {steps[-1]}")
    if epochs and not feed.first < epochs[0] <= feed.first + 1:
        raise ValueError(f"its run began at epoch {feed.first}, its history at {epochs[0]}")
    if feed.taken not in (None, len(steps)):
        raise ValueError(f"its data are {feed.taken} steps on, its history has {len(steps)}")
    for table in (history.steps, history.evaluations):
        table.check_order(clock)
    _check_costs(trainer, history)
    _check_evaluations(history, feed, evaluated=evaluated)
    best.check(history.evaluations)
    for callback in trainer.callbacks:
        if isinstance(callback, Patient) and is_ours(callback) and callback.waited > len(history.evaluations["step"]):
            raise ValueError(f"expected {callback!r} to wait since an evaluation, received waited={callback.waited}")


def _check_costs(trainer: TrainerView, history: History) -> None:
    """Raise ValueError where a cost is not what a Trainer says: the sum of its parts, after a step a finite one."""
    steps, own = history.steps, [name for name in ("step", "evaluate") if not is_ours(getattr(type(trainer), name))]
    newest = [column[-1:] for column in (steps["loss"], steps["penalty"])]
    if steps["step"] and not np.array_equal(newest, [[trainer.step_loss], [trainer.step_penalty]], equal_nan=True):
        raise ValueError(f"its newest loss is {trainer.step_loss}, its history's {newest[0]}")
    for name in ("cost", "learning_rate") if "step" in own else ("loss", "penalty", "cost", "learning_rate"):
        if not np.isfinite(steps[name]).all() or (name == "learning_rate" and min(steps[name], default=0) < 0):
            raise ValueError(f"expected steps of which each has a finite {name}, and rates >= 0, received others")
    tables = {"step": steps, "evaluate": history.evaluations}
    for table in (table for kind, table in tables.items() if kind not in own):
        for name in (name.removesuffix("cost") for name in table if name.endswith("cost")):
            parts = [np.array(table.get(f"{name}{part}", table[f"{name}cost"])) for part in ("loss", "penalty")]
            if f"{name}loss" in table and not np.allclose(sum(parts), table[f"{name}cost"], equal_nan=True):
                raise ValueError(f"expected a {name}cost that is loss + penalty, received others")


def _check_evaluations(history: History, feed: Feed, *, evaluated: bool) -> None:
    """Raise ValueError where an evaluation is of no step, or one that `validate_every` says is not there."""
    steps, epochs = history.steps["step"], history.steps["epoch"]
    rows = set(zip(history.evaluations["step"], history.evaluations["epoch"], strict=True))
    known = {*zip(steps, epochs, strict=True)}
    if strays := [step for step, epoch in rows - known if steps and (step >= steps[0] or epoch != feed.first)]:
        raise ValueError(f"its evaluations at steps {strays} are of none of its steps")
    if evaluated and steps and (steps[-1], epochs[-1]) not in rows:
        raise ValueError(f"its newest step {steps[-1]} was not evaluated, though it says so")
    if callable(feed.plan.validate_every):  # which may answer otherwise now
        return
    due = evaluation_points(feed.plan.validate_every)
    for step, start, end in zip(steps[1:], epochs, epochs[1:], strict=False):
        if due(int(step), start - feed.first, end - feed.first) and (step, end) not in rows:
            raise ValueError(f"its step {step} was not evaluated, where one was due")

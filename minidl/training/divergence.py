"""What to say when a loss is no longer finite: where the first such number stands."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from minidl.layers.base import Layer
from minidl.layers.tracing import traced
from minidl.parameters import Array
from minidl.quiet import quietly
from minidl.training.view import TrainerView

SHOWN = 8  # row numbers listed


class DivergenceError(ArithmeticError):
    """The loss or penalty is infinite or NaN, which is found before the step, or an update left weights that are.

    Attributes:
        step: the step that was not taken, or whose update was the last; counted by the optimizer from 1.
        rows: which rows of the training set the batch held, where `fit` was at work.
    """

    def __init__(self, step: int, report: str) -> None:
        super().__init__(step, report)
        self.step, self.report = step, report
        self.rows: Array | None = None

    def __str__(self) -> str:
        where = "" if self.rows is None else f"; the batch held {_listed(self.rows)} of the training set"
        return f"at step {self.step}: {self.report}{where}"


def check_growth(step: int, cost: float, first: float, most: float) -> None:
    """Refuse a finite cost that has left all bounds: more than `most` times the first one, or than 1 if that is more.

    >>> check_growth(9, cost=1e31, first=2.6, most=1e30)
    Traceback (most recent call last):
    minidl.training.divergence.DivergenceError: at step 9: cost 1e+31, more than max_growth=1e+30 times the first, 2.6
    """
    if cost > most and cost > most * max(1.0, abs(first)):
        where = "the first" if abs(first) >= 1 else "1, as the first is less"
        raise DivergenceError(step, f"cost {cost:.6g}, more than max_growth={most:g} times {where}, {first:.6g}")


def first_not_finite(model: Layer, x: Array, loss: float, penalty: float) -> str:
    """One sentence on the first thing that is not finite: a parameter, the penalty, the input, the output of a layer.

    >>> from minidl.layers import Linear, Sequential
    >>> model = Sequential(Linear(2, 1)).build(seed=0)
    >>> model.parameters.named["0.bias"].value[0] = np.inf
    >>> first_not_finite(model, np.zeros((1, 2), np.float32), np.inf, 0.0)
    'loss inf and penalty 0.0; the first number that is not finite: parameter 0.bias, 1 of 1 entries'
    """
    lead = f"loss {loss} and penalty {penalty}; the first number that is not finite: "
    if broken := broken_array(model):
        return lead + broken
    if math.isfinite(loss):
        return f"{lead}the penalty, of finite parameters"
    with quietly():
        where = _first_output(model, x)
    return lead + (where or "the loss itself, of finite scores")


def broken_array(model: Layer) -> str:
    """The first parameter or state with an entry that is not finite, and how many of them; "" where there is none."""
    parameters = model.parameters
    if np.isfinite(parameters.value).all() and not parameters.states:
        return ""
    for kind, named in (("parameter", parameters.named), ("state", parameters.states)):
        for name, owner in named.items():
            broken = ~np.isfinite(owner.value)
            if broken.any():
                return f"{kind} {name}, {int(broken.sum())} of {broken.size} entries"
    return ""


@contextmanager
def taken_back(trainer: TrainerView, before: Array, *, raising: bool) -> Iterator[None]:
    """A block that looks at what `on_fit_end` left: the weights before come back where it has diverged."""
    try:
        yield
    except DivergenceError as error:
        trainer.model.parameters.value, trainer.history.stopped_because = before, f"diverged: {error}"
        if raising:
            raise


def check_left(trainer: TrainerView) -> None:
    """Refuse weights that are not finite, as `on_fit_end` of a callback left them."""
    if broken := broken_array(trainer.model):
        raise DivergenceError(trainer.optimizer.steps, f"on_fit_end of a callback left {broken}, that are not finite")


def _first_output(model: Layer, x: Array) -> str:
    """Where the first array that is not finite stands, "" for nowhere."""
    if found := _rows(x):
        return f"the input of the model, {found}"
    with traced(model) as calls:
        model.forward(x)
    for call in calls:
        for what, array in (("input", call.x), ("output", call.y)):
            if found := _rows(array):
                return f"the {what} of {_name(call.layer, call.path)}, {found}"
    return ""


def _name(layer: Layer, path: str) -> str:
    return f"layer {path}, {layer!r}" if path else "the model"


def _rows(array: Array) -> str:
    broken = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
    if not len(broken):
        return ""
    return f"{_listed(broken)} of the batch ({len(broken)} of {len(array)})"


def _listed(rows: Array) -> str:
    return f"rows {', '.join(map(str, rows[:SHOWN]))}{', ...' if len(rows) > SHOWN else ''}"

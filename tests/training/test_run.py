"""How a run ends, and the weights it ends with."""

import itertools
import math
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import DivergenceError, EarlyStopping, SoftmaxCrossEntropy, accuracy
from minidl.layers.activations import sigmoid
from minidl.optim import SGD


def keeping_the_best(weights, hooks, kept, column="validation_loss", sign=-1):
    """A callback that fills `kept` with the step, value and weights of the best evaluation, by the plain rule."""

    def look(trainer, row):
        if not kept or sign * row[column] > sign * kept["value"]:
            kept.update(step=row["step"], value=row[column], weights=weights(trainer))

    return hooks(on_evaluation_end=look)


def raising(error, calls):
    """A function that raises at its call number `calls`, and returns None before that."""
    counter = itertools.count(1)

    def function(*arguments):
        if next(counter) == calls:
            raise error

    return function


class Fragile(SoftmaxCrossEntropy):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def row_losses(self, scores, targets):
        self.function()
        return super().row_losses(scores, targets)


PLACES = {
    "loss": lambda go, hooks: {"loss": Fragile(go)},
    "metric": lambda go, hooks: {"metrics": {"metric": lambda scores, targets: go() or 0.0}},
    "regularizer": lambda go, hooks: {"regularizers": [lambda parameters: go() or 0.0]},
    "schedule": lambda go, hooks: {"optimizer": SGD(lambda step: go() or 0.5)},
    "augment": lambda go, hooks: {"augment": lambda x, rng: go() or x},
    "shuffle": lambda go, hooks: {"shuffle": lambda epoch: go() or np.arange(30)},
    "validate_every": lambda go, hooks: {"validate_every": lambda step: go() is None},
    **{
        hook: lambda go, hooks, hook=hook: {"callbacks": [hooks(**{hook: go})]}
        for hook in ("on_step_end", "on_evaluation_end", "on_epoch_end")
    },
}
FIT_ARGUMENTS = ("augment", "shuffle", "validate_every")


def run(trainer, fit, data, parts, extra_callback, **arguments):
    """Train on parts meant for the Trainer and for `fit`, and return both, with the error that came out or None."""
    of_fit = {name: parts.pop(name) for name in FIT_ARGUMENTS if name in parts}
    one = trainer(**{"lr": 2.0, **parts, "callbacks": [extra_callback, *parts.get("callbacks", [])]})
    error, validation = None, (data(seed=1).x, data(seed=2).targets)  # nothing to learn: the best weights come early
    try:
        fit(one, data(), validation, **({"epochs": 30, "validate_every": 1} | arguments | of_fit))
    except (ZeroDivisionError, DivergenceError) as raised:
        error = raised
    return one, error


def assert_best(one, kept, weights):
    assert one.history.restored_best
    assert (one.history.best_step, one.history.best_value) == (kept["step"], kept["value"])
    assert one.history.best_step < one.optimizer.steps
    np.testing.assert_equal(weights(one), kept["weights"])


def assert_at_rest(one):
    for layer in one.model.layers_inside():
        assert not layer.training
        assert layer.needs_dx


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError("oops")])
def test_whatever_raises_the_best_weights_come_back(data, trainer, fit, weights, hooks, place, error):
    kept = {}
    parts = PLACES[place](raising(error, 20), hooks)
    one, raised = run(trainer, fit, data, parts, keeping_the_best(weights, hooks, kept))
    if isinstance(error, KeyboardInterrupt):
        assert raised is None
        assert one.history.stopped_because == f"interrupted: Ctrl-C after step {one.optimizer.steps}"
    else:
        assert raised is error
        assert one.history.stopped_because == "error: ZeroDivisionError: oops"
    assert_best(one, kept, weights)
    assert_at_rest(one)


PART_OF_THE_LOOP = ("_epochs", "batches", "_step", "_evaluate", "step", "evaluate", "append", "improved")


@contextmanager
def interrupted_at(line):
    """Ctrl-C before the given line, counted over all that the loop executes."""
    counter = itertools.count(1)

    def trace(frame, event, argument):
        ours = frame.f_globals["__name__"].startswith("minidl.training.")
        if not ours or frame.f_code.co_name not in PART_OF_THE_LOOP:
            return None
        if event == "line" and next(counter) == line:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@given(st.integers(1, 800))
def test_an_interrupt_at_any_line_leaves_whole_rows_and_the_weights_that_belong_to_them(data, trainer, fit, line):
    one, validation = trainer(lr=2.0), data(seed=1)
    with np.errstate(all="raise"):
        with interrupted_at(line):
            history = fit(one, data(), validation, epochs=4, validate_every=1)
        assert set(np.geterr().values()) == {"raise"}
        assert sigmoid(np.float32([-100.0])) < 1e-37  # as quiet as ever
    assert history.stopped_because.startswith("interrupted")
    assert_at_rest(one)
    for table in (history.steps, history.evaluations):
        assert len({len(column) for column in table.values()}) == 1
    assert history.restored_best == (history.best_step is not None)
    if history.restored_best:
        assert one.evaluate(validation)["loss"] == history.best_value


def poison(step):
    """Put a NaN into the first bias after a step."""

    def function(trainer):
        if trainer.optimizer.steps == step:
            trainer.model[0].bias.value[0] = math.nan

    return function


def stop(step):
    return lambda trainer: trainer.stop("loss: low enough") if trainer.optimizer.steps == step else None


@pytest.mark.parametrize(
    ("ending", "arguments", "reason"),
    [
        (None, {"epochs": 5}, "limit: 5 epochs"),
        (None, {"epochs": 5, "drop_last": True}, "limit: 5 epochs"),
        (lambda hooks: EarlyStopping(patience=12), {}, "early stopping: validation_loss did not improve in 12 eval"),
        (lambda hooks: hooks(on_step_end=stop(30)), {}, "stopped: loss: low enough"),
        (lambda hooks: hooks(on_epoch_end=stop(32)), {}, "stopped: loss: low enough"),
        (lambda hooks: hooks(on_evaluation_end=lambda one, row: stop(30)(one)), {}, "stopped: loss: low enough"),
        (
            lambda hooks: hooks(on_step_end=poison(30)),
            {},
            "diverged: at step 30: its update left parameter 0.bias, 1 of 8 entries",
        ),
        (
            lambda hooks: hooks(on_step_end=poison(30)),
            {"raise_divergence": False},
            "diverged: at step 30: its update left parameter 0.bias, 1 of 8 entries",
        ),
    ],
)
def test_however_a_run_ends_the_best_weights_come_back(data, trainer, fit, weights, hooks, ending, arguments, reason):
    kept = {}
    parts = {"callbacks": [ending(hooks)]} if ending else {}
    one, raised = run(trainer, fit, data, parts, keeping_the_best(weights, hooks, kept), **arguments)
    assert one.history.stopped_because.startswith(reason)
    assert isinstance(raised, DivergenceError) == (reason.startswith("diverged") and arguments == {})
    assert_best(one, kept, weights)
    assert_at_rest(one)


@pytest.mark.parametrize("ending", [lambda: raising(KeyboardInterrupt(), 10), lambda: stop(10), lambda: stop(1000)])
def test_the_last_weights_stay_on_request_and_where_nothing_was_held_out(data, trainer, fit, weights, hooks, ending):
    last = {}
    follow = hooks(on_step_end=lambda one: last.update(weights(one)))
    for validation, restore_best in ((data(seed=1), False), (None, True)):
        one = trainer(lr=2.0, callbacks=[follow, hooks(on_step_end=ending())])
        history = fit(one, data(), validation, epochs=5, restore_best=restore_best)
        np.testing.assert_equal(weights(one), last)
        assert not history.restored_best
        assert (history.best_step is None) == (validation is None)


def test_early_stopping_decides_which_weights_are_best(data, trainer, fit, weights, hooks):
    kept = {}
    look = keeping_the_best(weights, hooks, kept, "second_accuracy", sign=1)
    stopping = EarlyStopping("second_accuracy", mode="max", patience=8)
    one = trainer(lr=0.1, metrics=[accuracy], callbacks=[look, stopping])
    history = fit(one, data(), {"first": data(seed=1), "second": data(seed=2)}, epochs=50, validate_every=1)
    assert history.monitor == "second_accuracy"
    assert history.best_value == max(history.evaluations["second_accuracy"])
    assert history.best_step == 1 + history.evaluations["second_accuracy"].index(history.best_value)
    assert_best(one, kept, weights)


def test_without_early_stopping_the_first_validation_set_decides(data, trainer, fit):
    one = trainer()
    history = fit(one, data(), {"first": data(seed=1), "second": data(seed=2)}, epochs=5)
    assert history.monitor == "first_loss"
    assert history.best_value == min(history.evaluations["first_loss"])
    assert one.evaluate(data(seed=1))["loss"] == history.best_value


def test_no_epochs_are_a_run_without_steps(data, trainer, fit, weights):
    one = trainer()
    before = weights(one)
    history = fit(one, data(), data(seed=1), epochs=0)
    assert history.stopped_because == "limit: 0 epochs"
    assert history.steps["step"] == history.evaluations["validation_loss"] == []
    np.testing.assert_equal(weights(one), before)

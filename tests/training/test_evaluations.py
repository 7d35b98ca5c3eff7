"""When a run evaluates."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.training.evaluations import evaluation_points


def points(validate_every, per_epoch, epochs=1):
    due = evaluation_points(validate_every)
    steps = range(1, per_epoch * epochs + 1)
    return [step for step in steps if due(step, (step - 1) / per_epoch, step / per_epoch)]


@pytest.mark.parametrize(
    ("validate_every", "expected"),
    [
        (0.2, [7, 13, 19, 25, 31, 38, 44, 50, 56, 62]),
        (1.0, [31, 62]),
        (2.0, [62]),
        (1.5, [47]),
        (np.float32(1), [31, 62]),
        (31, [31, 62]),
        (np.int64(40), [40]),
        (1, list(range(1, 63))),
        (1e-320, list(range(1, 63))),
        (1e300, []),
        (lambda step: step in (1, 5), [1, 5]),
    ],
)
def test_a_float_counts_epochs_an_int_steps_and_a_function_decides(validate_every, expected):
    assert points(validate_every, 31, epochs=2) == expected


@given(st.integers(1, 20), st.integers(1, 100), st.integers(1, 30))
def test_a_fraction_of_an_epoch_is_the_first_step_at_or_after_each_multiple(parts, per_epoch, epochs):
    multiples = range(1, parts * epochs + 1)
    expected = sorted({math.ceil(Fraction(k * per_epoch, parts)) for k in multiples})
    assert points(1 / parts, per_epoch, epochs) == expected


@pytest.mark.parametrize("wrong", [0, -1, 0.0, -0.5, math.nan, math.inf, True, None, "epoch"])
def test_anything_else_is_refused(wrong):
    with pytest.raises(ValueError, match="expected validate_every to be"):
        evaluation_points(wrong)


@pytest.mark.parametrize(
    ("validate_every", "expected"),
    [
        (1.0, [4, 8]),
        (0.5, [2, 4, 6, 8]),
        (3, [3, 6, 8]),
        (8, [8]),
        (100, [8]),
        (9.5, [8]),
        (lambda step: step == 1, [1, 8]),
        (lambda step: np.bool_(step == 8), [8]),
    ],
)
def test_the_last_step_is_always_evaluated_and_only_once(data, trainer, fit, validate_every, expected):
    evaluations = fit(trainer(), data(), data(seed=1), validate_every=validate_every).evaluations
    assert evaluations["step"] == expected
    assert evaluations["epoch"] == [step / 4 for step in expected]


def test_the_step_a_callback_stops_at_is_the_last_and_evaluated(data, trainer, fit, hooks):
    def stop(one):
        if one.optimizer.steps == 6:
            one.stop("enough")

    history = fit(trainer(callbacks=[hooks(on_step_end=stop)]), data(), data(seed=1))
    assert history.evaluations["step"] == [4, 6]
    assert len(history.steps["step"]) == 6


@pytest.mark.parametrize(("validate_every", "expected"), [(3, [9, 12, 15, 16]), (lambda step: step == 10, [10, 16])])
def test_a_second_fit_counts_steps_on_and_asks_the_function_with_the_clock(
    data, trainer, fit, validate_every, expected
):
    one = trainer()
    fit(one, data())
    assert fit(one, data(), validate_every=validate_every).evaluations["step"] == expected


def test_a_curve_may_begin_before_the_first_step(data, trainer, fit, weights):
    one, same, fresh = trainer(), trainer(), trainer().evaluate(data(seed=1))
    history = fit(one, data(), data(seed=1), validate_first=True)
    plain = fit(same, data(), data(seed=1))
    first = history.evaluations.row(0)
    assert (first["step"], first["epoch"]) == (0, 0)
    assert all(math.isnan(first[name]) for name in ("train_loss", "train_penalty", "train_cost"))
    assert {name: first[f"validation_{name}"] for name in fresh} == fresh
    assert {name: column[1:] for name, column in history.evaluations.items()} == dict(plain.evaluations)
    assert history.steps == plain.steps
    np.testing.assert_equal(weights(one), weights(same))


def test_the_weights_a_run_begins_with_may_be_the_best(data, trainer, fit, weights):
    one = trainer(lr=50.0)
    before = weights(one)
    history = fit(one, data(), data(seed=1), validate_first=True)
    assert (history.best_step, history.restored_best) == (0, True)
    assert history.best_value == history.evaluations["validation_loss"][0]
    np.testing.assert_equal(weights(one), before)


def test_the_first_evaluation_of_a_second_fit_is_at_the_clock_as_it_stands(data, trainer, fit):
    one = trainer()
    fit(one, data(), epochs=1.5)
    evaluations = fit(one, data(), data(seed=1), epochs=0.5, validate_first=True).evaluations
    assert (evaluations["step"], evaluations["epoch"]) == ([6, 8], [1.5, 2])


def test_a_run_that_begins_with_weights_that_are_not_finite_says_so_before_any_metric_is_asked(data, trainer, fit):
    def strict(scores, targets):
        if not np.isfinite(scores).all():
            raise ValueError("not finite")
        return 0.0

    one = trainer(metrics=[strict])
    one.model[0].bias.value[0] = np.nan
    history = fit(one, data(), validate_first=True, raise_divergence=False)
    assert history.stopped_because.startswith("diverged: at step 0: the run begins with parameter 0.bias, 1 of 8 entr")


def test_a_stop_at_the_first_evaluation_takes_no_step(data, trainer, fit, hooks):
    one = trainer(callbacks=[hooks(on_evaluation_end=lambda one, row: one.stop("good already"))])
    history = fit(one, data(), data(seed=1), validate_first=True)
    assert (one.optimizer.steps, history.stopped_because) == (0, "stopped: good already")
    assert history.evaluations["step"] == [0]

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

"""Early stopping: how long a run waits, and what it makes of NaN."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import EarlyStopping, Linear, ReduceOnPlateau


@pytest.mark.parametrize("min_delta", [0.0, 1000.0])
def test_any_improvement_makes_weights_better_but_patience_asks_for_min_delta(data, trainer, fit, min_delta):
    stopping = EarlyStopping("train_loss", patience=6, min_delta=min_delta)
    history = fit(trainer(lr=0.01, callbacks=[stopping]), data(), epochs=10)
    assert history.best_step > 4
    assert len(history.evaluations["step"]) == (7 if min_delta else 10)
    more = " by more than 1000" if min_delta else ""
    assert history.stopped_because == (
        f"early stopping: train_loss did not improve{more} in 6 evaluations" if min_delta else "limit: 10 epochs"
    )


@given(st.integers(1, 12), st.sampled_from([0.5, 1.0, 1, 3]))
def test_a_model_that_stands_still_stops_patience_evaluations_after_the_first(
    data, trainer, fit, patience, validate_every
):
    one = trainer(Linear(3, 3), lr=0.0, callbacks=[EarlyStopping("validation_loss", patience=patience)])
    history = fit(one, data(), data(seed=1), epochs=60, validate_every=validate_every)
    assert len(history.evaluations["step"]) == 1 + patience
    assert history.best_step == history.evaluations["step"][0]


def test_every_fit_counts_patience_and_best_anew(data, trainer, fit):
    one = trainer(Linear(3, 3), lr=0.0, callbacks=[EarlyStopping("train_loss", patience=2)])
    for first in (4, 16):
        history = fit(one, data(), epochs=9, shuffle=False)
        assert history.evaluations["step"] == [first, first + 4, first + 8]
        assert history.best_step == first


def scripted(values):
    """A metric that gives these values in turn; on the one row on which metrics are tried it gives 0."""
    given = iter(values)
    return lambda scores, targets: next(given) if len(scores) > 1 else 0.0


def test_nan_is_never_best_and_runs_out_of_patience(data, trainer, fit, weights, hooks):
    values = [0.1, math.nan, 0.2, math.nan, math.nan, math.nan, 1.0]
    last = {}
    one = trainer(
        metrics={"score": scripted(values)},
        callbacks=[
            EarlyStopping("validation_score", mode="max", patience=3),
            hooks(on_evaluation_end=lambda one, row: last.setdefault(row["step"], weights(one))),
        ],
    )
    history = fit(one, data(), data(seed=1), epochs=7)
    assert (history.best_step, history.best_value, len(history.evaluations["step"])) == (12, 0.2, 6)
    np.testing.assert_equal(weights(one), last[12])


def test_where_every_value_is_nan_the_last_weights_stay(data, trainer, fit):
    one = trainer(
        metrics={"score": lambda scores, targets: math.nan},
        callbacks=[EarlyStopping("validation_score", mode="min", patience=3)],
    )
    history = fit(one, data(), data(seed=1), epochs=7)
    assert len(history.evaluations["step"]) == 3
    assert (history.best_step, history.best_value, history.restored_best) == (None, None, False)


@pytest.mark.parametrize(("monitor", "steps"), [("train_loss", [0, 1, 2]), ("validation_loss", [0, 1])])
def test_nobody_has_waited_before_the_first_step(data, trainer, fit, monitor, steps):
    one = trainer(lr=0.0, callbacks=[EarlyStopping(monitor, patience=1, min_delta=10.0)])
    history = fit(one, data(), data(seed=1), validate_first=True, validate_every=1)
    assert history.evaluations["step"] == steps
    assert history.stopped_because.startswith("early stopping")


def test_a_rate_is_not_reduced_before_the_first_step(data, trainer, fit):
    one = trainer(callbacks=[ReduceOnPlateau("train_loss", patience=1)])
    fit(one, data(), data(seed=1), epochs=0, validate_first=True)
    assert one.optimizer.lr_scale == 1

"""The first loss that is not finite ends the run, and the report says where it came from."""

import copy
import math
import pickle
from contextlib import nullcontext

import numpy as np
import pytest

from minidl import (
    L2,
    SGD,
    Callback,
    Checkpoint,
    Dataset,
    DivergenceError,
    EarlyStopping,
    Layer,
    Linear,
    MeanSquaredError,
    Sequential,
    Trainer,
    accuracy,
)
from minidl.initializers import ones
from minidl.storage import read_arrays


class Exponential(Layer):
    """y = exp(x), which overflows float32 from x = 89 on."""

    def forward(self, x):
        self.y = np.exp(x)
        return self.y

    def backward(self, dy):
        return self.y * dy


def rows_of_ones(*, tenth=1.0, width=1):
    """Twelve rows of ones but for the tenth, which is row 1 of the third batch of 4 in file order."""
    x = np.ones((12, 3), np.float32)
    x[9] = tenth
    return Dataset(x, np.zeros((12, width), np.float32))


def spoil(name):
    """A hook that puts a NaN into a parameter after step 2."""

    def function(trainer):
        if trainer.optimizer.steps == 2:
            trainer.model.parameters.named[name].value.flat[0] = math.nan

    return function


def penalty_that_overflows_at(step):
    calls = iter(range(1, 100))
    return lambda parameters: np.float32(1e38) * np.float32(10 if next(calls) >= step else 1)


def nan_for_thousand(x, rng):
    return np.where(x == 1000, np.float32(math.nan), x)


def layer_overflows():
    layers = Exponential(), Linear(3, 1)
    return layers, {"regularizers": [L2(0.0)]}, "the output of layer 0, Exponential(), rows 1 of the batch (1 of 4)"


def nested_layer_overflows():
    layers = Sequential(Linear(3, 3, weight_init=ones), Sequential(Exponential())), Linear(3, 1)
    return layers, {}, "the output of layer 0.1.0, Exponential(), rows 1 of the batch (1 of 4)"


def parameter_is_nan():
    return (Linear(3, 1),), {"on_step_end": spoil("0.bias")}, "parameter 0.bias, 1 of 1 entries"


def nested_parameter_is_nan():
    layers = Sequential(Linear(3, 2)), Linear(2, 1)
    return layers, {"on_step_end": spoil("0.0.weight")}, "parameter 0.0.weight, 1 of 6 entries"


def input_is_nan():
    return (Linear(3, 1),), {"augment": nan_for_thousand}, "the input of the model, rows 1 of the batch (1 of 4)"


def loss_overflows():
    layers = (Linear(3, 1, weight_init=ones),)
    return layers, {"data": rows_of_ones(tenth=1e30)}, "the loss itself, of finite scores"


def penalty_overflows():
    arguments = {"data": rows_of_ones(), "regularizers": [L2(0.1), penalty_that_overflows_at(3)]}
    return (Linear(3, 1),), arguments, "and penalty inf; the first number that is not finite: the penalty, of finite"


@pytest.fixture
def diverge(trainer, fit, weights, hooks):
    """Train in file order until it diverges; return the trainer, its error and the weights of the last step."""

    def run(*layers, on_step_end=lambda one: None, data=None, lr=1e-3, **arguments):
        before = {}
        look = [hooks(on_step_end=on_step_end), hooks(on_step_end=lambda one: before.update(weights(one)))]
        regularizers = arguments.pop("regularizers", ())
        one = trainer(*layers, loss=MeanSquaredError(), lr=lr, regularizers=regularizers, callbacks=look)
        with pytest.raises(DivergenceError) as caught:
            fit(one, data or rows_of_ones(tenth=1000), batch_size=4, shuffle=False, **arguments)
        return one, caught.value, before

    return run


@pytest.mark.parametrize(
    "case",
    [
        layer_overflows,
        nested_layer_overflows,
        parameter_is_nan,
        nested_parameter_is_nan,
        input_is_nan,
        loss_overflows,
        penalty_overflows,
    ],
)
def test_the_report_names_the_step_the_rows_and_the_first_number_that_is_not_finite(diverge, weights, case):
    layers, arguments, expected = case()
    one, error, before = diverge(*layers, **arguments)
    message = str(error)
    assert message.startswith("at step 3: loss ")
    assert expected in message
    assert message.endswith("; the batch held rows 8, 9, 10, 11 of the training set")
    assert error.step == 3
    np.testing.assert_array_equal(error.rows, [8, 9, 10, 11])
    assert one.history.stopped_because == f"diverged: {message}"
    assert one.history.steps["step"] == [1, 2]
    np.testing.assert_equal(weights(one), before)


def test_a_loss_that_overflows_without_regularizers_has_no_penalty(diverge):
    _, error, _ = diverge(*loss_overflows()[0], data=rows_of_ones(tenth=1e30))
    assert "loss inf and penalty 0.0;" in str(error)


def test_a_learning_rate_that_is_far_too_large_ends_in_a_report(diverge, weights):
    one, error, before = diverge(Linear(3, 3), Exponential(), Linear(3, 1), lr=1e30, data=rows_of_ones())
    assert error.step == one.optimizer.steps + 1
    np.testing.assert_equal(weights(one), before)


def test_rows_are_those_of_the_shuffled_set_in_any_epoch(trainer, fit):
    train = rows_of_ones()
    orders = [np.arange(12), np.roll(np.arange(12), 2)]
    seen = iter(range(100))
    one = trainer(Linear(3, 1), loss=MeanSquaredError(), lr=0.01)
    with pytest.raises(DivergenceError, match="the batch held rows 8, 9 of the training set") as caught:
        fit(
            one,
            train,
            batch_size=10,
            shuffle=lambda epoch: orders[epoch],
            augment=lambda x, rng: x * np.float32(math.inf if next(seen) == 3 else 1),
        )
    assert (caught.value.step, caught.value.rows.tolist()) == (4, [8, 9])


def test_only_the_first_of_many_rows_are_listed(trainer, fit):
    with pytest.raises(DivergenceError, match=r"rows 0, 1, 2, 3, 4, 5, 6, 7, \.\.\. of the training set"):
        fit(trainer(Linear(3, 1), loss=MeanSquaredError()), rows_of_ones(tenth=1e30), batch_size=12, shuffle=False)


def test_a_step_by_hand_reports_without_rows_of_a_set(trainer):
    one = trainer(Linear(3, 1, weight_init=ones), loss=MeanSquaredError())
    bad = rows_of_ones(tenth=1e30)
    with pytest.raises(DivergenceError, match=r"at step 1: loss inf .* of finite scores$") as caught:
        one.step(bad.x, bad.targets)
    assert caught.value.rows is None
    assert one.optimizer.steps == 0
    assert (one.model[0].weight.value == 1).all()


@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_the_error_survives_the_way_back_from_another_process(diverge, duplicate):
    _, error, _ = diverge(Exponential(), Linear(3, 1))
    again = duplicate(error)
    assert str(again) == str(error)
    assert (again.step, again.rows.tolist()) == (3, [8, 9, 10, 11])


def test_on_request_the_run_ends_quietly_with_the_reason(trainer, fit):
    one = trainer(Exponential(), Linear(3, 1), loss=MeanSquaredError(), lr=1e-3)
    history = fit(one, rows_of_ones(tenth=1000), batch_size=4, shuffle=False, raise_divergence=False)
    assert history is one.history
    assert history.stopped_because.startswith("diverged: at step 3: loss nan")
    assert history.steps["step"] == [1, 2]


def test_overflow_at_the_start_is_a_divergence_and_no_warning(trainer, fit):
    one = trainer(Linear(3, 3, weight_init=ones), Exponential(), Linear(3, 1), loss=MeanSquaredError())
    loud = rows_of_ones().map(lambda x: 1000 * x)
    history = fit(one, loud, loud, raise_divergence=False)
    assert history.stopped_because.startswith("diverged: at step 1: loss")
    assert not math.isfinite(one.evaluate(loud)["loss"])


def test_an_evaluation_of_broken_weights_is_recorded_and_never_best(trainer, fit):
    one = trainer(Linear(3, 1), loss=MeanSquaredError(), lr=1e30)
    history = fit(one, rows_of_ones(), rows_of_ones(), validate_every=1, batch_size=4, raise_divergence=False)
    assert not all(map(math.isfinite, history.evaluations["validation_loss"]))
    assert history.stopped_because.startswith("diverged")
    assert history.best_step is None or math.isfinite(history.best_value)


def rate_that_explodes_at(step):
    return lambda done: 1e38 if done + 1 == step else 1e-3


@pytest.mark.parametrize("validation", [None, rows_of_ones()])
@pytest.mark.parametrize("validate_every", [1.0, 1])
def test_an_update_that_overflows_is_found_though_no_step_follows(trainer, fit, tmp_path, validation, validate_every):
    path = tmp_path / "run.npz"
    callbacks = [Checkpoint(path, every_steps=1)]
    optimizer = SGD(rate_that_explodes_at(3))
    one = trainer(Linear(3, 1), loss=MeanSquaredError(), optimizer=optimizer, callbacks=callbacks)
    with pytest.raises(
        DivergenceError, match=r"at step 3: its update left parameter 0\.weight, 3 of 3 entries"
    ) as caught:
        fit(one, rows_of_ones(tenth=1e3), validation, epochs=1, batch_size=4, validate_every=validate_every)
    assert caught.value.step == 3
    assert one.history.stopped_because == f"diverged: {caught.value}"
    kept = read_arrays(path)
    assert len(kept["steps/step"]) == 2
    assert np.isfinite(kept["parameters/0.weight"]).all()


def test_a_metric_that_refuses_nan_hides_no_divergence(trainer, fit):
    def strict(scores, targets):
        if np.isnan(scores).any():
            raise ValueError("expected numbers")
        return 0.0

    optimizer = SGD(rate_that_explodes_at(2))
    one = trainer(Linear(3, 1), loss=MeanSquaredError(), optimizer=optimizer, metrics=[strict])
    history = fit(one, rows_of_ones(tenth=1e3), rows_of_ones(), raise_divergence=False, validate_every=1, batch_size=12)
    assert history.stopped_because.startswith("diverged: at step 2: its update left parameter 0.weight")


def test_a_state_that_overflows_is_found_at_the_next_evaluation(data, trainer, fit, hooks):
    def spoil_the_centre(one):
        one.model[3].centre.value[0] = math.inf

    one = trainer(callbacks=[hooks(on_step_end=spoil_the_centre)])
    history = fit(one, data(), data(seed=1), validate_every=1, raise_divergence=False)
    assert history.stopped_because.endswith("its update left state 3.centre, 1 of 8 entries, that are not finite")


def test_weights_that_are_nan_are_never_the_most_accurate(data, trainer, fit, hooks):
    first_class = Dataset(data().x, np.zeros(30, int))
    best = EarlyStopping("validation_accuracy", mode="max")
    one = trainer(Linear(3, 3), lr=0.0, metrics=[accuracy], callbacks=[hooks(on_step_end=spoil("0.bias")), best])
    history = fit(one, data(), first_class, validate_every=1, raise_divergence=False)
    assert history.best_step == 1
    assert 0 < history.best_value < 1
    assert np.isfinite(one.model.parameters.value).all()


def exploding(fit, hooks, *, bias=0.0, epochs=400, **arguments):
    """A straight line in float64 whose parameters are three times as large after each step."""
    model = Sequential(Linear(1, 1)).build(seed=0, dtype=np.float64)
    x = np.linspace(-1, 1, 8)[:, None]
    away = hooks(on_step_end=lambda one: one.model.parameters.value.__imul__(3.0))
    one = Trainer(model, MeanSquaredError(), SGD(1e-9), callbacks=[away])
    try:
        fit(one, (x, 2 * x + bias), epochs=epochs, batch_size=8, **arguments)
    except DivergenceError as error:
        return one, error
    return one, None


@pytest.mark.parametrize(("most", "bias"), [(1e30, 0.0), (1e30, 100.0), (1e3, 0.0), (1e3, 100.0), (1, 0.0)])
def test_a_finite_cost_that_leaves_all_bounds_has_diverged(fit, hooks, most, bias):
    given = {} if most == 1e30 else {"max_growth": most}
    one, error = exploding(fit, hooks, bias=bias, **given)
    costs = one.history.steps["cost"]
    bound = most * max(1.0, costs[0])
    assert costs[-1] > bound >= max(costs[:-1])
    assert np.isfinite(costs).all()
    assert error.step == len(costs)
    assert one.history.stopped_because == f"diverged: {error}"
    assert f"cost {costs[-1]:.6g}, more than max_growth={most:g} times " in str(error)
    quiet, error = exploding(fit, hooks, bias=bias, raise_divergence=False, **given)
    assert (quiet.history, error) == (one.history, None)


def test_the_growth_of_the_cost_is_unbounded_on_request(fit, hooks):
    one, error = exploding(fit, hooks, epochs=150, max_growth=math.inf)
    assert (one.history.stopped_because, error) == ("limit: 150 epochs", None)
    assert one.history.steps["cost"][-1] > 1e103


def test_a_run_that_goes_on_is_bounded_by_the_cost_it_began_with(data, trainer, fit, tmp_path):
    path = tmp_path / "run.npz"

    def train(**arguments):
        one = trainer(Linear(3, 3), lr=500.0, callbacks=[Checkpoint(path, every_steps=1)])
        return fit(one, data(), data(seed=1), epochs=20, raise_divergence=False, **arguments)

    costs = train().steps["cost"]
    most = 0.9 * max(costs) / max(1.0, costs[0])
    stopped = train(max_growth=most)
    assert stopped.stopped_because.startswith("diverged: at step")
    assert len(stopped.steps["step"]) > 1
    again = train(max_growth=most, resume=path)  # from the step before
    assert (again.stopped_because, again.steps) == (stopped.stopped_because, stopped.steps)
    assert train(resume=path).stopped_because == "limit: 20 epochs"


@pytest.mark.parametrize("raising", [True, False])
@pytest.mark.parametrize("validated", [True, False])
def test_what_callbacks_leave_that_is_not_finite_is_a_divergence_and_taken_back(data, trainer, fit, raising, validated):
    class Spoiling(Callback):
        def on_fit_end(self, trainer):
            trainer.model.parameters.value[1] = np.nan

    one = trainer(callbacks=[Spoiling()])
    sets = (data(), data(seed=1)) if validated else (data(),)
    with pytest.raises(DivergenceError, match="on_fit_end of a callback left") if raising else nullcontext():
        fit(one, *sets, raise_divergence=raising)
    assert np.isfinite(one.model.parameters.value).all()
    assert one.history.stopped_because.startswith("diverged: at step")
    assert np.isfinite(one.history.evaluations["train_loss"]).all()


class Huge(Callback):
    """A hook that makes the weights as large as they can be, and still finite."""

    def on_step_end(self, trainer):
        trainer.model.parameters.value[:] = np.finfo(np.float32).max


@pytest.mark.parametrize("raising", [True, False])
def test_an_evaluation_whose_cost_is_not_finite_is_a_divergence_before_any_metric_is_asked(trainer, fit, data, raising):
    def refusing(scores, targets):
        if not np.isfinite(scores).all():
            raise AssertionError("asked")
        return 0.0

    one = trainer(callbacks=[Huge()], metrics=[refusing])
    with pytest.raises(DivergenceError) if raising else nullcontext():
        fit(one, data(), data(seed=1), epochs=1, batch_size=30, raise_divergence=raising)
    assert one.history.stopped_because.startswith("diverged: at step 1: loss ")
    assert "on 'validation', of finite parameters" in one.history.stopped_because
    assert (one.history.evaluations["step"], one.history.best_step) == ([1], None)
    assert math.isnan(one.history.evaluations["validation_refusing"][0])


class HugeAtTheEnd(Callback):
    def on_fit_end(self, trainer):
        trainer.model.parameters.value[:] = np.finfo(np.float32).max


def test_what_callbacks_leave_whose_cost_is_not_finite_is_taken_back(trainer, fit, data):
    one = trainer(callbacks=[HugeAtTheEnd()])
    history = fit(one, data(), data(seed=1), epochs=1, batch_size=30, raise_divergence=False)
    assert history.stopped_because.startswith("diverged: at step 1: loss ")
    assert np.abs(one.model.parameters.value).max() < 100

"""Every number of a run is what its name says, whatever the batch size and the weights."""

import math
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import L2, SGD, EarlyStopping, Linear, MeanSquaredError, SoftmaxCrossEntropy, Tanh, accuracy, top_k_accuracy
from minidl.data import batches

sizes, batch_sizes = st.integers(1, 40), st.integers(1, 50)
losses = st.sampled_from([SoftmaxCrossEntropy(), SoftmaxCrossEntropy(class_weights=[1, 5, 0.5])])


@given(sizes, batch_sizes, st.booleans(), losses)
def test_the_training_loss_of_a_model_that_stands_still_is_its_loss_on_the_set(
    data, trainer, fit, n, batch_size, weighted, loss
):
    train = data(n, weighted=weighted)
    one = trainer(Linear(3, 3), lr=0.0, loss=loss, regularizers=[L2(0.1)])
    history = fit(one, train, epochs=1, batch_size=batch_size)
    for name, value in one.evaluate(train).items():
        assert history.evaluations[f"train_{name}"] == pytest.approx([value], rel=1e-5)


def batch_weights(train, loss, epoch, **arguments):
    for _, targets, *weights in batches(train, 8, epoch=epoch, **arguments):
        of_rows = weights[0] if weights else np.ones(len(targets))
        of_classes = 1 if loss.class_weights is None else loss.class_weights[targets]
        yield (of_rows * of_classes).sum()


@given(sizes, st.booleans(), losses, st.sampled_from([1.0, 2.0, 0.4, 3]))
def test_the_training_loss_is_the_weighted_mean_since_the_evaluation_before(
    data, trainer, fit, n, weighted, loss, validate_every
):
    train = data(n, weighted=weighted)
    history = fit(trainer(loss=loss), train, epochs=4, validate_every=validate_every)
    share = np.array([weight for epoch in range(4) for weight in batch_weights(train, loss, epoch)])
    start = 0
    for end, mean in zip(history.evaluations["step"], history.evaluations["train_loss"], strict=True):
        part = slice(start, end)
        assert mean == pytest.approx(np.average(history.steps["loss"][part], weights=share[part]), rel=1e-5)
        start = end
    assert start == len(share)


def test_rows_that_weigh_nothing_have_no_training_loss(data, trainer, fit):
    train = data(2).x, data(2).targets, np.array([0, 1])
    stopping = EarlyStopping("train_loss")
    history = fit(trainer(callbacks=[stopping]), train, batch_size=1, validate_every=1, epochs=1, shuffle=False)
    np.testing.assert_array_equal(history.evaluations["train_loss"], [math.nan, history.steps["loss"][1]])
    assert history.best_step == 2


@given(sizes, batch_sizes, st.booleans())
def test_no_number_of_an_evaluation_depends_on_the_batch_size(data, trainer, n, batch_size, weighted):
    one = trainer(regularizers=[L2(0.1)], metrics=[accuracy, top_k_accuracy(2)])
    some = data(n, weighted=weighted)
    whole = one.evaluate(some, batch_size=n)
    assert one.evaluate(some, batch_size=batch_size) == pytest.approx(whole, rel=1e-5)
    assert list(whole) == ["loss", "penalty", "cost", "accuracy", "top_2_accuracy"]


@pytest.mark.parametrize("weighted", [False, True])
def test_an_evaluation_is_the_loss_the_penalty_and_the_metrics_of_the_whole_set(data, trainer, weighted):
    one = trainer(Linear(3, 4), Tanh(), Linear(4, 3), regularizers=[L2(0.1), L2(0.2)], metrics={"share": accuracy})
    some = data(weighted=weighted)
    scores = one.model.forward(some.x)
    loss = SoftmaxCrossEntropy().forward(scores, some.targets, some.weights)
    penalty = L2(0.1)(one.model.parameters) + L2(0.2)(one.model.parameters)
    expected = {"loss": loss, "penalty": penalty, "cost": loss + penalty, "share": accuracy(scores, some.targets)}
    assert one.evaluate(some) == pytest.approx(expected)
    assert one.evaluate(some.arrays) == one.evaluate(some)
    assert {type(value) for value in one.evaluate(some).values()} == {float}


def test_loss_and_penalty_add_up_to_the_cost_in_every_row(data, trainer, fit):
    one = trainer(regularizers=[L2(0.1), L2(0.01, names="*.bias")], metrics=[accuracy])
    history = fit(one, data(), {"a": data(seed=1), "b": data(seed=2)}, epochs=5)
    names = list(history.evaluations)
    assert names[:5] == ["step", "epoch", "train_loss", "train_penalty", "train_cost"]
    assert names[5:] == [f"{name}_{key}" for name in "ab" for key in ("loss", "penalty", "cost", "accuracy")]
    for table, prefix in ((history.steps, ""), *((history.evaluations, f"{name}_") for name in ("train", "a", "b"))):
        loss, penalty, cost = (np.array(table[prefix + part]) for part in ("loss", "penalty", "cost"))
        np.testing.assert_array_equal(loss + penalty, cost)
        assert (penalty > 0).all()


def test_a_small_penalty_next_to_a_large_loss_is_recorded_whole(data, trainer, fit):
    train = data().x, np.full((30, 3), 1e6)
    one = trainer(Linear(3, 3), lr=0.0, loss=MeanSquaredError(), regularizers=[L2(1e-9)])
    history = fit(one, train)
    assert set(history.steps["penalty"]) == {L2(1e-9)(one.model.parameters)}


@pytest.mark.parametrize("kind", [np.float32, np.float64, int])
def test_what_hooks_and_metrics_return_is_recorded_as_plain_numbers(data, trainer, fit, tmp_path, kind):
    one = trainer(regularizers=[lambda parameters: kind(2)], metrics={"two": lambda scores, targets: kind(2)})
    history = fit(one, data(), data())
    columns = [*history.steps.values(), *history.evaluations.values()]
    assert {type(value) for column in columns for value in column} == {int, float}
    history.to_json(tmp_path / "history.json")
    assert type(history).from_json(tmp_path / "history.json") == history


def test_steps_epochs_and_learning_rates_are_those_of_the_run(data, trainer, fit):
    one = trainer(optimizer=SGD(lambda step: 1 / (1 + step)))
    steps = fit(one, data(), epochs=3).steps
    assert steps["step"] == list(range(1, 13))
    assert steps["epoch"] == [step / 4 for step in range(1, 13)]
    assert steps["learning_rate"] == [1 / step for step in range(1, 13)]


@pytest.mark.parametrize("training", [False, True])
def test_an_evaluation_leaves_everything_as_it_was(data, trainer, weights, training):
    one = trainer(regularizers=[L2(0.1)], metrics=[accuracy])
    (batch,) = batches(data(), 30)
    one.step(*batch)
    before = weights(one), one.model.parameters.grad.copy(), one.optimizer.state()
    draws = [layer.rng.bit_generator.state for layer in one.model.layers_inside()]
    with one.model.train_mode() if training else nullcontext():
        one.evaluate(data(seed=1))
        assert {layer.training for layer in one.model.layers_inside()} == {training}
    np.testing.assert_equal((weights(one), one.model.parameters.grad, one.optimizer.state()), before)
    assert [layer.rng.bit_generator.state for layer in one.model.layers_inside()] == draws


def test_a_metric_that_is_no_number_is_refused_by_name(data, trainer):
    one = trainer(metrics={"rows": lambda scores, targets: scores[:, 0]})
    with pytest.raises(TypeError, match="expected metric rows to return one number"):
        one.evaluate(data())


def test_a_copy_of_the_training_set_does_not_choose_the_best_weights(trainer, fit, data):
    sets = {"again": data().take(np.arange(30)), "held": data(seed=1)}
    assert fit(trainer(), data(), sets).monitor == "held_loss"


def test_a_monitor_of_no_column_is_not_told_to_watch_the_training_loss(trainer, fit, data):
    with pytest.raises(ValueError, match=r"received monitor='validation_loss'; known: .*held_loss"):
        fit(trainer(callbacks=[EarlyStopping("validation_loss")]), data(), {"held": data(seed=1)})

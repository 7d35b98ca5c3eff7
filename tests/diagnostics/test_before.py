"""What is tried on copies before a long run, and saliency."""

import re

import numpy as np
import pytest

from minidl import (
    SGD,
    Adam,
    BatchNorm,
    BinaryCrossEntropy,
    Dataset,
    Embedding,
    Flatten,
    Linear,
    MeanSquaredError,
    ReLU,
    Reshape,
    Sequential,
    ShapeError,
    SoftmaxCrossEntropy,
    Trainer,
)
from minidl.data import digits, standardize
from minidl.diagnostics import expected_loss, overfit_one_batch, preflight, range_test, saliency
from minidl.initializers import normal
from minidl.optim import CosineDecay

TRAIN, REST = standardize(*digits().split(0.7, 0.3, seed=0))


def trainer(optimizer=None, **options):
    model = Sequential(Linear(64, 32, **options), ReLU(), Linear(32, 10, **options)).build(seed=0)
    return Trainer(model, SoftmaxCrossEntropy(), optimizer or Adam(1e-2))


def state(one):
    return one.model.parameters.value.copy(), one.model.parameters.grad.copy(), one.optimizer.steps, one.optimizer.lr


def test_nothing_that_is_tried_changes_the_trainer():
    one = trainer(Adam(CosineDecay(1e-2, 100)))
    one.fit(TRAIN, steps=5, progress=False)
    value, grad, *rest = state(one)
    history = one.history
    range_test(one, TRAIN)
    preflight(one, TRAIN)
    saliency(one.model, REST.x[:3])
    np.testing.assert_array_equal(one.model.parameters.value, value)
    np.testing.assert_array_equal(one.model.parameters.grad, grad)
    assert [*state(one)[2:]] == rest
    assert one.history is history


@pytest.mark.parametrize("make", [Adam, SGD])
def test_the_suggestion_of_a_range_test_trains(make):
    found = range_test(trainer(make(1e-5)), TRAIN)
    one = trainer(make(found.suggestion))
    one.fit(TRAIN, epochs=5, progress=False)
    assert one.evaluate(REST)["loss"] < 0.4
    assert found.suggestion == pytest.approx(found.lowest / 3)
    assert found.steepest <= found.lowest
    ratios = found.rates[1:] / found.rates[:-1]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)
    assert found.rates[0] == pytest.approx(1e-6)
    assert f"{found.suggestion:.2g}" in str(found)


def test_a_range_test_ends_where_the_cost_leaves_all_bounds():
    found = range_test(trainer(SGD(0.1)), TRAIN, high=1e6)
    assert found.diverged
    assert len(found.rates) < 120
    assert "diverged" in str(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 1.0, "high": 0.1}, "0 < low < high"),
        ({"steps": 5}, "steps"),
        ({"low": 1e-12, "high": 1e-11}, "expected a cost that falls"),
    ],
)
def test_a_range_that_says_nothing_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        range_test(trainer(SGD(0.1)), (TRAIN.x[:64], TRAIN.targets[:64]), **options)


def test_the_loss_at_the_start_that_is_expected():
    labels = np.arange(10)
    assert expected_loss(SoftmaxCrossEntropy(), np.ones((10, 10)), labels) == pytest.approx(np.log(10))
    binary = expected_loss(BinaryCrossEntropy(), np.ones((4, 1)), np.array([[0], [1], [1], [0]]))
    assert binary == pytest.approx(np.log(2))
    assert expected_loss(MeanSquaredError(), np.ones((2, 1)), np.array([[1.0], [3.0]])) == pytest.approx(5.0)


def test_one_batch_is_learned_by_heart_or_not():
    losses = overfit_one_batch(trainer(), TRAIN, rows=16)
    assert losses[-1] < 0.01 * losses[0]
    assert len(losses) < 301
    short = overfit_one_batch(trainer(), TRAIN, steps=3)
    assert len(short) == 4
    assert np.isinf(overfit_one_batch(trainer(SGD(1e30)), TRAIN)[-1])


@pytest.mark.parametrize(
    ("one", "warnings"),
    [
        (trainer(), []),
        (trainer(SGD(1e-6)), ["by heart"]),
        (trainer(weight_init=normal(3.0)), ["far above 2.303"]),
        (trainer(SGD(1e20)), ["by heart"]),
    ],
)
def test_the_look_before_a_run_says_what_is_wrong(one, warnings):
    found = preflight(one, TRAIN)
    assert found.ready is (not warnings)
    assert len(found.warnings) == len(warnings)
    for warning, text in zip(warnings, found.warnings, strict=True):
        assert warning in text
        assert f"warning: {text}" in str(found)
    assert found.expected_loss == pytest.approx(np.log(10))


def test_the_batch_is_as_large_as_there_are_rows():
    assert "one batch of 3 rows" in preflight(trainer(SGD(1e-6)), (TRAIN.x[:3], TRAIN.targets[:3])).warnings[0]


@pytest.mark.parametrize("look", [preflight, overfit_one_batch, lambda one, train: saliency(one.model, train[0])])
def test_numbers_that_are_not_finite_are_refused(look):
    with pytest.raises(ValueError, match="=nan"):
        look(trainer(), (TRAIN.x[:4] * np.nan, TRAIN.targets[:4]))


def test_labels_that_do_not_belong_to_the_rows_are_learned_by_heart_all_the_same():
    shuffled = Dataset(TRAIN.x, TRAIN.targets[::-1].copy())
    assert preflight(trainer(), shuffled).ready


def test_saliency_is_the_derivative_of_the_score():
    model = Sequential(Reshape(64), Linear(64, 16), BatchNorm(16), ReLU(), Linear(16, 10)).build(
        seed=0, dtype=np.float64
    )
    Trainer(model, SoftmaxCrossEntropy(), Adam(1e-2)).fit(TRAIN, epochs=1, progress=False)
    x, labels = REST.x[:4].reshape(4, 8, 8).astype(np.float64), np.array([3, 1, 0, 9])
    found = saliency(model, x, labels)
    assert found.shape == x.shape
    rng = np.random.default_rng(0)
    direction = rng.normal(size=x.shape)
    scores = [model.predict(x + sign * 1e-6 * direction)[np.arange(4), labels] for sign in (1, -1)]
    expected = (scores[0] - scores[1]) / 2e-6
    np.testing.assert_allclose((found * direction).sum(axis=(1, 2)), expected, rtol=1e-5)
    best = model.predict(x).argmax(axis=1)
    np.testing.assert_array_equal(saliency(model, x), saliency(model, x, best))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.array([1]), ShapeError, "labels of shape"),
        (np.array([1, 10]), ValueError, "from 0 to 9"),
        (np.array([0.5, 1.0]), ValueError, "whole numbers"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        saliency(trainer().model, REST.x[:2], labels)


def test_outputs_that_are_no_scores_are_refused():
    with pytest.raises(ShapeError, match="outputs"):
        saliency(Sequential(Linear(4, 4), Reshape(2, 2)).build(seed=0), np.ones((1, 4)))


def test_saliency_of_tokens_is_asked_behind_their_embedding():
    model = Sequential(Embedding(5, 4), Flatten(), Linear(12, 2)).build(seed=0)
    tokens = np.array([[0, 3, 1], [2, 2, 4]])
    with pytest.raises(TypeError, match=re.escape("saliency(model[1:], model[:1].predict(x))")):
        saliency(model, tokens)
    found = saliency(model[1:], model[:1].predict(tokens), np.array([1, 1]))
    np.testing.assert_array_equal(found.reshape(2, 12), np.tile(model[2].weight.value[:, 1], (2, 1)))
    with pytest.raises(TypeError, match="built layer"):
        saliency(None, tokens)

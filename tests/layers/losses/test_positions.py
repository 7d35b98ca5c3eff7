"""Losses of classes for rows with positions, such as time steps or pixels, and labels that stand for nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import minidl
from minidl import (
    SGD,
    BinaryCrossEntropy,
    ClassLoss,
    Dataset,
    Hinge,
    Linear,
    MeanSquaredError,
    Sequential,
    ShapeError,
    SoftmaxCrossEntropy,
    Tanh,
    Trainer,
    accuracy,
    ignoring,
)

KINDS = [kind for kind in vars(minidl).values() if isinstance(kind, type) and issubclass(kind, ClassLoss)]
LOSSES = pytest.mark.parametrize(
    "loss", [k for k in KINDS if k not in (ClassLoss, BinaryCrossEntropy)]
)  # one score each
RNG = np.random.default_rng(0)
SCORES, LABELS = RNG.normal(size=(3, 2, 5, 4)), RNG.integers(0, 4, (3, 2, 5))
WEIGHTS = np.array([1.0, 0.0, 2.5])


def flat(array, axes=1):
    return array.reshape(-1, *array.shape[array.ndim - axes :]) if axes else array.reshape(-1)


@LOSSES
@pytest.mark.parametrize("options", [{}, {"class_weights": [1, 2, 0, 0.5]}])
def test_the_loss_is_the_mean_over_all_positions(loss, options):
    whole, single = loss(**options), loss(**options)
    assert whole.forward(SCORES, LABELS) == pytest.approx(single.forward(flat(SCORES), flat(LABELS, 0)), rel=1e-14)
    np.testing.assert_allclose(flat(whole.backward()), single.backward(), rtol=1e-14)
    assert whole.backward().shape == SCORES.shape
    assert whole.total_weight * 10 == pytest.approx(single.total_weight)


@LOSSES
def test_the_weight_of_a_row_is_that_of_all_its_positions(loss):
    whole, single = loss(), loss()
    value = whole.forward(SCORES, LABELS, WEIGHTS)
    assert value == pytest.approx(single.forward(flat(SCORES), flat(LABELS, 0), np.repeat(WEIGHTS, 10)), rel=1e-14)
    np.testing.assert_allclose(flat(whole.backward()), single.backward(), rtol=1e-14)


@LOSSES
@pytest.mark.parametrize("ignore", [-1, -100, 3])
@given(where=arrays(np.bool_, LABELS.shape))
def test_what_is_ignored_weighs_nothing(loss, ignore, where):
    labels = np.where(ignore == LABELS, 0, LABELS)
    counted, masked = ~where, np.where(where, ignore, labels)
    whole, single = loss(ignore=ignore), loss()
    value = whole.forward(SCORES, masked)
    if not counted.any():
        assert (value, whole.total_weight) == (0, 0)
        assert not whole.backward().any()
        return
    assert value == pytest.approx(single.forward(SCORES[counted], labels[counted]), rel=1e-13)
    np.testing.assert_allclose(whole.backward()[counted], single.backward(), rtol=1e-13)
    assert not whole.backward()[where].any()


def test_rows_of_probabilities_may_have_positions():
    shares = np.eye(4)[LABELS]
    loss = SoftmaxCrossEntropy(label_smoothing=0.1)
    value, gradient = loss.forward(SCORES, shares), loss.backward()
    assert value == pytest.approx(loss.forward(SCORES, LABELS), rel=1e-14)
    np.testing.assert_allclose(gradient, loss.backward(), atol=1e-15)
    with pytest.raises(ValueError, match=r"integer labels with ignore, received rows of probabilities"):
        SoftmaxCrossEntropy(ignore=-1).forward(SCORES, shares)
    shares[1, 0, 2] *= 2
    with pytest.raises(ValueError, match=r"sum to 1, received targets\[1, 0, 2\]="):
        loss.forward(SCORES, shares)


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (LABELS[..., 0], ShapeError, r"labels of shape \(3, 2, 5\), received targets.shape=\(3, 2\): one label a pos"),
        (LABELS[:, 0, 0], ShapeError, r"scores have positions and targets have none"),
        (LABELS.reshape(3, 10), ShapeError, r"use targets.reshape\(3, 2, 5\)"),
        (LABELS - 1, ValueError, r"labels from 0 to 3 for 4 scores a row, received targets\[.*\]=-1"),
        (LABELS * 1.0, ValueError, r"expected integer labels"),
    ],
)
def test_labels_that_do_not_fit_the_positions_are_refused(labels, error, words):
    with pytest.raises(error, match=words):
        SoftmaxCrossEntropy().forward(SCORES, labels)


@pytest.mark.parametrize("ignore", [1.5, "pad", True])
def test_what_is_no_label_cannot_be_ignored(ignore):
    with pytest.raises(ValueError, match="expected ignore to be an integer"):
        Hinge(ignore=ignore)


def test_a_loss_of_ones_own_has_positions_too():
    class Margin(ClassLoss):
        def row_losses(self, scores, targets):
            self.scores, self.targets = scores, targets
            return -scores[np.arange(len(scores)), targets]

        def row_gradients(self):
            return -np.eye(self.scores.shape[1])[self.targets]

    loss = Margin(ignore=-1)
    labels = np.where(np.arange(5) < 3, LABELS, -1)
    chosen = np.take_along_axis(SCORES, LABELS[..., None], axis=-1)[..., :3, 0]
    assert loss.forward(SCORES, labels) == pytest.approx(-chosen.mean())
    assert not loss.backward()[..., 3:, :].any()


def test_a_tagger_is_trained_judged_and_predicts_at_every_position():
    x = RNG.normal(size=(64, 6, 3)).astype(np.float32)
    labels = np.where(np.arange(6) < RNG.integers(2, 7, (64, 1)), (x.sum(axis=-1) > 0).astype(int), -1)
    model = Sequential(Linear(3, 8), Tanh(), Linear(8, 2)).build(seed=0)
    trainer = Trainer(model, SoftmaxCrossEntropy(ignore=-1), SGD(0.5), metrics=[ignoring(accuracy, -1)])
    data = Dataset(x, labels)
    history = trainer.fit(data, validation=data, epochs=30, batch_size=8, progress=False)
    assert history.evaluations["validation_accuracy"][-1] > 0.9
    assert model.predict(x).shape == (64, 6, 2)
    value = trainer.evaluate(data)["loss"]
    kept = labels != -1
    assert value == pytest.approx(SoftmaxCrossEntropy().forward(model.predict(x)[kept], labels[kept]), rel=1e-5)


@given(shape=st.sampled_from([(4, 2, 3), (4, 1, 2, 2)]))
def test_targets_of_any_shape_are_regressed(shape):
    x = RNG.normal(size=(*shape[:-1], 3))
    model = Sequential(Linear(3, shape[-1])).build(seed=0)
    trainer = Trainer(model, MeanSquaredError(), SGD(0.1))
    targets = RNG.normal(size=shape)
    history = trainer.fit((x, targets), epochs=5, batch_size=2, progress=False)
    assert len(history.steps["loss"]) == 10
    assert repr(Dataset(x, targets)).endswith(f"targets x {shape[1:]} float64)")

"""Weights of rows by their class, given and balanced."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import SGD, Linear, Sequential, SoftmaxCrossEntropy, Trainer
from minidl.data import Dataset

LABELS = np.array([0, 1, 1, 2, 2, 2])
NAMED = Dataset(np.ones((6, 1)), LABELS, classes=("cat", "dog", "eel", "fox"))


@pytest.mark.parametrize("weights", [{"dog": 3.0, "eel": 0.5}, {1: 3.0, 2: 0.5}, {"dog": 3, np.int64(2): 0.5}])
def test_a_row_weighs_what_its_class_does_times_its_own_weight(weights):
    np.testing.assert_array_equal(NAMED.weighted(weights).weights, [1, 3, 3, 0.5, 0.5, 0.5])
    own = np.arange(6, dtype=np.float32)
    data = Dataset(NAMED.x, LABELS, weights=own, classes=NAMED.classes)
    np.testing.assert_array_equal(data.weighted(weights).weights, own * [1, 3, 3, 0.5, 0.5, 0.5])
    np.testing.assert_array_equal(own, np.arange(6))
    assert NAMED.weights is None


def test_a_class_may_be_named_of_which_there_is_no_row_here():
    assert (NAMED.weighted({"fox": 2.0}).weights == 1).all()
    assert (NAMED.weighted({3: 2.0}).weights == 1).all()


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=20), st.integers(0, 100), st.booleans())
def test_balanced_classes_weigh_the_same_and_a_row_one_on_average(labels, seed, own):
    targets = np.array(labels)
    weights = np.random.default_rng(seed).integers(1, 5, len(labels)).astype(float) if own else None
    balanced = Dataset(np.ones((len(labels), 1)), targets, weights=weights).balanced().weights
    totals = [balanced[targets == label].sum() for label in np.unique(targets)]
    np.testing.assert_allclose(totals, len(labels) / len(totals))
    for label in np.unique(targets):
        rows = targets == label
        before = np.ones(len(labels)) if weights is None else weights
        np.testing.assert_allclose(balanced[rows] / balanced[rows].sum(), before[rows] / before[rows].sum())


def test_a_class_that_weighs_nothing_goes_on_weighing_nothing():
    data = Dataset(np.ones((4, 1)), np.array([0, 0, 1, 2]), weights=np.array([1.0, 0.0, 2.0, 0.0]))
    np.testing.assert_array_equal(data.balanced().weights, [2, 0, 2, 0])


def test_a_balanced_loss_is_the_mean_over_the_means_of_the_classes():
    rng = np.random.default_rng(0)
    x, model = rng.normal(size=(6, 2)), Sequential(Linear(2, 3)).build(seed=0, dtype=np.float64)
    trainer, data = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1)), Dataset(x, LABELS)
    by_class = [trainer.evaluate(data.where(label == LABELS))["loss"] for label in range(3)]
    assert trainer.evaluate(data.balanced())["loss"] == pytest.approx(np.mean(by_class))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"dgo": 2.0}, "expected a name of a class, received 'dgo': did you mean 'dog'"),
        ({7: 2.0}, r"expected a label of this set, received 7: it has \[0, 1, 2\]"),
        ({-1: 2.0}, "expected a label of this set, received -1"),
        ({1.0: 2.0}, "expected a label of this set, received 1.0"),
        ({True: 2.0}, "expected a label of this set, received True"),
        ({"dog": 1.0, 1: 2.0}, "expected each class once, received 'dog' and 1: leave one of them out"),
        ({"dog": -1.0}, r"expected weights\['dog'\] to be a finite number >= 0, received weights\['dog'\]=-1.0"),
        ({"cat": 0, "dog": 0, "eel": 0}, "0 of 6 not zero"),
    ],
)
def test_what_weighs_no_class_is_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        NAMED.weighted(weights)


def test_a_name_where_there_are_none_is_refused():
    with pytest.raises(ValueError, match="this set has no names of classes, so use labels"):
        Dataset(np.ones((6, 1)), LABELS).weighted({"dog": 2.0})


@pytest.mark.parametrize("weights", ["balanced", [1.0, 2.0], None])
def test_what_is_no_mapping_is_refused_with_both_ways(weights):
    with pytest.raises(TypeError, match=r"a mapping such as .*received .*equal shares of all classes are balanced\(\)"):
        NAMED.weighted(weights)


@pytest.mark.parametrize("targets", [np.ones(3), np.ones((3, 2), int)])
def test_rows_without_a_class_have_no_weight_by_it(targets):
    data = Dataset(np.ones((3, 1)), targets)
    for weigh in (data.balanced, lambda: data.weighted({0: 2.0})):
        with pytest.raises(ValueError, match=r"expected \(n,\) integer targets, received targets.shape="):
            weigh()

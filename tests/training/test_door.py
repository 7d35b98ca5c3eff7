"""What `fit` takes, what it refuses before the first step, and how it says so."""

import math

import numpy as np
import pytest

import minidl
from minidl import (
    Dataset,
    EarlyStopping,
    Linear,
    MeanSquaredError,
    Sequential,
    ShapeError,
    SoftmaxCrossEntropy,
    Trainer,
    top_k_accuracy,
)
from minidl.data import RandomFlip

LABELS = np.arange(30) % 3


def with_entry(value, *, row=17, column=2, dtype=np.float32):
    """Zeros, but for the value from the given entry on."""
    x = np.zeros((30, 3), dtype)
    x[row:, column:] = value
    return Dataset(x, LABELS)


@pytest.fixture
def refused(data, trainer, fit, weights, hooks):
    """Check that a fit is refused with an error before anything happened, and return the error."""

    def check(error, message, *sets, one=None, **arguments):
        one = one or trainer()
        one.callbacks.insert(0, hooks(on_fit_begin=lambda one: pytest.fail("the run began")))
        before = weights(one)
        with pytest.raises(error, match=message) as caught:
            fit(one, *(sets or [data()]), **arguments)
        np.testing.assert_equal(weights(one), before)
        assert (one.optimizer.steps, one.epoch, one.model.training) == (0, 0, False)
        return caught.value

    return check


@pytest.mark.parametrize("weighted", [False, True])
def test_tuples_are_datasets(data, trainer, fit, weights, weighted):
    train, validation = data(weighted=weighted), data(seed=1, weighted=weighted)
    one, two = trainer(), trainer()
    assert fit(one, train.arrays, validation.arrays) == fit(two, train, validation)
    np.testing.assert_equal(weights(one), weights(two))


def test_sets_have_names_of_their_own_as_columns(data, trainer, fit):
    history = fit(trainer(), data(), {"near": data(seed=1), "far": data(seed=2).arrays})
    assert list(history.evaluations)[5:] == [
        f"{name}_{part}" for name in ("near", "far") for part in ("loss", "penalty", "cost")
    ]


@pytest.mark.parametrize("validation", [{}, None])
def test_without_validation_only_training_is_recorded(data, trainer, fit, validation):
    history = fit(trainer(), data(), validation)
    assert list(history.evaluations) == ["step", "epoch", "train_loss", "train_penalty", "train_cost"]
    assert (history.monitor, history.best_step, history.restored_best) == ("", None, False)


@pytest.mark.parametrize("name", ["train", "", 3])
def test_a_set_without_a_name_of_its_own_is_refused(refused, data, name):
    refused(ValueError, "expected names of validation sets other than 'train'", data(), {name: data()})


@pytest.mark.parametrize("wrong", [[1, 2], np.zeros((4, 3)), (np.zeros((4, 3)),), "digits", None])
def test_what_is_no_data_is_refused(refused, wrong):
    refused(TypeError, "expected train to be a Dataset or a tuple", wrong)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f8"])
def test_the_first_entry_that_is_not_finite_is_named(refused, data, value, dtype):
    bad = with_entry(value, dtype=dtype)
    refused(ValueError, rf"finite in float32, received train.x\[17, 2\]={value}: drop such rows", bad)
    refused(ValueError, rf"received validation.x\[17, 2\]={value}:", data(), bad)
    refused(ValueError, rf"received far.x\[17, 2\]={value}:", data(), {"near": data(), "far": bad})


def test_numbers_too_large_for_the_model_are_refused_and_not_turned_into_infinity(refused, fit, trainer):
    refused(ValueError, r"finite in float32, received train.x\[17, 2\]=1e\+300", with_entry(1e300, dtype=np.float64))
    fit(trainer(), with_entry(np.float16(60000), dtype=np.float16), epochs=0)


def test_entries_far_into_a_large_set_are_found(refused, monkeypatch):
    monkeypatch.setattr("minidl.training.door.CHUNK", 10)
    refused(ValueError, r"received train.x\[29, 0\]=nan", with_entry(math.nan, row=29, column=0))


@pytest.mark.parametrize("row", [0, 29])
@pytest.mark.parametrize("label", [-1, 3])
def test_labels_out_of_range_anywhere_are_refused(refused, data, row, label):
    targets = LABELS.copy()
    targets[row] = label
    bad = Dataset(data().x, targets)
    error = refused(ValueError, rf"expected labels from 0 to 2 .*, received targets\[{row}\]={label}", bad)
    assert error.__notes__[-1].startswith("in the data given as 'train', Dataset(30 rows")
    refused(ValueError, "expected labels from 0 to 2", data(), bad)


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (np.zeros((30, 1), int), ShapeError, "use targets.reshape"),
        (np.zeros(30), ValueError, "expected integer labels"),
        (np.r_[0.0, np.nan, np.zeros(28)], ValueError, r"float64: targets\[1\]=nan is none, so drop such rows first"),
        (np.full((30, 3), math.nan), ValueError, r"expected finite targets.* received targets\[0"),
    ],
)
def test_targets_of_another_kind_are_refused(refused, data, targets, error, message):
    refused(error, message, Dataset(data().x, targets))


@pytest.mark.parametrize("value", [math.nan, 1e300])
def test_targets_of_a_regression_must_be_finite(refused, trainer, data, value):
    targets = np.zeros((30, 1))
    targets[4] = value
    one = trainer(Linear(3, 1), loss=MeanSquaredError())
    refused(ValueError, r"expected finite targets.* received targets\[4", Dataset(data().x, targets), one=one)


def test_rows_of_another_width_name_the_layer_and_the_set(refused, data):
    error = refused(ShapeError, r"expected x of shape \(n, 3\)", Dataset(np.zeros((30, 4)), LABELS))
    assert error.__notes__[0].startswith("in layer 0 of 5 of a Sequential: Linear(3, 8)")
    assert "'train'" in error.__notes__[-1]


def test_a_model_that_was_not_built_is_refused(trainer, data):
    built = trainer()
    one = Trainer(Sequential(Linear(3, 3)), built.loss, built.optimizer)
    with pytest.raises(RuntimeError, match=r"has no storage yet: call build\(seed=...\)"):
        one.fit(data(), epochs=1, progress=False)


@pytest.mark.parametrize("value", [-1, 1.5, "3", True, math.nan])
@pytest.mark.parametrize("name", ["steps", "batch_size", "seed"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_numbers_that_make_no_sense_are_refused(refused, name, value, shuffle):
    arguments = {name: value, "shuffle": shuffle} | ({"epochs": None} if name == "steps" else {})
    refused(ValueError, f"expected {name} to be an integer >= ., received {name}={value!r}", **arguments)


@pytest.mark.parametrize("value", [-1, -0.5, "3", True, math.nan, math.inf])
def test_epochs_that_make_no_sense_are_refused(refused, value):
    refused(ValueError, f"expected epochs to be a finite number >= 0, received epochs={value!r}", epochs=value)


def test_a_run_is_long_in_epochs_or_in_steps_and_never_in_both(refused):
    refused(TypeError, "in epochs or in steps, received epochs=2, steps=3: write epochs=... or steps=...", steps=3)
    refused(TypeError, "in epochs or in steps, received epochs=None, steps=None", epochs=None)


@pytest.mark.parametrize("more", [{"shuffle": False}, {"shuffle": lambda epoch: np.arange(30)}, {"drop_last": True}])
def test_rows_drawn_with_replacement_have_no_other_order_and_no_short_batch_to_drop(refused, more):
    refused(ValueError, "expected replacement=True alone, .*: leave them out", replacement=True, **more)


@pytest.mark.parametrize("name", ["replacement", "validate_first"])
def test_a_switch_is_true_or_false(refused, name):
    refused(TypeError, f"expected {name} to be True or False, received {name}=1", **{name: 1})


@pytest.mark.parametrize("value", [0.5, -1, math.nan, "far", None])
def test_a_growth_that_makes_no_sense_is_refused(refused, value):
    refused(ValueError, "expected max_growth to be a finite number >= 1", max_growth=value)


def test_other_arguments_that_make_no_sense_are_refused(refused):
    refused(ValueError, "expected batch_size to be an integer >= 1, received batch_size=0", batch_size=0)
    refused(ValueError, "expected validate_every to be", validate_every=0)
    refused(ValueError, "no batch would be left", batch_size=31, drop_last=True)
    refused(TypeError, "expected shuffle to be True, False or a function", shuffle="yes")
    refused(ValueError, r"expected shuffle\(epoch\) in 0..29", shuffle=lambda epoch: np.array([30]))


def test_a_misspelt_column_to_monitor_is_refused(refused, trainer):
    one = trainer(callbacks=[EarlyStopping("train_los", mode="min")])
    refused(ValueError, "received monitor='train_los'; did you mean 'train_loss'", one=one)


def test_an_evaluation_takes_tuples_and_refuses_a_batch_size_of_nothing(data, trainer):
    with pytest.raises(ValueError, match="expected batch_size to be an integer >= 1"):
        trainer().evaluate(data(), batch_size=0)
    with pytest.raises(TypeError, match="expected data to be a Dataset or a tuple"):
        trainer().evaluate(data().x)


def two_classes(scores, targets):
    """A metric of both classes, which one row cannot have."""
    if len(set(targets.tolist())) < 2:
        raise ValueError("expected two classes")
    return 0.5


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (lambda scores, targets: None, "expected metric score to return one number, received None"),
        (lambda scores, targets: scores.max(axis=1), "expected metric score to return one number, received"),
        (lambda scores, targets: "good", "expected metric score to return one number, received 'good'"),
        (top_k_accuracy(5), "expected k <= 3, the number of classes, received k=5"),
        (lambda scores, targets: scores @ targets, "matmul"),
    ],
)
def test_a_metric_that_cannot_work_is_refused_before_the_first_step(refused, data, trainer, metric, message):
    one = trainer(metrics={"score": metric})
    error = refused((TypeError, ValueError), message, data(), {"test": data(seed=1)}, one=one)
    assert "in the data given as 'test'" in error.__notes__[0]


def test_a_metric_that_needs_more_than_one_row_is_tried_on_all(data, trainer, fit):
    history = fit(trainer(metrics=[two_classes]), data(), data(seed=1))
    assert history.evaluations["validation_two_classes"] == [0.5, 0.5]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_set_whose_rows_weigh_nothing_together_is_refused(refused, trainer, weighted):
    rows = np.ones((4, 3), np.float32)
    good, rare = np.array([0, 1, 2, 1]), np.zeros(4, int)
    if weighted:
        rare[1] = 1
    nothing = Dataset(rows, rare, weights=np.array([1.0, 0.0, 1.0, 1.0]) if weighted else None)
    one = trainer(loss=SoftmaxCrossEntropy(class_weights=[0, 1, 1]))
    refused(ValueError, "expected rows that weigh something", Dataset(rows, good), nothing, one=one)


def test_the_best_weights_are_chosen_by_the_set_called_validation_and_never_by_the_training_set(data, trainer, fit):
    train, other = data(), data(seed=1)
    for sets, monitor in (
        ({"test": other, "validation": other}, "validation_loss"),
        ({"training_set": train, "test": other}, "test_loss"),
        ({"training_set": train.arrays}, ""),
    ):
        assert fit(trainer(), train, sets).monitor == monitor


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        ("augment", lambda x: x, r"a function \(x, rng\), received a function \(x\): write lambda x, rng"),
        ("augment", RandomFlip, r"received RandomFlip: write RandomFlip\(\.\.\.\)"),
        ("shuffle", lambda: None, r"a function \(epoch\), received a function \(\): write lambda epoch"),
        ("validate_every", lambda: True, r"a function \(step\), received a function \(\): write lambda step"),
    ],
)
def test_functions_of_other_arguments_are_refused_with_what_to_write(refused, data, name, function, message):
    refused(TypeError, message, data(), data(seed=1), **{name: function})


@pytest.mark.parametrize("metric", [minidl.binary_accuracy, minidl.metrics.f1_score, minidl.metrics.subset_accuracy])
@pytest.mark.parametrize("end", [minidl.Softmax, minidl.Sigmoid, minidl.LogSoftmax])
def test_a_metric_of_raw_scores_is_refused_where_probabilities_come(metric, end):
    model = minidl.Sequential(minidl.Linear(3, 2), end()).build(seed=0)
    one = minidl.Trainer(model, minidl.MeanSquaredError(), minidl.SGD(0.1), metrics=[metric])
    with pytest.raises(ValueError, match=r"expected raw scores for .*, received a model that ends in .*: leave"):
        one.evaluate((np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)))


def test_an_evaluation_by_hand_of_rows_that_weigh_nothing_is_refused(trainer, data):
    one = trainer(loss=minidl.SoftmaxCrossEntropy(class_weights=[1, 1, 0]))
    third = data().where(data().targets == 2)
    with pytest.raises(ValueError, match=r"expected rows that weigh something, received only rows .*: leave"):
        one.evaluate(third)

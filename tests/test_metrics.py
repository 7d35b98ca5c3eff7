"""Metrics against references in plain Python, which look at one row at a time."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl import (
    ShapeError,
    accuracy,
    binary_accuracy,
    confusion_matrix,
    f1_score,
    ignoring,
    label_counts,
    subset_accuracy,
    top_k_accuracy,
)

few = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0, math.inf, -math.inf])  # so few that ties are common


@st.composite
def classified(draw, numbers=few):
    """Scores (n, classes), labels (n,)."""
    n, classes = draw(st.integers(1, 12)), draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(numbers, min_size=classes, max_size=classes), min_size=n, max_size=n))
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n))
    return np.array(rows, np.float32), np.array(labels)


def ranking(row):
    """The classes by falling score, the first of tied ones first."""
    return sorted(range(len(row)), key=lambda k: (-row[k], k))


@given(classified(), st.integers(1, 5))
def test_the_target_is_among_the_k_largest(case, k):
    scores, labels = case
    k = min(k, scores.shape[1])
    hits = [label in ranking(row)[:k] for row, label in zip(scores.tolist(), labels.tolist(), strict=True)]
    assert top_k_accuracy(k)(scores, labels) == pytest.approx(sum(hits) / len(hits))


@given(classified())
def test_accuracy_is_the_share_of_rows_whose_largest_score_is_the_target(case):
    scores, labels = case
    hits = [row.index(max(row)) == label for row, label in zip(scores.tolist(), labels.tolist(), strict=True)]
    assert accuracy(scores, labels) == pytest.approx(sum(hits) / len(hits))
    assert accuracy(scores, labels) == top_k_accuracy(1)(scores, labels)
    assert top_k_accuracy(scores.shape[1])(scores, labels) == 1


@given(classified())
def test_one_hot_rows_are_as_good_as_labels(case):
    scores, labels = case
    one_hot = np.eye(scores.shape[1])[labels]
    for metric in (accuracy, top_k_accuracy(2)):
        assert metric(scores, one_hot) == metric(scores, labels)
    np.testing.assert_array_equal(confusion_matrix(scores, one_hot), confusion_matrix(scores, labels))


@given(classified())
def test_the_confusion_matrix_counts_targets_in_rows_and_predictions_in_columns(case):
    scores, labels = case
    matrix = confusion_matrix(scores, labels)
    classes = scores.shape[1]
    expected = [[0] * classes for _ in range(classes)]
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        expected[label][ranking(row)[0]] += 1
    assert matrix.tolist() == expected
    np.testing.assert_array_equal(matrix.sum(axis=1), np.bincount(labels, minlength=classes))
    assert matrix.sum() == len(labels)
    assert np.trace(matrix) / len(labels) == pytest.approx(accuracy(scores, labels))


def test_labels_of_few_bits_do_not_overflow():
    labels = np.arange(20, dtype=np.uint8)
    np.testing.assert_array_equal(confusion_matrix(np.eye(20), labels), np.eye(20))


@given(st.lists(st.tuples(few, st.sampled_from([0, 1])), min_size=1, max_size=12))
def test_binary_accuracy_is_the_share_of_scores_on_the_side_of_their_target(pairs):
    scores, targets = (np.array(column, dtype) for column, dtype in zip(zip(*pairs, strict=True), "fi", strict=True))
    share = sum((score >= 0) == (target == 1) for score, target in pairs) / len(pairs)
    for kind in (int, bool, np.float32):
        for shape in ((-1,), (-1, 1)):
            answer = binary_accuracy(scores.reshape(shape), targets.reshape(shape).astype(kind))
            assert answer == pytest.approx(share)


def test_binary_accuracy_of_several_labels_counts_entries():
    assert binary_accuracy(np.array([[1.0, -1.0], [1.0, 1.0]]), np.array([[1, 0], [0, 1]])) == 0.75


@st.composite
def labelled(draw):
    """Scores (n, labels), some of them NaN, and targets of the same shape."""
    shape = draw(st.integers(1, 8)), draw(st.integers(1, 4))
    scores = draw(hnp.arrays(np.float32, shape, elements=few | st.just(math.nan)))
    return scores, draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 1)))


def hits(scores, targets):
    """The entries as (predicted, wanted), row by row; NaN predicts what is wrong."""
    return [
        [(t == 0 if math.isnan(s) else s >= 0, t == 1) for s, t in zip(*rows, strict=True)]
        for rows in zip(scores.tolist(), targets.tolist(), strict=True)
    ]


@given(labelled())
def test_subset_accuracy_is_the_share_of_rows_without_a_wrong_entry(case):
    rows = hits(*case)
    share = sum(all(predicted == wanted for predicted, wanted in row) for row in rows) / len(rows)
    assert subset_accuracy(*case) == pytest.approx(share)
    if case[0].shape[1] == 1:
        assert subset_accuracy(*case) == binary_accuracy(*case) == subset_accuracy(case[0][:, 0], case[1][:, 0])


@given(labelled())
def test_f1_is_the_harmonic_mean_of_precision_and_recall_over_all_entries(case):
    entries = [entry for row in hits(*case) for entry in row]
    found = sum(predicted and wanted for predicted, wanted in entries)
    predictions, labels = (sum(column) for column in zip(*entries, strict=True))
    if found:
        precision, recall = found / predictions, found / labels
        assert f1_score(*case) == pytest.approx(2 / (1 / precision + 1 / recall))
    else:
        assert f1_score(*case) == (1 if predictions + labels == 0 else 0)


@given(labelled())
def test_label_counts_say_how_many_rows_have_so_many_labels(case):
    scores, _ = case
    labels = [sum(score >= 0 for score in row) for row in scores.tolist()]
    assert label_counts(scores).tolist() == [labels.count(k) for k in range(scores.shape[1] + 1)]


def test_one_column_of_labels_may_be_flat():
    scores, targets = np.array([1.0, -1.0, -2.0]), np.array([1, 1, 0])
    assert (f1_score(scores, targets), label_counts(scores).tolist()) == (pytest.approx(2 / 3), [2, 1])


@given(classified(few | st.just(math.nan)))
def test_a_row_with_nan_agrees_with_no_target(case):
    scores, labels = case
    sound = ~np.isnan(scores).any(axis=1)
    for metric in (accuracy, top_k_accuracy(1), top_k_accuracy(scores.shape[1])):
        hits = metric(scores[sound], labels[sound]) * sound.sum() if sound.any() else 0
        assert metric(scores, labels) == pytest.approx(hits / len(labels))


@pytest.mark.parametrize("target", [0, 1])
def test_a_binary_score_that_is_nan_agrees_with_no_target(target):
    assert binary_accuracy(np.array([math.nan, 1.0 if target else -1.0]), np.full(2, target)) == 0.5


def test_a_confusion_matrix_needs_scores_that_are_numbers():
    with pytest.raises(ValueError, match=r"expected scores that are numbers, received scores\[1\]=\[nan, 0.0\]"):
        confusion_matrix(np.array([[0.0, 1.0], [math.nan, 0.0]]), np.array([0, 1]))


@pytest.mark.parametrize("metric", [accuracy, top_k_accuracy(2), binary_accuracy, subset_accuracy, f1_score])
def test_metrics_return_python_floats(metric):
    targets = np.array([[1, 0]])
    assert type(metric(np.array([[1.0, 0.0]], np.float32), targets)) is float


def test_the_name_of_top_k_is_that_of_its_column():
    assert top_k_accuracy(5).__name__ == "top_5_accuracy"
    assert pickle.loads(pickle.dumps(top_k_accuracy(5))) == top_k_accuracy(5)


@pytest.mark.parametrize("metric", [accuracy, top_k_accuracy(1), confusion_matrix])
@pytest.mark.parametrize(
    ("scores", "targets", "error", "message"),
    [
        (np.zeros((2, 3)), np.array([0, 3]), ValueError, r"expected labels from 0 to 2 .*, received targets\[1\]=3"),
        (np.zeros((2, 3)), np.array([0, -1]), ValueError, r"received targets\[1\]=-1"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), ValueError, "expected integer labels"),
        (np.zeros((2, 3)), np.array([[0], [1]]), ShapeError, "use targets.reshape"),
        (np.zeros((2, 3)), np.array([0, 1, 2]), ShapeError, r"expected labels of shape \(2,\)"),
        (np.zeros((2, 1)), np.array([0, 0]), ShapeError, "at least 2 classes"),
        (np.zeros((2, 3)), np.array([[1, 0, 0], [1, 0, 1]]), ValueError, r"received targets\[1\]=\[1, 0, 1\]: several"),
        (np.zeros((1, 3)), np.array([[0, 0, 0]]), ValueError, "binary_accuracy"),
        (np.zeros(2), np.array([0, 1]), ShapeError, r"expected scores of shape \(n, ..., classes\)"),
        (np.zeros((0, 3)), np.zeros(0, int), ShapeError, "an empty batch"),
        (np.zeros((2, 3), int), np.array([0, 1]), TypeError, "expected scores to be a float array"),
        ([[0.0, 1.0]], np.array([1]), TypeError, "expected scores to be a float array, received <class 'list'>"),
    ],
)
def test_scores_and_targets_that_do_not_belong_together_are_refused(metric, scores, targets, error, message):
    with pytest.raises(error, match=message):
        metric(scores, targets)


@pytest.mark.parametrize("metric", [binary_accuracy, subset_accuracy, f1_score])
@pytest.mark.parametrize(
    ("scores", "targets", "error"),
    [
        (np.zeros((2, 1)), np.zeros(2), ShapeError),
        (np.zeros(2), np.zeros((2, 1)), ShapeError),
        (np.zeros((0, 1)), np.zeros((0, 1)), ShapeError),
        (np.zeros(2, int), np.zeros(2), TypeError),
    ],
)
def test_binary_scores_and_targets_that_do_not_belong_together_are_refused(metric, scores, targets, error):
    with pytest.raises(error, match="expected"):
        metric(scores, targets)


def test_plain_lists_of_labels_are_welcome():
    assert accuracy(np.eye(2), [0, 1]) == 1
    assert binary_accuracy(np.array([1.0, -1.0]), [1, 0]) == 1


@pytest.mark.parametrize("k", [0, -1, 1.5, True])
def test_k_is_a_positive_integer(k):
    with pytest.raises(ValueError, match="expected k to be an integer >= 1"):
        top_k_accuracy(k)


def test_k_is_at_most_the_number_of_classes():
    with pytest.raises(ValueError, match="expected k <= 3, the number of classes, received k=4"):
        top_k_accuracy(4)(np.zeros((1, 3)), np.array([0]))


# Positions


@pytest.mark.parametrize("metric", [accuracy, top_k_accuracy(2), confusion_matrix])
@given(classified(st.floats(-3, 3, width=32)))
def test_positions_count_as_rows(metric, drawn):
    scores, labels = drawn
    stacked = np.stack([scores, -scores], axis=1)
    both = np.stack([labels, labels], axis=1)
    np.testing.assert_equal(metric(stacked, both), metric(np.concatenate([scores, -scores]), np.tile(labels, 2)))


def test_what_is_ignored_counts_for_nothing():
    scores, labels = np.eye(3)[[[0, 1, 2], [2, 0, 0]]], np.array([[0, 2, -1], [2, -1, -1]])
    assert ignoring(accuracy, -1)(scores, labels) == 2 / 3
    assert ignoring(accuracy, -1).__name__ == "accuracy"
    assert math.isnan(ignoring(accuracy, 0)(scores, np.zeros((2, 3), int)))
    with pytest.raises(ValueError, match=r"received targets\[0, 2\]=-1"):
        ignoring(accuracy, -2)(scores, labels)
    with pytest.raises(TypeError, match="expected metric to be a function"):
        ignoring(0.5, -1)


@pytest.mark.parametrize("metric", [binary_accuracy, subset_accuracy, f1_score])
@pytest.mark.parametrize("targets", [[[2]], [[-1]], [[np.nan]], [["a"]], [[1j]], [[None]]])
def test_targets_that_mark_nothing_are_refused(metric, targets):
    with pytest.raises(ValueError, match="expected targets of 0 and 1, received"):
        metric(np.array([[0.5]]), np.array(targets))


@pytest.mark.parametrize("targets", [[[0.9]], [[True]], [[1]], [[np.float16(0.5)]]])
def test_targets_between_0_and_1_are_those_of_the_loss(targets):
    assert binary_accuracy(np.array([[0.5]]), np.array(targets)) == 1.0


@pytest.mark.parametrize("metric", [accuracy, binary_accuracy, confusion_matrix])
def test_masked_scores_are_refused(metric):
    with pytest.raises(TypeError, match="expected scores to be a plain array, received a masked one"):
        metric(np.ma.masked_array(np.eye(2)), np.arange(2))


def test_scores_and_targets_in_the_other_order_are_told_which_comes_first():
    labels = np.array([0, 1])
    for metric in (accuracy, top_k_accuracy(1), confusion_matrix, binary_accuracy):
        with pytest.raises(TypeError, match="give the scores first and the targets second"):
            metric(labels, np.eye(2))


def test_probabilities_that_are_nan_are_no_classes():
    with pytest.raises(ValueError, match="expected one class a row"):
        accuracy(np.eye(2), np.array([[0.0, 1.0], [np.nan, 1.0]]))

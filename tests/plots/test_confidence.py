"""The distribution of the true class' probability."""

import numpy as np
import pytest

from minidl.plots import true_class_histogram

PROBABILITIES, LABELS = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.7, 0.3]]), np.array([0, 0, 0, 1])


def drawn(figure):
    (ax,) = figure.axes
    return [patch.get_data().values.tolist() for patch in ax.patches], [t.get_text() for t in ax.get_legend().texts]


def test_rows_are_counted_by_the_probability_of_their_target_and_by_being_right():
    counts, names = drawn(true_class_histogram(PROBABILITIES, LABELS, bins=4))
    assert counts == [[0, 0, 1, 1], [1, 1, 0, 0]]  # of tied probabilities the first counts
    assert names == ["right (2)", "wrong (2)"]


def test_probabilities_of_independent_labels_need_not_sum_to_1():
    counts, _ = drawn(true_class_histogram([[0.9, 0.95], [0.1, 0.05]], [0, 0], bins=2))
    assert counts == [[1, 0], [0, 1]]


def test_no_row_may_be_wrong():
    assert drawn(true_class_histogram([[1.0, 0.0]], [0], bins=2)) == ([[0, 1], [0, 0]], ["right (1)", "wrong (0)"])


@pytest.mark.parametrize(
    ("probabilities", "targets", "message"),
    [
        (PROBABILITIES * 9, LABELS, "raw scores go through"),
        (PROBABILITIES[:3], LABELS, r"of shape \(4, classes\)"),
        (PROBABILITIES, LABELS + 1, r"of shape \(4, classes\)"),
        (PROBABILITIES, -LABELS, r"of shape \(4, classes\)"),
        (PROBABILITIES * np.nan, LABELS, "raw scores go through"),
        (PROBABILITIES, LABELS * 1.0, "integer labels"),
        (PROBABILITIES, np.eye(2)[LABELS], "integer labels"),
        (PROBABILITIES[:0], LABELS[:0], "integer labels"),
    ],
)
def test_what_are_no_probabilities_of_these_rows_is_refused(probabilities, targets, message):
    with pytest.raises(ValueError, match=message):
        true_class_histogram(probabilities, targets)

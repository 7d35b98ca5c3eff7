"""The report for each class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import classification_report, confusion_matrix

LABELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40)


@given(LABELS)
def test_each_number_is_what_counting_gives(pairs):
    targets, taken = np.array(pairs).T
    report = classification_report(np.eye(4)[taken], targets)
    for c in range(4):
        hits = int(((targets == c) & (taken == c)).sum())
        there, said = int((targets == c).sum()), int((taken == c).sum())
        assert report.support[c] == there
        assert report.precision[c] == pytest.approx(hits / said if said else 0)
        assert report.recall[c] == pytest.approx(hits / there if there else 0)
        assert report.f1[c] == pytest.approx(2 * hits / (there + said) if there + said else 0)
    assert report.accuracy == pytest.approx((targets == taken).mean())
    for place, column in enumerate((report.precision, report.recall, report.f1)):
        assert report.macro[place] == pytest.approx(column.mean())
        assert report.weighted[place] == pytest.approx((column * report.support).sum() / len(targets))
    np.testing.assert_array_equal(report.matrix, confusion_matrix(np.eye(4)[taken], targets))


def test_the_numbers_of_scikit_learn():
    targets, taken = np.array([0, 1, 2, 2, 2, 0]), np.array([0, 0, 2, 2, 1, 0])
    report = classification_report(np.eye(3)[taken], targets, classes=("class 0", "class 1", "class 2"))
    # sklearn.metrics.precision_recall_fscore_support(targets, taken, zero_division=0) of these
    np.testing.assert_allclose(report.precision, [2 / 3, 0, 1])
    np.testing.assert_allclose(report.recall, [1, 0, 2 / 3])
    np.testing.assert_allclose(report.f1, [0.8, 0, 0.8])
    lines = str(report).splitlines()
    assert [line.split()[0] for line in lines] == [
        "precision",
        "class",
        "class",
        "class",
        "macro",
        "weighted",
        "accuracy",
    ]
    assert len({len(line) for line in lines[:-1]}) == 1
    assert "<th>support</th>" in report._repr_html_()


def test_names_of_another_number_are_refused():
    with pytest.raises(ValueError, match="expected 2 class names or none"):
        classification_report(np.eye(2), np.array([0, 1]), classes=("a",))

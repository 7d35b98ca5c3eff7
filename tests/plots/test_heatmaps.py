"""Matrices as heatmaps."""

import numpy as np
import pytest

from minidl import confusion_matrix
from minidl.plots import confusion_heatmap
from tests.tools.drawings import CLASSES, axes


def test_a_confusion_heatmap_shows_counts_and_colours_them_by_row():
    targets = np.array([0, 0, 0, 1])
    matrix = confusion_matrix(np.eye(3)[[0, 0, 1, 1]], targets)
    ax = axes(confusion_heatmap(matrix, classes=(*CLASSES, "bird")))
    np.testing.assert_allclose(ax.images[0].get_array(), [[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 0, 0]])
    assert ax.images[0].get_clim() == (0, 1)
    assert [text.get_text() for text in ax.texts] == [*"210", *"010", *"000"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("prediction", "target")
    assert [label.get_text() for label in ax.get_xticklabels()] == [*CLASSES, "bird"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: confusion_heatmap(np.eye(2)), "expected a square matrix of counts"),
        (lambda: confusion_heatmap(np.ones((2, 3), int)), "expected a square matrix of counts"),
        (lambda: confusion_heatmap(np.eye(2, dtype=int), classes=("a",)), "expected 2 class names or none"),
    ],
)
def test_a_matrix_of_no_counts_is_refused_with_what_to_do(draw, message):
    with pytest.raises((TypeError, ValueError, KeyError), match=message):
        draw()

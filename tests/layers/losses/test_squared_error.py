from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import MeanSquaredError
from tests.tools.heard import heard

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
numbers = st.floats(-1e6, 1e6, width=32)


@given(st.lists(st.tuples(numbers, numbers), min_size=4, max_size=4))
def test_the_loss_is_the_mean_of_all_squared_differences(pairs):
    scores, targets = (np.array(column).reshape(2, 2) for column in zip(*pairs, strict=True))
    loss = MeanSquaredError()
    expected = sum((Fraction(s) - Fraction(t)) ** 2 for s, t in pairs) / 4
    assert loss.forward(scores, targets) == pytest.approx(float(expected), rel=1e-14)
    np.testing.assert_allclose(loss.backward(), (scores - targets) / 2, rtol=1e-14)


@DTYPES
def test_scores_up_to_the_square_root_of_the_maximum_neither_overflow_nor_warn(dtype):
    large = np.nextafter(dtype(sqrt(np.finfo(dtype).max)), dtype(0))
    scores, loss = np.full((3, 4), large), MeanSquaredError()
    scores[::2] *= -1
    with heard():
        assert loss.forward(scores, np.zeros((3, 4))) == pytest.approx(float(large) ** 2, rel=1e-6)
        np.testing.assert_allclose(loss.backward(), scores / 6, rtol=1e-6)


def test_targets_may_be_vectors_images_integers_and_booleans():
    for shape in ((3,), (3, 1), (3, 2, 2)):
        for dtype in (np.float32, np.int64, np.uint8, bool):
            assert MeanSquaredError().forward(np.full(shape, 3.0), np.ones(shape, dtype)) == 4


def test_a_target_that_the_dtype_of_the_scores_cannot_hold_is_refused_as_given():
    with pytest.raises(ValueError, match=r"expected finite targets.*float32.*received targets\[1, 0\]=1e\+300"):
        MeanSquaredError().forward(np.zeros((2, 1), np.float32), np.array([[0.0], [1e300]]))

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Huber, MeanAbsoluteError, MeanSquaredError
from tests.tools.heard import heard

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
numbers = st.floats(-1e6, 1e6, width=32)
pairs = st.lists(st.tuples(numbers, numbers), min_size=4, max_size=4)


@given(pairs)
def test_the_absolute_error_is_the_mean_of_all_sizes(pairs):
    scores, targets = (np.array(column).reshape(2, 2) for column in zip(*pairs, strict=True))
    loss = MeanAbsoluteError()
    expected = sum(abs(Fraction(s) - Fraction(t)) for s, t in pairs) / 4
    assert loss.forward(scores, targets) == pytest.approx(float(expected), rel=1e-14)
    np.testing.assert_array_equal(loss.backward(), np.sign(scores - targets) / 4)


@given(pairs, st.sampled_from([0.5, 1.0, 1000.0]))
def test_huber_is_a_parabola_inside_and_lines_outside(pairs, delta):
    scores, targets = (np.array(column).reshape(2, 2) for column in zip(*pairs, strict=True))
    loss, expected = Huber(delta), Fraction(0)
    for s, t in pairs:
        size, bound = abs(Fraction(s) - Fraction(t)), Fraction(delta)
        expected += size**2 / 2 if size <= bound else bound * (size - bound / 2)
    assert loss.forward(scores, targets) == pytest.approx(float(expected / 4), rel=1e-14)
    np.testing.assert_allclose(loss.backward(), np.clip(scores - targets, -delta, delta) / 4, rtol=1e-14)


def test_huber_lies_between_the_two_it_joins():
    rng = np.random.default_rng(0)
    scores, targets = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    squared, absolute = (loss().forward(scores, targets) for loss in (MeanSquaredError, MeanAbsoluteError))
    assert Huber(1e6).forward(scores, targets) == pytest.approx(squared / 2)
    assert Huber(1e-6).forward(scores, targets) / 1e-6 == pytest.approx(absolute, rel=1e-5)


@DTYPES
@pytest.mark.parametrize("loss", [MeanAbsoluteError(), Huber(1.0)])
def test_scores_up_to_a_quarter_of_the_maximum_neither_overflow_nor_warn(loss, dtype):
    large = np.finfo(dtype).max / 4
    scores = np.full((3, 4), large, dtype)
    scores[::2] *= -1
    with heard():
        assert loss.forward(scores, np.zeros((3, 4))) == pytest.approx(float(large), rel=1e-6)
        gradient = loss.backward()
    np.testing.assert_allclose(gradient, np.sign(scores) / 12, rtol=1e-6)
    assert gradient.dtype == dtype


@pytest.mark.parametrize("loss", [MeanAbsoluteError(), Huber(1.0)])
def test_a_nan_score_makes_the_loss_nan(loss):
    assert np.isnan(loss.forward(np.array([[0.0, nan]]), np.zeros((1, 2))))


@pytest.mark.parametrize("loss", [MeanAbsoluteError(), Huber(1.0)])
def test_targets_may_be_vectors_images_integers_and_booleans(loss):
    for shape in ((3,), (3, 1), (3, 2, 2)):
        for dtype in (np.float32, np.int64, np.uint8, bool):
            assert loss.forward(np.full(shape, 2.0), np.ones(shape, dtype)) in (1.0, 0.5)


@pytest.mark.parametrize("delta", [0, -1.0, nan, inf, "1", None, True])
def test_a_delta_that_is_not_a_positive_number_is_refused(delta):
    with pytest.raises(ValueError, match="expected delta to be a finite number > 0, received delta="):
        Huber(delta)

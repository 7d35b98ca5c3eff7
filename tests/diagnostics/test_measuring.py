"""What is measured of one array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minidl.diagnostics.measuring import BINS, norm, sample, saturated, spread_of_features, summary, twins, unit_axis
from minidl.layers import ReLU, Sigmoid, Tanh

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays(np.float32, st.integers(1, 50), elements=FINITE))
def test_moments_histogram_and_norm_are_right_for_any_size(array):
    with np.errstate(all="ignore"):
        (mean, deviation, largest), counts = summary(array)
        wide = array.astype(np.float64)
        scale = max(abs(wide).max(), 1e-300)
        np.testing.assert_allclose(
            [mean / scale, largest / scale], [wide.mean() / scale, 1 if wide.any() else 0], atol=1e-9
        )
        assert deviation / scale == pytest.approx(wide.std() / scale, abs=1e-6)
        np.testing.assert_array_equal(counts[:2], [array.min(), array.max()])
        assert counts[2:].sum() == array.size
        assert norm(array) == pytest.approx(np.sqrt(np.square(wide).sum()), rel=1e-5)


def test_a_histogram_counts_as_numpy_does():
    values = np.random.default_rng(0).normal(size=1000)
    np.testing.assert_array_equal(summary(values)[1][2:], np.histogram(values, BINS)[0])


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_left_out_of_the_histogram(broken):
    (mean, *_), counts = summary(np.array([1.0, broken, 3.0]))
    assert not np.isfinite(mean)
    assert counts[:2].tolist() == [1, 3]
    assert counts[2:].sum() == 2
    assert np.isnan(summary(np.array([broken]))[1]).all()
    assert np.isnan(summary(np.zeros(0))[1]).all()


def test_of_large_arrays_some_rows_are_looked_at():
    assert sample(np.zeros((10, 3))).shape == (10, 3)
    assert sample(np.zeros((100, 3, 200, 200))).shape == (4, 3, 200, 200)
    assert sample(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(("shape", "axis"), [((5, 3), 1), ((5, 7, 3), 2), ((5, 3, 8, 8), 1), ((5,), 0)])
def test_units_are_channels_of_images_and_features_of_everything_else(shape, axis):
    assert unit_axis(np.zeros(shape)) == axis


def test_twins_are_units_with_the_weights_of_the_first():
    weight = np.random.default_rng(0).normal(size=(3, 3, 2, 5))
    assert twins(weight) == 0
    weight[..., 1:3] = weight[..., :1]
    assert twins(weight) == 0.5
    weight[2, 2, 1, 1] += 1  # in the last row only
    assert twins(weight) == 0.25
    assert np.isnan(twins(np.ones(3)))
    assert twins(np.ones((3, 1))) == 0  # a single unit is a weight, without another to be like


def test_near_a_limit_is_where_a_sigmoid_is_flat():
    slopes = np.array([[0.0126, 0.0128, 0.5, 0.9872, 0.9874]])
    assert saturated(Sigmoid(), slopes) == pytest.approx(0.4)
    assert saturated(Tanh(), 2 * slopes - 1) == pytest.approx(0.4)
    assert np.isnan(saturated(ReLU(), slopes))

    class Mine(Sigmoid):
        """A sigmoid of a user."""

    assert saturated(Mine(), slopes) == pytest.approx(0.4)


def test_features_that_do_not_vary_do_not_count():
    x = np.array([[0.0, 5.0, 1.0], [2.0, 5.0, 3.0]])
    assert spread_of_features(x) == 1
    assert spread_of_features(np.ones((3, 2))) == 1

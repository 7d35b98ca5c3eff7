import math

import numpy as np
import pytest

from minidl import Dropout, ShapeError


def in_training(layer, x):
    with layer.train_mode():
        return layer.forward(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_kept_is_scaled_so_that_the_mean_stays(dtype):
    x = np.ones((1000, 1000), dtype)
    y = in_training(Dropout(0.25).build(seed=0, dtype=dtype), x)
    assert y.dtype == dtype
    assert set(np.unique(y)) == {dtype(0), dtype(1 / 0.75)}
    assert y.mean() == pytest.approx(1, abs=0.002)


def test_backward_uses_the_mask_of_the_newest_forward():
    layer, x = Dropout(0.5).build(seed=0), np.ones((20, 20), np.float32)
    first, second = in_training(layer, x), in_training(layer, x)
    assert (first != second).any()
    np.testing.assert_array_equal(layer.backward(x), second)
    layer.forward(x)
    np.testing.assert_array_equal(layer.backward(x), x)


def test_inference_is_the_identity_in_memory_of_its_own():
    layer, x = Dropout(0.5).build(seed=0), np.ones((2, 3), np.float32)
    before = layer.rng.bit_generator.state
    y = layer.forward(x)
    np.testing.assert_array_equal(y, x)
    assert not np.shares_memory(x, y)
    assert layer.rng.bit_generator.state == before


def test_a_rate_of_0_draws_nothing():
    layer, x = Dropout(0).build(seed=0), np.ones((2, 3), np.float32)
    before = layer.rng.bit_generator.state
    np.testing.assert_array_equal(in_training(layer, x), x)
    assert layer.rng.bit_generator.state == before


def test_the_mask_depends_on_the_seed_and_not_on_the_memory():
    x = np.ones((4, 3, 5, 5), np.float32)
    last = x.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    plain, other = (in_training(Dropout(0.5).build(seed=1), array) for array in (x, last))
    np.testing.assert_array_equal(plain, other)
    assert other.strides == last.strides
    assert (in_training(Dropout(0.5).build(seed=2), x) != plain).any()


def test_no_rows_and_any_axes_are_taken():
    layer = Dropout(0.5).build(seed=0)
    for shape in ((0, 3), (4,), (2, 3, 4)):
        assert in_training(layer, np.ones(shape, np.float32)).shape == shape
        assert layer.backward(np.ones(shape, np.float32)).shape == shape


@pytest.mark.parametrize("rate", [-0.1, 1.5, math.nan, "0.5"])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match="expected rate to be a finite number >= 0 and <= 1, received rate="):
        Dropout(rate)


def test_a_rate_of_1_is_refused_and_a_gradient_of_another_shape_too():
    with pytest.raises(ValueError, match="expected rate to be < 1, received rate=1: nothing is left of x"):
        Dropout(1)
    layer = Dropout(0.5).build(seed=0)
    layer.forward(np.ones((2, 2), np.float32))
    with pytest.raises(ShapeError, match="expected dy of shape"):
        layer.backward(np.ones((2, 1), np.float32))


def test_training_before_build_says_what_to_do():
    with pytest.raises(AttributeError, match=r"build\(seed=...\)"):
        in_training(Dropout(0.5), np.ones((1, 2)))

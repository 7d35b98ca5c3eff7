import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.data import (
    Dataset,
    Standardizer,
    one_hot,
    standardize,
    standardize_scalar,
    subtract_mean_image,
    transforms,
)


def dataset(x):
    return Dataset(x, np.zeros(len(x), int))


tables = hnp.arrays(np.float64, st.tuples(st.integers(2, 40), st.integers(1, 5)), elements=st.integers(-100, 100))


@given(tables)
def test_standardized_training_features_have_mean_0_and_deviation_1_or_are_constant(x):
    (train,) = standardize(dataset(x))
    varies = x.std(axis=0) > 0
    np.testing.assert_allclose(train.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(train.x.std(axis=0), varies, atol=1e-12)
    assert not train.x[:, ~varies].any()


@given(tables, st.integers(-5, 5))
def test_statistics_come_from_the_first_dataset_only(x, shift):
    train, test = standardize(dataset(x), dataset(x + shift))
    alone = standardize(dataset(x))[0]
    np.testing.assert_array_equal(train.x, alone.x)
    scale = np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    np.testing.assert_allclose(test.x - train.x, np.broadcast_to(shift / scale, x.shape), atol=1e-12)


@given(tables)
def test_scalar_standardization_uses_one_mean_and_one_deviation(x):
    (train,) = standardize_scalar(dataset(x))
    np.testing.assert_allclose(train.x, (x - x.mean()) / (x.std() or 1), atol=1e-12)


@given(tables)
def test_the_mean_image_is_subtracted_and_nothing_is_scaled(x):
    train, test = subtract_mean_image(dataset(x), dataset(x[:1]))
    np.testing.assert_allclose(train.x, x - x.mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(test.x, train.x[:1])


@pytest.mark.parametrize("transform", [standardize, standardize_scalar, subtract_mean_image])
@pytest.mark.parametrize(
    ("given_dtype", "result"), [(np.uint8, np.float32), (np.float16, np.float32), (np.float32,) * 2, (np.float64,) * 2]
)
def test_results_are_float32_unless_x_is_float64_and_x_is_untouched(transform, given_dtype, result):
    x = np.arange(12).reshape(2, 3, 2).astype(given_dtype)
    before = x.copy()
    (train,) = transform(Dataset(x, np.zeros(2, int), image_shape=(3, 2)))
    assert train.x.dtype == result
    assert train.x.shape == x.shape
    assert train.image_shape == (3, 2)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("transform", [standardize, standardize_scalar])
@pytest.mark.parametrize("value", [0.1, 1e-30, 1 / 3, 1e20])
def test_constant_features_become_0_whatever_their_value(transform, value):
    (train,) = transform(dataset(np.full((1001, 2), value)))
    assert not train.x.any()


def test_a_large_offset_does_not_drown_a_small_deviation():
    x = np.random.default_rng(0).normal(1.6e9, 10.0, (500, 1))
    for rows in (x, x.astype(np.int64)):
        (train,) = standardize(dataset(rows))
        assert abs(train.x.std() - 1) < 1e-5
        assert abs(train.x.mean()) < 1e-5


def test_chunks_do_not_change_the_result(monkeypatch):
    x = np.random.default_rng(0).normal(size=(101, 3))
    whole = standardize(dataset(x))[0].x
    monkeypatch.setattr(transforms, "CHUNK", 7)
    np.testing.assert_allclose(standardize(dataset(x))[0].x, whole, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("transform", [standardize, standardize_scalar])
def test_a_feature_that_is_constant_up_to_rounding_is_only_centred(transform, dtype):
    rounded = np.where(np.arange(50) % 3, 0.3, 0.1 + 0.2).astype(dtype)
    rounded[::7] = np.nextafter(rounded[0], dtype(1))
    train, test = transform(dataset(rounded[:, None]), dataset(np.array([[0.3 + 1e-3]], dtype)))
    assert np.abs(train.x).max() < 1e-6
    assert test.x[0, 0] == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e-3, 1e200, 1.5e308])
@pytest.mark.parametrize("transform", [standardize, standardize_scalar])
def test_features_of_any_size_are_standardized(transform, size):
    x = np.array([[-1.0], [0.5], [1.0], [0.25]]) * size
    (train,) = transform(dataset(x))
    np.testing.assert_allclose(train.x, (x / size - x.mean() / size) / (x / size).std(), rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("transform", [standardize, standardize_scalar])
def test_what_is_not_finite_is_refused(transform, bad):
    x = np.zeros((3, 2))
    x[1, 1] = bad
    with pytest.raises(ValueError, match="remove NaN and infinity"):
        transform(dataset(x))


def test_rows_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"rows of shape \(2,\)"):
        standardize(dataset(np.eye(2)), dataset(np.eye(3)))


def test_known_statistics_can_be_given():
    standardizer = Standardizer(0.5, 0.25)
    assert standardizer(dataset(np.array([[1.0]]))).x.item() == 2
    assert repr(standardizer) == "Standardizer(mean=0.5, scale=0.25)"
    with pytest.raises(ValueError, match="read-only"):
        standardizer.mean[...] = 0


@pytest.mark.parametrize(("mean", "scale"), [(0, 0), (0, -1), (np.nan, 1), (0, np.inf), ([0, np.inf], 1)])
def test_statistics_that_cannot_be_are_refused(mean, scale):
    with pytest.raises(ValueError, match="finite"):
        Standardizer(mean, scale)


@given(st.lists(st.integers(0, 5), max_size=10))
def test_one_hot_rows_say_their_label(labels):
    rows = one_hot(np.array(labels, np.uint8), 6)
    assert rows.dtype == np.float32
    assert rows.shape == (len(labels), 6)
    assert (rows.sum(axis=1) == 1).all()
    assert rows.argmax(axis=1).tolist() == labels


@pytest.mark.parametrize("labels", [[3], [-1], [0.0], [[0]], ["a"]])
def test_one_hot_refuses_what_is_no_label(labels):
    with pytest.raises(ValueError, match="expected labels"):
        one_hot(np.array(labels), 3)


@pytest.mark.parametrize("function", [standardize, standardize_scalar, subtract_mean_image])
@pytest.mark.parametrize("given", [(np.eye(3), np.arange(3)), np.eye(3), None, [1.0], "digits"])
def test_what_is_no_dataset_is_refused_with_what_to_write(function, given):
    data = Dataset(np.eye(3), np.arange(3))
    for call in (lambda: function(given), lambda: function(data, given)):
        with pytest.raises(TypeError, match=r"expected Datasets, received .*: (write Dataset|give one Dataset)"):
            call()


def test_arrays_in_place_of_a_data_set_are_told_by_their_shapes():
    with pytest.raises(TypeError, match=r"received \(<array \(30, 4\) float64>, <array \(30,\) float64>\): write Data"):
        standardize((np.ones((30, 4)), np.ones(30)))

import numpy as np
import pytest

from minidl import SGD, BatchNorm, GroupNorm, Linear, MeanSquaredError, Sequential, ShapeError, Trainer
from minidl.layers.shapes import Open
from tests.tools.heard import heard

SHAPES = pytest.mark.parametrize("shape", [(6, 4), (3, 5, 4), (3, 4, 2, 5)])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def in_training(layer, x):
    with layer.train_mode(), heard():
        return layer.forward(x)


def channel_axis(shape):
    return 1 if len(shape) == 4 else len(shape) - 1


def flat(x):
    """(values, channels), in float64."""
    return np.moveaxis(np.float64(x), channel_axis(x.shape), -1).reshape(-1, x.shape[channel_axis(x.shape)])


def rows_of(shape, dtype=np.float64, seed=0):
    return (np.random.default_rng(seed).normal(size=shape) * 3 + 5).astype(dtype)


def last(x):
    """The same images with the channels last in memory."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@SHAPES
@DTYPES
def test_every_channel_of_a_training_batch_has_mean_0_and_variance_1(shape, dtype):
    layer = BatchNorm(4, eps=1e-12).build(dtype=dtype)
    layer.gain.value, layer.bias.value = [1, 2, 3, 4], [4, 3, 2, 1]
    y = in_training(layer, rows_of(shape, dtype))
    assert (y.dtype, y.shape) == (dtype, shape)
    np.testing.assert_allclose(flat(y).mean(axis=0), [4, 3, 2, 1], rtol=1e-5)
    np.testing.assert_allclose(flat(y).std(axis=0), [1, 2, 3, 4], rtol=1e-5)


@SHAPES
def test_running_statistics_move_by_the_share_momentum_towards_the_unbiased_ones_of_the_batch(shape):
    layer, x = BatchNorm(4, momentum=0.25).build(dtype=np.float64), rows_of(shape)
    in_training(layer, x)
    np.testing.assert_allclose(layer.mean.value, 0.25 * flat(x).mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(layer.variance.value, 0.75 + 0.25 * flat(x).var(axis=0, ddof=1), rtol=1e-13)


@SHAPES
def test_inference_uses_the_running_statistics_and_leaves_them(shape):
    layer, x = BatchNorm(4, momentum=1.0).build(dtype=np.float64), rows_of(shape)
    in_training(layer, x)
    before = layer.parameters.snapshot()
    y = layer.forward(rows_of(shape, seed=1))
    expected = (flat(rows_of(shape, seed=1)) - flat(x).mean(axis=0)) / np.sqrt(flat(x).var(axis=0, ddof=1) + 1e-5)
    np.testing.assert_allclose(flat(y), expected, rtol=1e-12)
    assert all(np.array_equal(before[name], value) for name, value in layer.parameters.snapshot().items())


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 3), (1, 3, 1, 1)])
def test_a_training_batch_of_one_value_a_channel_is_refused_and_moves_nothing(shape):
    layer = BatchNorm(3).build(seed=0)
    x = np.ones(shape, np.float32)
    with pytest.raises(
        ShapeError, match=r"expected at least 2 values of each channel in training, received x.shape=.*"
    ):
        in_training(layer, x)
    assert layer.mean.value.tolist() == [0, 0, 0]
    assert layer.forward(x).shape == shape


@SHAPES
def test_an_empty_batch_gives_no_rows_and_moves_nothing(shape):
    for layer in (BatchNorm(4).build(seed=0), GroupNorm(2, 4).build(seed=0)):
        x = np.zeros((0, *shape[1:]), np.float32)
        before = layer.parameters.snapshot()
        assert in_training(layer, x).shape == x.shape
        assert layer.backward(x).shape == x.shape
        assert not layer.parameters.grad.any()
        assert all(np.array_equal(before[name], value) for name, value in layer.parameters.snapshot().items())


@pytest.mark.parametrize("make", [lambda: BatchNorm(3), lambda: GroupNorm(1, 3)])
def test_images_keep_their_order_in_memory_and_give_the_same(make):
    x, dy = rows_of((4, 3, 5, 2), np.float32), rows_of((4, 3, 5, 2), np.float32, seed=1)
    plain, other, mixed = (make().build(seed=0) for _ in range(3))
    np.testing.assert_allclose(in_training(other, last(x)), in_training(plain, x), rtol=1e-4, atol=1e-5)
    assert other.forward(last(x)).strides == last(x).strides
    assert plain.forward(x).strides == x.strides
    in_training(other, last(x))
    in_training(mixed, last(x))
    in_training(plain, x)
    dx = plain.backward(dy)
    np.testing.assert_allclose(other.backward(last(dy)), dx, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(mixed.backward(dy), dx, rtol=1e-3, atol=1e-4)
    assert other.backward(last(dy)).strides == last(x).strides
    np.testing.assert_allclose(other.parameters.grad, plain.parameters.grad, rtol=1e-3, atol=1e-4)


@DTYPES
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_a_constant_channel_and_huge_values_stay_finite(dtype, size):
    for layer in (BatchNorm(2).build(dtype=dtype), GroupNorm(1, 2).build(dtype=dtype)):
        x = np.full((4, 2), size, dtype)
        x[:2, 1] = -size
        y = in_training(layer, x)
        assert np.isfinite(y).all()
        assert np.isfinite(layer.backward(np.ones_like(x))).all()
        assert np.abs(y).max() <= 1.001


def test_the_mean_and_variance_of_many_values_are_exact_to_rounding_in_float32():
    x = (np.random.default_rng(0).normal(size=(64, 2, 64, 64)) + 100).astype(np.float32)
    for array in (x, last(x)):
        layer = BatchNorm(2, momentum=1.0).build()
        in_training(layer, array)
        np.testing.assert_allclose(layer.mean.value, flat(x).mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(layer.variance.value, flat(x).var(axis=0, ddof=1), rtol=1e-5)


def test_a_group_of_each_row_is_normalized_by_itself():
    x = rows_of((3, 4, 2, 2))
    y = GroupNorm(2, 4, eps=1e-12).build(dtype=np.float64).forward(x)
    groups = y.reshape(3, 2, -1)
    np.testing.assert_allclose(groups.mean(axis=2), 0, atol=1e-12)
    np.testing.assert_allclose(groups.var(axis=2), 1, rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: BatchNorm(0), "expected features to be an integer >= 1, received features=0"),
        (lambda: BatchNorm(2, momentum=0), "expected momentum to be > 0, received momentum=0: .* never move"),
        (lambda: BatchNorm(2, momentum=1.5), "expected momentum to be a finite number >= 0 and <= 1"),
        (lambda: BatchNorm(2, eps=0), "expected eps to be a finite number > 0, received eps=0"),
        (lambda: GroupNorm(3, 4), "expected groups to divide channels=4, received groups=3: all groups are of one"),
        (lambda: GroupNorm(0, 4), "expected groups to be an integer >= 1, received groups=0"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize("layer", [BatchNorm(3), GroupNorm(3, 3)], ids=repr)
@pytest.mark.parametrize("shape", [(3,), (2, 4), (2, 3, 4), (2, 4, 4, 3), (1, 2, 2, 2, 3)])
def test_other_channels_or_axes_are_refused(layer, shape):
    layer.build(seed=0)
    with pytest.raises(ShapeError, match=r"expected x of shape \(n, .*received x.shape=.*: "):
        layer.forward(np.ones(shape, np.float32))
    with pytest.raises(ShapeError, match=r"dtype float32, received .*float64: cast"):
        layer.forward(np.ones((2, 3)))


@pytest.mark.parametrize("layer", [BatchNorm(3), GroupNorm(3, 3)], ids=repr)
def test_channels_are_found_where_the_shape_has_them(layer):
    assert layer.output_shape(None) is None
    assert layer.output_shape((3,)) == (3,)
    assert layer.output_shape((None, 3)) == (None, 3)
    assert layer.output_shape((None, None, None)) == (3, None, None)
    assert layer.output_shape(Open((3,))) == Open((3,))
    for shape in ((2,), (3, 2), (2, 3, 3), (3, 1, 1, 1)):
        with pytest.raises(ShapeError, match=r"expected input rows of shape .*, received rows of shape"):
            layer.output_shape(shape)


def test_a_network_with_batch_normalization_trains_and_is_saved_with_its_statistics(tmp_path):
    rng = np.random.default_rng(0)
    x, model = rng.normal(size=(64, 3)) * 100 + 50, Sequential(Linear(3, 4), BatchNorm(4), Linear(4, 1)).build(seed=0)
    history = Trainer(model, MeanSquaredError(), SGD(0.1)).fit(
        (x, x[:, :1] / 100), epochs=60, batch_size=16, progress=False
    )
    assert history.steps["loss"][-1] < 0.1 * history.steps["loss"][0]
    model.save(tmp_path / "model.npz")
    fresh = Sequential(Linear(3, 4), BatchNorm(4), Linear(4, 1)).build(seed=1).load(tmp_path / "model.npz")
    np.testing.assert_array_equal(fresh.predict(x), model.predict(x))

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import AveragePool2D, GlobalAveragePool2D, MaxPool2D, ShapeError

POOLS = pytest.mark.parametrize("pool", [MaxPool2D, AveragePool2D])
IMAGE = np.arange(16.0).reshape(1, 1, 4, 4)


def images(n=2, channels=3, height=5, width=6, seed=0):
    return np.random.default_rng(seed).integers(-3, 4, (n, channels, height, width)).astype(np.float64)


def by_definition(x, dy, size, stride, padding, *, largest):
    """y and dx, window by window."""
    h, w = (((x.shape[2 + axis] + 2 * padding[axis] - size[axis]) // stride[axis] + 1) for axis in (0, 1))
    y, dx = np.zeros((*x.shape[:2], h, w)), np.zeros_like(x)
    for row, channel, i, j in np.ndindex(y.shape):
        top, left = i * stride[0] - padding[0], j * stride[1] - padding[1]
        rows, columns = slice(max(top, 0), top + size[0]), slice(max(left, 0), left + size[1])
        window, gradient = x[row, channel, rows, columns], dx[row, channel, rows, columns]
        y[row, channel, i, j] = window.max() if largest else window.mean()
        if dy is not None and largest:
            gradient[np.unravel_index(window.argmax(), window.shape)] += dy[row, channel, i, j]
        elif dy is not None:
            gradient += dy[row, channel, i, j] / window.size
    return y, dx


@POOLS
@given(
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    last=st.booleans(),
)
def test_every_window_is_pooled_and_of_ties_the_first_gets_the_gradient(pool, size, stride, padding, last):
    padding = tuple(min(p, k - 1) for p, k in zip(padding, size, strict=True))
    x = images()
    x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2) if last else x
    layer = pool(size, stride=stride, padding=padding)
    y = layer.forward(x)
    dy = np.random.default_rng(1).normal(size=y.shape)
    expected, dx = by_definition(x, dy, size, stride, padding, largest=pool is MaxPool2D)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=1e-12, atol=1e-14)
    assert layer.output_shape(x.shape[1:]) == y.shape[1:]


def test_a_tie_goes_to_the_first_pixel_row_by_row():
    layer = MaxPool2D(2)
    layer.forward(np.float64([[[[0, 1], [1, 1]]]]))
    np.testing.assert_array_equal(layer.backward(np.ones((1, 1, 1, 1))), [[[[0, 1], [0, 0]]]])


def test_windows_that_share_their_largest_pixel_add_up():
    layer = MaxPool2D(2, stride=1)
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 1] = 1
    layer.forward(x)
    np.testing.assert_array_equal(layer.backward(np.float64([[[[1, 2], [3, 4]]]])), 10 * x)


@POOLS
def test_without_a_stride_windows_lie_side_by_side_and_what_is_left_over_is_not_seen(pool):
    layer = pool((2, 3))
    y = layer.forward(images(height=5, width=7))
    assert y.shape == (2, 3, 2, 2)
    dx = layer.backward(np.ones_like(y))
    np.testing.assert_array_equal(dx[:, :, 4:], 0)
    np.testing.assert_array_equal(dx[..., 6:], 0)


def test_padding_is_never_the_largest_and_does_not_count_in_a_mean():
    x = np.full((1, 1, 3, 3), -5.0)
    for pool in (MaxPool2D(2, padding=1), AveragePool2D(2, padding=1), AveragePool2D(2, padding="same")):
        y = pool.forward(x)
        assert y.shape == (1, 1, 2, 2)
        np.testing.assert_array_equal(y, -5)


@POOLS
@pytest.mark.parametrize("padding", [0, 1, "same"])
def test_an_empty_batch_gives_no_rows(pool, padding):
    layer = pool(2, padding=padding)
    y = layer.forward(np.zeros((0, 3, 5, 4), np.float32))
    assert len(y) == 0
    assert layer.backward(y).shape == (0, 3, 5, 4)


@POOLS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_stay_what_they_are_and_so_does_their_order_in_memory(pool, dtype):
    x = images().astype(dtype).transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    layer = pool(2, padding=1)
    y = layer.forward(x)
    dx = layer.backward(y)
    assert y.dtype == dx.dtype == dtype
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous


def test_windows_of_one_pixel_give_the_image():
    x = images()
    for layer in (MaxPool2D(1), AveragePool2D(1)):
        np.testing.assert_array_equal(layer.forward(x), x)
        np.testing.assert_array_equal(layer.backward(2 * x), 2 * x)


@pytest.mark.parametrize("layer", [MaxPool2D(1), AveragePool2D(1), GlobalAveragePool2D()])
def test_dy_may_be_lists(layer):
    y = layer.forward(np.ones((1, 1, 1, 1)))
    np.testing.assert_array_equal(layer.backward((3 * y).tolist()), [[[[3]]]])


def test_a_global_average_is_the_mean_of_each_channel():
    layer, x = GlobalAveragePool2D(), images()
    np.testing.assert_allclose(layer.forward(x), x.mean(axis=(2, 3)), rtol=1e-14)
    dy = np.random.default_rng(1).normal(size=(2, 3))
    np.testing.assert_allclose(layer.backward(dy), np.broadcast_to(dy[:, :, None, None] / 30, x.shape), rtol=1e-14)
    assert layer.forward(x[:0]).shape == (0, 3)
    assert layer.backward(dy[:0]).shape == (0, 3, 5, 6)
    assert (layer.output_shape(None), layer.output_shape((3, None, 4))) == ((None,), (3,))


@pytest.mark.parametrize("layer", [MaxPool2D(2), AveragePool2D(2), GlobalAveragePool2D()])
@pytest.mark.parametrize(
    ("x", "text"),
    [
        (
            IMAGE[0],
            r"expected x of shape \(n, \?, \?, \?\).*received x.shape=\(1, 4, 4\).*a single (one|sample) is x\[None\]",
        ),
        (IMAGE.astype(int), r"floats, received .*x.dtype=int64.*astype"),
        (IMAGE[:, :, :0], r"received (x.shape=\(1, 1, 0, 4\)|\(0, 4\))"),
    ],
)
def test_what_are_no_images_is_refused(layer, x, text):
    with pytest.raises(ShapeError, match=text):
        layer.forward(x)


@POOLS
def test_what_does_not_fit_is_refused(pool):
    with pytest.raises(ValueError, match="expected padding to be smaller than size, received size=2, padding=2"):
        pool(2, padding=2)
    with pytest.raises(ValueError, match="expected size to be an integer >= 1, received size=0"):
        pool(0)
    with pytest.raises(ShapeError, match=r"at least \(3, 3\) long for the windows of .*received \(2, 5\)"):
        pool(3).output_shape((1, 2, 5))
    layer = pool(2)
    layer.forward(IMAGE)
    with pytest.raises(ShapeError, match=r"expected dy of shape \(1, 1, 2, 2\)"):
        layer.backward(np.ones((1, 1, 2, 1)))
    assert layer.output_shape(None) == (None, None, None)

import numpy as np
import pytest

from minidl import Flatten, Linear, Reshape, Sequential, ShapeError

X = np.arange(24.0).reshape(2, 3, 2, 2)


def test_flatten_puts_one_channel_after_the_other():
    layer = Flatten()
    np.testing.assert_array_equal(layer.forward(X), np.arange(24.0).reshape(2, 12))
    np.testing.assert_array_equal(layer.backward(np.arange(24.0).reshape(2, 12)), X)


def test_the_order_of_memory_does_not_matter():
    last = X.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(Flatten().forward(last), Flatten().forward(X))
    np.testing.assert_array_equal(Reshape(6, 2).forward(last), X.reshape(2, 6, 2))


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 1, 0, 2)])
def test_the_gradient_lies_in_memory_as_x_does(axes):
    x = X.transpose(axes).copy().transpose(np.argsort(axes))
    layer = Flatten()
    dx = layer.backward(layer.forward(x))
    np.testing.assert_array_equal(dx, x)
    assert dx.strides == x.strides


@pytest.mark.parametrize("shape", [(12,), (4, 3), (-1, 2), (2, -1, 3), (-1,)])
def test_reshape_is_that_of_numpy_for_each_row_and_back(shape):
    layer = Reshape(*shape)
    y = layer.forward(X)
    np.testing.assert_array_equal(y, X.reshape(2, *shape))
    np.testing.assert_array_equal(layer.backward(y), X)
    assert layer.output_shape((3, 2, 2)) == y.shape[1:]


@pytest.mark.parametrize("layer", [Flatten(), Reshape(2, -1), Reshape(12)])
def test_an_empty_batch_has_the_same_rows(layer):
    y = layer.forward(X[:0])
    assert y.shape == (0, *layer.output_shape((3, 2, 2)))
    assert layer.backward(y).shape == (0, 3, 2, 2)


def test_rows_that_are_numbers_become_rows_of_one():
    assert Flatten().forward(np.zeros(3)).shape == (3, 1)
    assert Reshape(1, 1).forward(np.zeros(3)).shape == (3, 1, 1)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Reshape(5), r"expected rows of 5 numbers for Reshape\(5\), received rows of shape \(3, 2, 2\)"),
        (Reshape(6), "expected rows of 6 numbers"),
        (Reshape(5, -1), "expected rows of a multiple of 5 numbers"),
    ],
)
def test_rows_of_another_size_are_refused(layer, text):
    with pytest.raises(ShapeError, match=text):
        layer.forward(X)
    with pytest.raises(ShapeError, match=text):
        layer.output_shape((3, 2, 2))


@pytest.mark.parametrize("shape", [(), ((3, 2),), (-1, -1), (0,), (2.0,), (-2,)])
def test_what_are_no_sizes_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected (the sizes of a row|each size to be an integer >= 1)"):
        Reshape(*shape)


def test_a_number_is_no_row():
    with pytest.raises(ShapeError, match=r"the number x=.*a single row is x\[None\]"):
        Flatten().forward(np.array(1.0))


def test_sizes_are_known_as_far_as_they_can_be():
    assert Flatten().output_shape(None) == (None,)
    assert Flatten().output_shape((3, None)) == (None,)
    assert Reshape(2, -1).output_shape(None) == (2, None)
    assert Reshape(2, -1).output_shape((3, 4)) == (2, 6)


def test_a_model_trains_through_both():
    model = Sequential(Reshape(3, 2, 2), Flatten(), Linear(12, 2)).build()
    x = np.ones((2, 12), np.float32)
    assert model.backward(model.forward(x)).shape == x.shape


@pytest.mark.parametrize("shaping", [Flatten(), Reshape(8)])
def test_rows_that_may_have_more_axes_than_a_linear_layer_knows_are_not_counted(shaping):
    model = Sequential(Linear(3, 4), shaping, Linear(8, 2)).build()
    assert model.forward(np.zeros((5, 2, 3), np.float32)).shape == (5, 2)
    with pytest.raises(ShapeError):
        Sequential(Linear(3, 4), shaping, Linear(8, 2)).build(input_shape=(3,))

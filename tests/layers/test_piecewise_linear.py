import math
import pickle

import numpy as np
import pytest

from minidl import HardTanh, LeakyReLU, Maxout, Sequential, ShapeError
from minidl.layers.shapes import Open
from tests.tools.heard import heard

POINTWISE = pytest.mark.parametrize("layer", [LeakyReLU(), LeakyReLU(2.0), HardTanh(), HardTanh(0, 6)], ids=repr)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@DTYPES
def test_both_sides_of_a_leaky_relu_and_its_kink(dtype):
    layer, x = LeakyReLU(0.25), np.array([[-1e30, -4.0, -0.0, 0.0, 4.0, 1e30]], dtype)
    with heard():
        np.testing.assert_array_equal(layer.forward(x), np.array([[-0.25e30, -1, 0, 0, 4, 1e30]], dtype))
        np.testing.assert_array_equal(layer.backward(np.ones_like(x)), [[0.25, 0.25, 0.25, 0.25, 1, 1]])


@DTYPES
def test_the_bounds_of_a_hard_tanh_and_its_kinks(dtype):
    layer, x = HardTanh(-0.5, 2), np.array([[-math.inf, -1e4, -0.5, 0.0, 2.0, 1e4, math.inf]], dtype)
    with heard():
        np.testing.assert_array_equal(layer.forward(x), [[-0.5, -0.5, -0.5, 0, 2, 2, 2]])
        np.testing.assert_array_equal(layer.backward(np.ones_like(x)), [[0, 0, 0, 1, 0, 0, 0]])


@POINTWISE
def test_a_nan_stays_visible(layer):
    assert np.isnan(layer.forward(np.array([[math.nan]]))).all()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: LeakyReLU(math.inf), "expected slope to be a finite number, received slope=inf"),
        (lambda: HardTanh(1, 1), r"expected low < high, received low=1 and high=1: such as HardTanh\(-1, 1\)"),
        (lambda: HardTanh(high=None), "expected high to be a finite number, received high=None"),
        (lambda: Maxout(3, 2, 1), "expected pieces to be an integer >= 2, received pieces=1"),
        (lambda: Maxout(0, 2, 2), "expected in_features to be an integer >= 1, received in_features=0"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_maxout_is_the_largest_of_its_pieces():
    layer, x = Maxout(3, 2, 4).build(seed=0, dtype=np.float64), np.random.default_rng(0).normal(size=(5, 7, 3))
    layer.bias.value = np.arange(8) / 8
    W, b = np.split(layer.weight.value, 4, axis=1), np.split(layer.bias.value, 4)
    pieces = np.stack([x @ weight + bias for weight, bias in zip(W, b, strict=True)])
    np.testing.assert_allclose(layer.forward(x), pieces.max(axis=0), rtol=1e-14)


def test_of_tied_pieces_the_first_is_credited():
    layer = Maxout(1, 1, 3).build(dtype=np.float64)
    layer.weight.value = [[1.0, 2.0, 2.0]]
    layer.forward(np.array([[1.0]]))
    assert layer.backward(np.array([[3.0]])).tolist() == [[6.0]]
    assert layer.weight.grad.tolist() == [[0.0, 3.0, 0.0]]
    assert layer.bias.grad.tolist() == [0.0, 3.0, 0.0]


def test_every_piece_of_a_maxout_starts_as_a_linear_layer_of_its_own():
    shapes = []

    def recorded(rng, shape):
        shapes.append(shape)
        return rng.normal(size=shape)

    layer = Maxout(3, 2, 4, weight_init=recorded).build(seed=0)
    assert shapes == [(3, 2)] * 4
    assert len(np.unique(layer.weight.value)) == 24
    assert layer.bias.value.tolist() == [0.0] * 8


def test_a_maxout_takes_no_rows_and_says_what_does_not_fit():
    layer = Maxout(3, 2, 2).build(seed=0)
    assert layer.forward(np.zeros((0, 3), np.float32)).shape == (0, 2)
    assert layer.backward(np.zeros((0, 2), np.float32)).shape == (0, 3)
    assert not layer.parameters.grad.any()
    with pytest.raises(ShapeError, match=r"expected x of shape \(n, 3\) .*, received x.shape=\(1, 4\)"):
        layer.forward(np.zeros((1, 4), np.float32))
    with pytest.raises(ShapeError, match=r"expected input rows of shape .*3.*, received rows of shape \(2,\)"):
        Sequential(Maxout(4, 2, 2), Maxout(3, 2, 2)).build()
    assert (layer.output_shape(None), layer.output_shape((5, 3))) == (Open((2,)), (5, 2))


def test_a_maxout_can_be_pickled():
    layer, x = Maxout(3, 2, 2).build(seed=0), np.ones((1, 3), np.float32)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer)).forward(x), layer.forward(x))

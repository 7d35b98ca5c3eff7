import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Elementwise, Linear, LogSoftmax, ReLU, ShapeError, Sigmoid, Softmax, Tanh
from minidl.kernels import forms
from minidl.layers.activations import log_softmax, sigmoid, softmax
from tests.tools.heard import heard

ACTIVATIONS = pytest.mark.parametrize("activation", [LogSoftmax, ReLU, Sigmoid, Softmax, Tanh])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
HUGE = pytest.mark.parametrize("size", [1e4, 1e19, "square root", "maximum", "infinity"])


def apply(layer, values, dtype=np.float64):
    with heard():
        return layer.forward(np.array([values], dtype))[0]


def large(size, dtype):
    limit = float(np.finfo(dtype).max)
    return {"square root": math.sqrt(limit), "maximum": limit, "infinity": math.inf}.get(size, size)


def exact_sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


@given(st.floats(-87, 104, width=32))
def test_sigmoid_is_accurate_in_both_tails_in_float32(x):
    np.testing.assert_array_max_ulp(apply(Sigmoid(), [x], np.float32), np.float32([exact_sigmoid(x)]), maxulp=4)


@given(st.floats(-708, 750))
def test_sigmoid_is_accurate_in_both_tails_in_float64(x):
    np.testing.assert_array_max_ulp(apply(Sigmoid(), [x]), np.array([exact_sigmoid(x)]), maxulp=4)


@pytest.mark.parametrize(("dtype", "close"), [(np.float16, 1e-2), (np.float32, 1e-6), (np.float64, 1e-13)])
def test_sigmoid_is_accurate_down_to_the_smallest_normal_number_and_no_smaller(dtype, close):
    last = -math.log(np.finfo(dtype).tiny)
    for distance in (0.01, 0.1, 0.3, 0.5, 1.0):
        x = dtype(distance - last)
        assert float(sigmoid(np.array([x]))[0]) == pytest.approx(exact_sigmoid(float(x)), rel=close)
    assert np.finfo(dtype).tiny <= sigmoid(np.array([-last - 1], dtype))[0] <= 1.02 * np.finfo(dtype).tiny


def test_sigmoid_takes_what_numpy_functions_take():
    for x in (np.float32(0.5), np.array(0.5, np.float32)):
        assert sigmoid(x) == np.float32(exact_sigmoid(0.5))
        assert sigmoid(x).dtype == np.float32
    np.testing.assert_allclose(sigmoid(np.array([-1, 0, 1])), [exact_sigmoid(x) for x in (-1, 0, 1)])
    np.testing.assert_allclose(sigmoid([0.5]), [exact_sigmoid(0.5)])


@HUGE
@DTYPES
def test_activations_of_huge_values_saturate_without_overflow(dtype, size):
    x = large(size, dtype)
    low, high = apply(Sigmoid(), [-x, x], dtype)
    assert high == 1
    assert 0 <= low <= 2 * np.finfo(dtype).tiny
    np.testing.assert_array_equal(apply(Tanh(), [-x, x], dtype), [-1, 1])
    np.testing.assert_array_equal(apply(ReLU(), [-x, x], dtype), np.array([0, x], dtype))


@given(st.floats(-800, 800))
def test_sigmoid_is_symmetric_about_one_half(x):
    low, high = apply(Sigmoid(), [-x, x])
    assert low + high == pytest.approx(1, abs=3e-16)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=6))
def test_softmax_is_the_formula(row):
    exponentials = [math.exp(x) for x in row]
    np.testing.assert_allclose(apply(Softmax(), row), [e / math.fsum(exponentials) for e in exponentials], rtol=1e-14)


@given(st.lists(st.integers(-400, 400), min_size=1, max_size=6), st.integers(-(10**6), 10**6))
def test_softmax_does_not_change_when_a_row_is_shifted(row, shift):
    shifted = apply(Softmax(), [x + shift for x in row])
    np.testing.assert_array_equal(shifted, apply(Softmax(), row))
    assert math.fsum(shifted) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("size", [1e4, 1e19, "square root"])
@DTYPES
def test_softmax_of_huge_values_is_one_for_the_largest_and_shared_by_ties(dtype, size):
    x = large(size, dtype)
    np.testing.assert_array_equal(apply(Softmax(), [-x, x, 0], dtype), [0, 1, 0])
    np.testing.assert_array_equal(apply(Softmax(), [x, -x, x], dtype), [0.5, 0, 0.5])
    np.testing.assert_array_equal(apply(Softmax(), [-x, -x], dtype), [0.5, 0.5])


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=6))
def test_log_softmax_is_the_formula(row):
    total = math.log(math.fsum(math.exp(x) for x in row))
    np.testing.assert_allclose(apply(LogSoftmax(), row), [x - total for x in row], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("size", [1e4, 1e19, "square root"])
@DTYPES
def test_log_softmax_of_huge_values_is_finite_where_the_logarithm_of_softmax_is_not(dtype, size):
    x = large(size, dtype)
    np.testing.assert_array_equal(apply(LogSoftmax(), [-x, x, 0], dtype), np.array([-2 * x, 0, -x], dtype))
    layer = LogSoftmax()
    apply(layer, [-x, x, 0], dtype)
    np.testing.assert_array_equal(layer.backward(np.array([[1.0, 2.0, 3.0]], dtype)), [[1, -4, 3]])


@pytest.mark.parametrize(("activation", "y", "dx"), [(ReLU, 0.0, 0.0), (Sigmoid, 0.5, 0.25), (Tanh, 0.0, 1.0)])
def test_both_zeros_give_the_same_value_and_derivative(activation, y, dx):
    layer = activation()
    np.testing.assert_array_equal(apply(layer, [0.0, -0.0]), [y, y])
    np.testing.assert_array_equal(layer.backward(np.ones((1, 2))), [[dx, dx]])


@ACTIVATIONS
def test_a_nan_stays_visible_and_stays_in_its_row(activation):
    y = activation().forward(np.array([[1.0, math.nan], [1.0, 2.0]]))
    assert np.isnan(y[0, 1])
    assert np.isfinite(y[1]).all()


@ACTIVATIONS
def test_an_activation_keeps_whatever_shape_comes_before_it(activation):
    assert isinstance(activation(), Elementwise)
    assert activation().output_shape((3, 4)) == (3, 4)
    assert activation().output_shape(None) is None


@ACTIVATIONS
def test_an_activation_needs_no_build_and_says_when_backward_came_first(activation):
    with pytest.raises(AttributeError, match=rf"{activation.__name__} has no attribute '[xy]': .*forward"):
        activation().backward(np.ones((1, 2)))


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i8", "?"])
def test_sigmoid_of_whole_numbers_is_that_of_the_same_floats(dtype):
    x = np.array([0, 1, -1 if dtype[0] == "i" else 1, np.iinfo(dtype).min if dtype[0] == "i" else 1]).astype(dtype)
    assert np.array_equal(sigmoid(x), sigmoid(x.astype(np.float64)))


KINDS = (LogSoftmax, ReLU, Sigmoid, Softmax, Tanh)
DOORS = [log_softmax, sigmoid, softmax, *(lambda x, kind=kind: kind().forward(x) for kind in KINDS)]
NO_NUMBERS = [None, "a", 1j, object(), np.array(["a"]), np.array([None]), np.array([1j]), np.ma.array([1.0, 2.0])]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("x", NO_NUMBERS)
def test_what_is_no_plain_array_of_numbers_is_refused_in_our_words(door, x):
    with pytest.raises((TypeError, ValueError), match=r"expected x to .*, received .+: .+"):
        door(x)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("x", [[1.0, -2.0], (1, -2), np.array([1, -2]), np.array([1, -2], np.int8)])
def test_lists_and_whole_numbers_are_taken_by_hand(door, x):
    np.testing.assert_allclose(door(x), door(np.array([1.0, -2.0])), rtol=1e-12)


def test_long_doubles_stay_such():
    x = np.longdouble([-20000, -1, 0, 1, 20000])
    y = sigmoid(x)
    assert y.dtype == np.longdouble
    np.testing.assert_allclose(y[1:4], exact_sigmoids(x[1:4]), rtol=1e-15)
    assert 0 < y[0] < 1e-300
    assert y[4] == 1


def exact_sigmoids(x):
    return [exact_sigmoid(float(one)) for one in x]


@pytest.mark.parametrize("function", [log_softmax, softmax])
def test_scores_of_no_row_are_refused(function):
    with pytest.raises(ShapeError, match=r"expected x with scores along its last axis, received the number x=1\.0"):
        function(1.0)


@pytest.mark.parametrize("function", [log_softmax, softmax])
def test_rows_without_scores_are_refused_and_no_rows_are_taken(function):
    with pytest.raises(ShapeError, match=r"expected x with scores along its last axis, received x\.shape=\(2, 0\)"):
        function(np.ones((2, 0)))
    assert function(np.ones((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("layer", [LogSoftmax(), Softmax()])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_a_softmax_may_be_a_list(layer, dtype):
    x, dy = np.array([[1, 2, 4], [0, 0, 1]], dtype), np.array([[1, 0, 2], [3, 1, 1]], dtype)
    layer.forward(x)
    np.testing.assert_allclose(layer.backward(dy.tolist()), layer.backward(dy), rtol=1e-5, atol=1e-7)
    assert forms._Choice.failure == ""


@pytest.mark.parametrize("layer", [LogSoftmax(), ReLU(), Sigmoid(), Softmax(), Tanh(), Linear(4, 4).build()])
@pytest.mark.parametrize("shape", [(3, 1), (1, 4), (4,), (2, 4), (3, 4, 1), ()])
def test_a_gradient_of_another_shape_is_refused_and_never_broadcast(layer, shape):
    layer.forward(np.ones((3, 4), np.float32))
    with pytest.raises(ShapeError, match=r"expected dy of shape \(3, 4\), .*received dy.shape=.*: backward goes with"):
        layer.backward(np.ones(shape, np.float32))


@pytest.mark.parametrize("layer", [LogSoftmax(), ReLU(), Sigmoid(), Softmax(), Tanh()])
def test_a_gradient_may_be_a_list(layer):
    layer.forward(np.ones((2, 2)))
    dy = [[1.0, 2.0], [3.0, 4.0]]
    np.testing.assert_array_equal(layer.backward(dy), layer.backward(np.array(dy)))


def test_sigmoid_is_accurate_for_every_float16():
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    x = x[np.isfinite(x)]
    wanted = 1 / (1 + np.exp(np.minimum(-x.astype(np.float64), 700)))
    normal = wanted >= np.finfo(np.float16).tiny
    np.testing.assert_allclose(sigmoid(x)[normal], wanted[normal], rtol=2e-3)
    np.testing.assert_allclose(sigmoid(x)[~normal].astype(float), np.finfo(np.float16).tiny, rtol=2e-3)

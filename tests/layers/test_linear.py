import numpy as np
import pytest

from minidl import Linear, ShapeError
from minidl.initializers import normal, ones
from tests.tools.heard import heard

X = np.float32([[1, 2, 3], [4, 5, 6]])


def constant(value):
    return lambda rng, shape: np.full(shape, value)


def test_the_output_is_the_product_plus_the_bias():
    layer = Linear(3, 2, weight_init=constant(0.5), bias_init=constant(10)).build()
    np.testing.assert_array_equal(layer.forward(X), [[13, 13], [17.5, 17.5]])


def test_without_a_bias_there_is_only_the_product():
    layer = Linear(3, 2, bias=False, weight_init=ones).build()
    assert layer.bias is None
    assert list(layer.parameters.named) == ["weight"]
    np.testing.assert_array_equal(layer.forward(X), [[6, 6], [15, 15]])
    np.testing.assert_array_equal(layer.backward(np.ones((2, 2), np.float32)), np.full((2, 3), 2))


def test_the_weight_is_decayed_and_starts_scaled_to_its_fans_the_bias_is_not_and_starts_at_zero():
    layer = Linear(300, 100).build(seed=0)
    assert (layer.weight.decay, layer.bias.decay) == (True, False)
    np.testing.assert_array_equal(layer.bias.value, 0)
    assert layer.weight.value.std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)


def test_initializers_are_asked_once_with_the_shape():
    asked = []

    def init(rng, shape):
        asked.append(shape)
        return normal(1.0)(rng, shape)

    Linear(3, 2, weight_init=init, bias_init=init).build()
    assert asked == [(3, 2), (2,)]


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_an_initializer_of_another_shape_is_refused_and_the_parameter_named(name):
    layer = Linear(3, 2, **{f"{name}_init": lambda rng, shape: np.zeros((2, 3))})
    with pytest.raises(ValueError, match=rf"the initializer of {name} .*received .*\(2, 3\)"):
        layer.build()


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (np.zeros((2, 4), np.float32), r"expected x of shape \(n, 3\) .*received x.shape=\(2, 4\).*in_features"),
        (np.zeros(3, np.float32), r"received x.shape=\(3,\).*a single row is x\[None, :\]"),
        (np.zeros((2, 3, 1), np.float32), r"received x.shape=\(2, 3, 1\).*x.reshape\(len\(x\), -1\)"),
        (np.zeros((2, 3)), r"dtype float32.*received .*x.dtype=float64.*x.astype\(np.float32\)"),
        (np.zeros((2, 3), np.uint8), r"x.dtype=uint8.*x.astype\(np.float32\)"),
        (np.zeros((2, 3), ">f4"), r"x.dtype=>f4.*x.astype\(np.float32\)"),
    ],
)
def test_another_width_rank_or_dtype_is_refused_with_what_to_do(x, text):
    with pytest.raises(ShapeError, match=text):
        Linear(3, 2).build().forward(x)


def test_a_list_is_refused_with_the_call_that_makes_an_array():
    with pytest.raises(TypeError, match=r"received list: use np.asarray\(x, np.float32\)"):
        Linear(3, 2).build().forward([[1.0, 2.0, 3.0]])


@pytest.mark.parametrize("arguments", [(0, 2), (3, -1), (3.0, 2), (3, True), ("3", 2), (None, 2)])
def test_widths_that_are_not_positive_integers_are_refused(arguments):
    with pytest.raises(ValueError, match=r"expected (in|out)_features to be an integer >= 1, received"):
        Linear(*arguments)


def test_a_bias_starts_anew_with_each_backward_and_an_empty_batch_gives_zero():
    layer = Linear(3, 2).build()
    layer.forward(X)
    layer.backward(np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(layer.bias.grad, [2, 2])
    assert layer.forward(X[:0]).shape == (0, 2)
    assert layer.backward(np.ones((0, 2), np.float32)).shape == (0, 3)
    np.testing.assert_array_equal(layer.parameters.grad, 0)


@pytest.mark.parametrize("bias", [True, False])
def test_without_the_need_of_dx_the_parameters_get_the_same_gradients(bias):
    layer, dy = Linear(3, 2, bias=bias).build(), np.float32([[1, -2], [3, 0.5]])
    layer.forward(X)
    layer.backward(dy)
    expected = layer.parameters.grad.copy()
    layer.parameters.grad[:] = np.nan
    layer.needs_dx = False
    layer.backward(dy)
    np.testing.assert_array_equal(layer.parameters.grad, expected)


def test_without_the_need_of_dx_it_is_not_computed():
    layer, dy = Linear(3, 2).build(), np.float32([[1, 1]])
    layer.forward(X[:1])
    layer.weight.value[:] = np.finfo(np.float32).max
    with heard(over="raise"):
        with pytest.raises(FloatingPointError):
            layer.backward(dy)
        layer.needs_dx = False
        layer.backward(dy)


def test_the_order_of_memory_and_a_stride_do_not_matter():
    layer = Linear(3, 2).build()
    expected = layer.forward(X)
    for view in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1].copy()[::-1]):
        np.testing.assert_allclose(layer.forward(view), expected, rtol=1e-6)


@pytest.mark.parametrize("bias", ["no", None, 2, 0.5, np.zeros(2)])
def test_a_bias_is_there_or_not(bias):
    with pytest.raises(TypeError, match="expected bias to be True or False, received bias="):
        Linear(4, 3, bias=bias)
    assert Linear(4, 3, bias=np.False_).bias is None


@pytest.mark.parametrize(("of_weights", "of_dy"), [(np.float64, np.float32), (np.float32, np.float64)])
def test_dx_has_the_larger_of_two_dtypes_in_every_form_of_the_kernels(of_weights, of_dy):
    layer = Linear(2048, 10).build(dtype=of_weights)
    layer.forward(np.ones((64, 2048), of_weights))
    assert layer.backward(np.ones((64, 10), of_dy)).dtype == np.float64

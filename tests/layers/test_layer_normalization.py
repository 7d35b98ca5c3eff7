import numpy as np
import pytest

from minidl import LayerNorm, ShapeError
from minidl.layers.shapes import Open
from tests.tools.heard import heard


def forward(layer, x):
    with heard():
        return layer.forward(x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("features", "shape"), [(4, (3, 4)), (4, (3, 5, 4)), ((2, 3), (3, 2, 3)), ((2, 3), (3, 4, 2, 3))]
)
def test_the_last_axes_have_mean_0_and_variance_1(features, shape, dtype):
    x = (np.random.default_rng(0).normal(size=shape) * 3 + 5).astype(dtype)
    y = forward(LayerNorm(features, eps=1e-12).build(dtype=dtype), x)
    assert (y.shape, y.dtype) == (shape, dtype)
    axes = (-1,) if isinstance(features, int) else (-2, -1)
    np.testing.assert_allclose(y.mean(axis=axes), 0, atol=1e-5)
    np.testing.assert_allclose(y.var(axis=axes), 1, rtol=1e-4)


def test_gain_and_bias_have_the_shape_of_the_last_axes_and_are_not_decayed():
    layer = LayerNorm((2, 3)).build(seed=0)
    assert layer.gain.shape == layer.bias.shape == (2, 3)
    assert [parameter.decay for parameter in layer.parameters.named.values()] == [False, False]
    layer.bias.value = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(layer.forward(np.ones((1, 2, 3), np.float32)), [[[0, 1, 2], [3, 4, 5]]])


def test_constant_rows_huge_values_and_no_rows_are_fine():
    layer = LayerNorm(3).build(seed=0)
    for size in (1e4, -1e4, 0.0):
        x = np.full((2, 3), size, np.float32)
        assert np.abs(forward(layer, x)).max() < 1
        assert np.isfinite(layer.backward(x)).all()
    empty = np.zeros((0, 3), np.float32)
    assert forward(layer, empty).shape == layer.backward(empty).shape == (0, 3)
    assert not layer.parameters.grad.any()


def test_shapes_are_checked_at_build_and_in_forward():
    layer = LayerNorm((2, 3)).build(seed=0)
    assert layer.output_shape(None) == Open((2, 3))
    assert layer.output_shape((None, 2, None)) == (None, 2, 3)
    with pytest.raises(ShapeError, match=r"expected input rows of shape \(2, 3\), received rows of shape \(3, 2\)"):
        layer.output_shape((3, 2))
    with pytest.raises(
        ShapeError, match=r"expected x of shape \(n, 2, 3\) and dtype float32, received x.shape=\(1, 3\)"
    ):
        layer.forward(np.ones((1, 3), np.float32))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: LayerNorm(0), "expected features to be an integer >= 1, received features=0"),
        (lambda: LayerNorm((2, 0)), "expected each entry of features to be an integer >= 1"),
        (lambda: LayerNorm(2, eps=-1), "expected eps to be a finite number > 0, received eps=-1"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()

"""The numeric derivatives are held against known ones: the checker is tested before it tests others."""

import numpy as np
import pytest
from hypothesis import given

from minidl.layers import Linear, SoftmaxCrossEntropy
from minidl.testing import central_difference, complex_step, grid_arrays, relative_error

FUNCTIONS = {
    "square": (lambda x: (x**2).sum(), lambda x: 2 * x),
    "cubic": (lambda x: (x**3 - x).sum(), lambda x: 3 * x**2 - 1),
    "exponential": (lambda x: np.exp(x).sum(), np.exp),
    "product": (lambda x: x.prod(), lambda x: np.array([np.delete(x, i).prod() for i in range(x.size)])),
    "wave": (lambda x: np.sin(3 * x).sum(), lambda x: 3 * np.cos(3 * x)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(x=grid_arrays((3,)))
def test_central_differences_are_right_to_eight_digits(name, x):
    function, derivative = FUNCTIONS[name]
    np.testing.assert_allclose(central_difference(function, x), derivative(x), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", FUNCTIONS)
@given(x=grid_arrays((3,)))
def test_the_complex_step_is_right_to_rounding(name, x):
    function, derivative = FUNCTIONS[name]
    np.testing.assert_allclose(complex_step(function, x), derivative(x), rtol=1e-14, atol=1e-14)


def test_the_point_is_left_alone():
    x = np.array([1.0, 2.0])
    central_difference(lambda z: float(z.sum()), x)
    complex_step(lambda z: z.sum(), x)
    assert x.tolist() == [1.0, 2.0]


def test_a_real_result_of_the_complex_step_is_refused():
    with pytest.raises(TypeError, match="central_difference"):
        complex_step(lambda z: float(np.abs(z).sum()), np.ones(2))


def test_softmax_regression_agrees_with_the_complex_step_to_1e_14():
    """d = 10, n = 3, K = 10 with L2, as the gradient check of a published course report."""
    rng = np.random.default_rng(0)
    x, targets, strength = rng.standard_normal((3, 10)), np.array([0, 3, 9]), 0.1
    layer = Linear(10, 10).build(seed=0, dtype=np.float64)
    loss = SoftmaxCrossEntropy()
    loss.forward(layer.forward(x), targets)
    layer.backward(loss.backward())

    def cost(W, b):
        scores = x @ W + b
        return (np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(3), targets]).mean() + strength * (W**2).sum()

    W, b = layer.weight.value.copy(), layer.bias.value.copy()
    assert relative_error(layer.weight.grad + 2 * strength * W, complex_step(lambda z: cost(z, b), W)) < 1e-13
    assert relative_error(layer.bias.grad, complex_step(lambda z: cost(W, z), b)) < 1e-13


def test_relative_error_of_unequal_numbers():
    assert relative_error(np.array([1.0, 0.0]), np.array([1.0, 1e-3])) == 1.0
    assert relative_error(np.array([0.0]), np.array([0.0])) == 0.0

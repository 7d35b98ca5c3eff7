import numpy as np
import pytest

from minidl import Linear, SelfAttention, Sequential, ShapeError
from minidl.initializers import ones
from minidl.layers.activations import softmax

X = np.random.default_rng(0).normal(size=(3, 5, 6))
HEADS = pytest.mark.parametrize("heads", [1, 2, 3, 6])


def away(layer):
    layer.build(seed=0, dtype=np.float64)
    layer.parameters.value[:] = np.random.default_rng(1).normal(size=layer.parameters.size)
    return layer


@HEADS
@pytest.mark.parametrize("causal", [False, True])
def test_it_is_its_formula_head_by_head(heads, causal):
    layer = away(SelfAttention(6, heads, causal=causal))
    Q, K, V = np.split(X @ layer.projection.weight.value + layer.projection.bias.value, 3, axis=2)
    d, joined = 6 // heads, []
    for head in range(heads):
        q, k, v = (part[:, :, d * head : d * (head + 1)] for part in (Q, K, V))
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(d)
        weights = softmax(np.where(np.tri(5, dtype=bool), scores, -np.inf) if causal else scores)
        joined.append(weights @ v)
        np.testing.assert_allclose(layer.forward(X) * 0 + 1, 1)
        np.testing.assert_allclose(layer.weights[:, head], weights, atol=1e-14)
    y = np.concatenate(joined, axis=2) @ layer.output.weight.value + layer.output.bias.value
    np.testing.assert_allclose(layer.forward(X), y, atol=1e-13)


def test_a_causal_place_sees_itself_and_what_is_before_it_only():
    layer = away(SelfAttention(6, 2, causal=True))
    y = layer.forward(X)
    changed = X.copy()
    changed[:, 3] += 1
    after = layer.forward(changed)
    np.testing.assert_array_equal(after[:, :3], y[:, :3])
    assert (after[:, 3:] != y[:, 3:]).all()
    dy = np.zeros_like(y)
    dy[:, 2] = 1
    dx = layer.backward(dy)
    assert dx[:, :3].all()
    assert not dx[:, 3:].any()


def test_the_order_of_places_does_not_matter_without_a_mask():
    layer, order = away(SelfAttention(6, 2)), [3, 0, 4, 1, 2]
    np.testing.assert_allclose(layer.forward(X[:, order]), layer.forward(X)[:, order], atol=1e-13)


@HEADS
@pytest.mark.parametrize("shape", [(0, 5, 6), (1, 1, 6), (3, 1, 6), (2, 0, 6)])
def test_no_rows_one_row_one_place_and_none_are_taken(heads, shape):
    for causal in (False, True):
        layer = SelfAttention(6, heads, causal=causal).build()
        layer.parameters.grad[...] = np.nan
        y = layer.forward(np.ones(shape, np.float32))
        assert y.shape == layer.backward(np.ones_like(y)).shape == shape
        assert np.isfinite(layer.parameters.grad).all()


def test_large_scores_neither_overflow_nor_vanish():
    layer = away(SelfAttention(6, 2))
    for factor in (1e3, 1e8):
        assert np.isfinite(layer.forward(X * factor)).all()
        np.testing.assert_allclose(layer.weights.sum(axis=3), 1, atol=1e-12)
        assert np.isfinite(layer.backward(np.ones_like(X))).all()


def test_the_memory_layout_does_not_matter_and_float32_stays():
    layer, x = SelfAttention(6, 2, causal=True).build(seed=0), X.astype(np.float32)
    y = layer.forward(x)
    dx = layer.backward(x)
    assert y.dtype == dx.dtype == layer.weights.dtype == np.float32
    np.testing.assert_array_equal(layer.forward(np.asfortranarray(x)), y)
    np.testing.assert_array_equal(layer.backward(np.repeat(x, 2, axis=0)[::2]), dx)


def test_without_the_need_of_dx_the_gradients_of_the_parameters_are_the_same_bits():
    layer = away(SelfAttention(6, 2))
    layer.forward(X)
    layer.backward(X)
    expected = layer.parameters.grad.copy()
    layer.needs_dx = False
    layer.backward(X)
    np.testing.assert_array_equal(layer.parameters.grad, expected)
    assert layer.projection.needs_dx


def test_queries_keys_and_values_start_as_matrices_of_their_own():
    W = SelfAttention(64).build(seed=0).projection.weight.value
    assert W.shape == (64, 192)
    bound = np.sqrt(6 / 128)
    assert 0.95 * bound < abs(W).max() <= bound
    assert (SelfAttention(4, weight_init=ones).build().projection.weight.value == 1).all()


def test_biases_can_be_left_out():
    assert set(SelfAttention(4, bias=False).build().parameters.named) == {"projection.weight", "output.weight"}


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="expected heads to divide features, received features=6 and heads=4"):
        SelfAttention(6, 4)
    with pytest.raises(ValueError, match="heads to be an integer >= 1, received heads=0"):
        SelfAttention(6, 0)
    with pytest.raises(TypeError, match="expected causal to be True"):
        SelfAttention(6, 2, causal=1)


def test_another_input_and_another_gradient_are_refused():
    layer = SelfAttention(6, 2).build()
    for x in (np.ones((2, 5, 4), np.float32), np.ones((2, 6), np.float32), X):
        with pytest.raises(ShapeError, match=r"expected x of shape \(n, \?, 6\) and dtype float32"):
            layer.forward(x)
    layer.forward(X.astype(np.float32))
    with pytest.raises(ShapeError, match="expected dy of shape"):
        layer.backward(np.ones((3, 5, 4), np.float32))
    with pytest.raises(ShapeError, match="expected input rows of shape"):
        Sequential(Linear(2, 3), layer).build()
    assert layer.output_shape(None) == (None, 6)
    assert layer.output_shape((9, 6)) == (9, 6)

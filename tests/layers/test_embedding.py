import numpy as np
import pytest

from minidl import Adam, Embedding, Linear, PositionalEncoding, Sequential, ShapeError, SoftmaxCrossEntropy, Trainer
from minidl.data import Dataset
from minidl.initializers import ones
from minidl.layers.embedding import _waves

TOKENS = np.array([[0, 4, 4], [2, 0, 4]])


# Embedding


def test_each_token_becomes_its_row_of_the_table():
    layer = Embedding(5, 3).build(seed=0)
    y = layer.forward(TOKENS)
    assert (y.shape, y.dtype) == ((2, 3, 3), np.float32)
    for place in np.ndindex(TOKENS.shape):
        np.testing.assert_array_equal(y[place], layer.weight.value[TOKENS[place]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_token_that_occurs_again_adds_its_gradient_and_one_that_does_not_has_zero(dtype):
    layer = Embedding(5, 2).build(dtype=dtype)
    dy = np.arange(12, dtype=dtype).reshape(2, 3, 2)
    layer.forward(TOKENS)
    for _ in range(2):  # set, not added
        layer.backward(dy)
        np.testing.assert_array_equal(
            layer.weight.grad, [[0 + 8, 1 + 9], [0, 0], [6, 7], [0, 0], [2 + 4 + 10, 3 + 5 + 11]]
        )


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint16, np.float32, np.float64])
def test_integers_and_whole_floats_are_the_same_and_the_gradient_of_x_is_zero(kind):
    layer = Embedding(5, 2).build(seed=0)
    y = layer.forward(TOKENS.astype(kind))
    np.testing.assert_array_equal(y, layer.forward(TOKENS))
    dx = layer.backward(np.ones_like(y))
    assert (dx.shape, dx.dtype, dx.any()) == (TOKENS.shape, np.float32, np.False_)


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 2, 3), (0, 3), (0,)])
def test_tokens_stand_in_any_shape(shape):
    layer = Embedding(5, 2).build()
    y = layer.forward(np.zeros(shape, int))
    assert y.shape == (*shape, 2)
    layer.parameters.grad[...] = np.nan
    assert layer.backward(np.ones_like(y)).shape == shape
    np.testing.assert_array_equal(layer.weight.grad[0], np.prod(shape))
    assert not layer.weight.grad[1:].any()


def test_the_memory_layout_does_not_matter():
    layer, dy = Embedding(5, 2).build(), np.asfortranarray(np.arange(12, dtype=np.float32).reshape(2, 3, 2))
    layer.forward(TOKENS)
    layer.backward(np.ascontiguousarray(dy))
    expected = layer.weight.grad.copy()
    layer.forward(np.asfortranarray(TOKENS))
    layer.backward(dy)
    np.testing.assert_array_equal(layer.weight.grad, expected)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.array([[0, 5]]), ValueError, r"whole numbers from 0 to 4, received x\[0, 1\]=5"),
        (np.array([-1]), ValueError, r"received x\[0\]=-1"),
        (np.array([0.5]), ValueError, r"received x\[0\]=0.5"),
        (np.array([np.nan]), ValueError, "received x"),
        (np.array(["a"]), TypeError, "array of whole numbers, received x.dtype=<U1"),
        ([[0, 1]], TypeError, "received list"),
    ],
)
def test_what_is_no_token_is_refused(x, error, message):
    with pytest.raises(error, match=message):
        Embedding(5, 2).build().forward(x)


def test_a_gradient_of_another_shape_and_wrong_sizes_are_refused():
    layer = Embedding(5, 2).build()
    layer.forward(TOKENS)
    with pytest.raises(ShapeError, match="expected dy of shape"):
        layer.backward(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="tokens to be an integer >= 1, received tokens=0"):
        Embedding(0, 2)


def test_the_table_starts_as_asked_and_its_shape_is_known():
    assert (Embedding(5, 2, weight_init=ones).build().weight.value == 1).all()
    assert 0.9 < Embedding(100, 100).build(seed=0).weight.value.std() < 1.1
    assert Embedding(5, 2).output_shape((7,)) == (7, 2)
    assert Embedding(5, 2).output_shape(None) is None


def test_a_model_that_starts_with_tokens_is_trained_and_predicts():
    x = np.arange(40).reshape(40, 1) % 5
    model = Sequential(Embedding(5, 4), Linear(4, 5)).build(seed=0)
    trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(0.1))
    trainer.fit(Dataset(x, (x + 1) % 5), epochs=20, batch_size=8, progress=False)
    np.testing.assert_array_equal(model.predict(x).argmax(axis=2), (x + 1) % 5)


# PositionalEncoding


def test_the_waves_are_those_of_the_paper():
    encoding = PositionalEncoding(6).forward(np.zeros((1, 9, 6)))[0]
    for t in range(9):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(encoding[t, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)], atol=1e-15)


def test_an_odd_width_ends_in_a_sine():
    encoding = PositionalEncoding(3).forward(np.zeros((1, 4, 3)))[0]
    np.testing.assert_allclose(encoding[:, 2], np.sin(np.arange(4) / 10000 ** (2 / 3)), atol=1e-15)


def test_every_sequence_gets_the_same_waves_and_its_gradient_passes():
    layer, x = PositionalEncoding(4), np.linspace(0, 1, 40, dtype=np.float32).reshape(2, 5, 4)
    y = layer.forward(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y - x, np.broadcast_to(_waves(5, 4, np.dtype(np.float32)), x.shape), atol=1e-6)
    np.testing.assert_array_equal(layer.backward(x), x)


def test_what_is_kept_for_the_next_call_cannot_be_changed_and_empty_batches_are_taken():
    with pytest.raises(ValueError, match="read-only"):
        _waves(5, 4, np.dtype(np.float32))[0, 0] = 1
    layer = PositionalEncoding(4)
    y = layer.forward(np.zeros((1, 5, 4), np.float32))
    before = y.copy()
    y[...] = 7
    np.testing.assert_array_equal(layer.forward(np.zeros((1, 5, 4), np.float32)), before)
    assert layer.forward(np.zeros((0, 5, 4), np.float32)).shape == (0, 5, 4)


def test_sequences_of_another_width_and_gradients_of_another_shape_are_refused():
    layer = PositionalEncoding(4)
    with pytest.raises(ShapeError, match=r"expected x of shape \(n, \?, 4\)"):
        layer.forward(np.zeros((2, 5, 3)))
    layer.forward(np.zeros((2, 5, 4)))
    with pytest.raises(ShapeError, match="expected dy of shape"):
        layer.backward(np.zeros((5, 4)))
    with pytest.raises(ShapeError, match="expected input rows of shape"):
        Sequential(Linear(2, 3), layer).build()

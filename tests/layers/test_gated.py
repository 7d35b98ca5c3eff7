"""The formulas of the docstrings, in plain lines."""

import numpy as np

from minidl import GRU, LSTM
from minidl.layers.activations import sigmoid

X = np.random.default_rng(0).normal(size=(4, 5, 2))


def away(layer):
    layer.build(seed=0, dtype=np.float64)
    layer.parameters.value[:] = np.random.default_rng(1).normal(size=layer.parameters.size)
    return layer


def test_an_lstm_is_its_formula_with_the_gates_in_the_order_that_is_written():
    layer = away(LSTM(2, 3))
    h = c = np.zeros((4, 3))
    for t in range(5):
        i, f, o, g = np.split(X[:, t] @ layer.weight.value + h @ layer.recurrent.value + layer.bias.value, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(layer.forward(X)[:, t], h, atol=1e-14)


def test_a_gru_is_its_formula_with_the_reset_gate_behind_the_product():
    layer = away(GRU(2, 3))
    h = np.zeros((4, 3))
    for t in range(5):
        a = np.split(X[:, t] @ layer.weight.value + layer.bias.value, 3, axis=1)
        u = np.split(h @ layer.recurrent.value, 3, axis=1)
        r, z = sigmoid(a[0] + u[0]), sigmoid(a[1] + u[1])
        g = np.tanh(a[2] + r * (u[2] + layer.reset_bias.value))
        h = (1 - z) * g + z * h
        np.testing.assert_allclose(layer.forward(X)[:, t], h, atol=1e-14)


def test_gates_far_out_are_shut_or_open_and_nothing_overflows():
    for layer in LSTM(2, 3).build(), GRU(2, 3).build():
        y = layer.forward(np.full((1, 4, 2), 1e30, np.float32) * np.float32([1, -1]))
        assert np.isfinite(y).all()
        assert np.isfinite(layer.backward(np.ones_like(y))).all()

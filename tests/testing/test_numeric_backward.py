"""NumericBackward: a layer without a backward already trains, in any model."""

import numpy as np
import pytest

from minidl import Layer, Linear, MeanSquaredError, Sequential, Trainer
from minidl.data import Dataset
from minidl.initializers import ones, zeros
from minidl.layers.shapes import whole_numbers
from minidl.optim import SGD
from minidl.parameters import Parameter, State
from minidl.testing import NumericBackward, check_layer


class Swish(NumericBackward):
    """y = x sigmoid(beta x)."""

    def __init__(self, features):
        self.beta = Parameter((features,), ones, decay=False)

    def forward(self, x):
        return x / (1 + np.exp(-self.beta.value * x))


class Noisy(NumericBackward):
    def forward(self, x):
        noise = self.rng.random(x.shape).astype(x.dtype) if self.training else 1
        return x * x * noise


class Centred(NumericBackward):
    """Subtracts a running mean, which training moves."""

    def __init__(self, features):
        self.mean = State((features,), zeros)

    def forward(self, x):
        y = x * (x - self.mean.value)
        if self.training:
            self.mean.value += x.mean(axis=0) / x.dtype.type(2)
        return y


class Gated(Swish):
    """A forward on top of a forward, and a layer inside."""

    def __init__(self, features):
        super().__init__(features)
        self.inner = Linear(features, features)

    def forward(self, x):
        return super().forward(x) * self.inner.forward(x)


class Lookup(NumericBackward):
    def __init__(self):
        self.table = Parameter((3, 2), zeros)

    def forward(self, x):
        return self.table.value[whole_numbers(self, x, 3)]


def test_a_layer_without_a_backward_keeps_the_whole_contract():
    assert check_layer(Swish, domain=(-3, 3), max_examples=5).passed
    assert check_layer(Noisy, stochastic=True, max_examples=5).passed
    assert check_layer(Centred, max_examples=5).passed
    assert check_layer(Lookup(), ("n",), integers=(0, 3), max_examples=5).passed
    assert check_layer(Gated, shape=("n", "features"), domain=(-2, 2), max_examples=5).passed


def test_it_agrees_with_the_derivative_written_by_hand():
    layer = Swish(2).build(seed=0, dtype=np.float64)
    x, dy = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[1.0, 2.0], [-1.0, 0.5]])
    layer.forward(x)
    dx = layer.backward(dy)
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(dx, dy * (s + x * s * (1 - s)), rtol=1e-8)
    np.testing.assert_allclose(layer.beta.grad, (dy * x**2 * s * (1 - s)).sum(axis=0), rtol=1e-8)


def test_it_trains_in_float32_inside_a_model():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 2)).astype(np.float32)
    data = Dataset(x, (x[:, :1] * x[:, 1:]).astype(np.float32))
    model = Sequential(Linear(2, 4), Swish(4), Linear(4, 1)).build(seed=0)
    trainer = Trainer(model, MeanSquaredError(), SGD(0.1))
    before = trainer.evaluate(data)["loss"]
    trainer.fit(data, epochs=10, batch_size=16)
    assert trainer.evaluate(data)["loss"] < 0.7 * before
    assert model.layers[1].beta.grad.dtype == np.float32


def test_a_backward_that_is_written_takes_its_place():
    class Written(Swish):
        def backward(self, dy):
            self.beta.grad = np.zeros(self.beta.shape)
            return 2 * dy

    layer = Written(1).build()
    layer.forward(np.float32([[1.0]]))
    assert layer.backward(np.float32([[1.0]])) == 2


def test_a_backward_before_any_forward_says_so():
    with pytest.raises(AttributeError, match="call forward first"):
        Swish(1).build().backward(np.float32([[1.0]]))


def test_it_can_be_mixed_over_a_forward_that_is_finished():
    class Forward(Layer):
        def forward(self, x):
            return x * x

    class Mixed(NumericBackward, Forward):
        pass

    layer = Mixed().build()
    layer.forward(np.float32([[3.0]]))
    np.testing.assert_allclose(layer.backward(np.float32([[1.0]])), 6, rtol=1e-6)


def test_a_layer_of_whole_numbers_without_a_backward_trains():
    model = Sequential(Lookup(), Linear(2, 1)).build(seed=0)
    x, targets = np.array([[0], [1], [2], [1]]), np.array([[[0.0]], [[1.0]], [[2.0]], [[1.0]]])
    history = Trainer(model, MeanSquaredError(), SGD(0.1)).fit((x, targets), epochs=60, batch_size=4, progress=False)
    assert history.steps["loss"][-1] < history.steps["loss"][0] / 4

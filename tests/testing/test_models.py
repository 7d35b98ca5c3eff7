"""check_model: the gradient of the cost, and which layer is to blame when it is wrong."""

import numpy as np
import pytest
from hypothesis import strategies as st

from minidl.initializers import zeros
from minidl.layers import (
    BinaryCrossEntropy,
    Elementwise,
    Hinge,
    Layer,
    Linear,
    MeanSquaredError,
    ReLU,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
)
from minidl.parameters import Parameter
from minidl.regularizers import L1, L2
from minidl.testing import CheckError, binary_labels, check_model, real_targets


def failure(*args, **kwargs):
    with pytest.raises(CheckError) as caught:
        check_model(*args, **kwargs)
    return caught.value


def two_layers(features, hidden):
    return Sequential(Linear(features, hidden), Sigmoid(), Linear(hidden, 3))


def test_right_models_raise_no_alarm():
    assert check_model(two_layers, SoftmaxCrossEntropy(), hidden=st.integers(1, 4), max_examples=30).passed
    regularizers = [L1(0.1), L2(0.5)]
    assert check_model(two_layers, Hinge(), hidden=2, regularizers=regularizers, max_examples=30).passed
    nested = Sequential(Sequential(Linear(2, 3), ReLU()), Sequential(), Linear(3, 1))
    assert check_model(nested, MeanSquaredError(), ("n", 2), targets=real_targets, max_examples=30).passed


def test_the_layer_at_fault_is_named(wrong):
    model = Sequential(Linear(2, 3), Sequential(Tanh(), wrong["MeanForSum"](3, 2)), Tanh())
    error = failure(model, SoftmaxCrossEntropy(), ("n", 2))
    assert error.property == "gradient of the cost"
    assert "layer 1.1, MeanForSum(3, 2), has a wrong dweight by itself" in str(error)
    assert "layer 0" not in str(error)


def test_the_loss_at_fault_is_named():
    class Doubled(MeanSquaredError):
        def row_gradients(self):
            return 2 * super().row_gradients()

    error = failure(Sequential(Linear(2, 2)), Doubled(), ("n", 2), targets=real_targets)
    assert "the loss Doubled() has a wrong gradient" in str(error)


def test_two_layers_that_share_a_cache_are_found_out():
    class Shared(Elementwise):
        kept = {}  # noqa: RUF012 the bug

        def forward(self, x):
            self.kept["x"] = x
            return x * x

        def backward(self, dy):
            return 2 * self.kept["x"] * dy

    error = failure(Sequential(Shared(), Linear(2, 2), Shared()), SoftmaxCrossEntropy(), ("n", 2))
    assert "no single layer: is something shared between them?" in str(error)


def test_a_regularizer_with_another_gradient_is_found():
    def half(parameters):
        parameters.grad += 0.5 * parameters.value
        return float(parameters.value @ parameters.value)

    assert "is wrong" in str(failure(Sequential(Linear(2, 2)), SoftmaxCrossEntropy(), ("n", 2), regularizers=[half]))


def test_a_loss_that_does_not_take_the_outputs_says_so():
    class Picky(MeanSquaredError):
        def check_targets(self, scores, targets):
            raise ValueError("nothing is good enough")

    error = failure(Sequential(Linear(2, 2)), Picky(), ("n", 2), targets=real_targets)
    assert error.property == "runs"
    assert "nothing is good enough" in str(error)


def test_numbers_that_the_seed_does_not_govern_are_found():
    class Unseeded(Layer):
        def __init__(self):
            self.shift = Parameter((1,), lambda rng, shape: np.random.default_rng().random(shape))

        def forward(self, x):
            return x + self.shift.value

        def backward(self, dy):
            self.shift.grad = dy.sum().reshape(1)
            return dy

    error = failure(Sequential(Unseeded()), MeanSquaredError(), ("n", 2), targets=real_targets)
    assert error.property == "same seed, same model" or "fails once must fail again" in str(error)


def test_integers_go_through_an_embedding():
    class Embedding(Layer):
        def __init__(self, words, width):
            self.table = Parameter((words, width), zeros)

        def forward(self, x):
            self.x = np.asarray(x, np.int64)
            return self.table.value[self.x].reshape(len(x), -1)

        def backward(self, dy):
            self.table.grad[...] = 0
            np.add.at(self.table.grad, self.x.ravel(), dy.reshape(self.x.size, -1))

    def classifier(words):
        return Sequential(Embedding(words, 2), Linear(4, 1))

    report = check_model(
        classifier,
        BinaryCrossEntropy(),
        ("n", 2),
        targets=binary_labels,
        integers=(0, "words"),
        words=st.integers(1, 4),
        max_examples=30,
    )
    assert report.passed


def test_a_wrong_penalty_is_named():
    def half(parameters):
        parameters.grad += parameters.value
        return float(parameters.value @ parameters.value)

    error = failure(Sequential(Linear(2, 2)), SoftmaxCrossEntropy(), ("n", 2), regularizers=[half])
    assert "the regularizer half adds a gradient that is not that of its penalty" in str(error)


def test_a_loss_may_be_given_by_its_class():
    assert check_model(Sequential(Linear(2, 2)), SoftmaxCrossEntropy, ("n", 2), max_examples=5).passed


def test_a_model_may_be_random_at_inference_if_declared():
    class Noise(Elementwise):
        def forward(self, x):
            return x + self.rng.standard_normal(x.shape).astype(x.dtype)

        def backward(self, dy):
            return dy.copy()

    model = Sequential(Linear(2, 2), Noise())
    assert check_model(model, SoftmaxCrossEntropy(), ("n", 2), random_inference=True, max_examples=10).passed
    assert failure(model, SoftmaxCrossEntropy(), ("n", 2), max_examples=10).property == "repeatable"

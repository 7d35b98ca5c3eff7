"""What a check tells somebody who writes a first layer: which line, which name, which word is missing."""

import json

import numpy as np
import pytest

from minidl import Callback, Elementwise, Layer, Linear, Sequential, SoftmaxCrossEntropy
from minidl.initializers import ones
from minidl.parameters import Parameter
from minidl.testing import CheckError, check_callback, check_layer, check_loss, check_model


class Gain(Layer):
    def __init__(self, features):
        self.gain = Parameter((features,), ones)

    def forward(self, x):
        self.x = x
        return x * self.gain.value

    def backward(self, dy):
        self.gain.grad = (self.x * dy).sum(axis=0)
        return dy * self.gain.value


class ForgotInForward(Gain):
    def forward(self, x):
        return x * self.gain


class ForgotInProduct(Gain):
    def forward(self, x):
        return x @ self.gain


class ForgotInBackward(Gain):
    def backward(self, dy):
        self.gain.grad = (self.x * dy).sum(axis=0)
        return dy * self.gain


class ForgotInFunction(Gain):
    def forward(self, x):
        return x * np.exp(self.gain)


class Helped(Gain):
    def forward(self, x):
        return self.helper(x)

    def helper(self, x):
        return x.features


class PlainGain(Layer):
    def __init__(self, features):
        self.gain = np.ones(features)

    def forward(self, x):
        return x * self.gain.astype(x.dtype)

    def backward(self, dy):
        return dy * self.gain.astype(dy.dtype)


class Noisy(Elementwise):
    def forward(self, x):
        return x + np.random.default_rng().standard_normal(x.shape)

    def backward(self, dy):
        return dy.copy()


def said(call, *args, **options):
    with pytest.raises((CheckError, TypeError)) as caught:
        call(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "advice"),
    [("feature", "is 'feature' in shape meant to be it?"), ("width", "name it in shape, or give it as an argument")],
)
def test_a_size_that_is_named_otherwise_is_told_what_the_constructor_calls_it(name, advice):
    text = said(check_layer, Gain, shape=("n", name))
    assert text == f"expected features for Gain, received ['n', '{name}']: {advice}"


def test_a_misspelt_argument_is_told_the_nearest():
    text = said(check_layer, Linear, shape=("n", "in_features"), out_feature=2)
    assert text.startswith("expected arguments of Linear, received out_feature=2: did you mean 'out_features'?")


@pytest.mark.parametrize("layer", [ForgotInForward, ForgotInProduct, ForgotInBackward, ForgotInFunction])
def test_a_forgotten_value_is_told_to_be_written(layer):
    assert "\n  self.gain is a Parameter: write self.gain.value for its numbers\n" in said(check_layer, layer)


def test_a_line_that_uses_no_parameter_is_told_nothing_of_them():
    assert "Parameter:" not in said(check_layer, Helped)


def test_an_error_is_placed_in_the_line_of_the_author():
    line = Helped.helper.__code__.co_firstlineno + 1
    place = f"  in Helped.helper, line {line} of test_advice.py: return x.features\n"
    assert place in said(check_layer, Helped)
    assert "site-packages" not in said(check_layer, ForgotInFunction)

    class InTheLibrary(Gain):
        def forward(self, x):
            return json.loads("no number")

    assert "InTheLibrary.forward, line " in said(check_layer, InTheLibrary)

    class Broken(Callback):
        def on_epoch_end(self, trainer):
            trainer.history.steps["acuracy"]

    assert "Broken.on_epoch_end, line " in said(check_callback, Broken)

    class BrokenLoss(SoftmaxCrossEntropy):
        def row_gradients(self):
            return self.missing

    assert "BrokenLoss.row_gradients, line " in said(check_loss, BrokenLoss)


def test_x_stands_once_in_a_report():
    assert said(check_layer, Helped).count("x = [[0.0]]") == 1
    assert said(check_layer, Linear(3, 2)).count("x = [[0.0]]") == 1


def test_a_plain_array_is_named_where_a_parameter_may_be_meant():
    report = check_layer(PlainGain, max_examples=5)
    assert report.passed
    assert report.arrays == ("gain",)
    assert report.as_dict()["arrays"] == ["gain"]
    assert "\n  not trained, as they are arrays and no Parameter: gain\n" in str(report)
    assert check_layer(Gain, max_examples=5).arrays == ()
    model = check_model(lambda features: Sequential(PlainGain(features), Linear(features, 2)), SoftmaxCrossEntropy())
    assert model.arrays == ("PlainGain.gain",)


def test_a_layer_whose_memory_is_a_plain_array_is_told_which():
    class Counts(Elementwise):
        def __init__(self):
            self.seen = np.zeros(1)

        def forward(self, x):
            if self.training:
                self.seen = self.seen + 1
            return x.copy() if self.training else x * (1 + self.seen.astype(x.dtype))

        def backward(self, dy):
            return dy.copy() if self.training else dy * (1 + self.seen.astype(dy.dtype))

    assert "keep what is learned in a State; plain arrays are seen" in said(check_layer, Counts)


@pytest.mark.parametrize(("layer", "shape"), [(Gain(3), ("n", "features")), (Linear(3, 2), ("n", "time", "features"))])
def test_an_object_is_told_to_say_its_sizes_or_to_come_as_a_class(layer, shape):
    text = said(check_layer, layer, shape)
    assert "are drawn: give the sizes that this object was made for, as in shape=('n', 3), or its class" in text


def test_an_object_of_other_sizes_than_the_shape_is_asked_about_them():
    assert "is it an object made for other sizes than those of shape=('n', 4)?" in said(check_layer, Gain(3), ("n", 4))
    assert "other sizes" not in said(check_layer, ForgotInForward)


def test_a_model_object_is_told_as_a_layer_is():
    text = said(check_model, Sequential(Linear(3, 2)), SoftmaxCrossEntropy())
    assert "are drawn: give the sizes that this object was made for" in text
    report = check_model(Sequential(Linear(3, 2)), SoftmaxCrossEntropy(), raises=False)
    assert report["runs"].verdict == "failed"


def test_random_noise_is_told_where_to_draw_and_what_to_declare():
    text = said(check_layer, Noisy)
    assert "draw random numbers from self.rng, as in self.rng.standard_normal(x.shape)" in text
    assert "declare stochastic=True" in text


def test_a_loss_that_is_no_float_for_float32_alone_is_told_what_it_is():
    class Keeps(SoftmaxCrossEntropy):
        def forward(self, scores, targets, weights=None):
            value = super().forward(scores, targets, weights)
            return value if scores.dtype == np.float64 else scores.dtype.type(value)

    told = said(check_loss, Keeps)
    assert "float32 scores must give a float and a float32 gradient\n  received float32, float32\n" in told

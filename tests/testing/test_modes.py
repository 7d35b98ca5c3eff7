"""What the checks ask of training beside inference, of shapes that are known in part, and of gradients of rounding."""

import re

import numpy as np
import pytest

from minidl import BatchNorm, Dropout, Elementwise, Layer, Linear, ReLU, Sequential, State, Tanh
from minidl.initializers import ones, zeros
from minidl.testing import LayerCheckError, at_least, check_layer

IN_TRAINING = {"shape": (at_least(2), "features"), "rows_mix": "training"}


def message(thing, **options):
    with pytest.raises(LayerCheckError) as caught:
        check_layer(thing, **options)
    return str(caught.value)


class Unscaled(Elementwise):
    """Drops without scaling up what is kept."""

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) < 0.5).astype(x.dtype) if self.training else np.ones_like(x)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class Centred(Elementwise):
    """x minus a running mean, or in training that of the batch; it forgets to move if told so."""

    moves = True

    def __init__(self, features):
        self.mean = State((features,), zeros)

    def forward(self, x):
        self.mixed, mean = self.training, self.mean.value
        if self.training:
            mean = x.mean(axis=0)
            if self.moves:
                self.track(mean, len(x))
        return x - mean

    def track(self, mean, n):
        self.mean.value = 0.5 * self.mean.value + 0.5 * mean

    def backward(self, dy):
        return dy - dy.mean(axis=0) if self.mixed else dy


class Resting(Centred):
    moves = False


class SumForMean(Centred):
    def track(self, mean, n):
        super().track(mean * n, n)


class AlwaysOfTheBatch(Elementwise):
    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, dy):
        return dy - dy.mean(axis=0)


def test_a_dropout_that_forgets_its_scale_is_caught_if_it_is_declared_unbiased():
    assert check_layer(Unscaled, stochastic=True, max_examples=30).passed
    text = message(Unscaled, stochastic="unbiased", max_examples=30)
    assert "the mean over draws must be the output of inference" in text
    assert re.search(r"the mean of output\[.*\] over 1024 draws is .*, inference gives .*", text)
    assert "is a factor such as 1 / (1 - rate) missing? If so meant: stochastic=True" in text
    assert "stochastic='unbiased')" in text.splitlines()[-1]


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 0.936, 0.99, 0.999])
def test_a_right_dropout_of_any_rate_is_left_alone(rate):
    report = check_layer(Dropout(rate), stochastic="unbiased", max_examples=100)
    assert report["mean over draws"].verdict == ("passed" if rate else "not tried")


def test_statistics_of_the_batch_at_inference_are_caught():
    assert check_layer(AlwaysOfTheBatch, rows_mix=True, max_examples=30).passed
    text = message(AlwaysOfTheBatch, rows_mix="training", max_examples=30)
    assert "must" in text.splitlines()[0]
    assert "in inference mode" in text
    assert "rows_mix=True" in text


def test_running_statistics_that_never_move_are_caught():
    assert check_layer(Resting, rows_mix=True, max_examples=30).passed
    text = message(Resting, rows_mix="training", max_examples=30)
    assert "running statistics must move in training" in text
    assert "inference uses mean, which batches in training left as it was; if so meant: rows_mix=True" in text


def test_statistics_that_depend_on_the_size_of_batches_are_caught():
    text = message(SumForMean, rows_mix="training", max_examples=30)
    assert "running statistics must not depend on the size of batches" in text
    assert re.search(r"mean became .* on average of batches of [23] rows, .* of (8|12)", text)


@pytest.mark.parametrize("shape", [(at_least(2), "features"), (at_least(2), "features", 2, 2)])
def test_a_right_layer_with_running_statistics_is_left_alone(shape):
    report = check_layer(lambda features: BatchNorm(features), shape=shape, rows_mix="training", max_examples=60)
    assert report["running statistics"].verdict == "passed"
    assert report["rows independent"].verdict == "passed"


def test_a_state_that_inference_does_not_use_need_not_move():
    class Watched(Centred):
        def __init__(self, features):
            super().__init__(features)
            self.scale, self.flag = State((features,), ones), State((), zeros, dtype=np.bool_)

    assert check_layer(Watched, rows_mix="training", max_examples=20)["running statistics"].verdict == "passed"


def test_rows_may_mix_in_training_only_where_there_is_no_state():
    class TrainingNoise(Elementwise):
        def forward(self, x):
            self.mixed = self.training
            return x - x.mean(axis=0) if self.training else x

        def backward(self, dy):
            return dy - dy.mean(axis=0) if self.mixed else dy

    assert check_layer(TrainingNoise, rows_mix="training", max_examples=20)["running statistics"].verdict == "not tried"


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"rows_mix": "inference"}, "expected rows_mix to be True, False or 'training', received rows_mix='inference'"),
        ({"stochastic": "biased"}, "expected stochastic to be True, False or 'unbiased', received stochastic='biased'"),
    ],
)
def test_a_declaration_that_is_none_is_refused(option, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        check_layer(Tanh, **option)


@pytest.mark.parametrize(
    ("row", "seed", "layers"),
    [
        ([2.75, -0.625], 11142, 1),
        ([-2.25, -2.0], 10785, 1),
        ([-2.125, 2.375], 44487, 1),
        ([-0.375, -1.625], 28798, 2),
        ([1.0, -2.0], 11088, 2),
        ([1.125, -2.875], 32606, 2),
    ],
)
def test_a_gradient_that_is_only_rounding_behind_a_normalization_is_left_alone(row, seed, layers):
    model = Sequential(*(Linear(2, 2) for _ in range(layers)), BatchNorm(2))  # the gradients of the biases are 0
    assert check_layer(model, at={"x": [row, row], "seed": seed}, rows_mix=True).passed


class Halves(Layer):
    """Keeps the first half of the features; `say` is its output_shape."""

    say = None

    def output_shape(self, shape):
        return self.say(shape)

    def forward(self, x):
        self.shape = x.shape
        return x[:, : x.shape[1] // 2].copy()

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        dx[:, : self.shape[1] // 2] = dy
        return dx


@pytest.mark.parametrize(
    ("say", "text"),
    [
        (lambda self, shape: (2,), "output_shape must tell the truth"),
        (lambda self, shape: (9,) if shape is None else None, "it says (9,) for rows of None"),
        (lambda self, shape: (None, None), "it says (None, None) for rows of (4,), forward returns rows of (2,)"),
        (lambda self, shape: 2, "it says 2 for rows of"),
        (
            lambda self, shape: None if shape is None else (shape[0] // 2,),
            "output_shape must take shapes that are known",
        ),
        (lambda self, shape: None if shape is None else (shape[0] // 2,), "for output_shape((None,)); None is a size"),
    ],
)
def test_a_lie_about_the_shape_is_caught_whatever_is_known_of_the_input(say, text):
    class Says(Halves):
        pass

    Says.say = say
    assert text in message(Says, shape=("n", 4) if "4" in text else ("n", 6), max_examples=5)


def test_what_is_true_of_the_shape_or_says_nothing_is_left_alone():
    for say in (
        lambda self, shape: None,
        lambda self, shape: (None,),
        lambda self, shape: None if shape in (None, (None,)) else (shape[0] // 2,),
    ):

        class Says(Halves):
            pass

        Says.say = say
        assert check_layer(Says, shape=("n", 4), max_examples=5).passed
    assert check_layer(ReLU, max_examples=5).passed

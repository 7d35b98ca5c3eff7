"""check_layer is itself checked: wrong layers are caught, right ones at kinks, ties and saturation are left alone."""

import numpy as np
import pytest
from hypothesis import strategies as st

from minidl.initializers import ones, zeros
from minidl.layers import Elementwise, Layer, Linear, ReLU, Sequential, Sigmoid, Softmax, Tanh
from minidl.parameters import Parameter, State
from minidl.testing import CheckError, LayerCheckError, check_layer


class Scale(Layer):
    """y = gain x, one gain per feature."""

    def __init__(self, features):
        self.gain = Parameter((features,), ones, decay=False)

    def forward(self, x):
        self.x = x
        return x * self.gain.value

    def backward(self, dy):
        self.gain.grad = np.sum(self.x * dy, axis=0)
        return dy * self.gain.value


# ---- right ones with kinks, ties, row mixing, randomness, state ----


class LeakyReLU(Elementwise):
    def forward(self, x):
        self.slope = np.where(x > 0, x.dtype.type(1), x.dtype.type(0.1))
        return x * self.slope

    def backward(self, dy):
        return dy * self.slope


class LeftReLU(ReLU):
    """Takes the other one-sided derivative at 0, which is as good."""

    def backward(self, dy):
        return dy * (self.x >= 0)


class Abs(Elementwise):
    def forward(self, x):
        self.x = x
        return np.abs(x)

    def backward(self, dy):
        return dy * np.sign(self.x)


class ConcatenatedReLU(Layer):
    """Both halves have a kink at 0, and their outputs may meet with opposite upstream gradients."""

    def forward(self, x):
        self.x = x
        return np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=1)

    def backward(self, dy):
        left, right = np.split(dy, 2, axis=1)
        return left * (self.x > 0) - right * (self.x < 0)


class FirstMax(Layer):
    """y = max_j x_j; of tied entries the first is credited."""

    def forward(self, x):
        self.x = x
        return x.max(axis=1, keepdims=True)

    def mask(self):
        return np.arange(self.x.shape[1]) == self.x.argmax(axis=1)[:, None]

    def backward(self, dy):
        return dy * self.mask()


class SharedMax(FirstMax):
    """Tied entries share the credit: a subgradient too."""

    def mask(self):
        tied = self.x == self.x.max(axis=1, keepdims=True)
        return tied / tied.sum(axis=1, keepdims=True, dtype=self.x.dtype)


class Sort(Layer):
    def forward(self, x):
        self.order = np.argsort(x, axis=1, kind="stable")
        return np.take_along_axis(x, self.order, axis=1)

    def backward(self, dy):
        dx = np.empty_like(dy)
        np.put_along_axis(dx, self.order, dy, axis=1)
        return dx


class Median(Sort):
    def forward(self, x):
        self.width = x.shape[1]
        return super().forward(x)[:, self.width // 2, None]

    def backward(self, dy):
        return super().backward(dy * (np.arange(self.width) == self.width // 2))


class HardTanh(Elementwise):
    def forward(self, x):
        self.inside = (x > -1) & (x < 1)
        return np.clip(x, -1, 1)

    def backward(self, dy):
        return dy * self.inside


class BatchNorm(Layer):
    """Mixes rows in training, uses running statistics at inference."""

    def __init__(self, features):
        self.gain = Parameter((features,), ones, decay=False)
        self.mean, self.variance = State((features,), zeros), State((features,), ones)

    def forward(self, x):
        mean, variance = self.mean.value, self.variance.value
        if self.training:
            mean, variance = x.mean(axis=0), x.var(axis=0)
            self.mean.value += x.dtype.type(0.1) * (mean - self.mean.value)
            self.variance.value += x.dtype.type(0.1) * (variance - self.variance.value)
        self.scale = np.sqrt(variance + x.dtype.type(0.1))
        self.normal, self.mixed = (x - mean) / self.scale, self.training
        return self.normal * self.gain.value

    def backward(self, dy):
        self.gain.grad = np.sum(dy * self.normal, axis=0)
        dn = dy * self.gain.value
        if self.mixed:
            dn = dn - dn.mean(axis=0) - self.normal * (dn * self.normal).mean(axis=0)
        return dn / self.scale


class Dropout(Layer):
    def forward(self, x):
        self.mask = None
        if self.training:
            self.mask = ((self.rng.random(x.shape) < 0.5) * 2).astype(x.dtype)
        return x if self.mask is None else x * self.mask

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask


class Wave(Elementwise):
    """Stiff and periodic."""

    def forward(self, x):
        self.x = x
        return np.sin(20 * x)

    def backward(self, dy):
        return 20 * np.cos(20 * self.x) * dy


class Logarithm(Elementwise):
    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, dy):
        return dy / self.x


class Temperature(Layer):
    """One scalar parameter."""

    def __init__(self):
        self.beta = Parameter((1,), ones)

    def forward(self, x):
        self.x = x
        return x * self.beta.value

    def backward(self, dy):
        self.beta.grad = np.sum(self.x * dy, keepdims=True).reshape(1)
        return dy * self.beta.value


class Flatten(Layer):
    """Returns a view of its input, which is allowed."""

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class MaxPool(Layer):
    """Maximum over pairs of columns; overlapping, so gradients add up."""

    def forward(self, x):
        windows = np.lib.stride_tricks.sliding_window_view(x, 2, axis=1)
        self.shape, self.winner = x.shape, windows.argmax(axis=2)
        return windows.max(axis=2)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        rows, columns = np.indices(dy.shape)
        np.add.at(dx, (rows, columns + self.winner), dy)
        return dx


class Residual(Layer):
    def __init__(self, features):
        self.inner = Sequential(Linear(features, 3), ReLU(), Linear(3, features))

    def forward(self, x):
        return x + self.inner.forward(x)

    def backward(self, dy):
        return dy + self.inner.backward(dy)


class LayerNorm(Layer):
    """Ill-conditioned where a row is nearly constant, which float32 shows."""

    def forward(self, x):
        self.scale = np.sqrt(x.var(axis=1, keepdims=True) + x.dtype.type(1e-5))
        self.normal = (x - x.mean(axis=1, keepdims=True)) / self.scale
        return self.normal.copy()

    def backward(self, dy):
        inner = (dy * self.normal).mean(axis=1, keepdims=True)
        return (dy - dy.mean(axis=1, keepdims=True) - self.normal * inner) / self.scale


class Noise(Layer):
    """Random at inference too, which must be declared."""

    def forward(self, x):
        return x + self.rng.standard_normal(x.shape).astype(x.dtype)

    def backward(self, dy):
        return dy.copy()


def deep(features):
    return Sequential(Linear(features, 3), ReLU(), Linear(3, 3), ReLU(), Linear(3, 2), Abs(), Sort())


RIGHT = {
    "Scale": (Scale, {}),
    "LeakyReLU": (LeakyReLU, {}),
    "LeftReLU": (LeftReLU, {}),
    "Abs": (Abs, {}),
    "ConcatenatedReLU": (ConcatenatedReLU, {}),
    "FirstMax": (FirstMax, {}),
    "SharedMax": (SharedMax, {}),
    "Sort": (Sort, {}),
    "Median": (Median, {}),
    "HardTanh": (HardTanh, {}),
    "BatchNorm": (BatchNorm, {"rows_mix": True}),
    "Dropout": (Dropout, {}),
    "Wave": (Wave, {}),
    "Logarithm": (Logarithm, {"domain": (0.125, 3.0)}),
    "Temperature": (Temperature, {}),
    "Flatten": (Flatten, {"shape": ("n", "c", "h", "w")}),
    "MaxPool": (MaxPool, {"width": st.integers(2, 5), "shape": ("n", "width")}),
    "Residual": (Residual, {}),
    "LayerNorm": (LayerNorm, {}),
    "Noise": (Noise, {"random_inference": True}),
    "deep": (deep, {}),
    "kinks that meet": (lambda f: Sequential(Linear(f, 2, bias=False), ReLU(), Linear(2, 1)), {"shape": ("n", "f")}),
    "an object": (Sequential(Linear(2, 2), Sigmoid()), {"shape": ("n", 2)}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_layer_raises_no_alarm(name):
    layer, options = RIGHT[name]
    assert check_layer(layer, max_examples=60, **options).cases >= 30


# ---- wrong ones: the bugs of public libraries, and others ----


class MeanForSum(Scale):
    def backward(self, dy):
        self.gain.grad = np.mean(self.x * dy, axis=0)
        return dy * self.gain.value


class Accumulates(Scale):
    def backward(self, dy):
        self.gain.grad += np.sum(self.x * dy, axis=0)
        return dy * self.gain.value


class ForgetsParameter(Scale):
    def backward(self, dy):
        return dy * self.gain.value


class ForgetsGain(Scale):
    def backward(self, dy):
        super().backward(dy)
        return dy


class TransposedWeight(Linear):
    def backward(self, dy):
        dx = super().backward(dy)
        if self.in_features == self.out_features:
            self.weight.grad = self.weight.grad.T.copy()
        return dx


class TransposedInput(Linear):
    def backward(self, dy):
        super().backward(dy)
        return dy @ self.weight.value


class DiagonalSoftmax(Softmax):
    def backward(self, dy):
        return dy * self.y * (1 - self.y)


class PassThroughSoftmax(Softmax):
    def backward(self, dy):
        return dy.copy()


class EluWithPrecedenceBug(Elementwise):
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, np.expm1(x))

    def backward(self, dy):
        return dy * ((self.x > 0) | (np.exp(self.x) > 0))


class CreditsEveryTie(FirstMax):
    def mask(self):
        return self.x == self.x.max(axis=1, keepdims=True)


class ReLUWithTwoAtZero(ReLU):
    def backward(self, dy):
        return dy * ((self.x > 0) + 2 * (self.x == 0)).astype(dy.dtype)


class ReLUOfInputSign(ReLU):
    def backward(self, dy):
        return dy * np.sign(self.x)


class OverwritesUpstream(ReLU):
    def backward(self, dy):
        dy *= self.x > 0
        return dy


class OverwritesInput(Elementwise):
    def forward(self, x):
        np.maximum(x, 0, out=x)
        self.x = x
        return x.copy()

    def backward(self, dy):
        return dy * (self.x > 0)


class OverwritesParameter(Scale):
    def forward(self, x):
        self.gain.value *= 0.5
        return super().forward(x)


class Leaks(Elementwise):
    def forward(self, x):
        return x * np.float64(2)

    def backward(self, dy):
        return dy * 2


class LeaksBackward(Elementwise):
    def forward(self, x):
        return x * 2

    def backward(self, dy):
        return dy * np.float64(2)


class LowPrecision(Elementwise):
    def forward(self, x):
        return (x.astype(np.float16) * 2).astype(x.dtype) + x / 3

    def backward(self, dy):
        return dy * (2 + 1 / 3)


class StaleCache(Elementwise):
    def forward(self, x):
        if getattr(self, "mask", None) is None or self.mask.shape != x.shape:
            self.mask = x > 0
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * self.mask


class Consumes(Elementwise):
    def forward(self, x):
        self.cache = [x]
        return x * x

    def backward(self, dy):
        x = self.cache.pop() if self.cache else np.zeros_like(dy)
        return 2 * x * dy


class GlobalRandom(Elementwise):
    def forward(self, x):
        self.mask = np.random.default_rng().random(x.shape) < 0.5
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class MixesRows(Elementwise):
    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, dy):
        return dy - dy.mean(axis=0)


class BatchNormWithoutVarianceTerm(BatchNorm):
    def backward(self, dy):
        self.gain.grad = np.sum(dy * self.normal, axis=0)
        dn = dy * self.gain.value
        return (dn - dn.mean(axis=0) if self.mixed else dn) / self.scale


class DropoutTwice(Dropout):
    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask * self.mask


class DropoutAtInference(Dropout):
    def forward(self, x):
        return super().forward(x) if self.training else x

    def backward(self, dy):
        return dy * 0.5 if not self.training else super().backward(dy)


class OverwritingPool(MaxPool):
    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        rows, columns = np.indices(dy.shape)
        dx[rows, columns + self.winner] = dy
        return dx


class OneFeatureWrong(Tanh):
    def backward(self, dy):
        dx = super().backward(dy)
        dx[:, 0] *= 1.01
        return dx


class SlightlyWrong(Tanh):
    def backward(self, dy):
        return super().backward(dy) * 1.0001


class LastRowDropped(Scale):
    def backward(self, dy):
        self.gain.grad = np.sum((self.x * dy)[: max(1, len(dy) - 1)], axis=0)
        return dy * self.gain.value


class ClipsGradient(Scale):
    def backward(self, dy):
        self.gain.grad = np.clip(np.sum(self.x * dy, axis=0), -1, 1)
        return dy * self.gain.value


class AddsDecay(Scale):
    def backward(self, dy):
        self.gain.grad = np.sum(self.x * dy, axis=0) + 0.01 * self.gain.value
        return dy * self.gain.value


class LosesRow(Elementwise):
    def forward(self, x):
        return x[1:] * 2 if len(x) > 1 else x * 2

    def backward(self, dy):
        return 2 * dy


class ReturnsList(Elementwise):
    def forward(self, x):
        return x.tolist()


class ReturnsNothing(Elementwise):
    def forward(self, x):
        return x * 2

    def backward(self, dy):
        pass


class LyingShape(Layer):
    def output_shape(self, shape):
        return (7,)

    def forward(self, x):
        return x * 2

    def backward(self, dy):
        return 2 * dy


class NeedsDxBreaksGradients(Scale):
    def backward(self, dy):
        self.gain.grad = np.sum(self.x * dy, axis=0) if self.needs_dx else np.zeros_like(self.gain.grad)
        return dy * self.gain.value


class SharesStateBetweenObjects(Scale):
    cache = {}  # noqa: RUF012 the bug

    def forward(self, x):
        self.cache["x"] = x
        return super().forward(x)

    def backward(self, dy):
        self.gain.grad = np.sum(self.cache["x"] * dy, axis=0) * 2
        return dy * self.gain.value


class NotDifferentiableInside(Elementwise):
    """Rounds going forward and passes straight through going back."""

    def forward(self, x):
        return np.round(x)

    def backward(self, dy):
        return dy.copy()


class ReusesItsOutput(Elementwise):
    def forward(self, x):
        if getattr(self, "buffer", None) is None or self.buffer.shape != x.shape or self.buffer.dtype != x.dtype:
            self.buffer = np.empty_like(x)
        return np.multiply(x, 2, out=self.buffer)

    def backward(self, dy):
        return 2 * dy


class ReusesItsGradient(Elementwise):
    def forward(self, x):
        self.buffer = np.empty(x.shape, x.dtype)
        return 2 * x

    def backward(self, dy):
        return np.multiply(dy, 2, out=self.buffer)


class NaiveTanh(Elementwise):
    def forward(self, x):
        up, down = np.exp(x), np.exp(-x)
        self.y = (up - down) / (up + down)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


class LearnsAtInference(BatchNorm):
    def forward(self, x):
        self.mean.value += x.dtype.type(0.1)
        return super().forward(x)


class ReLU6WithoutItsUpperEnd(ReLU):
    """Wrong beyond 6 only."""

    def forward(self, x):
        return np.minimum(super().forward(x), 6)


class WrongFromTheFifthFeature(Tanh):
    def backward(self, dy):
        dx = super().backward(dy)
        dx[:, 4:] = 0
        return dx


class WrongBeyondFourRows(Scale):
    def backward(self, dy):
        self.gain.grad = np.sum((self.x * dy)[:4], axis=0)
        return dy * self.gain.value


class DropoutThatNeverRests(Elementwise):
    def forward(self, x):
        self.mask = ((self.rng.random(x.shape) < 0.5) * 2).astype(x.dtype)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class DropoutLeaks(Dropout):
    """float64 in training only."""

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) < 0.5) / 0.5 if self.training else None
        return x if self.mask is None else x * self.mask


class BackwardOverwritesOutput(Elementwise):
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        if self.y.flags.writeable:
            np.subtract(1, self.y**2, out=self.y)
            self.y.flags.writeable = False
        return self.y * dy


class BatchNormLearnsInBackward(BatchNorm):
    def backward(self, dy):
        self.mean.value += 1
        return super().backward(dy)


class KeepsDimensions(Scale):
    def backward(self, dy):
        self.gain.grad = np.sum(self.x * dy, axis=0, keepdims=True)
        return dy * self.gain.value


WRONG = {
    "DropoutLeaks": (DropoutLeaks, {}, "float32"),
    "BackwardOverwritesOutput": (BackwardOverwritesOutput, {}, "backward wrote into it"),
    "BatchNormLearnsInBackward": (BatchNormLearnsInBackward, {"rows_mix": True}, "change states"),
    "KeepsDimensions": (KeepsDimensions, {}, "backward must not raise"),
    "ReLU6WithoutItsUpperEnd": (ReLU6WithoutItsUpperEnd, {}, "gradient of x"),
    "WrongFromTheFifthFeature": (WrongFromTheFifthFeature, {}, "gradient of x"),
    "WrongBeyondFourRows": (WrongBeyondFourRows, {}, "gain"),
    "DropoutThatNeverRests": (DropoutThatNeverRests, {}, "random"),
    "ReusesItsOutput": (ReusesItsOutput, {}, "returned by forward"),
    "ReusesItsGradient": (ReusesItsGradient, {}, "returned by backward"),
    "NaiveTanh": (NaiveTanh, {}, "NaN"),
    "LearnsAtInference": (LearnsAtInference, {"rows_mix": True}, "states at inference"),
    "MeanForSum": (MeanForSum, {}, "gradient"),
    "Accumulates": (Accumulates, {}, "set all of dgain"),
    "ForgetsParameter": (ForgetsParameter, {}, "set all of dgain"),
    "ForgetsGain": (ForgetsGain, {}, "gradient of x"),
    "TransposedWeight": (
        TransposedWeight,
        {"shape": ("n", "in_features"), "out_features": st.integers(1, 3)},
        "weight",
    ),
    "TransposedInput": (TransposedInput, {"shape": ("n", 2), "in_features": 2, "out_features": 2}, "x"),
    "DiagonalSoftmax": (DiagonalSoftmax, {}, "gradient of x"),
    "PassThroughSoftmax": (PassThroughSoftmax, {}, "gradient of x"),
    "EluWithPrecedenceBug": (EluWithPrecedenceBug, {}, "gradient of x"),
    "CreditsEveryTie": (CreditsEveryTie, {}, "gradient of x"),
    "ReLUWithTwoAtZero": (ReLUWithTwoAtZero, {}, "gradient of x"),
    "ReLUOfInputSign": (ReLUOfInputSign, {}, "gradient of x"),
    "OverwritesUpstream": (OverwritesUpstream, {}, "upstream"),
    "OverwritesInput": (OverwritesInput, {}, "read-only"),
    "OverwritesParameter": (OverwritesParameter, {}, "change the parameters"),
    "Leaks": (Leaks, {}, "float32 out"),
    "LeaksBackward": (LeaksBackward, {}, "float32 gradients"),
    "LowPrecision": (LowPrecision, {}, None),
    "StaleCache": (StaleCache, {}, None),
    "Consumes": (Consumes, {}, "twice"),
    "GlobalRandom": (GlobalRandom, {}, None),
    "MixesRows": (MixesRows, {}, "rows"),
    "BatchNorm not declared": (BatchNorm, {}, "rows"),
    "BatchNormWithoutVarianceTerm": (BatchNormWithoutVarianceTerm, {"rows_mix": True}, "gradient of x"),
    "DropoutTwice": (DropoutTwice, {}, "gradient of x"),
    "DropoutAtInference": (DropoutAtInference, {}, None),
    "OverwritingPool": (OverwritingPool, {"width": st.integers(2, 5), "shape": ("n", "width")}, "gradient of x"),
    "OneFeatureWrong": (OneFeatureWrong, {}, "gradient of x"),
    "SlightlyWrong": (SlightlyWrong, {}, "gradient of x"),
    "LastRowDropped": (LastRowDropped, {}, None),
    "ClipsGradient": (ClipsGradient, {}, None),
    "AddsDecay": (AddsDecay, {}, None),
    "LosesRow": (LosesRow, {}, "one row per sample"),
    "ReturnsList": (ReturnsList, {}, "array"),
    "ReturnsNothing": (ReturnsNothing, {}, "dx of shape"),
    "LyingShape": (LyingShape, {}, "output_shape"),
    "NeedsDxBreaksGradients": (NeedsDxBreaksGradients, {}, "needs_dx"),
    "SharesStateBetweenObjects": (SharesStateBetweenObjects, {}, None),
    "NotDifferentiableInside": (NotDifferentiableInside, {}, "gradient of x"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_layer_is_caught_within_a_hundred_examples(name):
    layer, options, said = WRONG[name]
    with pytest.raises(CheckError, match=said):
        check_layer(layer, max_examples=100, **options)


def test_the_report_shows_the_smallest_case_the_worst_element_and_the_ratio():
    with pytest.raises(LayerCheckError) as caught:
        check_layer(EluWithPrecedenceBug)
    report = str(caught.value)
    assert "EluWithPrecedenceBug: the gradient of x is wrong" in report
    assert "x = [[-0.125]]" in report
    assert "worst element  x[0, 0]" in report
    assert "backward / differences = " in report
    assert caught.value.property == "the gradient of x is wrong"


def test_an_object_is_left_as_it_was():
    layer = Linear(2, 2).build(seed=3)
    before = layer.parameters.value.copy()
    check_layer(layer, shape=("n", 2), max_examples=5)
    np.testing.assert_array_equal(layer.parameters.value, before)
    assert not layer.training

"""check_loss, check_regularizer and check_optimizer are checked: wrong ones are caught, right ones left alone."""

import numpy as np
import pytest

from minidl.layers import BinaryCrossEntropy, ClassLoss, Hinge, Loss, MeanSquaredError, SoftmaxCrossEntropy
from minidl.layers.activations import sigmoid
from minidl.optim import SGD, Adam, ClipNorm, Optimizer
from minidl.regularizers import L2
from minidl.testing import (
    CheckError,
    LossCheckError,
    OptimizerCheckError,
    RegularizerCheckError,
    binary_labels,
    check_loss,
    check_optimizer,
    check_regularizer,
    real_targets,
)

# ---- losses ----


class AbsoluteError(Loss):
    """Right, with kinks."""

    def row_losses(self, scores, targets):
        self.difference = scores - targets
        return np.abs(self.difference).sum(axis=1)

    def row_gradients(self):
        return np.sign(self.difference)


class PlainSquaredError(Loss):
    """Right, and written without the template: the mean over rows by hand."""

    def forward(self, scores, targets, weights=None):
        w = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
        self.share = (w / w.sum())[:, None].astype(scores.dtype)
        self.difference = scores - targets.astype(scores.dtype)
        return float((self.share * self.difference**2).sum())

    def backward(self):
        return 2 * self.share * self.difference


class SumOverRows(PlainSquaredError):
    def forward(self, scores, targets, weights=None):
        return super().forward(scores, targets, weights) * len(scores)

    def backward(self):
        return super().backward() * len(self.share)


class GradientOfTheSum(PlainSquaredError):
    def backward(self):
        return super().backward() * len(self.share)


class IgnoresWeights(PlainSquaredError):
    def forward(self, scores, targets, weights=None):
        return super().forward(scores, targets)


class ReturnsArrayScalar(PlainSquaredError):
    def forward(self, scores, targets, weights=None):
        return np.float64(super().forward(scores, targets, weights))


class WeightsNotNormalized(PlainSquaredError):
    def forward(self, scores, targets, weights=None):
        w = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
        self.share = (w / len(w))[:, None].astype(scores.dtype)
        self.difference = scores - targets.astype(scores.dtype)
        return float((self.share * self.difference**2).sum())


class WritesIntoScores(PlainSquaredError):
    def forward(self, scores, targets, weights=None):
        value = super().forward(scores, targets, weights)
        scores -= targets
        return value


class ClassWeightsByColumn(ClassLoss):
    """Weights columns instead of rows, as a public library did."""

    def row_losses(self, scores, targets):
        self.inner = SoftmaxCrossEntropy()
        self.targets = targets
        return self.inner.row_losses(scores, targets) * np.arange(1, scores.shape[1] + 1)[targets]

    def row_gradients(self):
        gradient = self.inner.row_gradients()
        return gradient * np.arange(1, gradient.shape[1] + 1)


class MissingFactorOfClasses(BinaryCrossEntropy):
    def row_gradients(self):
        return sigmoid(self.scores) - self.targets


class ClippedLogarithm(Loss):
    """The value is clipped at a probability of 0.1, the gradient is not."""

    def row_losses(self, scores, targets):
        self.p, self.t = sigmoid(scores), targets
        p = np.clip(self.p, 0.1, 0.9)
        return -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).sum(axis=1)

    def row_gradients(self):
        return self.p - self.t


class GradientOfTheOtherHinge(Hinge):
    def row_gradients(self):
        gradient = super().row_gradients()
        gradient[:, 0] *= 2
        return gradient


class NaiveCrossEntropy(ClassLoss):
    def row_losses(self, scores, targets):
        exponentials = np.exp(scores)
        self.p, self.targets = exponentials / exponentials.sum(axis=1, keepdims=True), targets
        return -np.log(self.p[np.arange(len(targets)), targets])

    def row_gradients(self):
        gradient = self.p.copy()
        gradient[np.arange(len(gradient)), self.targets] -= 1
        return gradient


class WrongTotalWeight(MeanSquaredError):
    def forward(self, scores, targets, weights=None):
        value = super().forward(scores, targets, weights)
        self.total_weight = 1.0 if len(scores) == 1 else 2.0
        return value


class Leaks(PlainSquaredError):
    def backward(self):
        return super().backward() * np.float64(1)


class StaleShape(PlainSquaredError):
    def backward(self):
        if not hasattr(self, "first"):
            self.first = self.difference
        return 2 * self.share * (self.first if self.first.shape == self.difference.shape else self.difference)


class WrongLabelZero(BinaryCrossEntropy):
    def row_gradients(self):
        return np.where(self.targets == 0, -1, 1) * super().row_gradients()


@pytest.mark.parametrize("loss", [AbsoluteError, PlainSquaredError])
def test_a_right_loss_raises_no_alarm(loss):
    assert check_loss(loss, targets=real_targets).cases == 100


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (SumOverRows, real_targets),
        (GradientOfTheSum, real_targets),
        (IgnoresWeights, real_targets),
        (ReturnsArrayScalar, real_targets),
        (WeightsNotNormalized, real_targets),
        (WritesIntoScores, real_targets),
        (ClassWeightsByColumn, None),
        (MissingFactorOfClasses, binary_labels),
        (ClippedLogarithm, binary_labels),
        (GradientOfTheOtherHinge, None),
        (NaiveCrossEntropy, None),
        (WrongTotalWeight, real_targets),
        (Leaks, real_targets),
        (StaleShape, real_targets),
        (WrongLabelZero, binary_labels),
    ],
)
def test_a_wrong_loss_is_caught_within_a_hundred_examples(loss, targets):
    with pytest.raises(LossCheckError):
        check_loss(loss, max_examples=100, **({"targets": targets} if targets else {}))


# ---- regularizers ----


def half_l2(parameters):
    parameters.grad[parameters.decayed] += parameters.value[parameters.decayed]
    return 0.5 * float(np.square(parameters.value[parameters.decayed]).sum())


def gradient_of_twice_the_penalty(parameters):
    half_l2(parameters)
    return float(np.square(parameters.value[parameters.decayed]).sum())


def no_penalty(parameters):
    half_l2(parameters)
    return 0.0


def overwrites(parameters):
    parameters.grad[...] = 0
    return half_l2(parameters)


def decays_biases(parameters):
    parameters.grad += 2 * parameters.value
    return float(np.square(parameters.value).sum())


def array_scalar(parameters):
    half_l2(parameters)
    return 0.5 * np.square(parameters.value[parameters.decayed]).sum()


def shrinks_values(parameters):
    parameters.value *= 0.99
    return 0.0


def l1_dividing_by_size(parameters):
    w = parameters.value[parameters.decayed]
    parameters.grad[parameters.decayed] += w / np.abs(w)
    return float(np.abs(w).sum())


def test_a_function_is_a_regularizer():
    assert check_regularizer(half_l2).cases > 0


@pytest.mark.parametrize(
    "regularizer",
    [
        gradient_of_twice_the_penalty,
        no_penalty,
        overwrites,
        decays_biases,
        array_scalar,
        shrinks_values,
        l1_dividing_by_size,
        L2(0.5, names="*"),
    ],
)
def test_a_wrong_regularizer_is_caught(regularizer):
    with pytest.raises(RegularizerCheckError):
        check_regularizer(regularizer)


# ---- optimizers ----


class DecaysBiases(SGD):
    def apply(self, parameters, lr):
        parameters.value *= 1 - 0.01 * lr
        super().apply(parameters, lr)


class SignDescent(Optimizer):
    def update(self, value, grad, lr):
        value -= lr * np.sign(grad)


class Ascends(Optimizer):
    def update(self, value, grad, lr):
        value += lr * grad


class DecaysItsRate(SGD):
    def step(self, parameters):
        super().step(parameters)
        self.lr = self.lr * 0.9


class CountsTwice(SGD):
    def step(self, parameters):
        super().step(parameters)
        self.steps += 1


class ConsumesGradient(SGD):
    def update(self, value, grad, lr):
        grad *= lr
        value -= grad


class HiddenMomentum(Optimizer):
    """Remembers a vector that its state does not hold."""

    velocity = 0.0

    def update(self, value, grad, lr):
        self.velocity = 0.9 * self.velocity + grad
        value -= lr * self.velocity


class NormalizesOverTheVector(Optimizer):
    def update(self, value, grad, lr):
        value -= lr * grad / (np.abs(grad).max() + 1e-8)


class AdamWithoutCorrection(Adam):
    def update(self, value, grad, lr):
        M, V = self.slots["gradient_sum"], self.slots["square_sum"]
        M += 0.1 * (grad - M)
        V += 0.001 * (grad * grad - V)
        value -= lr * M / (np.sqrt(V) + 1e-8)


def adam_reference(start, gradients):
    m, v, w = 0.0, 0.0, start
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def test_a_right_optimizer_raises_no_alarm():
    assert check_optimizer(SignDescent, lr=0.1).cases > 0
    assert check_optimizer(SGD(0.1, clip=ClipNorm(1.0)), whole_vector=True).cases > 0


@pytest.mark.parametrize(
    "optimizer",
    [Ascends, DecaysBiases, DecaysItsRate, CountsTwice, ConsumesGradient, HiddenMomentum, NormalizesOverTheVector],
)
def test_a_wrong_optimizer_is_caught(optimizer):
    with pytest.raises(OptimizerCheckError):
        check_optimizer(optimizer, lr=0.1)


def test_an_optimizer_that_is_not_its_formula_is_caught():
    with pytest.raises(OptimizerCheckError, match="reference"):
        check_optimizer(AdamWithoutCorrection(0.01), reference=adam_reference)


def test_clipping_by_the_norm_must_be_declared():
    with pytest.raises(OptimizerCheckError, match="alone"):
        check_optimizer(SGD(0.1, clip=ClipNorm(1.0)))


def test_every_check_error_is_an_assertion_that_names_what_failed():
    with pytest.raises(CheckError) as caught:
        check_loss(MeanSquaredErrorWithoutTwo, targets=real_targets)
    assert isinstance(caught.value, AssertionError)
    assert caught.value.subject == "MeanSquaredErrorWithoutTwo"
    assert "backward / differences = 0.5 in all of them" in str(caught.value)


class MeanSquaredErrorWithoutTwo(MeanSquaredError):
    def row_gradients(self):
        return super().row_gradients() / 2

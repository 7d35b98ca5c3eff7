"""Optimizers with a rate for each number, with signs, and with a line search: what goes wrong in them."""

import numpy as np

from minidl.optim import Adadelta, Adagrad, Lion, Nadam, Optimizer
from tests.corpus.items import Shelf
from tests.tools.formulas import adadelta, adagrad, lion, nadam

SHELF = Shelf()


@SHELF.optimizer(lr=0.1, reference=adagrad)
class AdagradWithoutRoot(Adagrad):
    """Divides by the sum of the squares, not by its root."""

    def update(self, value, grad, lr):
        total = self.slots["square_sum"]
        total += grad * grad
        value -= lr * grad / (total + self.eps)


@SHELF.optimizer(lr=0.1, reference=adagrad)
class AdagradDividesByTheSumBefore(Adagrad):
    """Takes the present square in after the step: the first one is divided by eps alone."""

    def update(self, value, grad, lr):
        value -= lr * grad / (np.sqrt(self.slots["square_sum"]) + 1e-3)
        self.slots["square_sum"] += grad * grad


@SHELF.optimizer(lr=0.5, reference=adadelta)
class AdadeltaRateInTheMemory(Adadelta):
    """The squares of the steps are remembered with the rate in them."""

    def update(self, value, grad, lr):
        v, d = self.slots["square_mean"], self.slots["step_square_mean"]
        v *= self.rho
        v += (1 - self.rho) * grad * grad
        step = lr * np.sqrt((d + self.eps) / (v + self.eps)) * grad
        d *= self.rho
        d += (1 - self.rho) * step * step
        value -= step


@SHELF.optimizer(lr=0.5, reference=adadelta)
class AdadeltaForgetsTheSteps(Adadelta):
    """The mean of the squares of the steps stays 0, so all steps are as tiny as the first."""

    def update(self, value, grad, lr):
        super().update(value, grad, lr)
        self.slots["step_square_mean"][...] = 0


@SHELF.optimizer(lr=0.1, reference=nadam)
class NadamCorrectsByTheStep(Nadam):
    """Divides the mean that looks ahead by 1 - beta1**t, not by 1 - beta1**(t + 1)."""

    def update(self, value, grad, lr):
        m, v, t = self.slots["gradient_sum"], self.slots["square_sum"], self.steps + 1
        m *= self.beta1
        m += (1 - self.beta1) * grad
        v *= self.beta2
        v += (1 - self.beta2) * grad * grad
        ahead = (self.beta1 * m + (1 - self.beta1) * grad) / (1 - self.beta1**t)
        value -= lr * ahead / (np.sqrt(v / (1 - self.beta2**t)) + self.eps)


@SHELF.optimizer(lr=0.1, reference=lion)
class LionRemembersByTheFirstFactor(Lion):
    """m <- beta1 m + (1 - beta1) g: one factor for both."""

    def update(self, value, grad, lr):
        m = self.slots["gradient_mean"]
        m *= self.beta1
        m += (1 - self.beta1) * grad
        value -= lr * np.sign(m)


@SHELF.optimizer(lr=0.1, reference=lion)
class LionWithoutItsSign(Lion):
    """Steps by the average, not by its sign."""

    def update(self, value, grad, lr):
        m = self.slots["gradient_mean"]
        value -= lr * (self.beta1 * m + (1 - self.beta1) * grad)
        m *= self.beta2
        m += (1 - self.beta2) * grad


class LineSearch(Optimizer):
    """Halves the length until the cost falls."""

    def step(self, parameters):
        raise TypeError("one gradient is not enough")

    def minimize(self, cost, parameters):
        before, lr = cost(), self.learning_rate
        self.clip_gradient(parameters)
        w, g = parameters.value.copy(), parameters.grad.copy()
        for length in (lr, lr / 2, lr / 4):
            self.move(parameters, w, length * g)
            if cost() <= before:
                break
        self.steps += 1
        return before

    def move(self, parameters, w, by):
        parameters.value[...] = w - by


@SHELF.optimizer(lr=0.1, whole_vector=True)
class LineSearchClimbs(LineSearch):
    """Goes along the gradient, and keeps the last point that it tried although the cost rose."""

    def move(self, parameters, w, by):
        parameters.value[...] = w + by


@SHELF.optimizer(lr=0.1, whole_vector=True)
class LineSearchCountsTrials(LineSearch):
    """Every point that is tried counts as a step."""

    def move(self, parameters, w, by):
        super().move(parameters, w, by)
        self.steps += 1


@SHELF.optimizer(lr=0.1, whole_vector=True)
class LineSearchIgnoresClip(LineSearch):
    """Searches along the gradient as it was before the clip."""

    def clip_gradient(self, parameters):
        pass

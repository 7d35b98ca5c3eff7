"""Rules that look at signs, at whole vectors, at whole parameters, or at the count of steps."""

import math

import numpy as np
from hypothesis import strategies as st

from minidl import SGD, ClipNorm, Optimizer
from tests.corpus.items import Shelf

SHELF = Shelf()


def heavy_reference(start, gradients):
    w, v = np.array(start, np.float64), 0.0
    for g in gradients:
        v = 0.9 * v - 0.1 * np.asarray(g, np.float64)
        w = w + v
    return w


def sign_reference(start, gradients):
    w = np.array(start, np.float64)
    for g in gradients:
        w = w - 0.125 * np.sign(g)
    return w


@SHELF.optimizer(lr=0.125, reference=sign_reference)
class SignDescent(Optimizer):
    """w <- w - lr sign(g)."""

    def update(self, value, grad, lr):
        value -= lr * np.sign(grad)


@SHELF.optimizer(lr=0.1, reference=heavy_reference)
class HeavyBall(Optimizer):
    """v <- 0.9 v - lr g, w <- w + v."""

    slot_names = ("v",)

    def update(self, value, grad, lr):
        v = self.slots["v"]
        v *= 0.9
        v -= lr * grad
        value += v


@SHELF.optimizer(lr=0.1)
class Adagrad(Optimizer):
    """w <- w - lr g / sqrt(sum of all g^2)."""

    slot_names = ("sum",)

    def update(self, value, grad, lr):
        self.slots["sum"] += grad * grad
        value -= lr * grad / (np.sqrt(self.slots["sum"]) + 1e-8)


@SHELF.optimizer(lr=1.0)
class Adadelta(Optimizer):
    """Steps as large as the earlier steps, over the root of the mean g^2."""

    slot_names = ("square", "delta")

    def update(self, value, grad, lr):
        s, d = self.slots["square"], self.slots["delta"]
        s += 0.1 * (grad * grad - s)
        step = np.sqrt((d + 1e-6) / (s + 1e-6)) * grad
        d += 0.1 * (step * step - d)
        value -= lr * step


@SHELF.optimizer(lr=0.01, spares_biases=False)
class Lion(Optimizer):
    """The sign of a moving average, and a decay of all parameters."""

    slot_names = ("m",)

    def update(self, value, grad, lr):
        m = self.slots["m"]
        value -= lr * (np.sign(0.9 * m + 0.1 * grad) + 0.1 * value)
        m += 0.01 * (grad - m)


@SHELF.optimizer(lr=0.5)
class Rprop(Optimizer):
    """Steps that grow and shrink with the sign of g alone; their exponents are kept, since slots start at 0."""

    slot_names = ("exponent", "before")

    def update(self, value, grad, lr):
        e, before = self.slots["exponent"], self.slots["before"]
        s = np.sign(grad)
        turn = s * before
        e += (turn > 0) * np.asarray(math.log(1.2), e.dtype) + (turn < 0) * np.asarray(math.log(0.5), e.dtype)
        np.clip(e, -10, 2, out=e)
        s[turn < 0] = 0
        value -= lr * s * np.exp(e)
        before[...] = s


@SHELF.optimizer(lr=0.1, whole_vector=True)
class NormalizedDescent(Optimizer):
    """w <- w - lr g / (|g| + eps)."""

    def update(self, value, grad, lr):
        value -= (lr / (math.sqrt(float(grad @ grad)) + 1e-6)) * grad


@SHELF.optimizer(lr=0.1, limit=st.sampled_from([0.5, 2.0]), whole_vector=True)
class ClippedDescent(Optimizer):
    """w <- w - lr g with |g| clipped over the whole vector."""

    def __init__(self, lr, limit):
        super().__init__(lr, clip=ClipNorm(limit))

    def update(self, value, grad, lr):
        value -= lr * grad


@SHELF.optimizer(lr=0.1, whole_parameters=True)
class LARS(Optimizer):
    """lr scaled for each parameter by |w| / (|g| + eps), 1 where |w| = 0."""

    def apply(self, parameters, lr):
        for p in parameters.named.values():
            w, g = (math.sqrt(float((a * a).sum())) for a in (p.value, p.grad))
            p.value -= (lr * (w / (g + 1e-6) if w > 0 else 1.0)) * p.grad


@SHELF.optimizer(lr=0.1)
class DecayWeightsOnly(Optimizer):
    """SGD that shrinks the decayed slice alone, before the step."""

    def apply(self, parameters, lr):
        parameters.value[parameters.decayed] *= 1 - 0.1 * lr
        parameters.value -= lr * parameters.grad


@SHELF.optimizer(lr=0.1)
class Lookahead(Optimizer):
    """SGD whose every third step goes half back to where it was; the slow weights in a slot."""

    slot_names = ("slow",)

    def update(self, value, grad, lr):
        slow = self.slots["slow"]
        if self.steps == 0:
            slow[...] = value
        value -= lr * grad
        if self.steps % 3 == 2:
            slow += 0.5 * (value - slow)
            value[...] = slow


SHELF.put("optimizer", SGD(0.1, clip=ClipNorm(1.0)), {"whole_vector": True}, name="ClippedSGD")


@SHELF.optimizer(lr=0.1)
class LookaheadTwo(Lookahead):
    """The same, every second step: right after a single gradient the average moves on without one."""

    def update(self, value, grad, lr):
        slow = self.slots["slow"]
        if self.steps == 0:
            slow[...] = value
        value -= lr * grad
        if self.steps % 2 == 1:
            slow += 0.5 * (value - slow)
            value[...] = slow


@SHELF.optimizer(lr=0.1)
class ScheduleFree(Optimizer):
    """z <- z - lr g, x <- the mean of all z, w = 0.1 z + 0.9 x (schedule-free SGD)."""

    slot_names = ("z", "x")

    def update(self, value, grad, lr):
        z, x = self.slots["z"], self.slots["x"]
        if self.steps == 0:
            z[...] = value
            x[...] = value
        z -= lr * grad
        x += (z - x) / (self.steps + 2)
        value[...] = 0.1 * z + 0.9 * x


@SHELF.optimizer(lr=0.1)
class LeansOnFastWeights(Optimizer):
    """z <- z - lr g, w <- 0.9 w + 0.1 z: without a gradient w is off by a rounding."""

    slot_names = ("z",)

    def update(self, value, grad, lr):
        z = self.slots["z"]
        if self.steps == 0:
            z[...] = value
        z -= lr * grad
        value[...] = 0.9 * value + 0.1 * z

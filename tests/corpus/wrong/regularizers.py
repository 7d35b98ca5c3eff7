"""Regularizers: a penalty, and a gradient that must be its own."""

import numpy as np
from hypothesis import strategies as st

from corpus.items import Shelf
from minidl.regularizers import L2

SHELF = Shelf()
STRENGTH = {"strength": st.floats(0.01, 1.0)}


class Regularizer:
    def __init__(self, strength):
        self.strength = float(strength)


def half_l2(parameters):
    parameters.grad[parameters.decayed] += parameters.value[parameters.decayed]
    return 0.5 * float(np.square(parameters.value[parameters.decayed]).sum())


@SHELF.regularizer(**STRENGTH)
class L2Half(Regularizer):
    """Penalty without 1/2, gradient as with 1/2."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        parameters.grad[parameters.decayed] += self.strength * w
        return self.strength * float(w @ w)


@SHELF.regularizer(**STRENGTH)
class L2Replaces(Regularizer):
    """Sets the gradient instead of adding to it."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        parameters.grad[parameters.decayed] = 2 * self.strength * w
        return self.strength * float(w @ w)


@SHELF.regularizer(**STRENGTH)
class L2BiasGradient(Regularizer):
    """Penalty of the decayed numbers only, gradient on all, biases too."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        parameters.grad += 2 * self.strength * parameters.value
        return self.strength * float(w @ w)


@SHELF.regularizer(**STRENGTH)
class L1Shrinks(Regularizer):
    """Also sets small weights to 0 in place: a regularizer must not move values."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        w[np.abs(w) < 0.1] = 0
        parameters.grad[parameters.decayed] += self.strength * np.sign(w)
        return self.strength * float(np.abs(w).sum())


@SHELF.regularizer(**STRENGTH)
class L2FirstCallPenalty(Regularizer):
    """The penalty of the first call is kept and returned for ever."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        parameters.grad[parameters.decayed] += 2 * self.strength * w
        if not hasattr(self, "kept"):
            self.kept = self.strength * float(w @ w)
        return self.kept


@SHELF.regularizer(**STRENGTH)
class GroupLassoNaN(Regularizer):
    """strength * |w| over all weights: gradient w / |w| is NaN where all are 0."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        norm = np.sqrt(w @ w)
        with np.errstate(invalid="ignore", divide="ignore"):
            parameters.grad[parameters.decayed] += self.strength * w / norm
        return self.strength * float(norm)


@SHELF.regularizer(**STRENGTH)
class MaxWeightSigned(Regularizer):
    """Penalizes the largest |w| but gives the gradient the sign + always."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        k = int(np.abs(w).argmax())
        parameters.grad[k] += self.strength
        return self.strength * float(abs(w[k]))


@SHELF.regularizer(**STRENGTH)
class LogPenalty(Regularizer):
    """log(1 + w^2): gradient 2 w / (1 + |w|) is right at 0 and 1 only."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        parameters.grad[parameters.decayed] += self.strength * 2 * w / (1 + np.abs(w))
        return self.strength * float(np.log1p(w * w).sum())


@SHELF.regularizer(**STRENGTH)
class L2LastParameter(Regularizer):
    """A loop over the named parameters leaves out the gradient of the last decayed one."""

    def __call__(self, parameters):
        named = [q for q in parameters.named.values() if q.decay]
        total = 0.0
        for k, q in enumerate(named):
            total += float((q.value**2).sum())
            if k < len(named) - 1 or len(named) == 1:
                q.grad += 2 * self.strength * q.value
        return self.strength * total


@SHELF.regularizer(**STRENGTH)
class L2MeanGradient(Regularizer):
    """Penalty is a mean over the weights, its gradient that of the sum."""

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        parameters.grad[parameters.decayed] += 2 * self.strength * w
        return self.strength * float(w @ w) / max(len(w), 1)


@SHELF.regularizer()
def no_penalty(parameters):
    """Adds a gradient, and says it costs nothing, as mlpack left the penalty out of the cost."""
    half_l2(parameters)
    return 0.0


@SHELF.regularizer()
def decays_biases(parameters):
    """Parameters with decay=False are decayed too."""
    parameters.grad += 2 * parameters.value
    return float(np.square(parameters.value).sum())


@SHELF.regularizer()
def array_scalar(parameters):
    """Returns a numpy scalar, not a Python float."""
    half_l2(parameters)
    return 0.5 * np.square(parameters.value[parameters.decayed]).sum()


@SHELF.regularizer()
def l1_dividing_by_size(parameters):
    """w / |w| is NaN at each 0, as it was in mlpack."""
    w = parameters.value[parameters.decayed]
    parameters.grad[parameters.decayed] += w / np.abs(w)
    return float(np.abs(w).sum())


SHELF.put("regularizer", L2(0.5, names="*"), {}, "L2 of every parameter")

"""Penalties with kinks and ties, on the weights, on the biases, or on nothing at all."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from tests.corpus.items import Shelf

SHELF = Shelf()


@SHELF.regularizer()
def half_l2(parameters):
    """|w|^2 / 2 over the weights that decay."""
    w = parameters.value[parameters.decayed]
    parameters.grad[parameters.decayed] += w
    return 0.5 * float(w @ w)


@SHELF.regularizer(strength=st.sampled_from([0.0, 0.3, 2.0]))
@dataclass(frozen=True)
class GroupLasso:
    """strength * |w|_2 of each decayed parameter; 0 at 0."""

    strength: float

    def __call__(self, parameters):
        total = 0.0
        for p in parameters.named.values():
            if p.decay:
                norm = math.sqrt(float((p.value * p.value).sum()))
                total += self.strength * norm
                if norm > 0:
                    p.grad += (self.strength / norm) * p.value
        return total


@SHELF.regularizer(strength=0.5)
@dataclass(frozen=True)
class LargestWeight:
    """strength * max |w| over all weights, the first of ties."""

    strength: float

    def __call__(self, parameters):
        w, g = parameters.value[parameters.decayed], parameters.grad[parameters.decayed]
        if not w.size:
            return 0.0
        k = int(np.abs(w).argmax())
        g[k] += self.strength * np.sign(w[k])
        return self.strength * abs(float(w[k]))


@SHELF.regularizer(delta=st.sampled_from([0.25, 1.0]))
@dataclass(frozen=True)
class HuberPenalty:
    """Sum of w^2 / 2 within delta, of delta (|w| - delta / 2) beyond."""

    delta: float

    def __call__(self, parameters):
        w, d = parameters.value[parameters.decayed], self.delta
        parameters.grad[parameters.decayed] += np.clip(w, -d, d)
        a = np.abs(w)
        return float(np.where(a <= d, 0.5 * w * w, d * (a - 0.5 * d)).sum())


@SHELF.regularizer()
def total_variation_of_weights(parameters):
    """sum |w_(i+1) - w_i| along the flat weights."""
    w, g = parameters.value[parameters.decayed], parameters.grad[parameters.decayed]
    step = np.diff(w)
    g[1:] += np.sign(step)
    g[:-1] -= np.sign(step)
    return float(np.abs(step).sum())


@SHELF.regularizer(limit=st.sampled_from([0.0, 1.0]))
@dataclass(frozen=True)
class NormAbove:
    """max(0, |w|^2 - limit)^2 / 200: flat inside a ball."""

    limit: float

    def __call__(self, parameters):
        w = parameters.value[parameters.decayed]
        over = max(0.0, float(w @ w) - self.limit)
        parameters.grad[parameters.decayed] += (0.02 * over) * w
        return 0.005 * over * over


@SHELF.regularizer()
def orthogonality(parameters):
    """sum over decayed matrices of |W^T W - 1|_F^2 / 100."""
    total = 0.0
    for p in parameters.named.values():
        if p.decay and len(p.shape) == 2:
            away = p.value.T @ p.value - np.eye(p.shape[1], dtype=p.value.dtype)
            p.grad += 0.04 * p.value @ away
            total += 0.01 * float((away * away).sum())
    return total


@SHELF.regularizer(spares_biases=False)
def everything_to_one(parameters):
    """|v - 1| + (v - 1)^2 over weights and biases."""
    away = parameters.value - 1
    parameters.grad += np.sign(away) + 2 * away
    return float(np.abs(away).sum() + away @ away)


@SHELF.regularizer(spares_biases=False)
def biases_only(parameters):
    """The sum of b^4 over the biases, and none of the weights."""
    b = parameters.value[parameters.decayed.stop :]
    parameters.grad[parameters.decayed.stop :] += 4 * b**3
    return float((b**4).sum())


@SHELF.regularizer()
def nothing(parameters):
    """No penalty at all."""
    return 0.0

"""The updates of the optimizers."""

import numpy as np

from minidl.kernels.sharing import LONG
from tests.kernels.cases.case import Case

SIZES = (0, 1, 7, 64, 1000, 2 * LONG + 3)


def vectors(slots, *numbers):
    """w, g, and slots: "+" one that is never negative, "-" one of any sign; then fixed numbers."""

    def make(rng, dtype, size):
        drawn = [rng.standard_normal(size) for _ in range(2 + len(slots))]
        drawn[2:] = [np.square(a) if kind == "+" else a for a, kind in zip(drawn[2:], slots, strict=True)]
        return (*(a.astype(dtype) for a in drawn), *numbers)

    return make


def momentum_scale(w, g, v, momentum, lr):
    moved = np.abs(v) + np.abs(g)
    return [np.abs(w) + 2 * lr * moved, g, moved]


def adam_scale(w, g, M, V, beta1, beta2, eps, rate, ahead=0.0):
    root = np.sqrt(beta2 * V + np.square(g)) + eps
    moved = np.abs(M) + np.abs(g)
    return [np.abs(w) + (rate + ahead) * moved / root, g, moved, V + np.square(g)]


def rmsprop_scale(w, g, V, rho, eps, rate):
    return [np.abs(w) + rate * np.abs(g) / (np.sqrt(rho * V + np.square(g)) + eps), g, V + np.square(g)]


def adadelta_scale(w, g, V, D, rho, eps, lr):
    V = rho * V + (1 - rho) * np.square(g)
    d = np.abs(g) * np.sqrt((D + eps) / (V + eps))
    return [np.abs(w) + lr * d, g, V + np.square(g), D + np.square(d)]


CASES = [
    Case("sgd_update", vectors("", 0.1), scale=lambda w, g, lr: [np.abs(w) + lr * np.abs(g), g], sizes=SIZES),
    Case("momentum_update", vectors("-", 0.9, 0.1), scale=momentum_scale, sizes=SIZES),
    Case("nesterov_update", vectors("-", 0.9, 0.1), scale=momentum_scale, sizes=SIZES),
    Case("adam_update", vectors("-+", 0.9, 0.999, 1e-7, 1e-3), scale=adam_scale, sizes=SIZES),
    Case("nadam_update", vectors("-+", 0.9, 0.999, 1e-7, 1e-3, 1e-3), scale=adam_scale, sizes=SIZES),
    Case("rmsprop_update", vectors("+", 0.9, 1e-7, 1e-3), scale=rmsprop_scale, sizes=SIZES),
    Case("rmsprop_update", vectors("+", 1.0, 1e-10, 1e-2), scale=rmsprop_scale, sizes=SIZES, label="Adagrad"),
    Case("adadelta_update", vectors("++", 0.9, 1e-6, 1.0), scale=adadelta_scale, sizes=SIZES),
    Case("lion_update", vectors("-", 0.9, 0.99, 0.1), bound=0, sizes=SIZES),
]

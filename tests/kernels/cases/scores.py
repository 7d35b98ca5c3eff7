"""Losses of classes, and the logistic loss."""

import numpy as np

from tests.kernels.cases.case import Case

SIZES = (1, 2, 33, 400)


def scored(*numbers, classes=10):
    def make(rng, dtype, rows):
        scores = (3 * rng.standard_normal((rows, classes))).astype(dtype)
        return scores, rng.integers(0, classes, rows), *numbers

    return make


def alone(classes):
    return lambda rng, dtype, rows: scored(classes=classes)(rng, dtype, rows)[:1]


def rival_scale(scores, labels, margin):
    return [None, margin * scores.shape[1] + 2 * np.abs(scores).sum(axis=1), scores, labels]


def squared_rival_scale(scores, labels, margin):
    reach = margin + np.abs(scores) + np.abs(scores).max(axis=1, keepdims=True)
    return [reach, np.square(reach).sum(axis=1), scores, labels]


def strongest_rival_scale(scores, labels, margin):
    return [None, margin + 2 * np.abs(scores).max(axis=1), scores, labels]


def violated(*numbers, classes=10):
    def make(rng, dtype, rows):
        return (rng.random((rows, classes)) < 0.5).astype(dtype), rng.integers(0, classes, rows), *numbers

    return make


def pairs(classes):
    return lambda *given: (alone(classes)(*given)[0], alone(classes)(*given)[0])


def squared_scale(scores, targets):
    sizes = np.abs(scores) + np.abs(targets)
    return [sizes, np.square(sizes).mean(axis=1), scores, targets]


def shares(rng, dtype, rows):
    return rng.random((rows, 3)).astype(dtype), 0.0, 1.0


def lost(rng, dtype, rows):
    losses = np.maximum(rng.standard_normal(rows), 0).astype(dtype)
    return losses, rng.integers(0, 10, rows), rng.integers(0, 10, rows), 10


def yes_or_no(rng, dtype, rows):
    return (3 * rng.standard_normal((rows, 1))).astype(dtype), rng.integers(0, 2, (rows, 1)).astype(dtype)


CASES = [
    Case("less_at_labels", scored(1.0), 0, sizes=SIZES),
    Case("rival_losses", scored(1.0), 14, rival_scale, sizes=SIZES, extremes=False),
    Case("rival_losses", scored(0.5, classes=53), 57, rival_scale, sizes=SIZES, extremes=False, label="many"),
    Case("squared_rival_losses", scored(1.0), 14, squared_rival_scale, sizes=SIZES, extremes=False),
    Case("rival_gradients", violated(1.0), 0, hostile=(), sizes=SIZES),
    Case("rival_gradients", violated(2.0, classes=53), 0, hostile=(), sizes=SIZES, label="of squares"),
    Case("strongest_rivals", scored(1.0), 2, strongest_rival_scale, sizes=SIZES, extremes=False),
    Case("strongest_rival_gradients", lost, 0, sizes=SIZES),
    Case(
        "means_over_columns",
        alone(70),
        20,
        lambda v: [np.abs(v / 70).sum(axis=1), v],
        sizes=(0, *SIZES),
        extremes=False,
    ),
    Case(
        "logistic_gradients",
        lambda *a: (*yes_or_no(*a), 0.5),
        8,
        lambda s, t, share: [share, s, t],
        hostile=(0,),
        sizes=SIZES,
    ),
    Case("squared_errors", pairs(70), 20, squared_scale, sizes=SIZES, extremes=False),
    Case("squared_errors", pairs(1), 2, squared_scale, sizes=SIZES, extremes=False, label="of single scores"),
    Case("all_between", shares, 0, sizes=SIZES),
    Case("all_finite", alone(3), 0, sizes=(0, *SIZES)),
    Case("logistic_losses", yes_or_no, 4, hostile=(0,), sizes=SIZES),
]

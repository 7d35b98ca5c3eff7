"""Update rules once more, as plainly as possible: the values after all gradients, from a start."""

import numpy as np


def sgd(start, gradients):
    velocity, w = np.zeros_like(start), start
    for g in gradients:
        velocity = 0.9 * velocity + g
        w = w - 0.1 * velocity
    return w


def adam(start, gradients, decay=0.0):
    m = v = np.zeros_like(start)
    w = start
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * decay * w
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def nadam(start, gradients):
    m = v = np.zeros_like(start)
    w = start
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        ahead = 0.9 * m / (1 - 0.9 ** (t + 1)) + 0.1 * g / (1 - 0.9**t)
        w = w - 0.1 * ahead / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def rmsprop(start, gradients):
    v, w = np.zeros_like(start), start
    for g in gradients:
        v = 0.9 * v + 0.1 * g * g
        w = w - 0.1 * g / (np.sqrt(v) + 1e-8)
    return w


def adagrad(start, gradients):
    total, w = np.zeros_like(start), start
    for g in gradients:
        total = total + g * g
        w = w - 0.1 * g / (np.sqrt(total) + 1e-10)
    return w


def adadelta(start, gradients):
    v, d, w = np.zeros_like(start), np.zeros_like(start), start
    for g in gradients:
        v = 0.9 * v + 0.1 * g * g
        step = np.sqrt((d + 1e-6) / (v + 1e-6)) * g
        d = 0.9 * d + 0.1 * step * step
        w = w - 0.5 * step
    return w


def lion(start, gradients, decay=0.0):
    m, w = np.zeros_like(start), start
    for g in gradients:
        w = w - 0.1 * decay * w
        w = w - 0.1 * np.sign(0.9 * m + 0.1 * g)
        m = 0.99 * m + 0.01 * g
    return w


def lbfgs_of_linear_costs(start, gradients):
    """A linear cost has no curvature, so there are no pairs, and the first length lowers it enough."""
    w = start
    for g in gradients:
        w = w - 0.5 * min(1.0, 1 / (np.abs(g).sum() or 1.0)) * g
    return w

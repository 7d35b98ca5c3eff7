"""Compiled losses of classes, a few passes over rows that lie in the cache, and the logistic loss."""

import numpy as np

from minidl.kernels.activations import largest_exponent
from minidl.kernels.compiled.exponentials import exp, log1p
from minidl.kernels.compiled.loops import exact_loop, loop, summing_loop


def less_at_labels(values, labels, share):
    gradient = np.array(values, order="C")
    _less_at_labels(gradient, _whole(labels), share)
    return gradient


def rival_losses(scores, labels, margin):
    violated, losses = np.empty(scores.shape, scores.dtype), np.empty(len(scores), scores.dtype)
    _rival_losses(np.ascontiguousarray(scores), _whole(labels), margin, violated, losses)
    return violated, losses


def squared_rival_losses(scores, labels, margin):
    violations, losses = np.empty(scores.shape, scores.dtype), np.empty(len(scores), scores.dtype)
    _squared_rival_losses(np.ascontiguousarray(scores), _whole(labels), margin, violations, losses)
    return violations, losses


def rival_gradients(values, labels, factor):
    gradient = np.empty(values.shape, values.dtype)
    _rival_gradients(np.ascontiguousarray(values), _whole(labels), factor, gradient)
    return gradient


def strongest_rivals(scores, labels, margin):
    rivals, losses = np.empty(len(scores), np.int64), np.empty(len(scores), scores.dtype)
    _strongest_rivals(np.ascontiguousarray(scores), _whole(labels), margin, rivals, losses)
    return rivals, losses


def strongest_rival_gradients(losses, rivals, labels, classes):
    gradient = np.zeros((len(losses), classes), losses.dtype)
    _strongest_rival_gradients(np.ascontiguousarray(losses), _whole(rivals), _whole(labels), gradient)
    return gradient


def means_over_columns(values):
    means = np.empty(len(values), values.dtype)
    _means_over_columns(np.ascontiguousarray(values), means)
    return means


def logistic_losses(scores, targets):
    losses = np.empty(scores.shape, scores.dtype)
    _logistic_losses(np.ascontiguousarray(scores).ravel(), np.ascontiguousarray(targets).ravel(), losses.ravel())
    return losses


def logistic_gradients(scores, targets, share):
    gradient, most = np.empty(scores.shape, scores.dtype), largest_exponent(scores.dtype)
    flat = np.ascontiguousarray(scores).ravel(), np.ascontiguousarray(targets).ravel()
    _logistic_gradients(*flat, gradient.ravel(), share, most)
    return gradient


def squared_errors(scores, targets):
    difference, losses = np.empty(scores.shape, scores.dtype), np.empty(len(scores), scores.dtype)
    rows = len(scores), scores.size // max(len(scores), 1)
    given = np.ascontiguousarray(scores).reshape(rows), np.ascontiguousarray(targets).reshape(rows)
    _squared_errors(*given, difference.reshape(rows), losses)
    return difference, losses


def all_between(values, least, most):
    return _all_between(np.ascontiguousarray(values).reshape(-1), least, most)


def all_finite(values):
    return _all_finite(np.ascontiguousarray(values).reshape(-1))


def _whole(labels):
    """Labels of one dtype, so that one loop serves all."""
    return labels if labels.dtype == np.int64 and labels.flags.c_contiguous else labels.astype(np.int64, order="C")


@loop
def _less_at_labels(gradient, labels, share):
    for i in range(np.uint64(len(gradient))):
        gradient[i, labels[i]] -= gradient.dtype.type(share)


@summing_loop
def _rival_losses(scores, labels, margin, violated, losses):
    margin, zero, one = scores.dtype.type(margin), scores.dtype.type(0), scores.dtype.type(1)
    for i in range(np.uint64(scores.shape[0])):
        s, v, total, label = scores[i], violated[i], zero, np.uint64(labels[i])
        own = s[label]
        for k in range(np.uint64(scores.shape[1])):
            violation = s[k] - own + margin
            v[k] = one if violation > zero else zero
            total += max(violation, zero) if k != label else zero  # NaN stays, being the first of the two
        v[label] = zero
        losses[i] = total


@summing_loop
def _squared_rival_losses(scores, labels, margin, violations, losses):
    margin, zero = scores.dtype.type(margin), scores.dtype.type(0)
    for i in range(np.uint64(scores.shape[0])):
        s, v, total, label = scores[i], violations[i], zero, np.uint64(labels[i])
        own = s[label]
        for k in range(np.uint64(scores.shape[1])):
            v[k] = max(s[k] - own + margin, zero)
            total += v[k] * v[k] if k != label else zero
        v[label] = zero
        losses[i] = total


@summing_loop
def _rival_gradients(values, labels, factor, gradient):
    factor = values.dtype.type(factor)
    for i in range(np.uint64(len(gradient))):
        v, g, total = values[i], gradient[i], values.dtype.type(0)
        for k in range(np.uint64(gradient.shape[1])):
            g[k] = factor * v[k]
            total += g[k]
        g[np.uint64(labels[i])] = -total


@loop
def _strongest_rivals(scores, labels, margin, rivals, losses):
    margin, zero, least = scores.dtype.type(margin), scores.dtype.type(0), scores.dtype.type(-np.inf)
    for i in range(np.uint64(scores.shape[0])):
        s, label, best, rival = scores[i], np.uint64(labels[i]), least, np.int64(0)
        for k in range(np.uint64(scores.shape[1])):
            ahead = k != label and (s[k] > best or (s[k] != s[k] and best == best))  # the first NaN stays
            best, rival = s[k] if ahead else best, np.int64(k) if ahead else rival
        rivals[i], losses[i] = rival, max(best - s[label] + margin, zero)


@loop
def _strongest_rival_gradients(losses, rivals, labels, gradient):
    one, zero = losses.dtype.type(1), losses.dtype.type(0)
    for i in range(np.uint64(len(losses))):
        violated = one if losses[i] > zero else zero
        gradient[i, np.uint64(rivals[i])] = violated
        gradient[i, np.uint64(labels[i])] = -violated


@summing_loop
def _means_over_columns(values, means):
    count = values.dtype.type(values.shape[1])
    for i in range(np.uint64(len(values))):
        v, total = values[i], values.dtype.type(0)
        for k in range(np.uint64(values.shape[1])):
            total += v[k] / count
        means[i] = total


@summing_loop
def _squared_errors(scores, targets, difference, losses):
    count = scores.dtype.type(scores.shape[1])
    for i in range(np.uint64(len(scores))):
        s, t, d, total = scores[i], targets[i], difference[i], scores.dtype.type(0)
        for k in range(np.uint64(scores.shape[1])):
            d[k] = s[k] - t[k]
            total += d[k] * d[k] / count
        losses[i] = total


@loop
def _logistic_losses(scores, targets, losses):
    zero, one = scores.dtype.type(0), scores.dtype.type(1)
    for i in range(np.uint64(scores.size)):
        size = abs(scores[i])
        share = abs((one if scores[i] > zero else zero) - targets[i])
        pull = size * share
        losses[i] = log1p(exp(-size)) + (pull if share > zero else zero)


@loop
def _logistic_gradients(scores, targets, gradient, share, most):
    one, share, least = scores.dtype.type(1), scores.dtype.type(share), np.finfo(scores.dtype).tiny
    for i in range(np.uint64(scores.size)):
        p = one / (one + exp(most if -scores[i] > most else -scores[i]))
        gradient[i] = ((least if p < least else p) - targets[i]) * share


@exact_loop
def _all_between(values, least, most):
    least, most, within = values.dtype.type(least), values.dtype.type(most), True
    for i in range(np.uint64(values.size)):
        within &= (values[i] >= least) & (values[i] <= most)
    return within


@exact_loop
def _all_finite(values):
    most, within = np.finfo(values.dtype).max, True
    for i in range(np.uint64(values.size)):
        within &= abs(values[i]) <= most
    return within

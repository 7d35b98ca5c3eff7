"""Compiled losses of classes, a few passes over rows that lie in the cache, and the logistic loss."""

import math

import numpy as np

from minidl.kernels.activations import largest_exponent
from minidl.kernels.compiled.exponentials import exp
from minidl.kernels.compiled.loops import loop, summing_loop


def softmax_parts(scores):
    probability, shifted = np.empty(scores.shape, scores.dtype), np.empty(scores.shape, scores.dtype)
    logarithms = np.empty(len(scores), scores.dtype)
    _softmax_parts(np.ascontiguousarray(scores), probability, shifted, logarithms)
    return probability, shifted, logarithms


def less_at_labels(values, labels, share):
    gradient = np.array(values, order="C")
    _less_at_labels(gradient, _whole(labels), share)
    return gradient


def rival_losses(scores, labels, margin):
    violated, losses = np.empty(scores.shape, scores.dtype), np.empty(len(scores), scores.dtype)
    _rival_losses(np.ascontiguousarray(scores), _whole(labels), margin, violated, losses)
    return violated, losses


def rival_gradients(violated, labels):
    gradient = np.array(violated, order="C")
    _rival_gradients(gradient, _whole(labels))
    return gradient


def logistic_losses(scores, targets):
    losses = np.empty(scores.shape, scores.dtype)
    _logistic_losses(np.ascontiguousarray(scores).ravel(), np.ascontiguousarray(targets).ravel(), losses.ravel())
    return losses


def logistic_gradients(scores, targets, share):
    gradient, most = np.empty(scores.shape, scores.dtype), largest_exponent(scores.dtype)
    flat = np.ascontiguousarray(scores).ravel(), np.ascontiguousarray(targets).ravel()
    _logistic_gradients(*flat, gradient.ravel(), share, most)
    return gradient


def _whole(labels):
    """Labels of one dtype, so that one loop serves all."""
    return labels if labels.dtype == np.int64 and labels.flags.c_contiguous else labels.astype(np.int64, order="C")


@summing_loop
def _softmax_parts(scores, probability, shifted, logarithms):
    n, classes = np.uint64(scores.shape[0]), np.uint64(scores.shape[1])
    for i in range(n):
        s, away = scores[i], shifted[i]
        largest = s[0]
        for k in range(classes):
            largest = s[k] if s[k] > largest or s[k] != s[k] else largest  # NaN stays
        for k in range(classes):
            away[k] = s[k] - largest
    given, flat = shifted.ravel(), probability.ravel()
    for j in range(np.uint64(flat.size)):
        flat[j] = exp(given[j])
    for i in range(n):
        p, total = probability[i], scores.dtype.type(0)
        for k in range(classes):
            total += p[k]
        logarithms[i] = math.log(total)
        for k in range(classes):
            p[k] = p[k] / total


@loop
def _less_at_labels(gradient, labels, share):
    for i in range(np.uint64(len(gradient))):
        gradient[i, labels[i]] -= gradient.dtype.type(share)


@loop
def _rival_losses(scores, labels, margin, violated, losses):
    margin, zero, one = scores.dtype.type(margin), scores.dtype.type(0), scores.dtype.type(1)
    for i in range(np.uint64(scores.shape[0])):
        s, v, total, label = scores[i], violated[i], zero, np.uint64(labels[i])
        own = s[label]
        for k in range(np.uint64(scores.shape[1])):
            violation = s[k] - own + margin if k != label else zero
            v[k] = one if violation > zero else zero
            total += zero if violation < zero else violation  # NaN stays
        losses[i] = total


@loop
def _rival_gradients(gradient, labels):
    for i in range(np.uint64(len(gradient))):
        count = gradient.dtype.type(0)
        for k in range(np.uint64(gradient.shape[1])):
            count += gradient[i, k]
        gradient[i, labels[i]] = -count


@loop
def _logistic_losses(scores, targets, losses):
    zero, one = scores.dtype.type(0), scores.dtype.type(1)
    for i in range(np.uint64(scores.size)):
        size = abs(scores[i])
        share = abs((one if scores[i] > zero else zero) - targets[i])
        losses[i] = math.log1p(exp(-size)) + (size * share if share > zero else zero)


@loop
def _logistic_gradients(scores, targets, gradient, share, most):
    one, share, least = scores.dtype.type(1), scores.dtype.type(share), np.finfo(scores.dtype).tiny
    for i in range(np.uint64(scores.size)):
        p = one / (one + exp(most if -scores[i] > most else -scores[i]))
        gradient[i] = ((least if p < least else p) - targets[i]) * share

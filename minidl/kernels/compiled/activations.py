"""Compiled nonlinearities: one pass over the numbers in the order in which they lie in memory."""

import numpy as np

from minidl.kernels.activations import GELU_CUBIC, GELU_FLAT, GELU_LINEAR, SILU_FLAT, largest_exponent
from minidl.kernels.compiled.exponentials import exp
from minidl.kernels.compiled.loops import loop
from minidl.kernels.sharing import shared


def logistic(x):
    (y,) = _over(_logistic, 1, x, most=largest_exponent(x.dtype))
    return y


def logistic_backward(y, dy):
    (dx,) = _over(_logistic_backward, 1, y, dy)
    return dx


def relu_backward(x, dy):
    (dx,) = _over(_relu_backward, 1, x, dy)
    return dx


def tanh_backward(y, dy):
    (dx,) = _over(_tanh_backward, 1, y, dy)
    return dx


def gelu(x):
    return _over(_gelu, 2, x, most=largest_exponent(x.dtype))


def gelu_backward(x, s, dy):
    (dx,) = _over(_gelu_backward, 1, x, s, dy)
    return dx


def silu(x):
    return _over(_silu, 2, x, most=largest_exponent(x.dtype))


def silu_backward(x, s, dy):
    (dx,) = _over(_silu_backward, 1, x, s, dy)
    return dx


def _over(compiled, count, first, *others, **numbers):
    """Call a loop on all numbers of the arrays, and return as many new arrays as `count`, which lie as the first."""
    if first.flags.c_contiguous:
        flat = first.reshape(-1)
        outputs = [np.empty(first.size, first.dtype) for _ in range(count)]
        shared(compiled, *outputs, flat, *(np.ascontiguousarray(a).reshape(-1) for a in others), *numbers.values())
        return tuple(y.reshape(first.shape) for y in outputs)
    flat = first.ravel(order="K")
    if flat.flags.owndata:  # a copy: its numbers did not lie together
        return _over(compiled, count, np.ascontiguousarray(first), *others, **numbers)
    outputs = [np.empty_like(first, subok=False) for _ in range(count)]
    beside = [_beside(a, first) for a in others]
    shared(compiled, *(y.ravel(order="K") for y in outputs), flat, *beside, *numbers.values())
    return tuple(outputs)


def _beside(a, first):
    """The numbers of an array in the order in which those of the first lie."""
    if a.strides != first.strides:
        given, a = a, np.empty_like(first, subok=False)
        np.copyto(a, given)
    return a.ravel(order="K")


@loop
def _logistic(y, x, most):
    one, least = x.dtype.type(1), np.finfo(x.dtype).tiny
    for i in range(np.uint64(x.size)):
        s = one / (one + exp(most if -x[i] > most else -x[i]))
        y[i] = least if s < least else s


@loop
def _logistic_backward(dx, y, dy):
    one = y.dtype.type(1)
    for i in range(np.uint64(y.size)):
        dx[i] = (one - y[i]) * y[i] * dy[i]


@loop
def _relu_backward(dx, x, dy):
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in range(np.uint64(x.size)):
        dx[i] = dy[i] * (one if x[i] > zero else zero)


@loop
def _tanh_backward(dx, y, dy):
    one = y.dtype.type(1)
    for i in range(np.uint64(y.size)):
        dx[i] = (one - y[i] * y[i]) * dy[i]


@loop
def _gelu(y, s, x, most):
    one, least, flat = x.dtype.type(1), np.finfo(x.dtype).tiny, x.dtype.type(GELU_FLAT)
    cubic, linear = x.dtype.type(GELU_CUBIC), x.dtype.type(GELU_LINEAR)
    for i in range(np.uint64(x.size)):
        above = -flat if x[i] < -flat else x[i]
        near = flat if above > flat else above
        power = -((near * near * cubic + one) * near * linear)
        gate = one / (one + exp(most if power > most else power))
        s[i] = least if gate < least else gate
        y[i] = above * s[i]


@loop
def _gelu_backward(dx, x, s, dy):
    one, flat = x.dtype.type(1), x.dtype.type(GELU_FLAT)
    cubic, linear = x.dtype.type(3 * GELU_CUBIC), x.dtype.type(GELU_LINEAR)
    for i in range(np.uint64(x.size)):
        near = -flat if x[i] < -flat else (flat if x[i] > flat else x[i])
        dx[i] = ((near * near * cubic + one) * linear * near * (one - s[i]) + one) * s[i] * dy[i]


@loop
def _silu(y, s, x, most):
    one, least, flat = x.dtype.type(1), np.finfo(x.dtype).tiny, x.dtype.type(SILU_FLAT)
    for i in range(np.uint64(x.size)):
        gate = one / (one + exp(most if -x[i] > most else -x[i]))
        s[i] = least if gate < least else gate
        y[i] = (-flat if x[i] < -flat else x[i]) * s[i]


@loop
def _silu_backward(dx, x, s, dy):
    one, flat = x.dtype.type(1), x.dtype.type(SILU_FLAT)
    for i in range(np.uint64(x.size)):
        near = -flat if x[i] < -flat else (flat if x[i] > flat else x[i])
        dx[i] = ((one - s[i]) * near + one) * s[i] * dy[i]

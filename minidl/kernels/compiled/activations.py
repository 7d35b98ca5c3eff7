"""Compiled nonlinearities: one pass over the numbers in the order in which they lie in memory, in one thread.

A second thread gains nothing, and loses where the matrix library has just used both cores.
"""

import numpy as np

from minidl.kernels import activations as plain
from minidl.kernels.activations import GELU_CUBIC, GELU_FLAT, GELU_LINEAR, SILU_FLAT, largest_exponent
from minidl.kernels.compiled.exponentials import exp, expm1, log1p
from minidl.kernels.compiled.loops import loop


def logistic(x):
    return _one(_logistic, x, numbers=(largest_exponent(x.dtype),))


def logistic_backward(y, dy):
    return _one(_logistic_backward, y, dy)


def tanh_backward(y, dy):
    return _one(_tanh_backward, y, dy)


def relu(x):
    return _one(_relu, x)


def relu_backward(x, dy):
    return _one(_relu_backward, x, dy)


def leaky_relu(x, slope):
    return _one(_leaky_relu, x, numbers=(slope,))


def leaky_relu_backward(x, dy, slope):
    return _one(_leaky_relu_backward, x, dy, numbers=(slope,))


def hard_tanh_backward(x, dy, low, high):
    return _one(_hard_tanh_backward, x, dy, numbers=(low, high))


def elu(x, alpha, scale):
    return _one(_elu, x, numbers=(alpha, scale))


def elu_backward(x, dy, alpha, scale):
    return _one(_elu_backward, x, dy, numbers=(alpha, scale))


def softplus(x, beta):
    return _one(_softplus, x, numbers=(beta,))


def softplus_backward(x, dy, beta):
    return _one(_softplus_backward, x, dy, numbers=(beta, largest_exponent(x.dtype)))


def gelu(x):
    return _two(_gelu, x, numbers=(largest_exponent(x.dtype),))


def gelu_backward(x, s, dy):
    return _one(_gelu_backward, x, s, dy)


def silu(x):
    return _two(_silu, x, numbers=(largest_exponent(x.dtype),))


def silu_backward(x, s, dy):
    return _one(_silu_backward, x, s, dy)


def drop_out(x, numbers, bound, scale):
    if numbers.strides != x.strides:  # a turned copy of the numbers would cost what the loop gains
        return plain.drop_out.plain(x, numbers, bound, scale)
    bound = numbers.dtype.type(bound) if numbers.dtype.kind == "f" else np.uint64(bound)  # which may be 2^32
    return _two(_drop_out, x, numbers, numbers=(bound, scale))


def _one(compiled, *arrays, numbers=()):
    """What a loop leaves in a new array that lies in memory as the first."""
    y = np.empty_like(arrays[0], subok=False)
    _over(compiled, (y,), arrays, numbers)
    return y


def _two(compiled, *arrays, numbers=()):
    y, s = np.empty_like(arrays[0], subok=False), np.empty_like(arrays[0], subok=False)
    _over(compiled, (y, s), arrays, numbers)
    return y, s


def _over(compiled, outputs, arrays, numbers):
    """Call a loop on all numbers of the arrays, in the order in which those of the outputs lie in memory."""
    strides = outputs[0].strides
    vectors = [y.ravel(order="K") for y in outputs]
    for given in arrays:
        a = np.asarray(given)  # a gradient may be a list
        if a.strides != strides:  # no view has its numbers in that order
            a = np.empty_like(outputs[0], dtype=a.dtype)
            np.copyto(a, given)
        vectors.append(a.ravel(order="K"))
    compiled(*vectors, *numbers)


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


@loop
def _relu(y, x):
    zero = x.dtype.type(0)
    for i in range(np.uint64(x.size)):
        y[i] = zero if x[i] <= zero else x[i]  # NaN stays


@loop
def _leaky_relu(y, x, slope):
    zero, slope = x.dtype.type(0), x.dtype.type(slope)
    for i in range(np.uint64(x.size)):
        y[i] = (zero if x[i] > zero else x[i]) * slope + (zero if x[i] < zero else x[i])


@loop
def _leaky_relu_backward(dx, x, dy, slope):
    zero, one, slope = x.dtype.type(0), x.dtype.type(1), x.dtype.type(slope)
    for i in range(np.uint64(x.size)):
        below, above = one if x[i] <= zero else zero, one if x[i] > zero else zero  # neither for NaN
        dx[i] = dy[i] * below * slope + dy[i] * above


@loop
def _hard_tanh_backward(dx, x, dy, low, high):
    zero, one, low, high = x.dtype.type(0), x.dtype.type(1), x.dtype.type(low), x.dtype.type(high)
    for i in range(np.uint64(x.size)):
        dx[i] = dy[i] * (one if (x[i] > low) & (x[i] < high) else zero)


@loop
def _elu(y, x, alpha, scale):
    zero, alpha, scale = x.dtype.type(0), x.dtype.type(alpha), x.dtype.type(scale)
    for i in range(np.uint64(x.size)):
        below, above = zero if x[i] > zero else x[i], zero if x[i] < zero else x[i]
        y[i] = (expm1(below) * alpha + above) * scale


@loop
def _elu_backward(dx, x, dy, alpha, scale):
    zero, one, alpha, scale = x.dtype.type(0), x.dtype.type(1), x.dtype.type(alpha), x.dtype.type(scale)
    for i in range(np.uint64(x.size)):
        slope = exp(zero if x[i] > zero else x[i]) * alpha
        dx[i] = dy[i] * ((one if x[i] > zero else slope) * scale)


@loop
def _softplus(y, x, beta):
    zero, beta = x.dtype.type(0), x.dtype.type(beta)
    for i in range(np.uint64(x.size)):
        y[i] = log1p(exp(-beta * abs(x[i]))) / beta + (zero if x[i] < zero else x[i])


@loop
def _softplus_backward(dx, x, dy, beta, most):
    one, beta, least = x.dtype.type(1), x.dtype.type(beta), np.finfo(x.dtype).tiny
    for i in range(np.uint64(x.size)):
        power = -(beta * x[i])
        slope = one / (one + exp(most if power > most else power))
        dx[i] = dy[i] * (least if slope < least else slope)


@loop
def _drop_out(y, m, x, numbers, bound, scale):
    zero, scale = x.dtype.type(0), x.dtype.type(scale)
    for i in range(np.uint64(x.size)):
        m[i] = scale if numbers[i] >= bound else zero
        y[i] = x[i] * m[i]

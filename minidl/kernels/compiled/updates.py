"""Compiled updates: one pass over the vectors, shared between threads where they are long."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minidl.kernels.compiled.loops import exact_loop, loop
from minidl.kernels.sharing import shared


def _update(compiled: Callable[..., None]) -> Callable[..., None]:
    def update(*arguments: Any) -> None:
        shared(compiled, *arguments)

    return update


@_update
@loop
def sgd_update(w, g, lr):
    lr = w.dtype.type(lr)
    for i in range(np.uint64(w.size)):
        w[i] -= lr * g[i]


@_update
@loop
def momentum_update(w, g, v, momentum, lr):
    momentum, lr = w.dtype.type(momentum), w.dtype.type(lr)
    for i in range(np.uint64(w.size)):
        v[i] = momentum * v[i] + g[i]
        w[i] -= lr * v[i]


@_update
@loop
def nesterov_update(w, g, v, momentum, lr):
    momentum, lr = w.dtype.type(momentum), w.dtype.type(lr)
    for i in range(np.uint64(w.size)):
        v[i] = momentum * v[i] + g[i]
        w[i] -= lr * (momentum * v[i] + g[i])


@_update
@loop
def adam_update(w, g, M, V, beta1, beta2, eps, rate):
    beta1, beta2, eps, rate = w.dtype.type(beta1), w.dtype.type(beta2), w.dtype.type(eps), w.dtype.type(rate)
    for i in range(np.uint64(w.size)):
        M[i] = beta1 * M[i] + g[i]
        V[i] = beta2 * V[i] + g[i] * g[i]
        w[i] -= rate * (M[i] / (np.sqrt(V[i]) + eps))


@_update
@loop
def nadam_update(w, g, M, V, beta1, beta2, eps, rate, ahead):
    beta1, beta2, eps = w.dtype.type(beta1), w.dtype.type(beta2), w.dtype.type(eps)
    rate, ahead = w.dtype.type(rate), w.dtype.type(ahead)
    for i in range(np.uint64(w.size)):
        M[i] = beta1 * M[i] + g[i]
        V[i] = beta2 * V[i] + g[i] * g[i]
        w[i] -= (ahead * M[i] + rate * g[i]) / (np.sqrt(V[i]) + eps)


@_update
@loop
def rmsprop_update(w, g, V, rho, eps, rate):
    rho, eps, rate = w.dtype.type(rho), w.dtype.type(eps), w.dtype.type(rate)
    for i in range(np.uint64(w.size)):
        V[i] = rho * V[i] + g[i] * g[i]
        w[i] -= rate * (g[i] / (np.sqrt(V[i]) + eps))


@_update
@loop
def adadelta_update(w, g, V, D, rho, eps, lr):
    fresh = w.dtype.type(1 - rho)
    rho, eps, lr = w.dtype.type(rho), w.dtype.type(eps), w.dtype.type(lr)
    for i in range(np.uint64(w.size)):
        V[i] = rho * V[i] + fresh * (g[i] * g[i])
        d = g[i] * np.sqrt((D[i] + eps) / (V[i] + eps))
        D[i] = rho * D[i] + fresh * (d * d)
        w[i] -= lr * d


@_update
@exact_loop  # the sign of a sum that is 0 in one form and not in the other would move w by the whole rate
def lion_update(w, g, m, beta1, beta2, lr):
    share, fresh = w.dtype.type(beta1 / (1 - beta1)), w.dtype.type(1 - beta2)
    beta2, lr = w.dtype.type(beta2), w.dtype.type(lr)
    for i in range(np.uint64(w.size)):
        w[i] -= lr * np.sign(share * m[i] + g[i])
        m[i] = beta2 * m[i] + fresh * g[i]

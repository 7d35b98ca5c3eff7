"""The updates of the optimizers: each moves w (n,) in place, given its gradient g and what the rule remembers.

In both forms a number is moved by itself, so that no partition of the vectors changes a bit. The forms differ by the
roundings of the sums and products in the formula: 4 units in the last place of the largest term of each sum.
"""

import numpy as np

from minidl.kernels.blocks import blocks
from minidl.kernels.forms import Kernel
from minidl.parameters import Array


@Kernel
def sgd_update(w: Array, g: Array, lr: float) -> None:
    """w <- w - lr g."""
    for w, g, s in blocks(w, g):
        w -= np.multiply(g, lr, out=s)


@Kernel
def momentum_update(w: Array, g: Array, v: Array, momentum: float, lr: float) -> None:
    """v <- momentum v + g,  w <- w - lr v."""
    for w, g, v, s in blocks(w, g, v):
        v *= momentum
        v += g
        w -= np.multiply(v, lr, out=s)


@Kernel
def nesterov_update(w: Array, g: Array, v: Array, momentum: float, lr: float) -> None:
    """v <- momentum v + g,  w <- w - lr (momentum v + g)."""
    for w, g, v, s in blocks(w, g, v):
        v *= momentum
        v += g
        np.multiply(v, momentum, out=s)
        s += g
        s *= lr
        w -= s


@Kernel
def adam_update(w: Array, g: Array, M: Array, V: Array, beta1: float, beta2: float, eps: float, rate: float) -> None:
    """M <- beta1 M + g,  V <- beta2 V + g^2,  w <- w - rate M / (sqrt(V) + eps)."""
    for w, g, M, V, s in blocks(w, g, M, V):
        M *= beta1
        M += g
        V *= beta2
        V += np.multiply(g, g, out=s)
        np.sqrt(V, out=s)
        s += eps
        np.divide(M, s, out=s)
        s *= rate
        w -= s


@Kernel
def nadam_update(
    w: Array, g: Array, M: Array, V: Array, beta1: float, beta2: float, eps: float, rate: float, ahead: float
) -> None:
    """M <- beta1 M + g,  V <- beta2 V + g^2,  w <- w - (ahead M + rate g) / (sqrt(V) + eps)."""
    for w, g, M, V, s in blocks(w, g, M, V):
        M *= beta1
        M += g
        V *= beta2
        V += np.multiply(g, g, out=s)
        n = M * ahead
        n += np.multiply(g, rate, out=s)
        np.sqrt(V, out=s)
        s += eps
        np.divide(n, s, out=s)
        w -= s


@Kernel
def rmsprop_update(w: Array, g: Array, V: Array, rho: float, eps: float, rate: float) -> None:
    """V <- rho V + g^2,  w <- w - rate g / (sqrt(V) + eps)."""
    for w, g, V, s in blocks(w, g, V):
        V *= rho
        V += np.multiply(g, g, out=s)
        np.sqrt(V, out=s)
        s += eps
        np.divide(g, s, out=s)
        s *= rate
        w -= s


@Kernel
def adadelta_update(w: Array, g: Array, V: Array, D: Array, rho: float, eps: float, lr: float) -> None:
    """V <- rho V + (1 - rho) g^2,  d = g sqrt((D + eps) / (V + eps)),  D <- rho D + (1 - rho) d^2,  w <- w - lr d."""
    fresh = 1 - rho
    for w, g, V, D, s in blocks(w, g, V, D):
        V *= rho
        np.multiply(g, g, out=s)
        s *= fresh
        V += s
        ratio = D + eps
        ratio /= np.add(V, eps, out=s)
        np.sqrt(ratio, out=s)
        s *= g  # d
        np.multiply(s, s, out=ratio)
        ratio *= fresh
        D *= rho
        D += ratio
        s *= lr
        w -= s


@Kernel
def lion_update(w: Array, g: Array, m: Array, beta1: float, beta2: float, lr: float) -> None:
    """w <- w - lr sign(beta1 / (1 - beta1) m + g),  m <- beta2 m + (1 - beta2) g."""
    share = beta1 / (1 - beta1)  # the sign of share m + g is that of the average
    for w, g, m, s in blocks(w, g, m):
        np.multiply(m, share, out=s)
        s += g
        np.sign(s, out=s)
        s *= lr
        w -= s
        m *= beta2
        m += np.multiply(g, 1 - beta2, out=s)

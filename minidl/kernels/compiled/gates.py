"""Compiled time steps: one pass over the gates. In float64, where tanh is not arithmetic here, NumPy takes it."""

import numpy as np

from minidl.kernels import gates as plain
from minidl.kernels.compiled.loops import loop

ONE, HALF = np.float32(1), np.float32(0.5)
FLAT = np.float32(9.010914)  # from which on tanh is 1 in float32


def lstm_step(a, c, c_next, squashed, h_next):
    if a.dtype != np.float32 or not _whole(a, c, c_next, squashed, h_next):
        plain.lstm_step.plain(a, c, c_next, squashed, h_next)
    else:
        _lstm_step(a, c, c_next, squashed, h_next)


def lstm_step_backward(gates, c, squashed, dh, dc, da):
    if _whole(dc, da):
        gates, c, squashed, dh = (np.ascontiguousarray(a) for a in (gates, c, squashed, dh))
        _lstm_step_backward(gates, c, squashed, dh, dc, da)
    else:
        plain.lstm_step_backward.plain(gates, c, squashed, dh, dc, da)


def gru_step(a, h, h_next):
    if a.dtype != np.float32 or not _whole(a, h, h_next):
        plain.gru_step.plain(a, h, h_next)
    else:
        _gru_step(a, h, h_next)


def gru_step_backward(gates, h, dh, da):
    if not _whole(da):
        return plain.gru_step_backward.plain(gates, h, dh, da)
    gates, h, dh = (np.ascontiguousarray(a) for a in (gates, h, dh))
    around = np.empty_like(da[: len(h)])
    _gru_step_backward(gates, h, dh, da, around)
    return around


def _whole(*arrays):
    """Whether each is one piece of memory that a loop may write into."""
    return all(a.flags.c_contiguous for a in arrays)


@loop
def _tanh(x):
    # A fraction of polynomials, which is that of Eigen; x as a factor of its own keeps signed zeros and denormals.
    near = -FLAT if x < -FLAT else (FLAT if x > FLAT else x)
    s = near * near
    p = np.float32(-2.76076847742355e-16)
    p = p * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    y = near * (p / q)
    return -ONE if y < -ONE else (ONE if y > ONE else y)


@loop
def _lstm_step(a, c, c_next, squashed, h_next):
    flat, size = a.reshape(a.size), np.uint64(c.size)
    i, f, o, g = flat[: c.size], flat[c.size : 2 * c.size], flat[2 * c.size : 3 * c.size], flat[3 * c.size :]
    before, after, t, h = c.reshape(c.size), c_next.reshape(c.size), squashed.reshape(c.size), h_next.reshape(c.size)
    for k in range(size):
        i[k] = HALF * _tanh(i[k]) + HALF
        f[k] = HALF * _tanh(f[k]) + HALF
        o[k] = HALF * _tanh(o[k]) + HALF
        g[k] = _tanh(g[k])
        after[k] = f[k] * before[k] + i[k] * g[k]
        t[k] = _tanh(after[k])
        h[k] = o[k] * t[k]


@loop
def _lstm_step_backward(gates, c, squashed, dh, dc, da):
    size, one = np.uint64(c.size), gates.dtype.type(1)
    flat, d = gates.reshape(gates.size), da.reshape(da.size)
    i, f, o, g = flat[: c.size], flat[c.size : 2 * c.size], flat[2 * c.size : 3 * c.size], flat[3 * c.size :]
    di, df, do, dg = d[: c.size], d[c.size : 2 * c.size], d[2 * c.size : 3 * c.size], d[3 * c.size :]
    before, t, up, carry = c.reshape(c.size), squashed.reshape(c.size), dh.reshape(c.size), dc.reshape(c.size)
    for k in range(size):
        change = carry[k] + (one - t[k] * t[k]) * up[k] * o[k]
        di[k] = change * g[k] * (i[k] - i[k] * i[k])
        df[k] = change * before[k] * (f[k] - f[k] * f[k])
        do[k] = up[k] * t[k] * (o[k] - o[k] * o[k])
        dg[k] = change * i[k] * (one - g[k] * g[k])
        carry[k] = change * f[k]


@loop
def _gru_step(a, h, h_next):
    flat, size = a.reshape(a.size), np.uint64(h.size)
    r, z, g, u = flat[: h.size], flat[h.size : 2 * h.size], flat[2 * h.size : 3 * h.size], flat[3 * h.size :]
    before, after = h.reshape(h.size), h_next.reshape(h.size)
    for k in range(size):
        r[k] = HALF * _tanh(r[k]) + HALF
        z[k] = HALF * _tanh(z[k]) + HALF
        g[k] = _tanh(g[k] + r[k] * u[k])
        after[k] = (before[k] - g[k]) * z[k] + g[k]


@loop
def _gru_step_backward(gates, h, dh, da, around):
    size, one = np.uint64(h.size), gates.dtype.type(1)
    flat, d = gates.reshape(gates.size), da.reshape(da.size)
    r, z, g, u = flat[: h.size], flat[h.size : 2 * h.size], flat[2 * h.size : 3 * h.size], flat[3 * h.size :]
    dr, dz, dg, du = d[: h.size], d[h.size : 2 * h.size], d[2 * h.size : 3 * h.size], d[3 * h.size :]
    before, up, rest = h.reshape(h.size), dh.reshape(h.size), around.reshape(h.size)
    for k in range(size):
        rest[k] = up[k] * z[k]
        dz[k] = (before[k] - g[k]) * up[k] * (z[k] - z[k] * z[k])
        dg[k] = (up[k] - rest[k]) * (one - g[k] * g[k])
        dr[k] = dg[k] * u[k] * (r[k] - r[k] * r[k])
        du[k] = dg[k] * r[k]

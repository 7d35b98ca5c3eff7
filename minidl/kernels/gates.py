"""The element-wise part of one time step of LSTM and GRU, ahead and back.

Arrays are (rows, n) with a column for each sample, and those of gates have m rows a gate. A sigmoid comes as half of
its argument, s(a) = (1 + tanh(a / 2)) / 2, so that one tanh serves all gates.

The forms differ by the roundings of tanh and of the sums and products in the formula: 8 units in the last place of 1
for a gate, of the largest term of a sum for what follows.
"""

import numpy as np

from minidl.kernels.forms import Kernel
from minidl.parameters import Array


@Kernel
def lstm_step(a: Array, c: Array, c_next: Array, squashed: Array, h_next: Array) -> None:
    """[i f o g] = tanh(a), where i, f and o become sigmoids,  c' = f c + i g,  h' = o tanh(c').

    `a` becomes [i f o g], the last three arrays c', tanh(c') and h'.
    """
    m = len(c)
    np.tanh(a, out=a)
    _to_sigmoid(a[: 3 * m])
    np.multiply(a[m : 2 * m], c, out=c_next)
    np.multiply(a[:m], a[3 * m :], out=squashed)
    c_next += squashed
    np.tanh(c_next, out=squashed)
    np.multiply(a[2 * m : 3 * m], squashed, out=h_next)


@Kernel
def lstm_step_backward(gates: Array, c: Array, squashed: Array, dh: Array, dc: Array, da: Array) -> None:
    """dc' = dc + dh o (1 - tanh(c')^2),  d[i f o g] = [dc' g, dc' c, dh tanh(c'), dc' i] before the gates' slopes.

    `da` becomes the gradient before tanh and sigmoid, and `dc` that of c, which is dc' f.
    """
    m = len(dc)
    change: Array = np.square(squashed)
    np.subtract(1, change, out=change)
    change *= dh
    change *= gates[2 * m : 3 * m]
    dc += change
    np.multiply(dc, gates[3 * m :], out=da[:m])
    np.multiply(dc, c, out=da[m : 2 * m])
    np.multiply(dh, squashed, out=da[2 * m : 3 * m])
    np.multiply(dc, gates[:m], out=da[3 * m :])
    da *= _slopes(gates, 3 * m)
    dc *= gates[m : 2 * m]


@Kernel
def gru_step(a: Array, h: Array, h_next: Array) -> None:
    """[r z] = sigmoids,  g' = tanh(g + r u),  h' = (1 - z) g' + z h; `a`, [r z g u] before, becomes [r z g' u]."""
    m = len(h)
    gates, g = a[: 2 * m], a[2 * m : 3 * m]
    np.tanh(gates, out=gates)
    _to_sigmoid(gates)
    g += a[:m] * a[3 * m :]
    np.tanh(g, out=g)
    np.subtract(h, g, out=h_next)
    h_next *= a[m : 2 * m]
    h_next += g


@Kernel
def gru_step_backward(gates: Array, h: Array, dh: Array, da: Array) -> Array:
    """dg = dh (1 - z) (1 - g^2),  d[r z g u] = [dg u, dh (h - g), dg, dg r] before the slopes of r and z.

    `da` becomes that; returns dh z, what goes to h by no product.
    """
    m = len(h)
    r, z, g, u = gates[:m], gates[m : 2 * m], gates[2 * m : 3 * m], gates[3 * m :]
    around: Array = dh * z
    np.subtract(h, g, out=da[m : 2 * m])
    da[m : 2 * m] *= dh
    np.subtract(dh, around, out=da[2 * m : 3 * m])
    slope = _slopes(gates[: 3 * m], 2 * m)
    da[m : 3 * m] *= slope[m:]
    np.multiply(da[2 * m : 3 * m], u, out=da[:m])
    da[:m] *= slope[:m]
    np.multiply(da[2 * m : 3 * m], r, out=da[3 * m :])
    return around


def _to_sigmoid(tanh_of_half: Array) -> None:
    """Turn tanh(a / 2) into sigmoid(a), in place."""
    tanh_of_half *= 0.5
    tanh_of_half += 0.5


def _slopes(gates: Array, sigmoids: int) -> Array:
    """The derivatives s (1 - s) of the first rows, which are sigmoids, and 1 - g^2 of the others, which are tanh."""
    slope: Array = np.square(gates)
    np.subtract(gates[:sigmoids], slope[:sigmoids], out=slope[:sigmoids])
    np.subtract(1, slope[sigmoids:], out=slope[sigmoids:])
    return slope

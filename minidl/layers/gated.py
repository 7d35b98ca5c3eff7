"""LSTM and GRU: recurrence through gates.

A gate is a sigmoid, s = 1 / (1 + exp(-a)) = (1 + tanh(a / 2)) / 2, with ds = s (1 - s) da. So the rows of the gates are
halved in A, one tanh serves every row of a step, and what it leaves in the first rows becomes s.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

import numpy as np

from minidl.arguments import check_number
from minidl.frozen import frozen
from minidl.initializers import glorot_uniform, zeros
from minidl.kernels.gates import gru_step, gru_step_backward, lstm_step, lstm_step_backward
from minidl.layers.recurrence import ORTHOGONAL, Recurrence
from minidl.parameters import Array, Floats, Initializer, Parameter


class LSTM(Recurrence):
    """Long short-term memory: (n, time, in_features) -> (n, time, features), all h_t, from h_0 = c_0 = 0.

    With * element by element:

        [i f o] = sigmoid(x_t [W_i W_f W_o] + h_(t-1) [U_i U_f U_o] + [b_i b_f b_o])    input, forget and output gate
              g = tanh(x_t W_g + h_(t-1) U_g + b_g)
            c_t = f * c_(t-1) + i * g
            h_t = o * tanh(c_t)

    `weight` is [W_i W_f W_o W_g], (in_features, 4 features), in this order; `recurrent` and `bias` likewise.

    Args:
        in_features, features: widths of x and h.
        last: True returns the last step only, (n, features).
        forget_bias: where b_f starts, so that cells keep what they hold at first; the other biases start at 0.
        weight_init: initializer of each W, shape (in_features, features).
        recurrent_init: initializer of each U, shape (features, features).

    Biases are not decayed. x of another width, dtype or without a step raises ShapeError. Backward goes through all
    steps.

    Source: Hochreiter and Schmidhuber, Neural Computation 9, 1997; Gers, Schmidhuber and Cummins, Neural Computation
    12, 2000, for the forget gate; Jozefowicz, Zaremba and Sutskever, ICML 2015, for its bias.

    >>> x = np.zeros((2, 5, 3), np.float32)
    >>> LSTM(3, 4).build(seed=0).forward(x).shape, LSTM(3, 4, last=True).build(seed=0).forward(x).shape
    ((2, 5, 4), (2, 4))
    """

    gates, halved_gates = 4, 3

    def __init__(
        self,
        in_features: int,
        features: int,
        *,
        last: bool = False,
        forget_bias: float = 1.0,
        weight_init: Initializer = glorot_uniform,
        recurrent_init: Initializer = ORTHOGONAL,
    ) -> None:
        super().__init__(in_features, features, last=last, weight_init=weight_init, recurrent_init=recurrent_init)
        self.bias.init = _ForgetBias(check_number("forget_bias", forget_bias))

    def begin(self, time: int, n: int) -> None:
        """The cells c_t, and tanh(c_t) of every step."""
        self.cells = np.zeros((time + 1, self.features, n), self.products.dtype)
        self.squashed = np.empty((time, self.features, n), self.products.dtype)

    def ahead(self, t: int, a: Array, h: Array, after: Array) -> None:
        """c_t and h_t; `a` becomes [i f o g]."""
        lstm_step(a, self.cells[t], self.cells[t + 1], self.squashed[t], after)

    def back(self, t: int, dh: Array, da: Array) -> None:
        """dc += dh o (1 - tanh(c_t)^2), then d[i f o g] = [dc g, dc c_(t-1), dh tanh(c_t), dc i], and dc f stays."""
        if t == len(self.products) - 1:
            self.dc = np.zeros_like(self.squashed[t])
        lstm_step_backward(self.products[t], self.cells[t], self.squashed[t], dh, self.dc, da)


class GRU(Recurrence):
    """Gated recurrent unit: (n, time, in_features) -> (n, time, features), all h_t, from h_0 = 0.

    With * element by element:

        [r z] = sigmoid(x_t [W_r W_z] + h_(t-1) [U_r U_z] + [b_r b_z])                 reset and update gate
            g = tanh(x_t W_g + b_g + r * (h_(t-1) U_g + b_u))
          h_t = (1 - z) * g + z * h_(t-1)

    The reset gate acts behind the product with U_g, as in cuDNN, PyTorch and Keras, so that the products of all gates
    are one; the first paper has it before. `weight` is [W_r W_z W_g], (in_features, 3 features), in this order;
    `recurrent` and `bias` likewise; `reset_bias` is b_u, (features,).

    Args:
        in_features, features: widths of x and h.
        last: True returns the last step only, (n, features).
        weight_init: initializer of each W, shape (in_features, features).
        recurrent_init: initializer of each U, shape (features, features).

    Biases start at 0 and are not decayed. x of another width, dtype or without a step raises ShapeError. Backward goes
    through all steps.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    EMNLP 2014.

    >>> x = np.zeros((2, 5, 3), np.float32)
    >>> GRU(3, 4).build(seed=0).forward(x).shape, GRU(3, 4, last=True).build(seed=0).forward(x).shape
    ((2, 5, 4), (2, 4))
    """

    gates, halved_gates = 3, 2

    def __init__(
        self,
        in_features: int,
        features: int,
        *,
        last: bool = False,
        weight_init: Initializer = glorot_uniform,
        recurrent_init: Initializer = ORTHOGONAL,
    ) -> None:
        super().__init__(in_features, features, last=last, weight_init=weight_init, recurrent_init=recurrent_init)
        self.reset_bias = Parameter((features,), zeros, decay=False)

    def product(self, *, halved: bool = False) -> Floats:
        """A with the rows [r z g u], where g is what x does to the candidate, and u what h does."""
        A, m, width = super().product(halved=halved), self.features, self.in_features
        u = np.zeros_like(A[:m])
        u[:, width:-1], u[:, -1] = A[2 * m :, width:-1], self.reset_bias.value
        A[2 * m :, width:-1] = 0
        return np.concatenate([A, u])

    def hand_out(self, dA: Floats) -> None:
        """Set the gradients of the parameters, given that of A."""
        m, width = self.features, self.in_features
        self.reset_bias.grad = dA[3 * m :, -1]
        dA[2 * m : 3 * m, width:-1] = dA[3 * m :, width:-1]
        super().hand_out(dA[: 3 * m])

    def ahead(self, t: int, a: Array, h: Array, after: Array) -> None:
        """h_t; `a` becomes [r z g u]."""
        gru_step(a, h, after)

    def back(self, t: int, dh: Array, da: Array) -> Array:
        """dg = dh (1 - z) (1 - g^2),  d[r z u] = [dg u, dh (h_(t-1) - g), dg r] before the slopes of r and z."""
        return gru_step_backward(self.products[t], self.inputs[t, self.in_features : -1], dh, da)


@frozen
class _ForgetBias:
    """The start of the bias of an LSTM: 0 but for the forget gate, the second of four."""

    value: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.repeat([0.0, self.value, 0.0, 0.0], shape[0] // 4)

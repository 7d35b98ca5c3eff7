"""Gradients through time, and through queries, keys and values."""

import numpy as np

from minidl.initializers import normal
from minidl.layers import GRU, LSTM, RNN, Layer, SelfAttention
from minidl.layers.activations import sigmoid, softmax
from minidl.parameters import Parameter
from tests.corpus.items import Shelf
from tests.corpus.wrong.bases import Attention, Recurrence

SHELF = Shelf()


@SHELF.layer(shape=("n", 4, 2))
class RNNTruncated(Recurrence):
    """The carried gradient is dropped between steps 1 and 0: t > 1 where t > 0 is meant."""

    def carries(self, t):
        return t > 1


@SHELF.layer(shape=("n", 3, 2))
class RNNCurrentState(Recurrence):
    """DU pairs the state after the step, not before it, with dz."""

    def state_for(self, t):
        return self.h[t + 1]


@SHELF.layer(shape=("n", 3, 2))
class GRUResetMissing(Layer):
    """h' = (1 - z) h + z tanh(x + (r h) U) with gates z, r of x: the path through r is missing in dx."""

    def __init__(self):
        self.u = Parameter((2, 2), normal(0.7))

    def forward(self, x):
        self.x, self.s = x, []
        h = np.zeros((len(x), 2), x.dtype)
        for t in range(3):
            z = sigmoid(x[:, t])
            r = sigmoid(-x[:, t])
            c = np.tanh(x[:, t] + (r * h) @ self.u.value)
            self.s.append((h, z, r, c))
            h = (1 - z) * h + z * c
        return h

    def backward(self, dy):
        dh, du, dx = dy.copy(), 0 * self.u.value, np.zeros_like(self.x)
        for t in reversed(range(3)):
            h, z, r, c = self.s[t]
            dc = dh * z * (1 - c * c)
            du += (r * h).T @ dc
            drh = dc @ self.u.value.T
            dx[:, t] = dc + dh * (c - h) * z * (1 - z)  # missing: - drh * h * r (1 - r)
            dh = dh * (1 - z) + drh * r
        self.u.grad = du
        return dx


@SHELF.layer(shape=("n", 3, 2))
class AttentionKeysMissing(Attention):
    """softmax(x x^T) x: the path through the keys is missing in dx."""

    def backward(self, dy):
        dv, ds = self.parts(dy)
        return dv + ds @ self.x


@SHELF.layer(shape=("n", 3, 2))
class AttentionScaleOnce(Attention):
    """The factor 1/sqrt(d) is missing for the queries, present for the keys."""

    def backward(self, dy):
        dv, ds = self.parts(dy)
        return dv + ds @ self.x / self.k + ds.transpose(0, 2, 1) @ self.x


@SHELF.layer(shape=("n", 3, 2))
class AttentionCausalLeak(Attention):
    """Masked weights are set to 0 after the softmax, and backward takes them for a softmax."""

    def weights(self, s):
        return softmax(s) * np.tri(3, dtype=s.dtype)


@SHELF.layer(shape=("n", 3, 2))
class RNNLastForEveryStep(RNN):
    """The last step is returned, and its gradient handed to every step."""

    def __init__(self):
        super().__init__(2, 2)

    def forward(self, x):
        return super().forward(x)[:, -1]

    def output_shape(self, shape):
        return (2,)

    def backward(self, dy):
        return super().backward(np.repeat(dy[:, None], 3, axis=1))


@SHELF.layer(shape=("n", "time", 2))
class RNNStepsBackwards(RNN):
    """The gradients of the steps come back in the order in which they were computed: the last one first."""

    def __init__(self):
        super().__init__(2, 2)

    def backward(self, dy):
        return super().backward(dy)[:, ::-1].copy()


@SHELF.layer(shape=("n", 6, 2))
class RNNFirstSteps(RNN):
    """Backward through time stops after four steps, in a sequence of any length."""

    def __init__(self):
        super().__init__(2, 2)

    def back(self, t, dh, da):
        if len(self.products) - t > 4:
            dh = np.zeros_like(dh)
        super().back(t, dh, da)


@SHELF.layer(shape=("n", "time", 2))
class LSTMCellNotCarried(LSTM):
    """What the cell hands to the step before is dropped; only h goes back through time."""

    def __init__(self):
        super().__init__(2, 2)

    def back(self, t, dh, da):
        super().back(t, dh, da)
        self.dc[...] = 0


@SHELF.layer(shape=("n", "time", 2))
class LSTMGatesInTorchsOrder(LSTM):
    """Forward has [i f o g], backward hands the gradients out as [i f g o]."""

    def __init__(self):
        super().__init__(2, 2)

    def hand_out(self, dA):
        super().hand_out(np.concatenate([dA[:4], dA[6:], dA[4:6]]))


@SHELF.layer(shape=("n", "time", 2))
class GRUStateNotCarried(GRU):
    """z h_(t-1) is a way back through time, too, which is forgotten."""

    def __init__(self):
        super().__init__(2, 2)

    def back(self, t, dh, da):
        super().back(t, dh, da)


@SHELF.layer(shape=("n", "time", 4))
class AttentionHeadsMixed(SelfAttention):
    """The gradients of the heads are joined as (columns, heads), where (heads, columns) is meant."""

    def __init__(self):
        super().__init__(4, 2)

    def _cut(self, rows):
        if rows.shape[2] == 4 or not hasattr(self, "backwards"):
            return super()._cut(rows)
        n, time, _ = rows.shape
        return rows.reshape(n, time, 3, 2, 2).transpose(2, 0, 4, 1, 3)

    def backward(self, dy):
        self.backwards = True
        try:
            return super().backward(dy)
        finally:
            del self.backwards


@SHELF.layer(shape=("n", "time", 2))
class AttentionMaskOffByOne(SelfAttention):
    """Forward lets a place look at itself, backward masks it as well."""

    def __init__(self):
        super().__init__(2, causal=True)

    def backward(self, dy):
        e = self.e
        self.e = e * np.tri(e.shape[2], k=-1, dtype=e.dtype)
        try:
            return super().backward(dy)
        finally:
            self.e = e


@SHELF.layer(shape=("n", "time", 2))
class AttentionSumsOfColumns(SelfAttention):
    """The product rule of the softmax subtracts the sums over the places that look, not over those looked at."""

    def __init__(self):
        super().__init__(2)

    def backward(self, dy):
        do = self.backward_of(self.output, dy)[:, None]
        a = self.weights
        da = do @ self.v.swapaxes(2, 3)
        ds = a * (da - (a * da).sum(axis=2, keepdims=True)) * self.scale
        dq, dk, dv = ds @ self.k, ds.swapaxes(2, 3) @ self.q / self.scale, a.swapaxes(2, 3) @ do
        return self.backward_of(self.projection, np.concatenate([dq, dk, dv], axis=3)[:, 0])

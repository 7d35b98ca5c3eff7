"""Recurrence: what layers that go through time share, and RNN, the simplest of them."""

from abc import abstractmethod

import numpy as np

from minidl.arguments import check_flag, check_integer
from minidl.initializers import blocks, glorot_uniform, orthogonal, zeros
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, ShapeError, check_input, fitting
from minidl.parameters import Array, Floats, Initializer, Parameter
from minidl.quiet import quiet

ORTHOGONAL = orthogonal()


class Recurrence(Layer):
    """h_t = f(x_t, h_(t-1)) for t = 1 ... time, from h_0 = 0: (n, time, in_features) -> (n, time, features).

    With A = [W^T U^T b], the rows of all gates below each other, a step is one product of A and [x_t; h_(t-1); 1], in
    which every sample is a column. So the rows of a gate are one piece of memory. A class below states in `ahead` what
    a step makes of its product a_t, and in `back` what the gradient of a_t is; all else stands here.
    """

    gates: int
    halved_gates: int

    def __init__(
        self,
        in_features: int,
        features: int,
        *,
        last: bool = False,
        weight_init: Initializer = glorot_uniform,
        recurrent_init: Initializer = ORTHOGONAL,
    ) -> None:
        self.in_features = check_integer("in_features", in_features, minimum=1)
        self.features = check_integer("features", features, minimum=1)
        self.last = check_flag("last", last)
        self.weight = Parameter((in_features, self.gates * features), blocks(weight_init, self.gates))
        self.recurrent = Parameter((features, self.gates * features), blocks(recurrent_init, self.gates))
        self.bias = Parameter((self.gates * features,), zeros, decay=False)

    @abstractmethod
    def ahead(self, t: int, a: Array, h: Array, after: Array) -> None:
        """Write h_(t+1) into `after`, given the product `a` of step t, which stays as it is left, and h_t."""

    @abstractmethod
    def back(self, t: int, dh: Array, da: Array) -> Array | None:
        """Write the gradient of the product of step t into `da`, given that of h_(t+1).

        Returns what of dh goes to h_t by another way than the product, if anything.
        """

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(time, features), or (features,) for the last step only, if the input rows are in_features wide."""
        time, _ = fitting(self, shape, (None, self.in_features))
        return (self.features,) if self.last else (time, self.features)

    @quiet
    def forward(self, x: Array) -> Array:
        """Return h_t for all t, or that of the last one."""
        check_input(self, x, (None, self.in_features), self.bias.value.dtype)
        n, time, width = x.shape
        if not time:
            raise ShapeError(f"expected at least one time step, received x.shape={x.shape}: leave {self!r} out")
        A = self.product(halved=True)
        self.inputs = np.zeros((time + 1, A.shape[1], n), x.dtype)  # of step t: x_t, h_t and 1
        self.inputs[:time, :width] = x.transpose(1, 2, 0)
        self.inputs[:, -1] = 1
        self.products = np.empty((time, len(A), n), x.dtype)
        self.begin(time, n)
        h = self.inputs[:, width:-1]  # of step t: h_t, for t = 0 ... time
        for t in range(time):
            np.matmul(A, self.inputs[t], out=self.products[t])
            self.ahead(t, self.products[t], h[t], h[t + 1])
        return h[-1].T.copy() if self.last else h[1:].transpose(2, 0, 1).copy()

    def begin(self, time: int, n: int) -> None:
        """Make room for what the steps keep besides."""

    @quiet
    def backward(self, dy: Array) -> Array:
        """dA = sum over t of da_t [x_t; h_(t-1); 1]^T,  dx_t = W da_t,  dh_(t-1) = U da_t, the last step first."""
        time, _, n = self.products.shape
        width, m = self.in_features, self.features
        self.check_dy(dy, (n, m) if self.last else (n, time, m))
        above = None if self.last else np.ascontiguousarray(np.transpose(dy, (1, 2, 0)))
        dh = np.transpose(dy) if above is None else above[-1]
        A = self.product()
        W, U = np.ascontiguousarray(A[:, :width].T), np.ascontiguousarray(A[:, width:-1].T)
        dA, change = np.zeros_like(A), np.empty_like(A)
        da, down = np.empty_like(self.products[0]), np.empty((m, n), A.dtype)
        dx = np.empty((time if self.needs_dx else 0, width, n), A.dtype)
        for t in range(time - 1, -1, -1):
            around = self.back(t, dh, da)
            dA += np.matmul(da, self.inputs[t].T, out=change)
            if self.needs_dx:
                np.matmul(W, da, out=dx[t])
            dh = np.matmul(U, da, out=down)
            if around is not None:
                dh += around
            if above is not None and t:
                dh += above[t - 1]
        self.hand_out(dA)
        return dx.transpose(2, 0, 1).copy() if self.needs_dx else dy

    def product(self, *, halved: bool = False) -> Floats:
        """A, or the same with the first `halved_gates` of its gates halved, for which see `minidl.layers.gated`."""
        W, U, b = self.weight.value, self.recurrent.value, self.bias.value
        A = np.empty((W.shape[1], len(W) + len(U) + 1), W.dtype)
        A[:, : len(W)], A[:, len(W) : -1], A[:, -1] = W.T, U.T, b
        if halved:
            A[: self.halved_gates * self.features] *= 0.5
        return A

    def hand_out(self, dA: Floats) -> None:
        """Set the gradients of the parameters, given that of A."""
        width = self.in_features
        self.weight.grad, self.recurrent.grad, self.bias.grad = dA[:, :width].T, dA[:, width:-1].T, dA[:, -1]


class RNN(Recurrence):
    """h_t = tanh(x_t W + h_(t-1) U + b), from h_0 = 0: (n, time, in_features) -> (n, time, features), all h_t.

    Args:
        in_features, features: widths of x and h.
        last: True returns the last step only, (n, features).
        weight_init: initializer of W, shape (in_features, features).
        recurrent_init: initializer of U, shape (features, features), which starts orthogonal: then gradients neither
            vanish nor grow on their way through it.

    The bias starts at 0 and is not decayed. x of another width or dtype, or without a step, raises ShapeError. Backward
    goes through all steps.

    Source: Elman, "Finding structure in time", Cognitive Science 14, 1990; Saxe et al., ICLR 2014, for the start.

    >>> x = np.zeros((2, 5, 3), np.float32)
    >>> RNN(3, 4).build(seed=0).forward(x).shape, RNN(3, 4, last=True).build(seed=0).forward(x).shape
    ((2, 5, 4), (2, 4))
    """

    gates, halved_gates = 1, 0

    def ahead(self, t: int, a: Array, h: Array, after: Array) -> None:
        """h_(t+1) = tanh(a)."""
        np.tanh(a, out=after)

    def back(self, t: int, dh: Array, da: Array) -> None:
        """da = (1 - h_(t+1)^2) dh."""
        h = self.inputs[t + 1, self.in_features : -1]
        np.square(h, out=da)
        np.subtract(1, da, out=da)
        da *= dh

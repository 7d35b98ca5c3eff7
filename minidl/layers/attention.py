"""SelfAttention: every place of a sequence looks at all of them, and takes what fits."""

from functools import lru_cache
from typing import Any

import numpy as np

from minidl.arguments import check_flag, check_integer
from minidl.initializers import blocks, glorot_uniform
from minidl.kernels.softmax import row_exponentials
from minidl.layers.activations import Elementwise
from minidl.layers.linear import Linear
from minidl.layers.shapes import SampleShape, check_input, fitting
from minidl.parameters import Array, Floats, Initializer
from minidl.quiet import quiet


class SelfAttention(Elementwise):
    """Scaled dot-product attention in several heads: (n, time, features) -> the same.

    With [Q K V] = x W + b, each cut into heads of d = features / heads columns, a head is softmax(Q K^T / sqrt(d)) V:
    place i takes the values V_j of all places j, weighted by how well its query Q_i goes with their keys K_j. The heads
    side by side go through a second linear layer:

        y = [head_1 ... head_heads] W_o + b_o

    `projection` is the first, a Linear(features, 3 features), and `output` the second, a Linear(features, features).

    Args:
        features: the width of x and y.
        heads: into how many parts it is cut; has to divide it.
        causal: True lets place i look at the places j <= i only, as a model that goes on with a text must.
        bias: whether b and b_o are there.
        weight_init: initializer of the four matrices, shape (features, features) each.

    Attributes:
        weights: (n, heads, time, time), the softmax of the newest forward, which `predict` does not keep: row i is what
            place i looks at.

    Raises:
        ValueError: `heads` does not divide `features`. ShapeError: x of another width or dtype.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.

    >>> layer = SelfAttention(8, heads=2, causal=True).build(seed=0)
    >>> layer.forward(np.zeros((1, 3, 8), np.float32)).shape
    (1, 3, 8)
    >>> layer.weights[0, 0].round(2)
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.  ],
           [0.33, 0.33, 0.33]], dtype=float32)
    """

    def __init__(
        self,
        features: int,
        heads: int = 1,
        *,
        causal: bool = False,
        bias: bool = True,
        weight_init: Initializer = glorot_uniform,
    ) -> None:
        self.features = check_integer("features", features, minimum=1)
        self.heads = check_integer("heads", heads, minimum=1)
        if features % heads:
            raise ValueError(
                f"expected heads to divide features, received features={features} and heads={heads}: each head gets "
                f"features / heads columns"
            )
        self.causal = check_flag("causal", causal)
        self.scale = float((features // heads) ** -0.5)
        self.projection = Linear(features, 3 * features, bias=bias, weight_init=blocks(weight_init, 3))
        self.output = Linear(features, features, bias=bias, weight_init=weight_init)

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """(time, features), if the input rows are features wide."""
        return fitting(self, shape, (None, self.features))

    @quiet
    def forward(self, x: Array) -> Array:
        """Return y; e = exp(Q K^T / sqrt(d) - row maximum) is kept, and the sums of its rows, not their quotient."""
        check_input(self, x, (None, self.features), self.output.weight.value.dtype)
        self.q, self.k, self.v = self._cut(self.projection.forward(x))
        self.q = self.q * self.scale
        e = self.q @ self.k.swapaxes(2, 3)
        if self.causal:
            e += _no_look_ahead(x.shape[1], x.dtype)
        self.sums = row_exponentials(e)[..., None]
        self.e = e
        joined = np.empty(x.shape, x.dtype)
        (self.taken,) = self._cut(joined)
        np.matmul(e, self.v, out=self.taken)
        self.taken /= self.sums
        return self.output.forward(joined)

    @property
    def weights(self) -> Floats:
        """The softmax of the newest forward, (n, heads, time, time)."""
        weights: Floats = self.e / self.sums
        return weights

    @quiet
    def backward(self, dy: Array) -> Array:
        """With a = e / sums the softmax and o = a V the heads:

        dV = a^T do,  da = do V^T,  ds = a (da - sum_j a_j da_j) = a (da - sum over the columns of do o),  and for
        s = Q K^T / sqrt(d): dQ = ds K / sqrt(d),  dK = ds^T Q / sqrt(d). The quotient by the sums is taken at do, once.
        """
        self.check_dy(dy, (len(self.e), self.e.shape[2], self.features))
        (do,) = self._cut(self.backward_of(self.output, dy))
        do = do / self.sums
        ds = do @ self.v.swapaxes(2, 3)
        ds -= np.einsum("nhtd,nhtd->nht", do, self.taken)[..., None]
        ds *= self.e
        dqkv = np.empty((*dy.shape[:2], 3 * self.features), self.e.dtype)
        dq, dk, dv = self._cut(dqkv)
        np.matmul(ds, self.k, out=dq)
        dq *= self.scale
        np.matmul(ds.swapaxes(2, 3), self.q, out=dk)
        np.matmul(self.e.swapaxes(2, 3), do, out=dv)
        return self.backward_of(self.projection, dqkv, needs_dx=self.needs_dx)

    def _cut(self, rows: Array) -> Array:
        """(n, time, k features) as k times (n, heads, time, features / heads), without a copy."""
        n, time, width = rows.shape
        parts = rows.reshape(n, time, width // self.features, self.heads, self.features // self.heads)
        return parts.transpose(2, 0, 3, 1, 4)


@lru_cache(maxsize=8)
def _no_look_ahead(time: int, dtype: np.dtype[Any]) -> Array:
    """(time, time): 0 where place i may look at place j, -inf where j > i; the same array for every caller."""
    mask = np.where(np.tri(time, dtype=bool), 0.0, -np.inf).astype(dtype)
    mask.flags.writeable = False
    return mask

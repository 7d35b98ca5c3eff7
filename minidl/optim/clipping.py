"""Clipping: functions that bound the flat gradient in place, given to an optimizer as `clip=`.

A clipper of your own is any function of the flat gradient; what it returns is not used.
"""

import math

import numpy as np

from minidl.advice import Advised
from minidl.arguments import check_number
from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.quiet import quiet


@frozen
class ClipValue(Advised):
    """g <- min(max(g, -limit), limit), entry by entry.

    >>> grad = np.float32([3.0, -0.5, -4.0])
    >>> ClipValue(1.0)(grad)
    >>> grad
    array([ 1. , -0.5, -1. ], dtype=float32)
    """

    limit: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "limit", _positive("limit", self.limit))

    @quiet
    def __call__(self, grad: Array) -> None:
        """Clip `grad` in place."""
        np.clip(grad, -self.limit, self.limit, out=grad)


@frozen
class ClipNorm(Advised):
    """g <- g * min(1, max_norm / |g|), where |g| is the Euclidean norm of the whole model's gradient.

    The direction stays. A gradient with NaN or infinity in it is left as it is, for whoever looks for these.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013,
    algorithm 1.

    >>> grad = np.float32([3.0, -4.0])
    >>> ClipNorm(1.0)(grad)
    5.0
    >>> grad
    array([ 0.6, -0.8], dtype=float32)
    """

    max_norm: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "max_norm", _positive("max_norm", self.max_norm))

    @quiet
    def __call__(self, grad: Array) -> float:
        """Clip `grad` in place; return the norm it had before."""
        before = norm = global_norm(grad)
        if self.max_norm < norm < math.inf:
            if norm > 1e30 * self.max_norm:  # float32 has no factor that small: take it in two
                grad *= 1e-30
                norm *= 1e-30
            grad *= self.max_norm / norm
        return before


@quiet
def global_norm(grad: Array) -> float:
    """sqrt(sum g**2) of a vector (n,) as a Python float, also where g**2 would leave the range of the dtype.

    >>> norm = global_norm(np.full(4, 1e30, np.float32))  # the squares are beyond float32
    >>> f"{norm:.3g}"
    '2e+30'
    """
    with np.errstate(over="ignore"):
        square = float(grad @ grad)
    if 1e-20 < square < math.inf:
        return math.sqrt(square)
    largest = float(np.max(np.abs(grad), initial=0))
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = grad / largest
    return largest * math.sqrt(float(scaled @ scaled))


def _positive(name: str, value: float) -> float:
    return check_number(name, value, minimum=0, exclusive=True)

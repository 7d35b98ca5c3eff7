"""What update rules share: long vectors block by block, slots that never become denormal, factors below 1."""

import numpy as np

from minidl.arguments import check_number
from minidl.kernels.blocks import blocks as blocks
from minidl.parameters import Array

SMALLEST_EPS = 1e-37  # smaller ones are 0 in float32, or nearly
SETTLED = 64  # steps from one call of `settle` to the next: too few for 0.8**64 times its limit to be denormal


def settle(numbers: Array, *, where: Array | bool = True) -> None:
    """Set to 0, in place, those numbers of a slot in the mask `where` that are below 1e-30 (float64: 2e-300).

    Where the gradient stays exactly 0, as behind a dead ReLU, a discounted sum decays to denormal numbers and stays
    there, since rounding gives 0.9 times the smallest of them back. Arithmetic on them is up to 15 times slower,
    depending on the processor. Every `SETTLED` steps is often enough.

    >>> slot = np.array([1.0, -1e-31, 3e-45], np.float32)
    >>> settle(slot)
    >>> slot
    array([1., 0., 0.], dtype=float32)
    """
    np.copyto(numbers, 0, where=(np.abs(numbers) < np.finfo(numbers.dtype).tiny * 1e8) & where)


def check_discount(name: str, value: float) -> float:
    """`value` as a float if it lies in [0, 1), as the factor of a discounted sum must.

    >>> check_discount("momentum", 1)
    Traceback (most recent call last):
    ValueError: expected momentum to be a number >= 0 and < 1, received momentum=1
    """
    if check_number(name, value, minimum=0) >= 1:
        raise ValueError(f"expected {name} to be a number >= 0 and < 1, received {name}={value!r}")
    return float(value)

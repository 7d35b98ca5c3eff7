"""What update rules share: long vectors block by block, slots that never become denormal, factors below 1."""

from collections.abc import Iterator

import numpy as np

from minidl.arguments import check_number
from minidl.parameters import Array

BLOCK = 65_536  # numbers per block: the fastest of 8 thousand to 128 thousand, for SGD and Adam in float32
SMALLEST_EPS = 1e-37  # smaller ones are 0 in float32, or nearly
SETTLED = 64  # steps from one call of `settle` to the next: too few for 0.8**64 times its limit to be denormal


def blocks(*vectors: Array) -> Iterator[tuple[Array, ...]]:
    """The vectors (n,) block by block, each time with one more vector of scratch space at the end.

    An update passes over its vectors several times. Block by block the numbers are still in cache at the second
    pass, and no intermediate result is as long as the model. The content of the scratch is undefined.

    >>> value, grad = np.zeros(3), np.ones(3)
    >>> for w, g, scratch in blocks(value, grad):
    ...     w -= np.multiply(g, 0.1, out=scratch)
    >>> value
    array([-0.1, -0.1, -0.1])
    """
    size = vectors[0].size
    scratch = np.empty(min(size, BLOCK), vectors[0].dtype)
    for start in range(0, size, BLOCK):
        pieces = [vector[start : start + BLOCK] for vector in vectors]
        yield (*pieces, scratch[: pieces[0].size])


def settle(numbers: Array, scratch: Array, *, where: Array | bool = True) -> None:
    """Set to 0, in place, those numbers of a slot in the mask `where` that are below 1e-30 (float64: 2e-300).

    Where the gradient stays exactly 0, as behind a dead ReLU, a discounted sum decays to denormal numbers and stays
    there, since rounding gives 0.9 times the smallest of them back. Arithmetic on them is up to 15 times slower,
    depending on the processor. Every `SETTLED` steps is often enough.

    >>> slot = np.array([1.0, -1e-31, 3e-45], np.float32)
    >>> settle(slot, np.empty_like(slot))
    >>> slot
    array([1., 0., 0.], dtype=float32)
    """
    below = np.abs(numbers, out=scratch) < np.finfo(numbers.dtype).tiny * 1e8
    np.copyto(numbers, 0, where=below & where)


def check_discount(name: str, value: float) -> float:
    """`value` as a float if it lies in [0, 1), as the factor of a discounted sum must.

    >>> check_discount("momentum", 1)
    Traceback (most recent call last):
    ValueError: expected momentum to be a number >= 0 and < 1, received momentum=1
    """
    if check_number(name, value, minimum=0) >= 1:
        raise ValueError(f"expected {name} to be a number >= 0 and < 1, received {name}={value!r}")
    return float(value)

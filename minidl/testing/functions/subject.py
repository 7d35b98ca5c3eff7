"""Everything that can be checked, brought to one form.

A `Subject` is named arrays, a forward that reads them, and a backward that returns dL/d(array) for
L = sum(upstream * output).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

import numpy as np

from minidl.frozen import frozen
from minidl.parameters import Array


@frozen
class Subject:
    """What is differentiated: `forward()` and `backward(upstream)` read `arrays` as they stand, float64.

    `rows_apart(name)` says whether each row of an array gives its row of the output, and no other.
    """

    arrays: Mapping[str, Array]
    forward: Callable[[], Array]
    backward: Callable[[Array], Mapping[str, Array]]
    rows_apart: Callable[[str], bool] = lambda _: False

    @classmethod
    def of_number(
        cls, arrays: Mapping[str, Array], value: Callable[[], float], gradients: Callable[[], Mapping[str, Array]]
    ) -> Self:
        """A single number, such as a loss or a penalty; `gradients()` are those of the newest `value()`."""

        def backward(upstream: Array) -> dict[str, Array]:
            value()
            return {name: gradient * upstream[0] for name, gradient in gradients().items()}

        return cls(arrays, lambda: np.array([value()]), backward)

    def gradients(self, upstream: Array) -> dict[str, Array]:
        """A copy of what backward says about every array."""
        analytic = self.backward(upstream.copy())  # whether it is written into is asked elsewhere
        return {name: np.array(analytic[name], np.float64) for name in self.arrays}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """A block after which every array holds what it held before."""
        before = {name: array.copy() for name, array in self.arrays.items()}
        try:
            yield
        finally:
            for name, array in self.arrays.items():
                array[...] = before[name]


def units(like: Array) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Every index of an array with the direction that moves this element alone."""
    for index in np.ndindex(like.shape):
        unit = np.zeros(like.shape)
        unit[index] = 1
        yield index, unit

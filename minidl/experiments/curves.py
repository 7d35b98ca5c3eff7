"""Curves that runs return: a value for every epoch or step, of another length in each run that stopped early."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.arguments import short
from minidl.parameters import Array


def last_values(name: str, values: Sequence[Any]) -> Array:
    """The number of each run, (runs,): of a curve, its last value.

    >>> last_values("loss", [0.5, np.array([0.9, 0.25])]).tolist()
    [0.5, 0.25]
    """
    numbers = []
    for value in map(np.asarray, values):
        if value.dtype.kind not in "biuf" or value.ndim > 1 or not value.size:
            raise TypeError(
                f"expected {name!r} to be a number or a curve in every run, received {short(value.tolist())} of shape "
                f"{value.shape}: return the one number to choose by"
            )
        numbers.append(float(value.flat[-1]))
    return np.asarray(numbers)

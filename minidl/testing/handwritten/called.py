"""A function with a derivative written by hand, in whatever library, brought to NumPy."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self, TypeAlias

import numpy as np

from minidl.frozen import frozen
from minidl.parameters import Array

Arrays: TypeAlias = Mapping[str, Array]
Back: TypeAlias = Callable[[Sequence[Array]], Mapping[str, Any]]


@frozen
class How:
    """How a function is called: in training or not, and from which seed it draws; None where it draws nothing."""

    training: bool = False
    seed: int | None = None


class Called:
    """What the checks call; the dtype of the floats that are given is that of the computation.

    Attributes:
        parameters: name -> initial value, float64, of the parameters that it has itself.
        modes: whether training may be something else than inference.
        layouts: the memory layouts that mean something to it, by their names in `LAYOUTS`.
        hints: whether it is told which gradients are wanted.
        few_shapes: whether each new shape costs much.
        composite: whether it is made of several functions with derivatives of their own.
    """

    parameters: Arrays = MappingProxyType({})
    modes = False
    layouts: Collection[str] = ()
    hints = False
    few_shapes = False
    composite = False

    def outputs(self, given: Arrays, how: How) -> list[Array]:
        """The outputs that are differentiated."""
        raise NotImplementedError

    def start(self, given: Arrays, how: How, wanted: Collection[str]) -> tuple[list[Array], Back]:
        """The outputs, and a function from an upstream gradient for each of them to the wanted gradients, by name."""
        raise NotImplementedError

    def draws(self, given: Arrays, how: How) -> bool:
        """Whether a call draws random numbers that a seed repeats."""
        return False

    def other_form(self) -> Self | None:
        """The same, not compiled, where it is compiled."""
        return None

    def copied(self) -> Self | None:
        """A copy that shares nothing, where there is something to share."""
        return None


def have_rows(outputs: Sequence[Array], rows: int | None = None) -> bool:
    """Whether all outputs have the same number of rows, or so many."""
    lengths = {len(output) if output.ndim else None for output in outputs}
    return len(lengths) == 1 and None not in lengths and rows in (None, *lengths)


def joined(outputs: Sequence[Array]) -> Array:
    """All outputs as one array: a single one as it is, several by their rows, or flat where they have no rows."""
    if len(outputs) == 1:
        return np.array(outputs[0], ndmin=1)
    if have_rows(outputs):
        return np.concatenate([each.reshape(len(each), math.prod(each.shape[1:])) for each in outputs], axis=1)
    return np.concatenate([each.ravel() for each in outputs])


def parted(whole: Array, outputs: Sequence[Array]) -> list[Array]:
    """What was `joined`, or an upstream gradient for it, as one array for each output, each contiguous."""
    if len(outputs) == 1:
        return [np.array(whole).reshape(outputs[0].shape)]
    by_rows = have_rows(outputs)
    sizes = [math.prod(each.shape[1:] if by_rows else each.shape) for each in outputs]
    parts = np.split(whole, np.cumsum(sizes)[:-1], axis=1 if by_rows else 0)
    return [np.array(part, order="C").reshape(each.shape) for part, each in zip(parts, outputs, strict=True)]


def _gaps(array: Array) -> Array:
    return np.repeat(array, 2, axis=-1)[..., ::2]


def _gaps_read_only(array: Array) -> Array:
    view = _gaps(array)
    view.flags.writeable = False
    return view


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "a read-only view with gaps": _gaps_read_only,
    "a view with gaps": _gaps,
    "an array in Fortran order": lambda array: np.array(array, order="F"),
    "a view that runs backwards": lambda array: array[::-1].copy()[::-1],
}
"""name -> an array in another memory layout, with the same numbers."""
EXPANDED = "one number expanded to the shape of the output"

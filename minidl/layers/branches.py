"""Residual and Parallel: containers in which several paths lead from x to y."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal, get_args

import numpy as np

from minidl.arguments import short
from minidl.layers.base import Layer
from minidl.layers.container import Chain, Container
from minidl.layers.shapes import Open, SampleShape, ShapeError, Wanted, fitting, shown
from minidl.parameters import Array
from minidl.quiet import quiet

Join = Literal["sum", "features", "channels"]


class Residual(Chain):
    """y = x + f(x), where f is the layers in order: x of any shape, which f has to keep.

    The gradient of y goes around f unchanged, so deep models of such blocks can be trained. Layers that change the
    shape raise ShapeError. A Residual has a length, iterates and indexes as a Sequential does.

    Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016.

    >>> from minidl.layers import Linear, ReLU, Sequential
    >>> print(Sequential(Residual(Linear(4, 8), ReLU(), Linear(8, 4)), Linear(4, 2)).build(seed=0))
    Sequential: 2 layers, 86 parameters, float32
         layer           output  parameters
    0    Residual of 3   (n, 4)          76
    0.0    Linear(4, 8)  (n, 8)          40
    0.1    ReLU()        (n, 8)           0
    0.2    Linear(8, 4)  (n, 4)          36
    1    Linear(4, 2)    (n, 2)          10
    """

    @quiet
    def forward(self, x: Array) -> Array:
        """Return x + f(x)."""
        change = super().forward(x)
        self.shape = np.shape(x)
        if np.shape(change) != self.shape:
            raise self._refusal(f"x.shape={self.shape} and f(x).shape={np.shape(change)}")
        y: Array = np.add(x, change)
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = dy + the gradient that f hands down."""
        self.check_dy(dy, self.shape)
        dx = super().backward(dy)
        if not self._wants_dx():
            return dy
        if dx is None:
            raise self._missing(0)
        total: Array = np.add(dy, dx)
        return total

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape of the input, if the layers keep it; where nobody knows it, what they return has to fit them."""
        after = super().output_shape(shape)
        if after is None:
            return shape
        try:
            if shape is not None:
                return fitting(self, after, _wanted(shape))
            return fitting(self, super().output_shape(after), _wanted(after))
        except ShapeError:
            before = "an unknown shape" if shape is None else f"shape {shown(shape)}"
            raise self._refusal(f"rows of {before} that become {shown(after)}") from None

    def _refusal(self, received: str) -> ShapeError:
        return ShapeError(f"expected layers that keep the shape of x, received {received}: mind the sizes in {self!r}")


class Parallel(Container):
    """y = f_1(x) + ... + f_k(x), or all f_j(x) side by side: every branch f_j is a layer that is given the same x.

    A branch of several layers is a Sequential, and `Sequential()` hands x on as it is.

    Args:
        branches: the layers, at least one.
        join: "sum", of outputs of one shape; "features" puts outputs (n, ..., features) side by side along the last
            axis, "channels" outputs (n, channels, ...) along the first axis of a row.

    Outputs that do not fit together raise ShapeError. A Parallel has a length, iterates and indexes.

    Source: Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    >>> from minidl.layers import Linear, Sequential, Tanh
    >>> both = Parallel(Linear(4, 2), Sequential(Linear(4, 3), Tanh()), join="features").build(seed=0)
    >>> both.forward(np.zeros((5, 4), np.float32)).shape
    (5, 5)
    """

    _part, _parts = "branch", "branches"

    def __init__(self, *branches: Layer, join: Join = "sum") -> None:
        super().__init__(*branches)
        if not branches:
            raise ValueError("expected at least one branch, received none: Sequential() is the layer that does nothing")
        if join not in get_args(Join):
            raise ValueError(
                f'expected join to be "sum", "features" (side by side along the last axis) or "channels" (along the '
                f"first axis of a row), received join={short(join)}"
            )
        self.join = join

    @quiet
    def forward(self, x: Array) -> Array:
        """Return the outputs of the branches, added up or side by side."""
        outputs: list[Array] = []
        for position, branch in enumerate(self.layers):
            try:
                outputs.append(branch.forward(x))
            except Exception as error:
                self._locate(error, position)
                raise
        self.shapes = [np.shape(output) for output in outputs]
        if self.join == "sum":
            if self.shapes.count(self.shapes[0]) < len(outputs):  # numpy would broadcast
                raise self._refusal("outputs", map(str, self.shapes))
            self.shape = self.shapes[0]
            return _sum(outputs)
        try:
            if min(map(len, self.shapes)) < 2:
                raise ValueError("no axis but that of the rows")
            y: Array = np.concatenate(outputs, axis=self._axis)
        except ValueError as error:
            raise self._refusal("outputs", map(str, self.shapes)) from error
        self.shape = y.shape
        return y

    @quiet
    def backward(self, dy: Array) -> Array:
        """dx = the sum of what the branches hand down, each of which is given dy, or its part of it.

        Where `needs_dx` is False, branches with nothing to train are left out.
        """
        self.check_dy(dy, self.shape)
        parts: Sequence[Array] = [np.asarray(dy)] * len(self.layers)
        if self.join != "sum":
            ends = list(accumulate(shape[self._axis] for shape in self.shapes))
            parts = np.split(dy, ends[:-1], axis=self._axis)
        needs_dx, handed_down = self._wants_dx(), []
        for position, (branch, part) in enumerate(zip(self.layers, parts, strict=True)):
            if not needs_dx and not self._trains(position):
                continue
            try:
                handed_down.append(self.backward_of(branch, part, needs_dx=needs_dx))
            except Exception as error:
                self._locate(error, position)
                raise
            if needs_dx and handed_down[-1] is None:
                raise self._missing(position)
        return _sum(handed_down) if needs_dx else dy

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape all branches return, or that of their outputs side by side."""
        rows: list[SampleShape] = []
        for position, branch in enumerate(self.layers):
            try:
                rows.append(branch.output_shape(shape))
            except Exception as error:
                self._locate(error, position)
                raise
        known = [row for row in rows if row is not None]
        try:
            return self._joined(known, len(known) == len(rows)) if known else None
        except ShapeError:
            raise self._refusal("rows", map(shown, known)) from None

    def input_shapes(self, shape: SampleShape) -> list[SampleShape]:
        """Every branch is given what comes in."""
        return [shape] * len(self.layers)

    @property
    def _axis(self) -> int:
        return 1 if self.join == "channels" else -1

    def _joined(self, rows: list[tuple[int | None, ...]], every: bool) -> SampleShape:
        """The shape of a joined row, of the shapes of those of all branches, or of some: those that are known."""
        place = {"sum": None, "channels": 0, "features": -1}[self.join]
        if place == 0 and any(isinstance(row, Open) for row in rows):
            return None
        if place is not None and () in rows:
            raise ShapeError("no axis to put them along")
        sizes = [None if place is None else row[place] for row in rows]
        kept = [row if place is None else _replaced(row, place, None) for row in rows]
        joined = kept[0]
        for row in kept[1:]:
            joined = fitting(self, joined, _wanted(row))
        if place is None:
            return joined
        total = sum(size for size in sizes if size is not None) if every and None not in sizes else None
        return _replaced(joined, place, total)

    def _refusal(self, what: str, shapes: Iterable[str]) -> ShapeError:
        wanted = "of one shape" if self.join == "sum" else f"that differ in their number of {self.join} only"
        return ShapeError(
            f"expected branches with outputs {wanted}, received {what} of shape "
            f"{' and '.join(shapes)}: mind the sizes in {self!r}"
        )


def _sum(arrays: list[Array]) -> Array:
    """A sum in a fresh array; a single one is handed on."""
    if len(arrays) == 1:
        return arrays[0]
    total: Array = np.add(arrays[0], arrays[1])
    for array in arrays[2:]:
        total += array
    return total


def _wanted(shape: tuple[int | None, ...]) -> Wanted:
    """A shape as one that another has to fit: any axes may stand before one that is open."""
    return (..., *shape) if isinstance(shape, Open) else shape


def _replaced(row: tuple[int | None, ...], place: int, size: int | None) -> tuple[int | None, ...]:
    """A row of the same kind with another size at a place."""
    sizes = list(row)
    sizes[place] = size
    return type(row)(sizes)

"""Watching one training step: what the layers are given and return, measured where it passes and not kept."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from minidl.diagnostics.measuring import (
    BINS,
    active_units,
    norm,
    sample,
    saturated,
    size_of_input,
    spread_of_features,
    summary,
    twins,
)
from minidl.layers.base import Layer
from minidl.layers.tracing import by_path, tap
from minidl.parameters import Array, Parameter
from minidl.quiet import quiet, quietly

OF_LAYERS = (
    "turn",
    "activation_mean",
    "activation_deviation",
    "activation_largest",
    "inactive",
    "saturated",
    "gradient_mean",
    "gradient_deviation",
    "gradient_largest",
    "gradient_norm",
)
HISTOGRAMS = ("activation_histogram", "gradient_histogram")
OF_PARAMETERS = ("weight_norm", "weight_gradient_norm", "update_ratio", "twins")
OF_INPUT = ("rows", "input_size", "input_spread")


def leaves(model: Layer) -> Iterator[tuple[str, Layer]]:
    """The layers without layers inside, by path, in the order of the model; the model itself is "model"."""
    return ((path or "model", layer) for path, layer in by_path(model) if not layer.children())


class Watch:
    """Measures one step of a model in training mode, between `open` and `close`.

    While it is open, the layers have a forward and a backward of their own, which call those of the class and look at
    what passes. A prediction in between is not measured, and copies of the model are not watched.

    Args:
        model: a built layer.
        due: whether the step that begins is to be measured; asked at the first forward.

    Attributes:
        measured: what was measured by name, as arrays with one entry for each layer or parameter; empty before.
        active: by place of the layer, which of its units were other than 0.
    """

    def __init__(self, model: Layer, due: Callable[[], bool]) -> None:
        self.model, self.due, self.layers = model, due, list(leaves(model))
        self._called: set[int] = set()  # places, of the step that is measured
        self._first = -1  # the first of them with parameters, -1 as long as there is none
        self.measured: dict[str, Array] = {}
        self.active: dict[int, Array] = {}
        self._before: dict[str, Array] | None = None  # the weights, of a step that is measured
        self._taps: list[Callable[[], None]] = []  # each lets go of one layer

    @property
    def is_open(self) -> bool:
        """Whether the layers are watched."""
        return bool(self._taps)

    def open(self) -> None:
        """Begin to watch."""
        self.measured, self.active, self._before = {}, {}, None
        self._taps = [tap(self.model, "forward", before=self._begin)]
        for place, (_, leaf) in enumerate(self.layers):
            self._taps.append(tap(leaf, "forward", after=partial(self._measure_forward, place, leaf)))
            self._taps.append(tap(leaf, "backward", before=partial(self._measure_backward, place, leaf)))

    def close(self) -> None:
        """Leave every layer as it was."""
        for let_go in self._taps:
            let_go()
        self._taps = []

    def _begin(self, x: Array) -> None:
        """At the first forward of a step that is to be measured, keep the weights of before."""
        if self._before is None and self.model.training and self.due():
            named = self.model.parameters.named
            self._before = {name: parameter.value.copy() for name, parameter in named.items()}
            self.measured = {name: np.full(len(self.layers), np.nan, np.float32) for name in OF_LAYERS}
            self.measured |= {name: np.full((len(self.layers), 2 + BINS), np.nan, np.float32) for name in HISTOGRAMS}
            self.measured |= {name: np.full((), np.nan, np.float32) for name in OF_INPUT}
            self.measured["rows"][...] = len(x)
            self._called, self._first = set(), -1

    def _measure(self, what: str, place: int, array: Array) -> None:
        numbers, counts = summary(sample(array))
        for name, value in zip(("mean", "deviation", "largest"), numbers, strict=True):
            self.measured[f"{what}_{name}"][place] = value
        self.measured[f"{what}_histogram"][place] = counts
        if what == "gradient":
            self.measured["gradient_norm"][place] = norm(array)

    @quiet
    def _measure_forward(self, place: int, leaf: Layer, x: Array, y: Array) -> None:
        if self._before is None or not leaf.training:
            return
        if place not in self._called:
            self.measured["turn"][place] = len(self._called)
            self._called.add(place)
        if self._first < 0 and leaf.named_parameters():
            self._first = place
        self._measure("activation", place, y)
        active = active_units(y)
        self.active[place] = active
        self.measured["inactive"][place] = 1 - active.mean()
        self.measured["saturated"][place] = saturated(leaf, sample(y))
        if place == self._first and x.dtype.kind == "f":
            some = sample(x)
            self.measured["input_size"][...] = size_of_input(some)
            self.measured["input_spread"][...] = spread_of_features(some)

    @quiet
    def _measure_backward(self, place: int, leaf: Layer, dy: Array) -> None:
        if self._before is not None and leaf.training:
            self._measure("gradient", place, dy)

    def ended(self) -> dict[str, Array]:
        """After the step: all that was measured, with what became of the parameters; empty if it was not due."""
        if self._before is None:
            return {}
        named, before = self.model.parameters.named, self._before
        with quietly():
            rows = [_of(parameter, before[name]) for name, parameter in named.items()]
        columns = np.array(rows, np.float32).reshape(len(rows), len(OF_PARAMETERS)).T
        self._before = None
        return self.measured | dict(zip(OF_PARAMETERS, columns, strict=True))


def _of(parameter: Parameter, before: Array) -> tuple[float, ...]:
    """The norms of one parameter and of its gradient, its ratio of update to weight, and how alike its units are."""
    if parameter.frozen:
        return norm(before), math.nan, math.nan, twins(before)
    old = norm(before)
    moved = norm(parameter.value - before)
    return norm(parameter.value), norm(parameter.grad), moved / old if old else math.nan, twins(parameter.value)

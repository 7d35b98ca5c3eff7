"""Watching one training step: what the layers are given and return, measured where it passes and not kept."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minidl.diagnostics.measuring import (
    BINS,
    active_units,
    norm,
    sample,
    saturated,
    spread_of_features,
    summary,
    twins,
)
from minidl.layers.base import Layer
from minidl.parameters import Array, Parameter
from minidl.quiet import quietly

WATCHED = ("forward", "backward")
OF_LAYERS = (
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
OF_INPUT = ("input_size", "input_spread")


def leaves(model: Layer, path: str = "") -> Iterator[tuple[str, Layer]]:
    """The layers without layers inside, by path, in the order of the model; the model itself is "model"."""
    children = model.children()
    if not children:
        yield path or "model", model
    for name, child in children.items():
        yield from leaves(child, f"{path}.{name}" if path else name)


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
        self.first = next((place for place, (_, leaf) in enumerate(self.layers) if leaf.named_parameters()), 0)
        self.measured: dict[str, Array] = {}
        self.active: dict[int, Array] = {}
        self._before: dict[str, Array] | None = None  # the weights, of a step that is measured
        self._own: list[tuple[Layer, dict[str, Any]]] = []

    @property
    def is_open(self) -> bool:
        """Whether the layers are watched."""
        return bool(self._own)

    def open(self) -> None:
        """Begin to watch."""
        self.measured, self.active, self._before = {}, {}, None
        watched = [self.model, *(leaf for _, leaf in self.layers if leaf is not self.model)]
        self._own = [(layer, {name: vars(layer)[name] for name in WATCHED if name in vars(layer)}) for layer in watched]
        for place, (_, leaf) in enumerate(self.layers):
            self._watch(place, leaf)
        inner = self.model.forward

        def forward(x: Array) -> Array:
            self._begin()
            return inner(x)

        vars(self.model)["forward"] = forward

    def close(self) -> None:
        """Leave every layer as it was."""
        for layer, own in self._own:
            for name in WATCHED:
                vars(layer).pop(name, None)
            vars(layer).update(own)
        self._own = []

    def _begin(self) -> None:
        """At the first forward of a step that is to be measured, keep the weights of before."""
        if self._before is None and self.model.training and self.due():
            named = self.model.parameters.named
            self._before = {name: parameter.value.copy() for name, parameter in named.items()}
            self.measured = {name: np.full(len(self.layers), np.nan, np.float32) for name in OF_LAYERS}
            self.measured |= {name: np.full((len(self.layers), 2 + BINS), np.nan, np.float32) for name in HISTOGRAMS}
            self.measured |= {name: np.full((), np.nan, np.float32) for name in OF_INPUT}

    def _watch(self, place: int, leaf: Layer) -> None:
        inner_forward, inner_backward = leaf.forward, leaf.backward

        def forward(x: Array) -> Array:
            y = inner_forward(x)
            if self._before is not None and leaf.training:
                with quietly():
                    self._measure_forward(place, leaf, x, y)
            return y

        def backward(dy: Array) -> Array:
            if self._before is not None and leaf.training:
                with quietly():
                    self._measure("gradient", place, dy)
            return inner_backward(dy)

        vars(leaf).update(forward=forward, backward=backward)

    def _measure(self, what: str, place: int, array: Array) -> None:
        numbers, counts = summary(sample(array))
        for name, value in zip(("mean", "deviation", "largest"), numbers, strict=True):
            self.measured[f"{what}_{name}"][place] = value
        self.measured[f"{what}_histogram"][place] = counts
        if what == "gradient":
            self.measured["gradient_norm"][place] = norm(array)

    def _measure_forward(self, place: int, leaf: Layer, x: Array, y: Array) -> None:
        self._measure("activation", place, y)
        active = active_units(y)
        self.active[place] = active
        self.measured["inactive"][place] = 1 - active.mean()
        self.measured["saturated"][place] = saturated(leaf, sample(y))
        if place == self.first and x.dtype.kind == "f":
            some = sample(x)
            self.measured["input_size"][...] = math.sqrt(float(np.square(some, dtype=np.float64).mean()))
            self.measured["input_spread"][...] = spread_of_features(some)

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

"""Container: layers by position that are together a layer, and the table in which all of them are shown."""

from collections.abc import Iterator
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from minidl.html import table
from minidl.layers.base import Layer
from minidl.layers.shapes import SampleShape, ShapeError, shown
from minidl.parameters import Array, Parameter

HEAD = ("", "layer", "output", "parameters")


class Container(Layer):
    """A layer made of layers, which have a position each; an error in one of them names it.

    A class below it states forward, backward, `output_shape` and, for the table, `input_shapes`.
    """

    _part, _parts = "layer", "layers"
    _of_the_moment = (*Layer._of_the_moment, "_known")

    def __init__(self, *layers: Layer) -> None:
        for position, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                advice = ": drop the brackets, or write *layers" if isinstance(layer, list | tuple) else ""
                advice = f": write {layer.__name__}(...)" if isinstance(layer, type) else advice
                raise TypeError(f"expected layer objects, received {self._parts}[{position}]={layer!r}{advice}")
        self.layers = layers

    def children(self) -> dict[str, Layer]:
        """The layers by position: "0", "1", ..."""
        return {str(position): layer for position, layer in enumerate(self.layers)}

    def _locate(self, error: Exception, position: int) -> None:
        """Add to an error in which of the layers it happened."""
        where = f"{self._part} {position} of {len(self.layers)} of a {type(self).__name__}"
        error.add_note(f"in {where}: {self.layers[position]!r}")

    def _missing(self, position: int) -> TypeError:
        """The error of a layer whose backward returns nothing where dL/dx is asked for."""
        name = f"{self._part} {position}, {self.layers[position]!r}"
        return TypeError(f"backward of {name}, returned None: it must return dL/dx")

    def _trains(self, position: int) -> bool:
        """Whether the layer at a position has a parameter that is not frozen."""
        return any(not parameter.frozen for parameter in self._known.inside[position])

    def _wants_dx(self) -> bool:
        """Whether dL/dx is of use: for the caller, or for a parameter of a class below that holds parameters itself."""
        return self.needs_dx or any(not parameter.frozen for parameter in self._known.own)

    @cached_property
    def _known(self) -> SimpleNamespace:
        """The parameters of the container itself, and of each layer; not as a list, which would own them again."""
        own = [value for value in vars(self).values() if isinstance(value, Parameter)]
        return SimpleNamespace(own=own, inside=[list(layer.named_parameters().values()) for layer in self.layers])

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, index: int) -> Any:  # not Layer: it would keep everybody from model[0].weight
        return self.layers[index]

    def __str__(self) -> str:
        """The table of layers, output shapes and parameter counts."""
        return summary(self)

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        rows = [(path, "\u2003" * depth + name, *rest) for path, depth, name, *rest in _rows(self, self._input_shape)]
        return table(HEAD, rows, title=_title(self))


class Chain(Container):
    """f(x) = f_k(... f_2(f_1(x))): the layers of a container, each given what the one before it returns."""

    def forward(self, x: Array) -> Array:
        """Return the output of the last layer."""
        for position, layer in enumerate(self.layers):
            try:
                x = layer.forward(x)
            except Exception as error:
                self._locate(error, position)
                raise
        return x

    def backward(self, dy: Array) -> Array:
        """dL/dx by the chain rule; where `needs_dx` is False, nothing below the first trainable layer is computed."""
        first = -1 if self._wants_dx() else self._first_trainable()
        for position in range(len(self.layers) - 1, max(first, 0) - 1, -1):
            try:
                dy = self.backward_of(self.layers[position], dy, needs_dx=position > first)
            except Exception as error:
                self._locate(error, position)
                raise
            if dy is None and position > max(first, 0):
                raise self._missing(position)
        return dy

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape after the last layer; ShapeError names the first layer that does not fit."""
        for position, layer in enumerate(self.layers):
            try:
                shape = layer.output_shape(shape)
            except Exception as error:
                self._locate(error, position)
                raise
        return shape

    def input_shapes(self, shape: SampleShape) -> list[SampleShape]:
        """The shape of the rows that each layer is given; None from a layer on that does not fit."""
        shapes = []
        for layer in self.layers:
            shapes.append(shape)
            shape = _output_shape(layer, shape)
        return shapes

    def _first_trainable(self) -> int:
        """The position of the first layer with a parameter that is not frozen."""
        return next((position for position in range(len(self.layers)) if self._trains(position)), len(self.layers))


def summary(model: Layer) -> str:
    """A table of the layers, nested ones indented, with the shape of their outputs and their parameter counts."""
    rows = [(path, "  " * depth + name, *rest) for path, depth, name, *rest in _rows(model, model._input_shape)]
    rows = [HEAD, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    widths[0] = max(widths[0], 3)
    lines = [
        f"{path:<{widths[0]}}  {name:<{widths[1]}}  {output:<{widths[2]}}  {count:>{widths[3]}}".rstrip()
        for path, name, output, count in rows
    ]
    return "\n".join([_title(model), *lines])


def _title(model: Layer) -> str:
    parameters = model.named_parameters().values()
    total, frozen = (sum(p.size for p in parameters if p.frozen or every) for every in (True, False))
    try:
        dtypes = sorted({str(parameter.value.dtype) for parameter in parameters})
    except RuntimeError:
        dtypes = ["not built yet"]
    counts = [_counted(total, "parameter"), *([f"{_spaced(frozen)} of them frozen"] if frozen else [])]
    layers = _counted(len(model.children()), "layer")
    return ", ".join([f"{type(model).__name__}: {layers}", *counts, *dtypes])


def _rows(
    container: Layer, shape: SampleShape, prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, int, str, str, str]]:
    """The place of each layer, how deep it lies, its call, the shape of its outputs and its number of parameters."""
    inner_shapes = container.input_shapes(shape)
    for (position, layer), before in zip(container.children().items(), inner_shapes, strict=True):
        after = _output_shape(layer, before)
        output = "?" if after is None else shown(("n", *after))
        parameters = layer.named_parameters().values()
        count = _spaced(sum(parameter.size for parameter in parameters))
        if frozen := sum(parameter.frozen for parameter in parameters):
            count = f"{'' if frozen == len(parameters) else 'partly '}frozen {count}"
        path, inside = f"{prefix}{position}", len(layer.input_shapes(before))
        name = f"{type(layer).__name__} of {inside}" if inside else repr(layer)
        yield path, depth, name, output, count
        if inside:
            yield from _rows(layer, before, f"{path}.", depth + 1)


def _output_shape(layer: Layer, shape: SampleShape) -> SampleShape:
    try:
        return layer.output_shape(shape)
    except ShapeError:  # build refuses such a model; a table of it helps to see why
        return None


def _counted(number: int, what: str) -> str:
    return f"{_spaced(number)} {what}{'' if number == 1 else 's'}"


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")

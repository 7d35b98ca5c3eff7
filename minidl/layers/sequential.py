"""Sequential: layers one after the other, which are together a layer."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, overload

from minidl.layers.base import Layer
from minidl.layers.habits import SEQUENTIAL
from minidl.layers.shapes import SampleShape, ShapeError
from minidl.parameters import Array, Parameter


class Sequential(Layer):
    """y = f_k(... f_2(f_1(x))): the layers in order; backward goes through them in reverse (the chain rule).

    It nests, has a length, iterates, indexes (`model[0]`) and slices (`model[:-1]` is a Sequential that shares the
    layers, with weights). `print(model)` shows a table. An error in a layer names the layer by its position.

    >>> from minidl.layers import Linear, Sigmoid
    >>> model = Sequential(Linear(4, 3), Sigmoid(), Linear(3, 2)).build(seed=0)
    >>> print(model)
    Sequential: 3 layers, 23 parameters, float32
         layer         output  parameters
    0    Linear(4, 3)  (n, 3)          15
    1    Sigmoid()     (n, 3)           0
    2    Linear(3, 2)  (n, 2)           8
    """

    _habits = SEQUENTIAL

    def __init__(self, *layers: Layer) -> None:
        for position, layer in enumerate(layers):
            if not isinstance(layer, Layer):
                advice = ": drop the brackets, or write *layers" if isinstance(layer, list | tuple) else ""
                advice = f": write {layer.__name__}(...)" if isinstance(layer, type) else advice
                raise TypeError(f"expected layer objects, received layers[{position}]={layer!r}{advice}")
        self.layers = layers

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
        first = -1 if self.needs_dx else self._first_trainable
        for position in range(len(self.layers) - 1, max(first, 0) - 1, -1):
            layer = self.layers[position]
            layer.needs_dx = position > first
            try:
                dy = layer.backward(dy)
            except Exception as error:
                self._locate(error, position)
                raise
            finally:
                layer.needs_dx = True  # for whoever calls the layer by hand
            if dy is None and position > max(first, 0):
                raise TypeError(f"backward of layer {position}, {layer!r}, returned None: it must return dL/dx")
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

    def children(self) -> dict[str, Layer]:
        """The layers by position: "0", "1", ..."""
        return {str(position): layer for position, layer in enumerate(self.layers)}

    @cached_property
    def _first_trainable(self) -> int:
        if any(isinstance(own, Parameter) for own in vars(self).values()):
            return -1  # a container with parameters of its own needs the gradient of its input
        trainable = (position for position, layer in enumerate(self.layers) if layer.named_parameters())
        return next(trainable, len(self.layers))

    def _locate(self, error: Exception, position: int) -> None:
        error.add_note(f"in layer {position} of {len(self.layers)} of a Sequential: {self.layers[position]!r}")

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Any: ...  # not Layer: it would keep everybody from model[0].weight
    @overload
    def __getitem__(self, index: slice) -> "Sequential": ...
    def __getitem__(self, index: int | slice) -> Any:
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]

    def __str__(self) -> str:
        """The table of layers, output shapes and parameter counts."""
        return summary(self)


def summary(model: Sequential) -> str:
    """A table of the layers, nested ones indented, with the shape of their outputs and their parameter counts."""
    rows = [("", "layer", "output", "parameters"), *_rows(model, None, "")]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    widths[0] = max(widths[0], 3)
    lines = [
        f"{path:<{widths[0]}}  {name:<{widths[1]}}  {output:<{widths[2]}}  {count:>{widths[3]}}".rstrip()
        for path, name, output, count in rows
    ]
    parameters = model.named_parameters().values()
    total = sum(parameter.size for parameter in parameters)
    try:
        dtypes = sorted({str(parameter.value.dtype) for parameter in parameters})
    except RuntimeError:
        dtypes = ["not built yet"]
    return "\n".join(
        [", ".join([f"Sequential: {_counted(len(model), 'layer')}", _counted(total, "parameter"), *dtypes]), *lines]
    )


def _rows(model: Sequential, shape: SampleShape, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for position, layer in enumerate(model):
        before = shape
        try:
            shape = layer.output_shape(shape)
        except ShapeError:  # build refuses such a model; a table of it helps to see why
            shape = None
        output = "?" if shape is None else str(("n", *shape)).replace("'", "")
        count = sum(parameter.size for parameter in layer.named_parameters().values())
        path = f"{prefix}{position}"
        name = f"Sequential of {len(layer)}" if isinstance(layer, Sequential) else repr(layer)
        yield path, "  " * path.count(".") + name, output, _spaced(count)
        if isinstance(layer, Sequential):
            yield from _rows(layer, before, f"{path}.")


def _counted(number: int, what: str) -> str:
    return f"{_spaced(number)} {what}{'' if number == 1 else 's'}"


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")

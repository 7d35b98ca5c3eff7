"""Graph: the nodes and constants of an ONNX file, written one after the other."""

from __future__ import annotations  # onnx is loaded when it is needed

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from minidl.parameters import Array


@dataclass
class Graph:
    """What is written so far: a call adds a node and returns the name of its output.

    Attributes:
        dtype: of the numbers of the model.
        nodes: in the order in which they are computed.
        constants: the arrays that they use; a graph inside another uses those of the outermost.
    """

    dtype: np.dtype[Any]
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    names: Any = field(default_factory=lambda: map("v{}".format, count()))

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output."""
        return self.several(operator, *inputs, outputs=1, **attributes)[0]

    def several(self, operator: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """Add a node of several outputs."""
        from onnx.helper import make_node

        names = [next(self.names) for _ in range(outputs)]
        self.nodes.append(make_node(operator, inputs, names, **attributes))
        return names

    def constant(self, values: Array | np.generic) -> str:
        """An array as it is."""
        from onnx.numpy_helper import from_array

        self.constants.append(from_array(np.asarray(values, order="C"), next(self.names)))
        return str(self.constants[-1].name)

    def number(self, values: Array | float) -> str:
        """Numbers in the dtype of the model."""
        return self.constant(np.asarray(values, self.dtype))

    def sizes(self, *values: int) -> str:
        """Whole numbers, as shapes and axes are."""
        return self.constant(np.array(values, np.int64))

    def inside(self) -> Graph:
        """A graph for the body of a node, which may use what is outside of it."""
        return Graph(self.dtype, [], self.constants, self.names)

    def reshape(self, x: str, *sizes: int) -> str:
        """x in another shape; 0 keeps a size, -1 is what the others leave."""
        return self("Reshape", x, self.sizes(*sizes))

    def full(self, shape: str, value: float) -> str:
        """The same number everywhere."""
        from onnx.numpy_helper import from_array

        return self("ConstantOfShape", shape, value=from_array(np.array([value], self.dtype)))

    def linear(self, x: str, weight: Array, bias: Array | None) -> str:
        """X W + b."""
        y = self("MatMul", x, self.number(weight))
        return y if bias is None else self("Add", y, self.number(bias))

    def mean(self, x: str, axes: Sequence[int]) -> str:
        """The mean over axes, which are kept with the size 1."""
        return self("ReduceMean", x, self.sizes(*axes), keepdims=1)

    def normalized(self, x: str, axes: Sequence[int], eps: float) -> str:
        """(x - mean) / sqrt(variance + eps), with both over axes."""
        away = self("Sub", x, self.mean(x, axes))
        variance = self.mean(self("Mul", away, away), axes)
        return self("Div", away, self("Sqrt", self("Add", variance, self.number(eps))))

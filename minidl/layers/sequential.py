"""Sequential: layers one after the other, which are together a layer."""

from typing import Any, overload

from minidl.layers.container import Chain
from minidl.layers.habits import SEQUENTIAL


class Sequential(Chain):
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

    @overload
    def __getitem__(self, index: int) -> Any: ...  # not Layer: it would keep everybody from model[0].weight
    @overload
    def __getitem__(self, index: slice) -> "Sequential": ...
    def __getitem__(self, index: int | slice) -> Any:
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]

"""NumericBackward: a slow backward for a layer whose derivative is not written yet."""

import copy
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.testing.functions.differences import STEP


class NumericBackward(Layer):
    """A layer whose `backward` is computed by central differences until you write one.

    Derive from it instead of `Layer`, write `forward`, and the layer trains, in any model and in float32: the
    differences are taken in float64, on a copy, from the random streams and states of the newest forward. It costs two
    forwards for every number of x and of the parameters, so it is for small layers and the first hour. When `backward`
    is written it takes the place of this one, and `check_layer` holds it against the same differences.

    >>> from minidl.testing import check_layer
    >>> class Softsign(NumericBackward):
    ...     def forward(self, x):
    ...         return x / (1 + abs(x))
    >>> layer = Softsign().build()
    >>> layer.forward(np.float32([[1.0]])), layer.backward(np.float32([[1.0]]))
    (array([[0.5]], dtype=float32), array([[0.25]], dtype=float32))
    """

    _called_with: tuple[Array, list[Any], dict[str, Array]]

    def __init_subclass__(cls, **options: Any) -> None:
        """Make `forward`, the class's own or a base's, remember where it was called."""
        super().__init_subclass__(**options)
        if not hasattr(cls.forward, "remembers"):
            cls.forward = _remembering(cls.forward)  # type: ignore[assignment, method-assign]

    def backward(self, dy: Array) -> Array:
        """Set every gradient and return dL/dx, by central differences at the newest forward."""
        x, streams, states = self._called_with
        twin = copy.deepcopy(self)
        vars(twin).pop("parameters", None)  # else a second build would draw new values
        twin.build(seed=0, dtype=np.float64)
        wide = x.astype(np.float64) if x.dtype.kind == "f" else x

        def output() -> Array:
            for layer, stream in zip(twin.layers_inside(), streams, strict=True):
                layer.rng.bit_generator.state = layer.rng.bit_generator.state if stream is None else stream
            for name, value in states.items():
                twin.parameters.states[name].value = value
            return twin.forward(wide)

        for inner, own in zip(twin.layers_inside(), self.layers_inside(), strict=True):
            inner.training = own.training
        for name, parameter in self.named_parameters().items():
            parameter.grad = _differences(output, twin.parameters.named[name].value, dy)
        if wide is x or not self.needs_dx:  # whole numbers, which may come as floats, cannot be moved
            return np.zeros(x.shape, dy.dtype)
        return _differences(output, wide, dy).astype(dy.dtype)


def _remembering(forward: Callable[[Any, Array], Array]) -> Callable[[Any, Array], Array]:
    @wraps(forward)
    def remembering(self: NumericBackward, x: Array) -> Array:
        rngs = [vars(layer).get("rng") for layer in self.layers_inside()]
        streams = [None if rng is None else rng.bit_generator.state for rng in rngs]
        states = {name: state.value.copy() for name, state in self.named_states().items() if state.built}
        y = forward(self, x)
        self._called_with = (x, streams, states)  # after: a forward of a base class has set it too
        return y

    remembering.remembers = True  # type: ignore[attr-defined]
    return remembering


def _differences(output: Callable[[], Array], array: Array, dy: Array) -> Array:
    """sum(dy * dy/da) for every element a of an array, which the output reads."""
    gradient = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        middle = float(array[index])
        h = STEP * max(1.0, abs(middle))
        array[index] = above = middle + h
        high = output().copy()
        array[index] = below = middle - h
        gradient[index] = float(np.sum(dy * ((high - output()) / (above - below))))
        array[index] = middle
    return gradient

"""How a case of a layer is made: built, its parameters moved away from where they start, sometimes trained before."""

import copy
from contextlib import suppress

import numpy as np

from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.testing.functions import WAYS, moved
from minidl.testing.layers.case import Declared, LayerCase
from minidl.testing.strategies import OWN_COPY, copied


def make_case(
    layer: Layer, x: Array, seed: int, declared: Declared, *, advice: str = "", other: Layer | None = None
) -> LayerCase:
    """Build a layer that nobody else holds, and move its parameters away from their initial values."""
    fresh = copied(layer, OWN_COPY)
    layer.build(seed=0, dtype=np.float64)
    rng = np.random.default_rng(seed)
    start = layer.parameters.snapshot()
    for way in (WAYS[seed % len(WAYS)], "gently", "not"):
        for name, parameter in layer.parameters.named.items():
            parameter.value = moved(start[name], way, rng)
        if _is_finite(copy.deepcopy(layer), x):  # else a parameter may have to keep its sign, or its place
            break
    if seed % 2:
        with layer.train_mode(), np.errstate(all="ignore"):
            for rows in (len(x) + 1, len(x)):
                with suppress(Exception):  # what training raises is for the run in training mode to say
                    layer.forward(declared.another((rows, *x.shape[1:]), rng))
    if other is not None:
        ours, theirs = ({id(inner) for inner in each.layers_inside()} for each in (layer, other))
        other = None if ours & theirs or len(ours) != len(theirs) else other.build(seed=0, dtype=np.float64)
    return LayerCase(layer, fresh, x, seed, declared, advice, other)


def _is_finite(layer: Layer, x: Array) -> bool:
    """Whether output and gradients are numbers; a backward that raises is for the checks to report."""
    with np.errstate(all="ignore"), suppress(Exception):
        y = layer.forward(x.copy())
        if not np.isfinite(y).all():
            return False
        with suppress(Exception):
            layer.backward(np.ones_like(y))
        return bool(np.isfinite(layer.parameters.grad).all())
    return False

"""check_layer and layer_test: every property a layer must have, on cases that hypothesis draws and shrinks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.layers.base import Layer
from minidl.testing.layer_properties import LayerCase, check_case
from minidl.testing.running import Report, Tally, as_test, run_now
from minidl.testing.strategies import SEEDS, Shape, draw_object, grid_arrays

DOMAIN = (-3.0, 3.0)


def layer_test(
    layer: Layer | Callable[..., Layer],
    shape: Shape = ("n", "features"),
    *,
    rows_mix: bool = False,
    random_inference: bool = False,
    domain: tuple[float, float] | None = None,
    **arguments: Any,
) -> Callable[[], None]:
    """A ready hypothesis test of a layer: the whole test file is one line for each layer.

    Args:
        layer: a class or factory, called anew for every case, or one layer object.
        shape: the shape of x. Names are drawn and handed to the constructor's arguments of the same name.
        rows_mix: declare that rows of the output depend on other rows, as in batch normalization.
        random_inference: declare that the layer draws random numbers at inference too.
        domain: the interval x must lie in. None: x is drawn from -3 to 3, and tried far beyond.
        arguments: further constructor arguments, each a value or a strategy. Under a name in `shape`, the strategy
            for that size; the others are drawn from 1 to 4, or 7.

    The properties: outputs and gradients have the right shape and dtype and are finite, and no NaN comes of inputs of
    800; x, the upstream gradient, the parameters, and at inference the states are left alone; arrays once returned
    stay as they are; the same forward gives the same output; backward sets every gradient, can be repeated, and refers
    to the newest forward; it is linear in the upstream gradient; rows are independent; a view of x and a copy of the
    layer give the same; `needs_dx=False` changes no parameter gradient; every derivative is that of the forward pass,
    on a grid that meets kinks and ties and on points away from them; float32 stays float32 and close to float64.
    Dropout-like layers must draw from `self.rng`.

    >>> from minidl.layers import Linear
    >>> test_linear = layer_test(Linear, shape=("n", "in_features"), out_features=st.integers(1, 4))
    >>> test_linear()
    """
    return as_test(_cases(layer, shape, (rows_mix, random_inference), domain, arguments), check_case, Tally())


def check_layer(
    layer: Layer | Callable[..., Layer],
    shape: Shape = ("n", "features"),
    *,
    rows_mix: bool = False,
    random_inference: bool = False,
    domain: tuple[float, float] | None = None,
    max_examples: int = 100,
    **arguments: Any,
) -> Report:
    """Run `layer_test` at once: returns a Report, or raises LayerCheckError with the smallest case found.

    >>> from minidl.layers import ReLU
    >>> check_layer(ReLU()).cases >= 1
    True
    """
    return run_now(_cases(layer, shape, (rows_mix, random_inference), domain, arguments), check_case, max_examples)


@st.composite
def _cases(
    draw: st.DrawFn,
    layer: Layer | Callable[..., Layer],
    shape: Shape,
    declared: tuple[bool, bool],
    domain: tuple[float, float] | None,
    arguments: Mapping[str, Any],
) -> LayerCase:
    """Draw sizes, then arguments, then the input, so that hypothesis shrinks each."""
    made, sizes = draw_object(draw, layer, shape, arguments)
    x = draw(grid_arrays(sizes, domain=domain or DOMAIN))
    seed = draw(SEEDS)
    made.build(seed=0, dtype=np.float64)
    rng = np.random.default_rng(seed)
    for parameter in made.parameters.named.values():
        start = np.round(parameter.value * 8) / 8
        parameter.value = start + rng.integers(1, 5, parameter.shape) / 8 * rng.choice([-1, 1], parameter.shape)
    return LayerCase(made, x, seed, declared[0], domain is not None, declared[1])

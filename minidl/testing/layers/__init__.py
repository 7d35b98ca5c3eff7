"""check_layer and layer_test: every property a layer must have, on cases that hypothesis draws and shrinks."""

import copy
from collections.abc import Callable, Container, Generator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
from hypothesis import strategies as st

from minidl.layers.base import Layer
from minidl.testing.functions import GRID, name_of
from minidl.testing.layers.advice import on_sizes
from minidl.testing.layers.case import Declared, LayerCase, LayerCheckError, LayerRun
from minidl.testing.layers.contract import CONTRACT, gradients_set, runs
from minidl.testing.layers.door import DOOR
from minidl.testing.layers.extremes import EXTREMES
from minidl.testing.layers.making import make_case
from minidl.testing.layers.modes import MODES
from minidl.testing.layers.numbers import NUMBERS
from minidl.testing.report import Property
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case
from minidl.testing.strategies import (
    SEEDS,
    Shape,
    Strategy,
    check_domain,
    check_jumps,
    check_kind,
    check_shape,
    draw_object,
    grid_arrays,
    is_factory,
    make_object,
    whole_numbers,
)

Integers: TypeAlias = tuple[int, int | str]


def both_modes(
    case: LayerCase, skipped: Container[Property], *, kind: type[LayerRun] = LayerRun
) -> Generator[LayerRun, None, None]:
    """A case in inference mode, then in training mode; gradients that need not be set are 0 before."""
    unset = 0.0 if gradients_set in skipped else np.nan
    inference = kind(case, unset)
    yield inference
    with case.layer.train_mode():
        yield kind(case, unset, inference)


LAYER = Kind((*CONTRACT, *DOOR, *NUMBERS, *MODES, *EXTREMES), runs, LayerCheckError, both_modes)


def layer_cases(
    layer: Layer | Callable[..., Layer],
    shape: Shape = ("n", "features"),
    *,
    rows_mix: bool | Literal["training"] = False,
    stochastic: bool | Literal["unbiased"] = False,
    random_inference: bool = False,
    domain: tuple[float, float] | None = None,
    integers: Integers | None = None,
    jumps: tuple[float, ...] = (),
    **arguments: Any,
) -> Cases:
    """The cases of a layer: sizes are drawn, then arguments, then the input, so that hypothesis shrinks each."""
    check_shape(shape)
    check_domain(domain)
    check_jumps(jumps)
    plain = Declared(rows_mix, stochastic, random_inference, domain, jumps=tuple(jumps))
    declared = partial(_declared, plain, integers)

    names = [size for size in shape if isinstance(size, str)]

    def another(used: Mapping[str, Any]) -> Layer | None:
        return make_object(layer, copy.deepcopy(dict(used)), optional=names) if is_factory(layer) else None

    @st.composite
    def drawn(draw: st.DrawFn) -> LayerCase:
        made, sizes, used = draw_object(draw, layer, shape, arguments)
        check_kind(made, Layer)
        complete = declared(used)
        x, seed = draw(_inputs(sizes, complete)), draw(SEEDS)
        return make_case(made, x, seed, complete, advice=on_sizes(layer, shape), other=another(used))

    def given(at: Mapping[str, Any]) -> LayerCase:
        case = given_case(at, "x", "seed")
        x = np.array(case["x"], np.int64 if integers else np.float64)
        made = make_object(layer, arguments)
        check_kind(made, Layer)
        return make_case(made, x, case["seed"], declared(arguments), other=another(arguments))

    return Cases(name_of(layer), drawn(), given)


@as_test(LAYER, layer_cases)
def layer_test() -> None:
    """A ready hypothesis test of a layer: the whole test file is one line for each layer.

    It runs as a function, under pytest, and as a method of a `unittest.TestCase`.

    Args:
        layer: a class or factory, called anew for every case, or one layer object.
        shape: the shape of x. Names are drawn and handed to the constructor's arguments of the same name. A size may
            be a strategy, or have a lower bound: `("n", at_least(3))`.
        rows_mix: declare that rows of the output depend on other rows; "training" that they do so in training only, as
            in batch normalization, and that the states which inference uses instead move then.
        stochastic: declare that the layer draws random numbers in training, from `self.rng`; "unbiased" that the mean
            over the draws is the output of inference, as for dropout.
        random_inference: declare that it draws them at inference too.
        domain: the closed interval x must lie in. None: x is drawn from -3 to 3, and tried far beyond.
        integers: declare that x holds whole numbers from `low` to `high - 1`, as for an embedding; `high` may be the
            name of a constructor argument. Only the parameters are differentiated then.
        jumps: the values of x at which the output may jump, as at the 0 that marks padding. They are drawn and tried
            like any others, but the derivative for an element that stands there is not asked.
        settings: hypothesis settings instead of those of the loaded profile.
        arguments: further constructor arguments, each a value or a strategy. Under a name in `shape`, the strategy
            for that size; the others are drawn from 1 to 4, or 9. Where a name clashes with one above, use a factory.

    `docs/testing.md` lists the properties; `Report` names them.

    >>> from minidl.layers import Linear
    >>> test_linear = layer_test(Linear, shape=("n", "in_features"), out_features=st.integers(1, 4))
    >>> test_linear()
    """


@at_once(LAYER, layer_cases)
def check_layer() -> None:
    """Run `layer_test` at once, on the same `max_examples` cases every time.

    `at={"x": ..., "seed": ...}`, as a failure prints it, is one case instead of drawn ones. With `raises=False` every
    property is judged by itself, whatever else fails, and the report is returned: for grading. All else is as for
    `layer_test`.

    Raises:
        LayerCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the report.

    >>> from minidl.layers import ReLU
    >>> check_layer(ReLU()).passed
    True
    >>> check_layer(ReLU(), at={"x": [[0.0, -1.0]], "seed": 0}).cases
    1
    """


def _inputs(sizes: tuple[int, ...], declared: Declared) -> Strategy:
    """The strategy for x of the given shape."""
    if declared.integers is not None:
        return whole_numbers(sizes, *declared.integers)
    return grid_arrays(sizes, domain=declared.domain or GRID)


def _declared(declared: Declared, integers: Integers | None, used: Mapping[str, Any]) -> Declared:
    """The declaration with `high` looked up among the arguments, where it is a name."""
    if integers is None:
        return declared
    if not isinstance(integers, tuple | list) or len(integers) != 2:
        raise ValueError(f"expected integers=(low, high), x from low to high - 1, received integers={integers!r}")
    low, high = integers
    if isinstance(high, str) and high not in used:
        raise ValueError(f"expected integers=(low, high), high a number or one of {sorted(used)}, received {high!r}")
    top = used[high] if isinstance(high, str) else high
    if not low < top:
        raise ValueError(f"expected integers=(low, high) with low < high, received integers=({low}, {top})")
    return replace(declared, integers=(low, top))

"""check_layer and layer_test: every property a layer must have, on cases that hypothesis draws and shrinks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import hypothesis
import numpy as np
from hypothesis import strategies as st

import minidl.testing.layer_numbers as numbers
import minidl.testing.layer_properties as contract
import minidl.testing.layer_rows as rows
from minidl.layers.base import Layer
from minidl.testing.layer_case import GRID, Declared, LayerCase, LayerCheckError, make_case, runs
from minidl.testing.report import Report
from minidl.testing.running import Kind, as_test, given_case, run_now
from minidl.testing.strategies import (
    SEEDS,
    Shape,
    Strategy,
    check_domain,
    check_kind,
    check_shape,
    draw_object,
    grid_arrays,
    is_factory,
    make_object,
    name_of,
    whole_numbers,
)

Integers: TypeAlias = tuple[int, int | str]
LAYER = Kind(
    {
        "runs": contract.check_runs,
        "shapes and dtypes": contract.check_shapes,
        "gradients are set": contract.check_set,
        "what is given is left alone": contract.check_left_alone,
        "what is returned stays": contract.check_kept,
        "repeatable": contract.check_repeats,
        "backward of the newest forward": contract.check_backward_again,
        "linear in the upstream gradient": contract.check_linear,
        "any memory layout": contract.check_layouts,
        "needs_dx is only a hint": contract.check_needs_dx,
        "copies are independent": contract.check_copies,
        "restored by parameters and states": contract.check_restored,
        "rows independent": rows.check_rows,
        "derivatives on the grid": numbers.check_on_grid,
        "derivatives off the grid": numbers.check_off_grid,
        "derivatives far out": numbers.check_far_out,
        "many rows": rows.check_many_rows,
        "extreme upstream gradients": contract.check_extreme_upstream,
        "empty batch": rows.check_empty,
        "hostile values": numbers.check_hostile,
        "float32": numbers.check_float32,
    },
    LayerCheckError,
    runs,
    fundamental=2,
)


def layer_test(
    layer: Layer | Callable[..., Layer],
    shape: Shape = ("n", "features"),
    *,
    rows_mix: bool = False,
    stochastic: bool = False,
    random_inference: bool = False,
    domain: tuple[float, float] | None = None,
    integers: Integers | None = None,
    settings: hypothesis.settings | None = None,
    **arguments: Any,
) -> Callable[..., None]:
    """A ready hypothesis test of a layer: the whole test file is one line for each layer.

    It runs as a function, under pytest, and as a method of a `unittest.TestCase`.

    Args:
        layer: a class or factory, called anew for every case, or one layer object.
        shape: the shape of x. Names are drawn and handed to the constructor's arguments of the same name.
        rows_mix: declare that rows of the output depend on other rows, as in batch normalization.
        stochastic: declare that the layer draws random numbers in training, as dropout does, from `self.rng`.
        random_inference: declare that it draws them at inference too.
        domain: the closed interval x must lie in. None: x is drawn from -3 to 3, and tried far beyond.
        integers: declare that x holds whole numbers from `low` to `high - 1`, as for an embedding; `high` may be the
            name of a constructor argument. Only the parameters are differentiated then.
        settings: hypothesis settings instead of those of the loaded profile.
        arguments: further constructor arguments, each a value or a strategy. Under a name in `shape`, the strategy
            for that size; the others are drawn from 1 to 4, or 9. Where a name clashes with one above, use a factory.

    `docs/testing.md` lists the properties; `Report` names them.

    >>> from minidl.layers import Linear
    >>> test_linear = layer_test(Linear, shape=("n", "in_features"), out_features=st.integers(1, 4))
    >>> test_linear()
    """
    declared = Declared(rows_mix, stochastic, random_inference, domain)
    check_shape(shape)
    check_domain(domain)
    return as_test(LAYER, _cases(layer, shape, declared, integers, arguments), settings)


def check_layer(
    layer: Layer | Callable[..., Layer],
    shape: Shape = ("n", "features"),
    *,
    rows_mix: bool = False,
    stochastic: bool = False,
    random_inference: bool = False,
    domain: tuple[float, float] | None = None,
    integers: Integers | None = None,
    at: Mapping[str, Any] | None = None,
    max_examples: int = 100,
    raises: bool = True,
    **arguments: Any,
) -> Report:
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
    declared = Declared(rows_mix, stochastic, random_inference, domain)
    check_shape(shape)
    check_domain(domain)
    cases = _cases(layer, shape, declared, integers, arguments)
    case = None if at is None else _case_at(layer, declared, integers, arguments, given_case(at, "x", "seed"))
    return run_now(LAYER, name_of(layer), cases, case, max_examples=max_examples, raises=raises)


@st.composite
def _cases(
    draw: st.DrawFn,
    layer: Layer | Callable[..., Layer],
    shape: Shape,
    declared: Declared,
    integers: Integers | None,
    arguments: Mapping[str, Any],
) -> LayerCase:
    """Draw sizes, then arguments, then the input, so that hypothesis shrinks each."""
    made, sizes, used = draw_object(draw, layer, shape, arguments)
    check_kind(made, Layer, "check_layer")
    declared = with_integers(declared, integers, used)
    x = draw(inputs(sizes, declared))
    return make_case(made, x, draw(SEEDS), declared, advice=shape_advice(layer, shape))


def shape_advice(layer: Any, shape: Shape) -> str:
    """What to say if an object that is made already does not fit the sizes drawn for it."""
    drawn = [size for size in shape[1:] if isinstance(size, str)]
    if is_factory(layer) or not drawn:
        return ""
    return f"\n  {', '.join(map(repr, drawn))} in shape={shape} are drawn: give the sizes that this object was made for"


def inputs(sizes: tuple[int, ...], declared: Declared) -> Strategy:
    """The strategy for x of the given shape."""
    if declared.integers is not None:
        return whole_numbers(sizes, *declared.integers)
    return grid_arrays(sizes, domain=declared.domain or GRID)


def _case_at(
    layer: Layer | Callable[..., Layer],
    declared: Declared,
    integers: Integers | None,
    arguments: Mapping[str, Any],
    at: Mapping[str, Any],
) -> LayerCase:
    declared = with_integers(declared, integers, arguments)
    x = np.array(at["x"], np.int64 if integers else np.float64)
    made = make_object(layer, arguments)
    check_kind(made, Layer, "check_layer")
    return make_case(made, x, at["seed"], declared)


def with_integers(declared: Declared, integers: Integers | None, used: Mapping[str, Any]) -> Declared:
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

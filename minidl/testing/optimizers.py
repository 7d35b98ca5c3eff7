"""check_optimizer and optimizer_test: in place, on one clock, blind to grouping, restorable, true to the formula."""

from collections.abc import Callable, Mapping
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

from minidl.optim.base import Optimizer
from minidl.testing.optimizer_properties import PROPERTIES, OptimizerCase, OptimizerCheckError, Reference
from minidl.testing.report import Report
from minidl.testing.running import Kind, as_test, given_case, run_now
from minidl.testing.strategies import SIZES, check_kind, draw_object, grid_arrays, make_object, name_of

OPTIMIZER = Kind(PROPERTIES, OptimizerCheckError)
SIZE_STEPS = st.integers(1, 5)


def optimizer_test(
    optimizer: Optimizer | Callable[..., Optimizer],
    *,
    reference: Reference | None = None,
    whole_vector: bool = False,
    whole_parameters: bool = False,
    spares_biases: bool = True,
    settings: hypothesis.settings | None = None,
    **arguments: Any,
) -> Callable[..., None]:
    """A ready hypothesis test of an optimizer: a class with constructor arguments (values or strategies), or an object.

    Args:
        optimizer: what is tested; a fresh copy for every case.
        reference: (start, gradients) -> values, the same rule written plainly for one array.
        whole_vector: declare that elements influence one another, as in clipping by the norm.
        whole_parameters: declare that the elements of one parameter influence one another, as in LARS.
        spares_biases: False declares that it decays parameters with `decay=False` too.
        settings: hypothesis settings instead of those of the loaded profile.
        arguments: constructor arguments, each a value or a strategy.

    `docs/testing.md` lists the properties; `Report` names them.

    >>> from minidl.optim import SGD
    >>> test_sgd = optimizer_test(SGD, lr=0.1, reference=lambda start, gradients: start - 0.1 * sum(gradients))
    >>> test_sgd()
    """
    return as_test(
        OPTIMIZER, _cases(optimizer, (reference, whole_vector, whole_parameters, spares_biases), arguments), settings
    )


def check_optimizer(
    optimizer: Optimizer | Callable[..., Optimizer],
    *,
    reference: Reference | None = None,
    whole_vector: bool = False,
    whole_parameters: bool = False,
    spares_biases: bool = True,
    at: Mapping[str, Any] | None = None,
    max_examples: int = 100,
    raises: bool = True,
    **arguments: Any,
) -> Report:
    """Run `optimizer_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        OptimizerCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> from minidl.optim import Adam
    >>> check_optimizer(Adam(0.01)).passed
    True
    """
    declared = (reference, whole_vector, whole_parameters, spares_biases)
    cases, case = _cases(optimizer, declared, arguments), None
    if at is not None:
        given = given_case({"cut": 0, **at}, "start", "gradients", "cut")
        start, gradients = (np.array(given[name], np.float64) for name in ("start", "gradients"))
        case = OptimizerCase(make_object(optimizer, arguments), start, gradients, given["cut"], *declared)
    return run_now(OPTIMIZER, name_of(optimizer), cases, case, max_examples=max_examples, raises=raises)


@st.composite
def _cases(
    draw: st.DrawFn, optimizer: Any, declared: tuple[Reference | None, bool, bool, bool], arguments: Mapping[str, Any]
) -> OptimizerCase:
    made, _, _ = draw_object(draw, optimizer, (), arguments)
    check_kind(made, Optimizer, "check_optimizer")
    size, steps = draw(SIZES), draw(SIZE_STEPS)
    start, gradients = draw(grid_arrays((size,))), draw(grid_arrays((steps, size)))
    return OptimizerCase(made, start, gradients, draw(st.integers(0, steps)), *declared)

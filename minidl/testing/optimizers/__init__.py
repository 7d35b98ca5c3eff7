"""check_optimizer and optimizer_test: in place, on one clock, blind to grouping, restorable, true to the formula."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.optim.base import Optimizer
from minidl.testing.functions import name_of
from minidl.testing.optimizers.case import OptimizerCase, OptimizerCheckError, Reference
from minidl.testing.optimizers.properties import OPTIMIZERS, runs
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case
from minidl.testing.strategies import SIZES, check_kind, copied, draw_object, grid_arrays, is_factory, make_object

OPTIMIZER = Kind(tuple(OPTIMIZERS), runs, OptimizerCheckError)
SIZE_STEPS = st.integers(1, 5)


def optimizer_cases(
    optimizer: Optimizer | Callable[..., Optimizer],
    *,
    reference: Reference | None = None,
    whole_vector: bool = False,
    whole_parameters: bool = False,
    spares_biases: bool = True,
    **arguments: Any,
) -> Cases:
    """The cases of an optimizer: its object, a start, gradients, and the step after which a run is interrupted."""
    declared = (reference, whole_vector, whole_parameters, spares_biases)

    def another(used: Mapping[str, Any]) -> Optimizer | None:
        return make_object(optimizer, copied(used)) if is_factory(optimizer) else None

    @st.composite
    def drawn(draw: st.DrawFn) -> OptimizerCase:
        made, _, used = draw_object(draw, optimizer, (), arguments)
        check_kind(made, Optimizer)
        size, steps = draw(SIZES), draw(SIZE_STEPS)
        start, gradients = draw(grid_arrays((size,))), draw(grid_arrays((steps, size)))
        return OptimizerCase(made, start, gradients, draw(st.integers(0, steps)), *declared, another(used))

    def given(at: Mapping[str, Any]) -> OptimizerCase:
        case = given_case({"cut": 0, **at}, "start", "gradients", "cut")
        start, gradients = (np.array(case[name], np.float64) for name in ("start", "gradients"))
        made, other = make_object(optimizer, arguments), another(arguments)
        return OptimizerCase(made, start, gradients, case["cut"], *declared, other)

    return Cases(name_of(optimizer), drawn(), given)


@as_test(OPTIMIZER, optimizer_cases)
def optimizer_test() -> None:
    """A ready hypothesis test of an optimizer: a class with constructor arguments (values or strategies), or an object.

    Args:
        optimizer: what is tested; a fresh copy for every case.
        reference: (start (n,), list of gradients (n,)) -> the values (n,) after all steps, the same rule written
            plainly for one array.
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


@at_once(OPTIMIZER, optimizer_cases)
def check_optimizer() -> None:
    """Run `optimizer_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        OptimizerCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> from minidl.optim import Adam
    >>> check_optimizer(Adam(0.01)).passed
    True
    """

"""check_optimizer and optimizer_test: in place, on one clock, blind to grouping, restorable, true to the formula."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from minidl.initializers import zeros
from minidl.optim.base import Optimizer
from minidl.parameters import Array, Parameter, Parameters
from minidl.testing.derivative import CheckError
from minidl.testing.running import Report, Tally, as_test, run_now
from minidl.testing.strategies import SIZES, draw_object, grid_arrays

Reference: TypeAlias = Callable[[Array, Sequence[Array]], Array]
SIZE_STEPS = st.integers(1, 5)


class OptimizerCheckError(CheckError):
    """An optimizer broke one of its properties; the text holds the smallest case found."""


@dataclass(frozen=True)
class OptimizerCase:
    """One drawn case: an optimizer that has taken no step, a start (n,) and gradients (steps, n), float64."""

    optimizer: Optimizer
    start: Array
    gradients: Array
    cut: int
    reference: Reference | None
    whole_vector: bool

    def failure(self, failed: str, details: str = "") -> OptimizerCheckError:
        """The error to raise, with the case in it."""
        lines = [details, f"  optimizer      {self.optimizer!r}", f"  start = {self.start.tolist()}"]
        lines += [f"  gradients = {self.gradients.tolist()}"]
        return OptimizerCheckError(type(self.optimizer).__name__, failed, "\n".join(line for line in lines if line))

    def run(self, optimizer: Optimizer, parameters: Parameters, gradients: Array) -> Array:
        """Take one step for each gradient; returns the values after the last."""
        for gradient in gradients:
            parameters.grad[...] = gradient
            optimizer.step(parameters)
        return parameters.value.copy()


def optimizer_test(
    optimizer: Optimizer | Callable[..., Optimizer],
    *,
    reference: Reference | None = None,
    whole_vector: bool = False,
    **arguments: Any,
) -> Callable[[], None]:
    """A ready hypothesis test of an optimizer: a class with constructor arguments (values or strategies), or an object.

    Args:
        optimizer: what is tested; a fresh copy for every case.
        reference: (start, gradients) -> values, the same rule written plainly for one array.
        whole_vector: declare that elements influence one another, as in clipping by the norm.
        arguments: constructor arguments, each a value or a strategy.

    The properties: it moves the values in place, keeps the gradient (unless it clips), its own learning rate and its
    dtype, and counts one step; it steps against a constant gradient; two runs agree to the bit, and so does one that
    was interrupted, saved and restored at any step; cutting the vector into several parameters changes nothing; it
    agrees with the reference.

    >>> from minidl.optim import SGD
    >>> test_sgd = optimizer_test(SGD, lr=0.1, reference=lambda start, gradients: start - 0.1 * sum(gradients))
    >>> test_sgd()
    """
    return as_test(_cases(optimizer, reference, whole_vector, arguments), check_case, Tally())


def check_optimizer(
    optimizer: Optimizer | Callable[..., Optimizer],
    *,
    reference: Reference | None = None,
    whole_vector: bool = False,
    max_examples: int = 100,
    **arguments: Any,
) -> Report:
    """Run `optimizer_test` at once: returns a Report, or raises OptimizerCheckError with the smallest case found.

    >>> from minidl.optim import Adam
    >>> check_optimizer(Adam(0.01)).cases >= 1
    True
    """
    return run_now(_cases(optimizer, reference, whole_vector, arguments), check_case, max_examples)


@st.composite
def _cases(
    draw: st.DrawFn, optimizer: Any, reference: Reference | None, whole_vector: bool, arguments: Mapping[str, Any]
) -> OptimizerCase:
    made, _ = draw_object(draw, optimizer, (), arguments)
    size, steps = draw(SIZES), draw(SIZE_STEPS)
    start, gradients = draw(grid_arrays((size,))), draw(grid_arrays((steps, size)))
    return OptimizerCase(made, start, gradients, draw(st.integers(0, steps)), reference, whole_vector)


def _store(start: Array, *, parts: int = 1, dtype: Any = np.float64) -> Parameters:
    """The values as `parts` parameters that decay, one after the other."""
    pieces = [piece for piece in np.array_split(start, parts) if piece.size]
    named = {f"{i}.weight": Parameter((piece.size,), zeros) for i, piece in enumerate(pieces)}
    parameters = Parameters(named, np.random.default_rng(0), dtype=dtype)
    parameters.value[...] = start
    return parameters


def check_case(case: OptimizerCase) -> float:
    """Run every property on one case; returns the largest difference from the reference, or 0 without one."""
    final = _check_steps(case)
    _check_direction(case)
    _check_spares(case)
    _check_restored(case, final)
    if not case.whole_vector:
        whole = [copy.deepcopy(case.optimizer) for _ in case.start]
        alone = [
            case.run(optimizer, _store(case.start[i : i + 1]), case.gradients[:, i : i + 1])[0]
            for i, optimizer in enumerate(whole)
        ]
        if not np.allclose(alone, final, rtol=1e-12, atol=1e-14):
            raise case.failure("every element must move as if it were alone", f"  together {final}, alone {alone}")
    if case.reference is None:
        return 0.0
    wanted = case.reference(case.start.copy(), list(case.gradients))
    if not np.allclose(final, wanted, rtol=1e-9, atol=1e-12):
        raise case.failure("the result must be that of the reference", f"  expected {wanted}, received {final}")
    return float(np.abs(final - wanted).max())


def _check_steps(case: OptimizerCase) -> Array:
    optimizer, parameters = copy.deepcopy(case.optimizer), _store(case.start)
    vector, grad, lr = parameters.value, parameters.grad, optimizer.lr
    for count, gradient in enumerate(case.gradients, start=1):
        grad[...] = gradient
        optimizer.step(parameters)
        if parameters.value is not vector or parameters.named["0.weight"].value.base is not vector:
            raise case.failure("values must be changed in place")
        if optimizer.clip is None and not np.array_equal(grad, gradient):
            raise case.failure("the gradient must be left as it is")
        if optimizer.steps != count:
            raise case.failure("one step must count as one", f"  expected steps={count}, received {optimizer.steps}")
        if optimizer.lr is not lr:
            raise case.failure("the learning rate must not be changed", f"  it was {lr!r} and is {optimizer.lr!r}")
    if not np.isfinite(vector).all():
        raise case.failure("values must stay finite", f"  received {vector}")
    narrow = _store(case.start, dtype=np.float32)
    case.run(copy.deepcopy(case.optimizer), narrow, case.gradients)
    if not np.allclose(narrow.value, vector, rtol=1e-3, atol=1e-3):
        raise case.failure("float32 must agree with float64", f"  expected {vector}, received {narrow.value}")
    return vector.copy()


def _check_direction(case: OptimizerCase) -> None:
    gradient = np.where(case.start >= 0, 1.0, -1.0)  # decay pulls the same way
    moved = case.run(copy.deepcopy(case.optimizer), _store(case.start), np.stack([gradient] * 3)) - case.start
    if (moved * gradient > 0).any():
        raise case.failure("values must move against a constant gradient", f"  gradient {gradient}, moved by {moved}")


def _check_spares(case: OptimizerCase) -> None:
    bias = {"bias": Parameter(case.start.shape, zeros, decay=False)}
    parameters = Parameters(bias, np.random.default_rng(0), dtype=np.float64)
    parameters.value[...] = case.start
    moved = case.run(copy.deepcopy(case.optimizer), parameters, np.zeros_like(case.gradients))
    if not np.array_equal(moved, case.start):
        raise case.failure("without a gradient, parameters with decay=False must stay", f"  they became {moved}")


def _check_restored(case: OptimizerCase, final: Array) -> None:
    first, parameters = copy.deepcopy(case.optimizer), _store(case.start, parts=2)
    case.run(first, parameters, case.gradients[: case.cut])
    state, second = first.state(), copy.deepcopy(case.optimizer)
    for slot in first.slots.values():
        slot[...] = np.nan  # a state is a copy: what comes later must not reach it
    second.load_state(state)
    resumed = case.run(second, parameters, case.gradients[case.cut :])
    if not np.array_equal(resumed, final):
        details = f"  expected {final}, received {resumed} after restoring at step {case.cut}"
        raise case.failure("a run restored from `state` must end in the same values, however it is grouped", details)

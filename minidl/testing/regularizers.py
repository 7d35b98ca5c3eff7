"""check_regularizer and regularizer_test: the penalty returned and the gradient added belong together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.arguments import short
from minidl.initializers import zeros
from minidl.parameters import Array, Parameter, Parameters
from minidl.regularizers import Regularizer
from minidl.testing.derivative import CheckError, Subject, find_wrong, find_wrong_off_grid
from minidl.testing.running import Report, Tally, as_test, run_now
from minidl.testing.strategies import SEEDS, SIZES, draw_object, grid_arrays


class RegularizerCheckError(CheckError):
    """A regularizer broke one of its properties; the text holds the smallest case found."""


@dataclass(frozen=True)
class RegularizerCase:
    """One drawn case: a regularizer and parameters "0.weight", "0.bias", "2.weight", "2.bias" in float64."""

    regularizer: Regularizer
    parameters: Parameters
    spares_biases: bool
    seed: int

    def failure(self, failed: str, details: str = "") -> RegularizerCheckError:
        """The error to raise, with the case in it."""
        values = [f"  {name} = {p.value.tolist()}" for name, p in self.parameters.named.items()]
        lines = [details, f"  regularizer    {short(self.regularizer)}", *values]
        return RegularizerCheckError(short(self.regularizer), failed, "\n".join(line for line in lines if line))


def regularizer_test(
    regularizer: Regularizer | Callable[..., Regularizer], *, spares_biases: bool = True, **arguments: Any
) -> Callable[[], None]:
    """A ready hypothesis test of a regularizer: a class with arguments (values or strategies), or an object.

    A function of the parameters is itself a regularizer. `spares_biases=False` declares that parameters with
    `decay=False` are meant to be touched.

    The properties: the penalty is a Python float, the same each time; values are left alone; the gradient is added to
    what stands there and is the derivative of the penalty, with the kinks of absolute values allowed for; biases are
    spared; float32 gives the same penalty.

    >>> from minidl.regularizers import L2
    >>> test_l2 = regularizer_test(L2, strength=st.sampled_from([0.0, 0.5]))
    >>> test_l2()
    """
    return as_test(_cases(regularizer, spares_biases, arguments), check_case, Tally())


def check_regularizer(
    regularizer: Regularizer | Callable[..., Regularizer],
    *,
    spares_biases: bool = True,
    max_examples: int = 100,
    **arguments: Any,
) -> Report:
    """Run `regularizer_test` at once: returns a Report, or raises RegularizerCheckError with the smallest case found.

    >>> from minidl.regularizers import L1
    >>> check_regularizer(L1(0.5)).cases >= 1
    True
    """
    return run_now(_cases(regularizer, spares_biases, arguments), check_case, max_examples)


@st.composite
def _cases(draw: st.DrawFn, regularizer: Any, spares_biases: bool, arguments: Mapping[str, Any]) -> RegularizerCase:
    made = draw_object(draw, regularizer, (), arguments)[0] if isinstance(regularizer, type) else regularizer
    width, outputs = draw(SIZES), draw(SIZES)
    named = {
        "0.weight": Parameter((width, outputs), zeros),
        "0.bias": Parameter((outputs,), zeros, decay=False),
        "2.weight": Parameter((outputs, 1), zeros),
        "2.bias": Parameter((1,), zeros, decay=False),
    }
    parameters = Parameters(named, np.random.default_rng(0), dtype=np.float64)
    parameters.value[...] = draw(grid_arrays((parameters.size,)))
    return RegularizerCase(made, parameters, spares_biases, draw(SEEDS))


def check_case(case: RegularizerCase) -> float:
    """Run every property on one case; returns the relative difference of the penalty in float32."""
    with np.errstate(all="ignore"):
        return _check_properties(case)


def _check_properties(case: RegularizerCase) -> float:
    parameters, rng = case.parameters, np.random.default_rng(case.seed)
    values, start = parameters.value.copy(), rng.integers(-8, 9, parameters.size) / 8
    parameters.grad[...] = start
    penalty = case.regularizer(parameters)
    if not np.isfinite(parameters.grad).all():
        raise case.failure("the gradient must be finite", f"  received {parameters.grad.tolist()}")
    if type(penalty) is not float or not np.isfinite(penalty):
        raise case.failure("the penalty must be a finite Python float", f"  received {penalty!r}")
    if not np.array_equal(values, parameters.value):
        raise case.failure("values must be left alone")
    added = parameters.grad - start
    parameters.grad[...] = 0
    if case.regularizer(parameters) != penalty:
        raise case.failure("the same parameters must give the same penalty")
    if not np.allclose(parameters.grad, added, rtol=1e-9, atol=1e-12):
        raise case.failure("the gradient must be added to what stands in grad, and depend on the values only")
    spared = [name for name, p in parameters.named.items() if not p.decay and p.grad.any()]
    if case.spares_biases and spared:
        raise case.failure("parameters with decay=False must be spared", f"  {spared} received a gradient")
    _check_derivative(case, rng)
    parameters.value[...] = values
    return _check_float32(case, penalty)


def _check_derivative(case: RegularizerCase, rng: np.random.Generator) -> None:
    parameters = case.parameters

    def forward() -> Array:
        return np.array([case.regularizer(parameters)])

    def backward(dy: Array) -> dict[str, Array]:
        parameters.grad[...] = 0
        forward()
        return {name: p.grad * dy[0] for name, p in parameters.named.items()}

    subject = Subject({name: p.value for name, p in parameters.named.items()}, forward, backward)
    wrong = find_wrong(subject, np.ones(1), rng, kinks=True)
    if wrong is not None:
        raise case.failure("the gradient added must be that of the penalty", str(wrong))
    values = parameters.value.copy()
    wrong = find_wrong_off_grid(subject, np.ones(1), rng)
    if wrong is None:
        parameters.value[...] = 8 * values
        wrong = find_wrong_off_grid(subject, np.ones(1), rng)
    if wrong is not None:
        raise case.failure("the gradient added must be that of the penalty", str(wrong))


def _check_float32(case: RegularizerCase, penalty: float) -> float:
    narrow = Parameters(case.parameters.named, np.random.default_rng(0), dtype=np.float32)
    narrow.value[...] = case.parameters.value
    received = case.regularizer(narrow)
    error = abs(received - penalty) / max(1.0, abs(penalty))
    if type(received) is not float or not error <= 1000 * np.finfo(np.float32).eps:
        raise case.failure("float32 must give the same penalty", f"  expected {penalty!r}, received {received!r}")
    return error

"""check_regularizer and regularizer_test: the penalty returned and the gradient added belong together."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st

from minidl.initializers import zeros
from minidl.parameters import Array, Parameter, Parameters
from minidl.regularizers import Regularizer
from minidl.testing.derivative import Subject, Verdict, judge, judge_readable
from minidl.testing.diagnosis import Sample, diagnose
from minidl.testing.kinks import valid_choice
from minidl.testing.report import NOT_TRIED, Case, CheckError, Outcome, Report
from minidl.testing.running import Kind, as_test, given_case, run_now
from minidl.testing.strategies import SEEDS, SIZES, call_of, draw_arguments, grid_arrays, make_rule, name_of, off_grid

ROUNDINGS = 1000 * float(np.finfo(np.float32).eps)


class RegularizerCheckError(CheckError):
    """A regularizer broke one of its properties; the text holds the smallest case found."""


@dataclass(frozen=True)
class RegularizerCase(Case):
    """A regularizer and what the parameters "0.weight", "0.bias", "2.weight", "2.bias" hold, in this order.

    Attributes:
        widths: (k, m) for weights of shape (k, m) and (m, 1); the values are k m + 2 m + 1 numbers, weights first.
    """

    regularizer: Regularizer
    values: Array
    widths: tuple[int, int]
    spares_biases: bool
    seed: int
    arguments: Mapping[str, Any]
    rng: np.random.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rng", np.random.default_rng(self.seed))

    @property
    def shown(self) -> str:
        """The call that makes the regularizer."""
        return call_of(self.regularizer, self.arguments)

    def __repr__(self) -> str:
        at = f"{{'values': {self.values.tolist()}, 'widths': {self.widths}, 'seed': {self.seed}}}"
        declared = "" if self.spares_biases else ", spares_biases=False"
        return f"check_regularizer({self.shown}, at={at}{declared})"

    def store(self, dtype: Any = np.float64) -> Parameters:
        """The parameters with the values of the case and gradients of 0."""
        width, outputs = self.widths
        named = {
            "0.weight": Parameter((width, outputs), zeros),
            "0.bias": Parameter((outputs,), zeros, decay=False),
            "2.weight": Parameter((outputs, 1), zeros),
            "2.bias": Parameter((1,), zeros, decay=False),
        }
        parameters = Parameters(named, np.random.default_rng(0), dtype=dtype)
        parameters.value[...] = self.values
        return parameters

    def penalty(self, parameters: Parameters) -> float:
        """What the regularizer returns, or a failure if it raises."""
        try:
            return self.regularizer(parameters)
        except Exception as error:
            details = f"  it raised {type(error).__name__}: {error}"
            raise self.failure("it must not raise", details, of="runs") from error

    def failure(self, failed: str, details: str = "", *, of: str = "") -> RegularizerCheckError:
        """The error to raise, with the case and the call that repeats it."""
        values = [f"  {name} = {p.value.tolist()}" for name, p in self.store().named.items()]
        values = [] if "found at" in details else values
        lines = [details, f"  regularizer    {self.shown}", *values, f"  repeat with    {self!r}"]
        text = "\n".join(line for line in lines if line)
        return RegularizerCheckError(name_of(self.regularizer), failed, text, of=of)


def check_runs(case: RegularizerCase) -> None:
    """The penalty is a finite Python float, the gradient finite, and the values are left alone."""
    small = case.store()
    small.value[...] = values = off_grid(case.values, case.rng) / 8
    case.penalty(small)
    parameters = case.store()
    penalty = case.penalty(parameters)
    if type(penalty) is not float or not np.isfinite(penalty):
        raise case.failure("the penalty must be a finite Python float", f"  received {penalty!r}")
    if not np.isfinite(parameters.grad).all():
        raise case.failure("the gradient must be finite", f"  received {parameters.grad.tolist()}")
    if not np.array_equal(case.values, parameters.value) or not np.array_equal(small.value, values):
        raise case.failure("values must be left alone")
    if case.penalty(parameters) != penalty:
        raise case.failure("the same parameters must give the same penalty")


def check_adds(case: RegularizerCase) -> None:
    """The gradient is added to what stands there, and depends on the values only."""
    once, parameters = case.store(), case.store()
    case.penalty(once)
    start = case.rng.integers(-8, 9, parameters.size) / 8
    parameters.grad[...] = start
    case.penalty(parameters)
    if not np.allclose(parameters.grad - start, once.grad, rtol=1e-9, atol=1e-12):
        raise case.failure("the gradient must be added to what stands in grad, and depend on the values only")


def check_spares(case: RegularizerCase) -> Outcome:
    """Parameters with decay=False receive no gradient and cost nothing."""
    if not case.spares_biases:
        return NOT_TRIED
    parameters = case.store()
    penalty = case.penalty(parameters)
    spared = [name for name, p in parameters.named.items() if not p.decay and p.grad.any()]
    if spared:
        raise case.failure("parameters with decay=False must be spared", f"  {spared} received a gradient")
    parameters.value[parameters.decayed.stop :] += 1
    if case.penalty(parameters) != penalty:
        raise case.failure("parameters with decay=False must be spared", "  the penalty changes with them")
    return None


def check_on_grid(case: RegularizerCase) -> float:
    """The gradient is that of the penalty, with the kinks of absolute values allowed for."""
    verdict = judge(penalty_subject(case.penalty, case.store()), np.ones(1), case.rng, valid_choice)
    _raise_wrong(case, verdict)
    return verdict.error


def check_off_grid(case: RegularizerCase) -> float:
    """The gradient is that of the penalty a step off the grid, also for large values."""
    return max(_judge_moved(case, scale) for scale in (1, 8))


def _judge_moved(case: RegularizerCase, scale: int) -> float:
    parameters = case.store()
    parameters.value[...] *= scale

    parameters.value[...] = off_grid(parameters.value, case.rng)
    verdict = judge_readable(penalty_subject(case.penalty, parameters), np.ones(1), case.rng, valid_choice)
    _raise_wrong(case, verdict, "".join(f"\n  {name} = {p.value.tolist()}" for name, p in parameters.named.items()))
    return verdict.error


def penalty_subject(penalty: Regularizer, parameters: Parameters) -> Subject:
    """A penalty as something to differentiate: the gradient is what it adds to zeros."""

    def value() -> float:
        parameters.grad[...] = 0
        return penalty(parameters)

    named = parameters.named.items()
    return Subject.of_number({name: p.value for name, p in named}, value, lambda: {name: p.grad for name, p in named})


def _raise_wrong(case: RegularizerCase, verdict: Verdict, where: str = "") -> None:
    if (wrong := verdict.wrong) is None:
        return
    lines = [str(wrong), diagnose(wrong.array, _samples(case)), f"  found at{where}" if where else ""]
    details = "\n".join(line for line in lines if line)
    raise case.failure("the gradient added must be that of the penalty", details)


def _samples(case: RegularizerCase) -> Iterator[Sample]:
    """The gradients at other values, off the grid, for parameters of two shapes."""
    for widths in ((2, 3), (3, 2)):
        values = off_grid(case.rng.integers(-24, 25, widths[0] * widths[1] + 2 * widths[1] + 1) / 8, case.rng)
        subject = penalty_subject(case.penalty, replace(case, values=values, widths=widths).store())
        numeric = {name: subject.differences(name, np.ones(1)) for name in subject.arrays}
        arrays = {name: array.copy() for name, array in subject.arrays.items()}
        yield Sample(1, 1, arrays, subject.gradients(np.ones(1)), numeric)


def check_float32(case: RegularizerCase) -> float:
    """float32 gives the same penalty and gradient; returns the relative difference."""
    wide, narrow = case.store(), case.store(np.float32)
    wanted, received = case.penalty(wide), case.penalty(narrow)
    error = abs(received - wanted) / max(1.0, abs(wanted))
    if type(received) is not float or not error <= ROUNDINGS:
        raise case.failure("float32 must give the same penalty", f"  expected {wanted!r}, received {received!r}")
    off = float(np.abs(narrow.grad - wide.grad).max()) / max(1.0, float(np.abs(wide.grad).max()))
    if not off <= ROUNDINGS:
        details = f"  expected {wide.grad.tolist()}, received {narrow.grad.tolist()}"
        raise case.failure("float32 must give the same gradient", details)
    return max(error, off)


REGULARIZER = Kind(
    {
        "runs": check_runs,
        "adds its gradient": check_adds,
        "spares what must not decay": check_spares,
        "derivative on the grid": check_on_grid,
        "derivative off the grid": check_off_grid,
        "float32": check_float32,
    },
    RegularizerCheckError,
)


def regularizer_test(
    regularizer: Regularizer | Callable[..., Regularizer],
    *,
    spares_biases: bool = True,
    settings: hypothesis.settings | None = None,
    **arguments: Any,
) -> Callable[..., None]:
    """A ready hypothesis test of a regularizer: a class with arguments (values or strategies), or an object.

    A function of the parameters is itself a regularizer. `spares_biases=False` declares that parameters with
    `decay=False` are meant to be touched. `settings` replaces the hypothesis settings of the loaded profile.

    `docs/testing.md` lists the properties; `Report` names them.

    >>> from minidl.regularizers import L2
    >>> test_l2 = regularizer_test(L2, strength=st.sampled_from([0.0, 0.5]))
    >>> test_l2()
    """
    return as_test(REGULARIZER, _cases(regularizer, spares_biases, arguments), settings)


def check_regularizer(
    regularizer: Regularizer | Callable[..., Regularizer],
    *,
    spares_biases: bool = True,
    at: Mapping[str, Any] | None = None,
    max_examples: int = 100,
    raises: bool = True,
    **arguments: Any,
) -> Report:
    """Run `regularizer_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        RegularizerCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> from minidl.regularizers import L1
    >>> check_regularizer(L1(0.5)).passed
    True
    """
    cases, case = _cases(regularizer, spares_biases, arguments), None
    if at is not None:
        given = given_case(at, "values", "widths", "seed")
        values, widths = np.array(given["values"], np.float64), tuple(given["widths"])
        case = RegularizerCase(
            make_rule(regularizer, arguments), values, widths, spares_biases, given["seed"], arguments
        )
    return run_now(REGULARIZER, name_of(regularizer), cases, case, max_examples=max_examples, raises=raises)


@st.composite
def _cases(draw: st.DrawFn, regularizer: Any, spares_biases: bool, arguments: Mapping[str, Any]) -> RegularizerCase:
    given = draw_arguments(draw, arguments)
    made, (k, m) = make_rule(regularizer, given), (draw(SIZES), draw(SIZES))
    values = draw(grid_arrays((k * m + 2 * m + 1,)))
    return RegularizerCase(made, values, (k, m), spares_biases, draw(SEEDS), given)

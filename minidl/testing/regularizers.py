"""check_regularizer and regularizer_test: the penalty returned and the gradient added belong together."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.frozen import frozen
from minidl.initializers import zeros
from minidl.parameters import Array, Parameter
from minidl.regularizers import Regularizer
from minidl.store import Parameters
from minidl.testing.functions import Sample, Subject, Trial, Twins, Wrong, call_of, in_words, name_of
from minidl.testing.functions import off_grid as moved
from minidl.testing.report import NOT_TRIED, Case, CheckError, Outcome, Properties, raised, worst
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case
from minidl.testing.strategies import SEEDS, SIZES, draw_arguments, grid_arrays, make_rule

REGULARIZERS = Properties()
MANY = (37, 29)  # the widths of larger parameters


class RegularizerCheckError(CheckError):
    """A regularizer broke one of its properties; the text holds the smallest case found."""


@frozen
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
            raise self.failure("it must not raise", raised(error)).of_running() from error

    def failure(self, failed: str, details: str = "") -> RegularizerCheckError:
        """The error to raise, with the case and the call that repeats it."""
        values = [f"  {name} = {p.value.tolist()}" for name, p in self.store().named.items()]
        values = [] if "found at" in details else values
        lines = [details, f"  regularizer    {self.shown}", *values, f"  repeat with    {self!r}"]
        return RegularizerCheckError(name_of(self.regularizer), failed, *lines)


@REGULARIZERS.property("runs", first=True)
def runs(case: RegularizerCase) -> None:
    """The penalty is a finite Python float, the gradient finite, and the values are left alone."""
    small = case.store()
    small.value[...] = values = moved(case.values, case.rng) / 8
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


@REGULARIZERS.property("adds its gradient")
def adds(case: RegularizerCase) -> None:
    """The gradient is added to what stands there, and depends on the values only."""
    once, parameters = case.store(), case.store()
    case.penalty(once)
    start = case.rng.integers(-8, 9, parameters.size) / 8
    parameters.grad[...] = start
    case.penalty(parameters)
    if not np.allclose(parameters.grad - start, once.grad, rtol=1e-9, atol=1e-12):
        raise case.failure("the gradient must be added to what stands in grad, and depend on the values only")


@REGULARIZERS.property("spares what must not decay")
def spares(case: RegularizerCase) -> Outcome:
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


@REGULARIZERS.property("derivative on the grid")
def on_grid(case: RegularizerCase) -> float:
    """The gradient is that of the penalty, with the kinks of absolute values allowed for."""
    return _trial(case).on_grid()


@REGULARIZERS.property("derivative off the grid")
def off_grid(case: RegularizerCase) -> Outcome:
    """The gradient is that of the penalty a step off the grid, also for large values, and for many."""
    many = replace(case, widths=MANY, values=case.rng.integers(-24, 25, MANY[0] * MANY[1] + 2 * MANY[1] + 1) / 8)
    trials = [_trial(case), _trial(case, 8), _trial(case, of=many)]
    return worst(trial.off_grid() for trial in trials)


def _trial(case: RegularizerCase, scale: int = 1, *, of: RegularizerCase | None = None) -> Trial:
    def complain(wrong: Wrong, where: str) -> RegularizerCheckError:
        return case.failure("the gradient added must be that of the penalty", in_words(wrong, _samples(case), where))

    parameters = (of or case).store()
    parameters.value[...] *= scale
    return Trial(penalty_subject(case.penalty, parameters), np.ones(1), case.rng, complain)


def penalty_subject(penalty: Regularizer, parameters: Parameters) -> Subject:
    """A penalty as something to differentiate: the gradient is what it adds to zeros."""

    def value() -> float:
        parameters.grad[...] = 0
        return penalty(parameters)

    named = parameters.named.items()
    return Subject.of_number({name: p.value for name, p in named}, value, lambda: {name: p.grad for name, p in named})


def _samples(case: RegularizerCase) -> Iterator[Sample]:
    """The gradients at other values, off the grid, for parameters of two shapes."""
    for widths in ((2, 3), (3, 2)):
        values = moved(case.rng.integers(-24, 25, widths[0] * widths[1] + 2 * widths[1] + 1) / 8, case.rng)
        yield Sample.of(penalty_subject(case.penalty, replace(case, values=values, widths=widths).store()), np.ones(1))


@REGULARIZERS.property("float32", allowed=1e-4, dtype="float32")
def float32(case: RegularizerCase) -> float:
    """float32 gives the same penalty and gradient; returns the relative difference."""
    if type(penalty := case.penalty(case.store(np.float32))) is not float:
        raise case.failure("float32 must give the penalty as a Python float", f"  received {penalty!r}")

    def numbers(given: Mapping[str, Array]) -> dict[str, Array]:
        parameters = replace(case, values=given["values"]).store(given["values"].dtype)
        return {"penalty": np.array(case.penalty(parameters)), "gradient": parameters.grad}

    return Twins(numbers, numbers, case.failure).error({"values": case.values}, case.rng, size=0.0)


REGULARIZER = Kind(tuple(REGULARIZERS), runs, RegularizerCheckError)


def regularizer_cases(
    regularizer: Regularizer | Callable[..., Regularizer], *, spares_biases: bool = True, **arguments: Any
) -> Cases:
    """The cases of a regularizer: its object, and parameters of drawn widths and values."""

    @st.composite
    def drawn(draw: st.DrawFn) -> RegularizerCase:
        chosen = draw_arguments(draw, arguments)
        made, (k, m) = make_rule(regularizer, chosen), (draw(SIZES), draw(SIZES))
        values = draw(grid_arrays((k * m + 2 * m + 1,)))
        return RegularizerCase(made, values, (k, m), spares_biases, draw(SEEDS), chosen)

    def given(at: Mapping[str, Any]) -> RegularizerCase:
        case = given_case(at, "values", "widths", "seed")
        values, widths = np.array(case["values"], np.float64), tuple(case["widths"])
        made = make_rule(regularizer, arguments)
        return RegularizerCase(made, values, widths, spares_biases, case["seed"], arguments)

    return Cases(name_of(regularizer), drawn(), given)


@as_test(REGULARIZER, regularizer_cases)
def regularizer_test() -> None:
    """A ready hypothesis test of a regularizer: a class with arguments (values or strategies), or an object.

    A function of the parameters is itself a regularizer. `spares_biases=False` declares that parameters with
    `decay=False` are meant to be touched. `settings` replaces the hypothesis settings of the loaded profile.

    `docs/testing.md` lists the properties; `Report` names them.

    >>> from minidl.regularizers import L2
    >>> test_l2 = regularizer_test(L2, strength=st.sampled_from([0.0, 0.5]))
    >>> test_l2()
    """


@at_once(REGULARIZER, regularizer_cases)
def check_regularizer() -> None:
    """Run `regularizer_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        RegularizerCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> from minidl.regularizers import L1
    >>> check_regularizer(L1(0.5)).passed
    True
    """

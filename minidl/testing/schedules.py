"""check_schedule and schedule_test: a learning rate is a pure function of the step."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from minidl.arguments import short
from minidl.frozen import frozen
from minidl.testing.functions import call_of, name_of
from minidl.testing.report import NOT_TRIED, Case, CheckError, Outcome, Properties
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case
from minidl.testing.strategies import draw_arguments, make_rule

Schedule: TypeAlias = Callable[[int], float]
SCHEDULES = Properties()
FAR = 10**9
ANSWERS = 1000  # of one object
STEPS = st.one_of(st.integers(0, 20), st.integers(0, 10_000), st.sampled_from([10**6, FAR]))


class ScheduleCheckError(CheckError):
    """A schedule broke one of its properties; the text holds the smallest case found."""


@frozen
class ScheduleCase(Case):
    """A schedule, the steps it is asked for in this order, and what it should say, if known."""

    schedule: Schedule
    steps: Sequence[int]
    reference: Schedule | None
    arguments: Mapping[str, Any]

    @property
    def shown(self) -> str:
        """The call that makes the schedule."""
        return call_of(self.schedule, self.arguments)

    def __repr__(self) -> str:
        reference = f", reference={short(self.reference)}" if self.reference else ""
        return f"check_schedule({self.shown}, at={{'steps': {list(self.steps)}}}{reference})"

    def rate(self, schedule: Schedule, step: int) -> float:
        """The learning rate at a step: a Python float, finite and not negative, or a failure."""
        try:
            rate = schedule(step)
        except Exception as error:
            details = f"  at step {step} it raised {type(error).__name__}: {error}"
            raise self.failure("every step from 0 on must have a learning rate", details).of_running() from error
        if type(rate) is not float:
            details = f"  at step {step} received {rate!r}, a {type(rate).__name__}: wrap it in float(...)"
            raise self.failure("a learning rate must be a Python float", details).of_running()
        if not math.isfinite(rate) or rate < 0:
            details = f"  at step {step} received {rate}"
            raise self.failure("a learning rate must be finite and not negative", details).of_running()
        return rate

    def failure(self, failed: str, details: str) -> ScheduleCheckError:
        """The error to raise, with the case and the call that repeats it."""
        lines = f"  schedule       {self.shown}", f"  repeat with    {self!r}"
        return ScheduleCheckError(name_of(self.schedule), failed, details, *lines)


@SCHEDULES.property("runs", first=True)
def runs(case: ScheduleCase) -> None:
    """Every step has a learning rate: a Python float, finite and not negative."""
    asked = copy.deepcopy(case.schedule)
    for step in (*case.steps, *_turns(case)):
        case.rate(asked, step)


def _turns(case: ScheduleCase) -> list[int]:
    """The steps around every whole number that the schedule was made with: where its pieces meet."""
    made_with = [*case.arguments.values(), *getattr(case.schedule, "__dict__", {}).values()]
    whole = [n for n in made_with if isinstance(n, int) and not isinstance(n, bool) and 0 < n <= FAR]
    return [step for n in whole for step in (n - 1, n, n + 1)]


@SCHEDULES.property("pure")
def pure(case: ScheduleCase) -> None:
    """The same step gives the same rate, however often and in whatever order, in a copy, and for numpy's integers."""
    fresh, in_turn = copy.deepcopy(case.schedule), copy.deepcopy(case.schedule)
    for step in range(64):
        one, alone = case.rate(in_turn, step), case.rate(copy.deepcopy(fresh), step)
        if one != alone:
            details = f"  at step {step} it says {one} after the steps before, and {alone} without them"
            raise case.failure("a schedule must be a pure function of the step", details)
    for _ in range(ANSWERS):
        in_turn(0)
    if (again := case.rate(in_turn, 0)) != (alone := case.rate(copy.deepcopy(fresh), 0)):
        details = f"  at step 0 it says {again} when asked {ANSWERS} times, and {alone} at first"
        raise case.failure("a schedule must be a pure function of the step", details)
    first = [case.rate(case.schedule, step) for step in case.steps]
    for step, rate in zip(case.steps, first, strict=True):
        case.rate(case.schedule, step + 1)
        if case.rate(case.schedule, step) != rate:
            raise case.failure(
                "a schedule must be a pure function of the step", f"  {step} after {step + 1} is another"
            )
    for far in (0, FAR):
        case.rate(case.schedule, far)
        for step, rate in reversed(list(zip(case.steps, first, strict=True))):
            again, alone = case.rate(case.schedule, step), case.rate(copy.deepcopy(fresh), step)
            if not again == rate == alone:
                details = f"  at step {step} it said {rate}, asked again {again}, asked this first {alone}"
                raise case.failure("a schedule must be a pure function of the step", details)
    for step, rate in zip(case.steps, first, strict=True):
        if (other := float(case.schedule(np.int64(step)))) != rate:  # type: ignore[arg-type]
            details = f"  at step {step} it says {rate}, at np.int64({step}) {other}"
            raise case.failure("an integer must mean the same in every type", details)


@SCHEDULES.property("reference")
def reference(case: ScheduleCase) -> Outcome:
    """It agrees with the reference; returns the relative difference."""
    if case.reference is None:
        return NOT_TRIED
    worst = 0.0
    for step in (*case.steps, *_turns(case)):
        wanted, received = float(case.reference(step)), case.rate(case.schedule, step)
        error = abs(wanted - received) / max(abs(wanted), 1e-12)
        if not error <= 1e-9:
            details = f"  at step {step} expected {wanted!r}, received {received!r}"
            raise case.failure("the learning rate must be that of the reference", details)
        worst = max(worst, error)
    return worst


SCHEDULE = Kind(tuple(SCHEDULES), runs, ScheduleCheckError)


def schedule_cases(
    schedule: Schedule | Callable[..., Schedule], *, reference: Schedule | None = None, **arguments: Any
) -> Cases:
    """The cases of a schedule: its object, and the steps it is asked for."""

    @st.composite
    def drawn(draw: st.DrawFn) -> ScheduleCase:
        chosen = draw_arguments(draw, arguments)
        steps = draw(st.lists(STEPS, min_size=1, max_size=8))
        return ScheduleCase(make_rule(schedule, chosen), steps, reference, chosen)

    def given(at: Mapping[str, Any]) -> ScheduleCase:
        steps = given_case(at, "steps")["steps"]
        return ScheduleCase(make_rule(schedule, arguments), steps, reference, arguments)

    return Cases(name_of(schedule), drawn(), given)


@as_test(SCHEDULE, schedule_cases)
def schedule_test() -> None:
    """A ready hypothesis test of a schedule: a class with arguments (values or strategies), an object, or a function.

    Args:
        schedule: what is tested. A function from the step to the learning rate is itself a schedule.
        reference: step -> learning rate, the same rule written plainly.
        settings: hypothesis settings instead of those of the loaded profile.
        arguments: constructor arguments, each a value or a strategy.

    The properties: every step from 0 to a billion has a learning rate, a finite Python float that is not negative;
    asked again, in another order, of a copy or with a numpy integer, it is the same; it agrees with the reference.

    >>> from minidl.optim import ExponentialDecay
    >>> plainly = lambda step: 0.1 * math.exp(-0.5 * (step // 10))
    >>> test_decay = schedule_test(ExponentialDecay(0.1, exponent=0.5, every=10), reference=plainly)
    >>> test_decay()
    """


@at_once(SCHEDULE, schedule_cases)
def check_schedule() -> None:
    """Run `schedule_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        ScheduleCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> check_schedule(lambda step: 0.1 / (1 + step)).passed
    True
    """

"""How a check runs: as a hypothesis test for a test suite, or at once with a report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky

from minidl.testing.derivative import CheckError
from minidl.testing.strategies import Strategy

Case = TypeVar("Case")
COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": (HealthCheck.too_slow, HealthCheck.data_too_large),
    "report_multiple_bugs": False,
    "phases": (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
}


@dataclass(frozen=True)
class Report:
    """What a check that passed has seen.

    Attributes:
        cases: how many drawn cases were run, each with every property.
        worst_error: the largest error met, relative; what it compares is said by the check.
    """

    cases: int
    worst_error: float


@dataclass
class Tally:
    """Counts cases while a test runs."""

    cases: int = 0
    worst_error: float = 0.0

    def add(self, error: float) -> None:
        """One more case, with its error."""
        self.cases += 1
        self.worst_error = max(self.worst_error, error)


def as_test(
    cases: Strategy, check: Callable[[Any], float], tally: Tally, chosen: settings | None = None
) -> Callable[[], None]:
    """A hypothesis test that runs `check` on every drawn case.

    Its settings are the `chosen` ones, or those of the profile that is loaded when it is made, without a deadline,
    as times on shared machines mean little.
    """
    chosen = chosen or settings(**COMMON)

    @chosen
    @given(case=cases)
    def test(case: Any) -> None:
        tally.add(check(case))

    return test


def run_now(cases: Strategy, check: Callable[[Any], float], max_examples: int) -> Report:
    """Run a check on `max_examples` cases, the same ones every time, without a database of past failures."""
    tally = Tally()
    chosen = settings(
        max_examples=max_examples,
        database=None,
        derandomize=True,
        print_blob=False,
        **COMMON,
    )
    try:
        as_test(cases, check, tally, chosen)()
    except Flaky as error:
        advice = "  is there randomness from elsewhere than self.rng, or state that outlives a forward?"
        raise CheckError("what was checked", "a case that fails once must fail again", advice) from error
    return Report(tally.cases, tally.worst_error)

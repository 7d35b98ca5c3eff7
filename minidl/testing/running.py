"""How a check runs: as a hypothesis test for a test suite, at once with a report, or on one given case."""

from collections.abc import Callable, Container, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis.errors import Flaky

from minidl.testing.report import CheckError, Outcome, Report, Tally
from minidl.testing.strategies import Strategy

COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": (HealthCheck.too_slow, HealthCheck.data_too_large),
    "report_multiple_bugs": False,
    "phases": (Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink),
}


def _itself(case: Any, skipped: Container[str]) -> Generator[Any, None, None]:
    yield case


ALLOWED, ALLOWED32, SUSPICIOUS = 1e-6, 1e-4, 0.1


@dataclass(frozen=True)
class Kind:
    """What is checked of one kind of thing.

    Attributes:
        properties: name -> function of a run that raises CheckError or returns an Outcome. The first `fundamental` of
            them must hold for the others to make sense.
        error: what they raise.
        runs: the runs of a case, such as inference and training, given which properties are skipped.
    """

    properties: Mapping[str, Callable[[Any], Outcome]]
    error: type[CheckError]
    runs: Callable[[Any, Container[str]], Generator[Any, None, None]] = _itself
    fundamental: int = 1


def as_test(kind: Kind, cases: Strategy, chosen: settings | None) -> Callable[..., None]:
    """A hypothesis test that tries every property on every drawn case.

    Its settings are the `chosen` ones, or those of the profile that is loaded when it is made, without a deadline,
    as times on shared machines mean little. It takes a `self` it does not need, so it may be a method.
    """
    return _hypothesis_test(kind, cases, chosen or settings(**COMMON), Tally(kind.properties), set())


def run_now(kind: Kind, subject: str, cases: Strategy, case: Any, *, max_examples: int, raises: bool) -> Report:
    """Try every property on `max_examples` drawn cases, the same ones every time, or on one `case` if it is not None.

    Raises:
        CheckError: the first property that failed, on its smallest case, with the report. With `raises=False` each
            property is judged by itself and only the report is returned.
    """
    first = next(iter(kind.properties))
    tally, failures = Tally(kind.properties), dict[str, CheckError]()
    chosen = settings(max_examples=max_examples, database=None, derandomize=True, print_blob=False, **COMMON)
    while len(failures) < len(kind.properties):
        error = None
        try:
            if case is not None:
                _judge(kind, case, tally, failures.keys())
            else:
                _hypothesis_test(kind, cases, chosen, tally, failures.keys())()
        except CheckError as found:
            error = found
            vars(error).pop("__notes__", None)  # hypothesis repeats the case there; the text ends with it
        except Flaky as flaky:
            advice = "  is there randomness from elsewhere than self.rng, or state that outlives a forward?"
            error = kind.error(subject, "a case that fails once must fail again", advice, of=first)
            error.__cause__ = flaky
        except Exception as other:
            if raises:
                raise
            details = f"  it raised {type(other).__name__}: {other}"
            error = kind.error(subject, "it must be possible to make one", details, of=first)
        if error is None:
            return tally.report(subject, failures, whole=True)
        failures[error.property] = error
        if raises:
            error.report = tally.report(subject, failures, whole=False)
            raise error
        if error.property in list(kind.properties)[: kind.fundamental]:
            return tally.report(subject, failures, whole=False)
    return tally.report(subject, failures, whole=True)


def given_case(at: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The entries of `at`, which must have just these names; a seed may be left out."""
    known = {"seed": 0} if "seed" in names else {}
    if not isinstance(at, Mapping) or not set(names) >= set(at) >= set(names) - set(known):
        raise ValueError(f"expected at={{...}} with {', '.join(names)}, received at={at!r}")
    return known | dict(at)


def _hypothesis_test(
    kind: Kind, cases: Strategy, chosen: settings, tally: Tally, skipped: Container[str]
) -> Callable[..., None]:
    @chosen
    @given(case=cases)
    def test(*_: Any, case: Any) -> None:
        nearness = _judge(kind, case, tally, skipped)
        if nearness > SUSPICIOUS:  # from there on the search goes towards it, which costs variety elsewhere
            target(nearness, label="worst error, relative to what is allowed")

    return test


def _judge(kind: Kind, case: Any, tally: Tally, skipped: Container[str]) -> float:
    """Try the properties on one case; returns the worst relative error as a share of what is allowed."""
    worst = 0.0
    tally.cases += 1
    with np.errstate(all="ignore"), closing(kind.runs(case, skipped)) as runs:
        for run in runs:
            for name in [name for name in kind.properties if name not in skipped]:
                try:
                    error = kind.properties[name](run)
                except CheckError as failure:
                    failure.property = failure.property or name
                    raise
                tally.add(name, error)
                worst = max(
                    worst, (error if isinstance(error, float) else 0.0) / (ALLOWED32 if name == "float32" else ALLOWED)
                )
    return worst

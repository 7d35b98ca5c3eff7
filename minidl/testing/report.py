"""What a check says: one verdict for each property, as text to read and as data to grade with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Verdict: TypeAlias = Literal["passed", "failed", "not tried", "not judged"]
NOT_TRIED: Literal["not tried"] = "not tried"
Outcome: TypeAlias = float | Literal["not tried"] | None
"""What a property returns: a relative error, None if it compares no numbers, NOT_TRIED where it does not apply."""


@dataclass(frozen=True)
class Result:
    """The verdict on one property.

    Attributes:
        name: the property, such as "rows independent".
        verdict: "passed", "failed", "not tried" where it does not apply (as independent rows where they are declared to
            mix), or "not judged" where an earlier failure kept the check from it.
        runs: how often it was tried, each time on another case or in another mode.
        worst_error: the largest relative error met, for properties that compare numbers; else None.
        failure: what was found, on the smallest case; None unless it failed.
    """

    name: str
    verdict: Verdict
    runs: int
    worst_error: float | None = None
    failure: str | None = None


@dataclass(frozen=True, repr=False)
class Report:
    """What a check has seen, property by property. `str(report)` is a table, `report.as_dict()` goes to JSON.

    Attributes:
        subject: the name of what was checked.
        cases: how many cases were drawn, each tried with every property.
        results: one Result for each property, in the order in which they are tried.

    >>> from minidl.layers import ReLU
    >>> from minidl.testing import check_layer
    >>> report = check_layer(ReLU(), max_examples=5)
    >>> report.passed, report["rows independent"].verdict, len(report) == len(report.results)
    (True, 'passed', True)
    """

    subject: str
    cases: int
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether every property that applies held."""
        return all(result.verdict in ("passed", NOT_TRIED) for result in self.results)

    @property
    def score(self) -> float:
        """The share of the properties that hold among those that apply, from 0 to 1: what a course may grade with."""
        verdicts = [result.verdict for result in self.results if result.verdict != NOT_TRIED]
        return verdicts.count("passed") / max(1, len(verdicts))

    @property
    def worst_error(self) -> float:
        """The largest relative error of any property that compares numbers."""
        return max((result.worst_error for result in self if result.worst_error is not None), default=0.0)

    def __getitem__(self, name: str) -> Result:
        """The result of one property, by its name."""
        for result in self.results:
            if result.name == name:
                return result
        raise KeyError(f"no property {name!r}; known: {', '.join(result.name for result in self.results)}")

    def __iter__(self) -> Iterator[Result]:
        """The results in order."""
        return iter(self.results)

    def __len__(self) -> int:
        """How many properties there are."""
        return len(self.results)

    def as_dict(self) -> dict[str, Any]:
        """Plain strings and numbers, ready for JSON."""
        return {
            "subject": self.subject,
            "cases": self.cases,
            "passed": self.passed,
            "score": self.score,
            "properties": [vars(result).copy() for result in self],
        }

    def __str__(self) -> str:
        verdicts = [result.verdict for result in self]
        tried = len(verdicts) - verdicts.count(NOT_TRIED)
        lines = [f"{self.subject}: {verdicts.count('passed')} of {tried} properties hold, {self.cases} cases"]
        for result in self:
            error = "" if result.worst_error is None else f"  worst relative error {result.worst_error:.1e}"
            lines.append(f"  {result.verdict:<10}  {result.name}{error}")
        failures = [result.failure for result in self if result.failure is not None]
        return "\n\n".join(["\n".join(lines), *failures])

    __repr__ = __str__


class Case:
    """A drawn case: its repr is the call that repeats it, and hypothesis prints that."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class CheckError(AssertionError):
    """A property does not hold; the text holds the smallest case found and the call that repeats it.

    Attributes:
        subject: the name of what was checked.
        failed: the sentence that says what should have held.
        property: the name of the property, one of those in the report.
        report: the Report of the run, where `check_...` raised this.
    """

    report: Report

    def __init__(self, subject: str, failed: str, details: str = "", *, of: str = "") -> None:
        super().__init__("\n".join(line for line in (f"{subject}: {failed}", details) if line))
        self.subject, self.failed, self.property = subject, failed, of


class Tally:
    """Counts runs and keeps the worst errors while a check goes on."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.cases = 0
        self.runs = dict.fromkeys(names, 0)
        self.errors: dict[str, float] = {}

    def add(self, name: str, error: Outcome) -> None:
        """One more run of a property, with the error it saw if it compares numbers."""
        if error == NOT_TRIED:
            return
        self.runs[name] += 1
        if error is not None:
            self.errors[name] = max(error, self.errors.get(name, 0.0))

    def report(self, subject: str, failures: Mapping[str, CheckError], *, whole: bool) -> Report:
        """The report; unless the run was `whole`, what did not fail has not been judged."""

        def result(name: str) -> Result:
            failed = failures.get(name)
            passed: Verdict = "passed" if self.runs[name] else NOT_TRIED
            verdict: Verdict = "failed" if failed else passed if whole else "not judged"
            error = self.errors.get(name)
            return Result(name, verdict, self.runs[name], error, str(failed) if failed else None)

        return Report(subject, self.cases, tuple(result(name) for name in self.runs))

"""What is asked and what a check says: one verdict for each property, as text to read and as data to grade with."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, Self, TypeAlias

from minidl.frozen import frozen
from minidl.testing.functions import line_of

Verdict: TypeAlias = Literal["passed", "failed", "not tried", "not judged"]
Dtype: TypeAlias = Literal["float64", "float32"]
NOT_TRIED: Literal["not tried"] = "not tried"
Outcome: TypeAlias = float | Literal["not tried"] | None
"""What a property returns: a relative error, None if it compares no numbers, NOT_TRIED where it does not apply."""


@frozen
class Property:
    """Something that must hold of every thing of a kind.

    Attributes:
        name: such as "rows independent".
        check: a function of a run that raises CheckError or returns an Outcome.
        allowed: the relative error it allows; near it, the search for a wrong case is directed.
        first: whether it must hold for the others to make sense.
        dtype: the dtype of the numbers it compares.
    """

    name: str
    check: Callable[[Any], Outcome]
    allowed: float = 1e-6
    first: bool = False
    dtype: Dtype = "float64"


class Properties(list[Property]):
    """The properties that one file states, in the order in which they stand there: that in which they are tried."""

    def property(
        self, name: str, *, allowed: float = 1e-6, first: bool = False, dtype: Dtype = "float64"
    ) -> Callable[[Callable[[Any], Outcome]], Property]:
        """A decorator that makes a function of a run a property, the next one here."""

        def state(check: Callable[[Any], Outcome]) -> Property:
            self.append(Property(name, check, allowed, first, dtype))
            return self[-1]

        return state


@frozen
class PropertyResult:
    """The verdict on one property.

    Attributes:
        name: the property, such as "rows independent".
        verdict: "passed", "failed", "not tried" where it does not apply (as independent rows where they are declared to
            mix), or "not judged" where an earlier failure kept the check from it.
        runs: how often it was tried, each time on another case or in another mode.
        worst_error: the largest relative error met, for properties that compare numbers; else None.
        failure: what was found, on the smallest case; None unless it failed.
        dtype: that of the numbers compared, "float64" or "float32".
    """

    name: str
    verdict: Verdict
    runs: int
    worst_error: float | None = None
    failure: str | None = None
    dtype: Dtype = "float64"


@frozen
class Report:
    """What a check has seen, property by property. `str(report)` is a table, `report.as_dict()` goes to JSON.

    Attributes:
        subject: the name of what was checked.
        cases: how many cases were drawn, each tried with every property.
        results: one PropertyResult for each property, in the order in which they are tried.
        parameters: the names of those that a layer or model has, whose gradients were judged; an array that was meant
            to be one is missing here. None for other things.
        arrays: the attributes of a layer or model that hold arrays and are no parameters, so that nobody trains them.

    >>> from minidl.layers import ReLU
    >>> from minidl.testing import check_layer
    >>> report = check_layer(ReLU(), max_examples=5)
    >>> report.passed, report["rows independent"].verdict, len(report) == len(report.results)
    (True, 'passed', True)
    """

    subject: str
    cases: int
    results: tuple[PropertyResult, ...]
    parameters: tuple[str, ...] | None = None
    arrays: tuple[str, ...] = ()

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

    def __getitem__(self, name: str) -> PropertyResult:
        """The result of one property, by its name."""
        for result in self.results:
            if result.name == name:
                return result
        raise KeyError(f"no property {name!r}; known: {', '.join(result.name for result in self.results)}")

    def __iter__(self) -> Iterator[PropertyResult]:
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
            "parameters": None if self.parameters is None else list(self.parameters),
            "arrays": list(self.arrays),
            "passed": self.passed,
            "score": self.score,
            "properties": [vars(result).copy() for result in self],
        }

    def __str__(self) -> str:
        verdicts = [result.verdict for result in self]
        tried = len(verdicts) - verdicts.count(NOT_TRIED)
        lines = [f"{self.subject}: {verdicts.count('passed')} of {tried} properties hold, {self.cases} cases"]
        if self.parameters is not None:
            lines[0] += f", with the parameters {', '.join(self.parameters)}" if self.parameters else ", no parameters"
        if self.arrays:
            lines.append(f"  not trained, as they are arrays and no Parameter: {', '.join(self.arrays)}")
        for result in self:
            known = result.worst_error is not None and result.verdict == "passed"
            error = f"  worst relative error {result.worst_error:.1e}" if known else ""
            lines.append(f"  {result.verdict:<10}  {result.name}{error}")
        return "\n\n".join(["\n".join(lines), *(result.failure for result in self if result.failure is not None)])

    __repr__ = __str__


class Case:
    """A drawn case: its repr is the call that repeats it, and hypothesis prints that."""

    @property
    def parameters(self) -> tuple[str, ...] | None:
        """The names of the parameters that are judged, where a thing has any of its own."""
        return None

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of attributes that hold arrays and are no parameters, where a thing has any of its own."""
        return ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class CheckError(AssertionError):
    """A property does not hold; the text holds the smallest case found and the call that repeats it.

    Attributes:
        subject: the name of what was checked.
        failed: the sentence that says what should have held.
        report: the Report of the run, where `check_...` raised this.
        broken: the Property that does not hold; the check that runs it says so.
        ran: False where the thing could not be run at all, which is a failure of running, whatever was tried.
    """

    report: Report
    broken: Property

    def __init__(self, subject: str, failed: str, *lines: str) -> None:
        super().__init__("\n".join(line for line in (f"{subject}: {failed}", *lines) if line))
        self.subject, self.failed, self.ran = subject, failed, True

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is copied and travels between processes: text and data; the property stays behind as a name."""
        data = vars(self).copy()
        if "broken" in data:
            data["broken"] = replace(self.broken, check=_stayed_behind)
        return _restored, (type(self), self.args), data

    def of_running(self) -> Self:
        """The same, from something that could not be run."""
        self.ran = False
        return self

    @property
    def property(self) -> str:
        """The name of the property, one of those in the report."""
        return self.broken.name


def _restored(kind: type[CheckError], args: tuple[Any, ...]) -> CheckError:
    error = kind.__new__(kind, *args)
    error.args = args
    return error


def _stayed_behind(run: Any) -> Outcome:
    raise TypeError("this property came with an error from another process: it has a name, and cannot be tried here")


def raised(error: BaseException, besides: str = "") -> str:
    """The lines that say what was raised, and in which line of the author's code, which is not in `besides`."""
    place = line_of(error, besides)
    return f"  it raised {type(error).__name__}: {error}" + (f"\n  {place}" if place else "")


def worst(errors: Iterable[float | None]) -> Outcome:
    """The largest of the errors that are known; NOT_TRIED where none is."""
    return max((error for error in errors if error is not None), default=NOT_TRIED)


class Tally:
    """Counts runs and keeps the worst errors while a check goes on."""

    def __init__(self, properties: Iterable[Property]) -> None:
        self.cases = 0
        self.parameters: tuple[str, ...] | None = None  # of the newest case
        self.arrays: tuple[str, ...] = ()
        self.runs = dict.fromkeys(properties, 0)
        self.errors: dict[Property, float] = {}

    def add(self, tried: Property, error: Outcome) -> None:
        """One more run of a property, with the error it saw if it compares numbers."""
        if error == NOT_TRIED:
            return
        self.runs[tried] += 1
        if error is not None:
            self.errors[tried] = max(error, self.errors.get(tried, 0.0))

    def report(self, subject: str, failures: Mapping[Property, CheckError], *, whole: bool) -> Report:
        """The report; unless the run was `whole`, what did not fail has not been judged."""

        def result(asked: Property) -> PropertyResult:
            failed = failures.get(asked)
            passed: Verdict = "passed" if self.runs[asked] else NOT_TRIED
            verdict: Verdict = "failed" if failed else passed if whole else "not judged"
            text = str(failed) if failed else None
            return PropertyResult(asked.name, verdict, self.runs[asked], self.errors.get(asked), text, asked.dtype)

        return Report(subject, self.cases, tuple(result(asked) for asked in self.runs), self.parameters, self.arrays)

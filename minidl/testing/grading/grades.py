"""A grade: points for each question, as text for a student, as JSON for a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, TypeAlias

from minidl.arguments import check_number, suggest
from minidl.frozen import frozen
from minidl.testing.report import Report

Verdict: TypeAlias = Literal["passed", "failed", "not tried", "not judged", "out of time", "crashed"]
FORMAT = 1  # of the JSON


@frozen
class Criterion:
    """The points for one question.

    Attributes:
        thing: the name of the class or function that was asked.
        name: the property or example.
        of: the points it is worth.
        verdict: as in a report; or "out of time", or "crashed" where the process of the submission ended or it could
            not be imported.
        runs: how often it was tried.
        message: what was found, for the student; empty where it passed.
    """

    thing: str
    name: str
    of: float
    verdict: Verdict
    runs: int = 0
    message: str = ""

    @property
    def points(self) -> float:
        """All of them where it passed, or does not apply; else none."""
        return self.of if self.verdict in ("passed", "not tried") else 0.0


@frozen
class Grade:
    """What a submission earned. `str(grade)` is for the student, `grade.as_dict()` goes to JSON.

    Attributes:
        assignment: its title.
        submission: the name of the file or folder.
        criteria: one for each question, in order.
        notes: what else was seen, such as files that were written.
        output: the beginning of what the submission printed.
        seed: of the cases.
        examples: how many there were for each property.
    """

    assignment: str
    submission: str
    criteria: tuple[Criterion, ...]
    notes: tuple[str, ...] = ()
    output: str = ""
    seed: int = 0
    examples: int = 0

    @property
    def points(self) -> float:
        """The sum of what was earned."""
        return float(sum(criterion.points for criterion in self.criteria))

    @property
    def of(self) -> float:
        """The sum of what could be earned."""
        return float(sum(criterion.of for criterion in self.criteria))

    @property
    def full(self) -> bool:
        """Whether nothing was lost."""
        return self.points == self.of

    @property
    def lost(self) -> tuple[str, ...]:
        """The names of the questions that lost points."""
        return tuple(criterion.name for criterion in self.criteria if criterion.points < criterion.of)

    def __getitem__(self, name: str) -> Criterion:
        """The first criterion of a name."""
        for criterion in self.criteria:
            if criterion.name == name:
                return criterion
        raise KeyError(f"no question {name!r}; {suggest(name, [criterion.name for criterion in self.criteria])}")

    def as_dict(self) -> dict[str, Any]:
        """Plain strings and numbers, ready for JSON; no times, so that the same submission gives the same text."""
        return {
            "format": FORMAT,
            "assignment": self.assignment,
            "submission": self.submission,
            "points": self.points,
            "of": self.of,
            "seed": self.seed,
            "examples": self.examples,
            "notes": list(self.notes),
            "output": self.output,
            "criteria": [asdict(criterion) | {"points": criterion.points} for criterion in self.criteria],
        }

    def __str__(self) -> str:
        lines = [f"{self.assignment}: {self.submission} has {self.points:g} of {self.of:g} points"]
        lines += [f"  note: {note}" for note in self.notes]
        width = max((len(criterion.name) for criterion in self.criteria), default=0)
        thing = max((len(criterion.thing) for criterion in self.criteria), default=0)
        for each in self.criteria:
            earned = f"{each.points:g} of {each.of:g}" if each.of else "needed"
            lines.append(f"  {earned:>10}  {each.thing:<{thing}}  {each.name:<{width}}  {each.verdict}")
        return "\n".join([*lines, *_found(self.criteria)])

    __repr__ = __str__


def _found(criteria: Sequence[Criterion]) -> list[str]:
    """Each message once, below the names of the questions it belongs to."""
    asked: dict[str, list[str]] = {}
    for criterion in criteria:
        if criterion.message:
            asked.setdefault(criterion.message, []).append(criterion.name)
    return [f"\n{', '.join(names)}:\n  {message}" for message, names in asked.items()]


def readable(text: str) -> str:
    """A text of others that any file and terminal takes: half characters and control characters stand as escapes."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def summary(grades: Sequence[Grade]) -> str:
    """A line for each submission, and how many have lost each of the points."""
    width = max((len(grade.submission) for grade in grades), default=0)
    lines = []
    for grade in grades:
        told = f"  ({'; '.join(grade.notes)})" if grade.notes else ""
        lines.append(f"{grade.submission:<{width}}  {grade.points:5g} of {grade.of:g}{told}")
    lost: dict[tuple[str, str], int] = {}
    for grade in grades:
        for each in grade.criteria:
            if each.points < each.of:
                lost[each.thing, each.name] = lost.get((each.thing, each.name), 0) + 1
    most = sorted(lost.items(), key=lambda item: -item[1])
    lines += ["", "lost by"] * bool(most) + [f"{count:5}  {thing}: {name}" for (thing, name), count in most]
    return "\n".join(lines)


def grade_report(report: Report, points: Mapping[str, float]) -> Grade:
    """The points for properties of a report, for those who run the checks themselves.

    Raises:
        ValueError: the report has no such property.

    >>> from minidl import ReLU
    >>> from minidl.testing import check_layer
    >>> report = check_layer(ReLU(), raises=False, max_examples=5)
    >>> grade_report(report, {"rows independent": 1, "derivatives off the grid": 2}).points
    3.0
    """
    results = {result.name: result for result in report}
    criteria = []
    for name, of in points.items():
        if name not in results:
            raise ValueError(
                f"expected points of properties of the report, received {name!r}: {suggest(name, results)}"
            )
        of, result = check_number(f"points[{name!r}]", of, minimum=0), results[name]
        found = result.failure or ""
        criteria.append(Criterion(report.subject, name, of, result.verdict, result.runs, found))
    return Grade(report.subject, report.subject, tuple(criteria))

"""Where submissions are: one file, one folder, or a folder of many."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from minidl.arguments import check_integer
from minidl.testing.grading.asking import ask_all
from minidl.testing.grading.assignments import Asked, Assignment, Checks, Example, load_assignment
from minidl.testing.grading.grades import Criterion, Grade, readable

StrPath = str | os.PathLike[str]


def grade(
    assignment: StrPath,
    submission: StrPath,
    *,
    seconds: float | None = None,
    examples: int | None = None,
    seed: int | None = None,
) -> Grade:
    """Grade one submission in a process of its own.

    Args:
        assignment: the teacher's file, which defines an `Assignment`, or a folder with a file `assignment.py`.
        submission: the file that was handed in, of any name, or the folder that holds it.
        seconds: for each question, instead of those of the assignment.
        examples: cases for each property, instead of those of the assignment.
        seed: of the cases, instead of that of the assignment.

    Whatever a submission does is said in its grade; errors are raised for what the teacher wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError, RuntimeError: the assignment cannot be read.
    """
    path, asked = _assignment(assignment, seconds=seconds, examples=examples, seed=seed)
    file = Path(submission).absolute()  # "." has no name
    if not file.exists():
        raise FileNotFoundError(f"expected a submission, received {submission}: there is none")
    return _graded(asked, path, file, [path.parent])


def grade_all(
    assignment: StrPath,
    folder: StrPath,
    *,
    seconds: float | None = None,
    examples: int | None = None,
    seed: int | None = None,
    jobs: int = 1,
) -> list[Grade]:
    """Grade every submission in a folder, by name: each Python file, and each folder, is one.

    Args:
        assignment: as for `grade`.
        folder: of submissions; none of them can read another.
        seconds: for each question, instead of those of the assignment.
        examples: cases for each property, instead of those of the assignment.
        seed: of the cases, instead of that of the assignment.
        jobs: how many are graded at a time; the limits of time are those of a machine that is not overloaded.

    Raises:
        FileNotFoundError, ValueError: there are none; and what `grade` raises.
    """
    jobs = check_integer("jobs", jobs, minimum=1)
    path, asked = _assignment(assignment, seconds=seconds, examples=examples, seed=seed)
    home = Path(folder).resolve()
    found = list(_submissions(home))
    if not found:
        raise ValueError(
            f"expected a folder of submissions, Python files or folders with {asked.file}, received {home}"
        )

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda submission: _graded(asked, path, submission, [path.parent, home]), found))


def holds_many(assignment: StrPath, submission: StrPath) -> bool:
    """Whether a path is a folder of submissions: one that does not hold the file of the assignment itself."""
    _, asked = _assignment(assignment)
    return Path(submission).is_dir() and not (Path(submission) / asked.file).is_file()


def left_out(folder: StrPath) -> list[str]:
    """The names of what is no submission in a folder of them, such as notebooks and archives."""
    names = {path.name for path in Path(folder).iterdir() if not path.name.startswith((".", "__"))}
    return [readable(name) for name in sorted(names - {path.name for path in _submissions(Path(folder))})]


def _assignment(given: StrPath, **instead: Any) -> tuple[Path, Assignment]:
    path = Path(given)
    path = (path / "assignment.py" if path.is_dir() else path).resolve()
    return path, replace(load_assignment(path), **{key: value for key, value in instead.items() if value is not None})


def _submissions(home: Path) -> Iterator[Path]:
    if not home.is_dir():
        raise FileNotFoundError(f"expected a folder of submissions, received {home}: there is none")
    for path in sorted(home.iterdir()):
        hidden = path.name.startswith((".", "__"))
        if not hidden and (path.is_dir() or path.suffix == ".py"):
            yield path


def _graded(assignment: Assignment, path: Path, submission: Path, hidden: list[Path]) -> Grade:
    """The grade of what is there; none of the points where it cannot be found."""
    try:
        files = [submission]
        if submission.is_dir():
            files = [file for file in sorted(submission.glob("*.py")) if file.is_file() and not file.is_symlink()]
        if not submission.is_dir() or submission / assignment.file in files:
            return ask_all(assignment, path, submission, hidden)
        if len(files) == 1:
            got = ask_all(assignment, path, files[0], hidden)
            note = f"its only Python file is {got.submission}, taken for {assignment.file}"
            return replace(got, submission=readable(submission.name), notes=(note, *got.notes))
        others = "but files of other names" if files else "nor another Python file"
        found = f"there is no {assignment.file} at its top, {others}"
    except OSError as error:
        found = f"it cannot be read: {error.strerror or error}"
    criteria = tuple(_missing(part, asked, found) for part in assignment.parts for asked in part.asked)
    name = readable(submission.name)
    return Grade(assignment.title, name, criteria, (found,), "", assignment.seed, assignment.examples)


def _missing(part: Checks | Example, asked: Asked, found: str) -> Criterion:
    return Criterion(part.thing, asked.name, asked.points, "not judged", 0, found)

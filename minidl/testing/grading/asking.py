"""One submission is asked everything an assignment asks, in as many processes as that takes."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from minidl.testing.grading.assignments import Assignment
from minidl.testing.grading.grades import Criterion, Grade, Verdict, readable
from minidl.testing.grading.process import START, Answer, EndedError, Process, plain, unpacked

Answered: TypeAlias = tuple[Verdict, int, str]


class Submission:
    """A submission that is being asked.

    Args:
        assignment: what is asked.
        path: the file of the assignment.
        file: the file that was handed in.
        work: the folder it runs in.
        hidden: folders that it may not read.
    """

    def __init__(self, assignment: Assignment, path: Path, file: Path, work: Path, hidden: Sequence[Path]) -> None:
        self.assignment, self.file = assignment, file
        self.order: Answer = {
            "assignment": str(path),
            "file": str(file),
            "work": str(work),
            "hidden": [str(folder) for folder in hidden],
            "examples": assignment.examples,
            "seed": assignment.seed,
        }
        self.work, self.notes, self.output = work, list[str](), ""
        self.process: Process | None = None
        self.broken: tuple[Verdict, str] | None = None  # why nothing can be asked
        self.open = ExitStack()

    def ask(self, part: int, name: str) -> Answered:
        """The verdict on one question, in how many runs, and what was found."""
        if self.process is None and self.broken is None:
            self._start()
        if self.process is None or self.broken:
            verdict, found = self.broken or ("crashed", "")
            return verdict, 0, found
        self.process.write({"part": part, "name": name})
        try:
            answer = self._next("verdict", self.assignment.seconds)
        except TimeoutError:
            self._stop()
            return "out of time", 0, _too_long("no answer", self.assignment.seconds)
        except EndedError as ended:
            self._stop()
            return "crashed", 0, str(ended)
        return answer["verdict"], answer.get("runs", 0), answer.get("message", "")

    def _start(self) -> None:
        """Start a process and import the submission in it."""
        self.process = self.open.enter_context(Process(self.order, self.work))
        try:
            self._next("ready", START)
        except (TimeoutError, EndedError) as error:
            said = self.process.complaints() or str(error)
            raise RuntimeError(
                f"expected the assignment to be read by a process of its own, received\n{said}"
            ) from None
        try:
            if wrong := self._next("loaded", self.assignment.seconds)["loaded"]:
                self.broken = "crashed", wrong
        except TimeoutError:
            self.broken = "out of time", _too_long(f"{self.file.name} is not imported", self.assignment.seconds)
        except EndedError as ended:
            self.broken = "crashed", f"{self.file.name} cannot be imported: {ended}"

    def _next(self, key: str, seconds: float) -> Answer:
        """The next answer with such a key; notes in between are noted."""
        end = time.monotonic() + seconds
        while self.process is not None:
            answer = self.process.read(end - time.monotonic())
            self.output = max(self.output, answer.get("output", ""), key=len)
            if "note" in answer and answer["note"] not in self.notes:
                self.notes.append(answer["note"])
            if key in answer:
                return answer
        raise EndedError("there is no process")

    def _stop(self) -> None:
        self.open.close()
        self.process = None


def _too_long(what: str, seconds: float) -> str:
    return f"{what} within {seconds:g} seconds: is there a loop that does not end? It was stopped"


def ask_parts(assignment: Assignment, ask: Callable[[int, str], Answered]) -> list[Criterion]:
    """The criteria of all parts, given who answers (number of the part, name of the question).

    Each property is judged by itself. What fails though it is needed, or hangs though it comes first, speaks for the
    others.
    """
    criteria, needed = list[Criterion](), dict[str, str]()
    for i, part in enumerate(assignment.parts):
        hangs = ""
        for asked in part.asked:
            if broken := needed.get(part.thing, hangs):
                found = f'not judged: "{broken}" must hold first'
                criteria.append(Criterion(part.thing, asked.name, asked.points, "not judged", 0, found))
                continue
            verdict, runs, found = ask(i, asked.name)
            criteria.append(Criterion(part.thing, asked.name, asked.points, verdict, runs, found))
            if asked.needed and verdict != "passed":
                needed[part.thing] = asked.name
            if asked.first and verdict in ("out of time", "crashed"):
                hangs = asked.name
    return criteria


def ask_all(assignment: Assignment, path: Path, submission: Path, hidden: Sequence[Path]) -> Grade:
    """The grade of one submission, a file or a folder that holds one."""
    with unpacked(submission, assignment.file) as (file, work):
        asked = Submission(assignment, path, file, work, hidden)
        with asked.open:
            criteria = ask_parts(assignment, asked.ask)
        folders = (file.parent, work, work.parent)
        told = tuple(replace(criterion, message=plain(criterion.message, folders)) for criterion in criteria)
        notes = tuple(plain(note, folders) for note in asked.notes)
        output = plain(asked.output, folders)
    name = readable(submission.name)
    return Grade(assignment.title, name, told, notes, output, assignment.seed, assignment.examples)

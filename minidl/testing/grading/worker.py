"""The process that a submission runs in: it imports it and answers one question after the other, a line of JSON each.

Started by `minidl.testing.grading.process`, which ends it where an answer takes too long.
"""

import importlib.util
import json
import os
import random
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.testing  # an assignment uses it: it must be here before what replaces it

from minidl.arguments import suggest
from minidl.testing.grading.assignments import load_assignment
from minidl.testing.grading.judging import Judged, said_by
from minidl.testing.grading.watching import Sink, Watch, forbid, judging, replaced

NOTES = 10  # of what was seen
MEMORY, FILE = 4 << 30, 16 << 20  # bytes that a submission may have, and that a file of it may be long


class Worker:
    """One submission in this process.

    Args:
        order: where the assignment, the submission, its folder of work and what is hidden from it are.
        answers: where the lines go.
    """

    def __init__(self, order: Mapping[str, Any], answers: TextIO) -> None:
        self.order, self.answers, self.file = order, answers, Path(order["file"])
        self.said: set[str] = set()
        self.sink = Sink(self.note)
        self.assignment = load_assignment(Path(order["assignment"]))
        self.made: dict[str, Any] = {}
        hidden = [Path(path) for path in order["hidden"]]
        self.watch = Watch(self.file.parent, Path(order["work"]), hidden, self.note)

    def send(self, **answer: Any) -> None:
        """One line."""
        self.answers.write(json.dumps({"key": self.order["key"], **answer}) + "\n")
        self.answers.flush()

    def note(self, text: str) -> None:
        """Tell what was seen, at once and once only: there may be no answer after it. What never ends is cut short."""
        if text not in self.said:
            self.said.add(text)
            if len(self.said) <= NOTES:
                self.send(note=text, output=self.sink.text)
            elif len(self.said) == NOTES + 1:
                self.send(note=f"there is more than these {NOTES}", output=self.sink.text)

    def start(self) -> None:
        """Shut, watch and limit what the submission is not to do."""
        for thing in self.assignment.forbids:
            forbid(thing, self.note)
        _limit()
        warnings.simplefilter("ignore")
        self._seed()
        self.replaced = partial(replaced, judging())
        sys.path.append(str(self.file.parent))
        sys.addaudithook(self.watch)
        sys.stdout = sys.stderr = self.stream = self.sink.stream()
        self.watch.armed = True

    def load(self) -> str:
        """Import the submission; returns what went wrong."""
        name = f"submission_{self.file.stem}"
        spec = importlib.util.spec_from_file_location(name, self.file)
        if spec is None or spec.loader is None:
            return f"{self.file.name} is no Python file"
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
            self.made = dict(vars(module))
        except BaseException as error:  # SystemExit is one way to end
            return f"{self.file.name} cannot be imported: {said_by(error)}"
        return ""

    def judge(self, part: int, name: str) -> Judged:
        """The answer to one question."""
        asked = self.assignment.parts[part]
        if asked.thing not in self.made:
            known = [name for name in self.made if not name.startswith("_")]
            return Judged("failed", 0, f"{self.file.name} defines no {asked.thing}: {suggest(asked.thing, known)}")
        self._seed()
        options = {"examples": self.order["examples"], "seed": self.order["seed"]}
        try:
            judged = asked.judge(name, self.made[asked.thing], **options)
        except BaseException as error:
            judged = Judged("failed", 0, said_by(error))
        return judged

    def answer(self, request: Mapping[str, Any]) -> None:
        """Answer one line, and say what was printed so far; nothing counts that is judged by what it replaced."""
        judged = self.judge(request["part"], request["name"])
        if changed := self.replaced():
            self.note(f"it replaced {changed}, which judges it: nothing it does can be trusted")
            judged = Judged("failed", 0, f"the submission replaced {changed}, so that nothing can be judged")
        self.send(**judged.as_dict(), output=self.printed())

    def printed(self) -> str:
        """What was printed so far."""
        with suppress(ValueError, OSError, AttributeError):  # the submission may have closed it
            self.stream.flush()
        return self.sink.text

    def _seed(self) -> None:
        random.seed(self.order["seed"])
        np.random.seed(self.order["seed"])  # noqa: NPY002 that of a submission that uses it


def _limit() -> None:
    """Where the system has limits: of memory, so that the machine lives, and of files, so that the disk does."""
    if sys.platform == "win32":
        return
    import resource

    for limit, size in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # a lower one stands already, or macOS has none
            resource.setrlimit(limit, (size, size))


def _channel() -> tuple[TextIO, TextIO]:
    """The two ends that the other process holds, out of the way of what reads and prints."""
    requests = TextIOWrapper(os.fdopen(os.dup(0), "rb"), "utf-8")
    answers = TextIOWrapper(os.fdopen(os.dup(1), "wb"), "utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1):
        os.dup2(nothing, standard)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 it stays open
    return requests, answers


def main() -> None:
    """Say that all is ready, then what came of the import, then one answer for each request."""
    requests, answers = _channel()
    worker = Worker(json.loads(requests.readline()), answers)
    worker.start()
    answer = worker.answer  # as it is before a submission can replace it
    worker.send(ready=True)
    os.dup2(0, 2)  # errors of ours went there until now
    worker.send(loaded=worker.load(), output=worker.printed())
    for line in requests:
        answer(json.loads(line))
    os._exit(0)  # whatever threads it has started


if __name__ == "__main__":
    main()

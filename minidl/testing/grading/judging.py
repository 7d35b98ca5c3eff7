"""One question at a time: the verdict on one property, or on one example, as plain data that travels."""

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from minidl.frozen import frozen
from minidl.testing.report import Property, Report, raised
from minidl.testing.running import Cases, Kind, run_now

LONGEST = 4000  # characters of a message


@frozen
class Judged:
    """A verdict as in a report, in how many runs, and what was found."""

    verdict: str
    runs: int = 1
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain strings and numbers, the message cut where it is endless."""
        cut = self.message if len(self.message) <= LONGEST else f"{self.message[:LONGEST]} ... and so on"
        return asdict(replace(self, message=cut))


def asked_by(check: Callable[..., Report]) -> tuple[Kind, Callable[..., Cases]]:
    """What a `check_...` asks, and of which cases.

    Raises:
        TypeError: it is another function.
    """
    asks: tuple[Kind, Callable[..., Cases]] | None = getattr(check, "asks", None)
    if asks is None:
        raise TypeError(f"expected a check such as check_layer, received {check!r}")
    return asks


def judge_alone(kind: Kind, cases: Cases, asked: Property, *, examples: int, seed: int) -> Judged:
    """The verdict on one property, whatever the others are; where a case cannot be run, it is this one that fails."""
    one, others = replace(kind, running=asked), [other for other in kind.properties if other is not asked]
    report = run_now(one, cases, None, max_examples=examples, raises=False, skipped=others, seed=seed)
    result = report[asked.name]
    return Judged(result.verdict, result.runs, result.failure or "")


def judge_example(function: Callable[[Any], object], made: Any) -> Judged:
    """Passed if the function returns; failed, with what it said, if it raises; lines of the teacher are not shown."""
    code = getattr(function, "__code__", None)
    teacher = f"{Path(code.co_filename).parent}{os.sep}" if code else ""
    try:
        function(made)
    except AssertionError as error:
        return Judged("failed", message=str(error).strip() or said_by(error, teacher))
    except Exception as error:
        return Judged("failed", message=said_by(error, teacher))
    return Judged("passed")


def said_by(error: BaseException, teacher: str = "") -> str:
    """What was raised and where, also of errors that cannot be printed; but not in the folder of a `teacher`."""
    try:
        return raised(error, teacher).strip()
    except BaseException:  # of a class of the submission's
        return f"it raised {type(error).__name__}, whose text cannot be made"

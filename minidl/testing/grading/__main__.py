"""python -m minidl.testing.grading ASSIGNMENT SUBMISSION: grade one submission, or a folder of them."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from minidl.testing.grading.grades import Grade, summary
from minidl.testing.grading.submissions import grade, grade_all, holds_many, left_out


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade, print, write; returns the exit code: 0, or 1 where `--full` is asked for and points are lost."""
    options = _parser().parse_args(arguments)
    limits = {"seconds": options.seconds, "examples": options.examples, "seed": options.seed}
    try:
        _make_room(options.json, options.feedback)
        if holds_many(options.assignment, options.submission):
            grades = grade_all(options.assignment, options.submission, jobs=options.jobs, **limits)
            print(summary(grades))
            if left := left_out(options.submission):
                print(f"\nnot graded, as it is no Python file or folder: {', '.join(left)}")
        else:
            grades = [grade(options.assignment, options.submission, **limits)]
            print(grades[0])
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    if options.json:
        text = json.dumps([each.as_dict() for each in grades], indent=2, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.feedback:
        _write(options.feedback, grades)
    return int(options.full and not all(each.full for each in grades))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m minidl.testing.grading",
        description="Points for what was handed in, from the properties it has. A folder of submissions gives a table.",
    )
    parser.add_argument("assignment", type=Path, help="the teacher's file, or a folder with a file assignment.py")
    parser.add_argument("submission", type=Path, help="a file, a folder that holds it, or a folder of submissions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all grades to a file, as a list")
    parser.add_argument("--feedback", type=Path, metavar="FOLDER", help="write a text for each student")
    parser.add_argument("--seconds", type=float, help="for each question, instead of those of the assignment")
    parser.add_argument("--examples", type=int, help="cases for each property, instead of those of the assignment")
    parser.add_argument("--seed", type=int, help="of the cases, instead of that of the assignment")
    parser.add_argument("--jobs", type=int, default=1, help="submissions of a folder at a time (default: 1)")
    parser.add_argument("--full", action="store_true", help="exit with 1 unless each has all points")
    return parser


def _make_room(file: Path | None, folder: Path | None) -> None:
    """What cannot be written is found out before hours of grading, not after them."""
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab"):
            pass
    if folder:
        folder.mkdir(parents=True, exist_ok=True)


def _write(folder: Path, grades: Sequence[Grade]) -> None:
    """A text for each, without the `.py` in its name unless there is a folder of that name, too."""
    names = {each.submission for each in grades}
    for each in grades:
        short = each.submission.removesuffix(".py")
        name = each.submission if short in names else short
        (folder / f"{name}.txt").write_text(f"{each}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

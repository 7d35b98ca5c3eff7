"""What is wrong with an answer and stays inside Python: asked here, without a process of its own."""

import io
import json
import random
import sys

import numpy as np
import pytest

from minidl.testing.grading import Grade
from minidl.testing.grading.asking import ask_parts
from minidl.testing.grading.worker import NOTES, Worker
from tests.tools.handed_in import square, told, write_assignment

CANNOT = "square.py cannot be imported: "
ANSWERS = {
    "it raises on import": ("1 / 0", 0, f"{CANNOT}it raised ZeroDivisionError: division by zero"),
    "its syntax is wrong": ("def square(:", 0, f"{CANNOT}it raised SyntaxError"),
    "it is no text": (b"\xff\xfex = 1", 0, f"{CANNOT}it raised SyntaxError"),
    "it has null bytes": (b"x = 1\x00", 0, "source code string cannot contain null bytes"),
    "it leaves on import": ("import sys; sys.exit(0)", 0, f"{CANNOT}it raised SystemExit: 0"),
    "it lacks a package": ("import no_such_package", 0, "No module named 'no_such_package'"),
    "it defines something else": ("class Sqare: pass", 0, "defines no Square: did you mean 'Sqare'?"),
    "it is empty": ("", 0, "square.py defines no Square"),
    "it is a number": ("Square = 3", 0, "it must be possible to make one"),
    "it takes other arguments": (
        square().replace("(Layer):", "(Layer):\n    def __init__(self, count): pass"),
        0,
        "count",
    ),
    "it leaves in forward": (square(forward="raise SystemExit(0)"), 0, "it raised SystemExit: 0"),
    "it raises an error that cannot be printed": (
        square("class Odd(Exception):\n    def __str__(self): raise self", "raise Odd"),
        0,
        "whose text cannot be made",
    ),
    "it raises an endless text": (square(forward="raise ValueError('no' * 10_000_000)"), 0, "... and so on"),
    "it calls itself": (square(forward="return self.forward(x)"), 0, "RecursionError"),
    "it returns nothing": (square(forward="return None"), 0, "forward must return an array with one row per sample"),
    "it returns rows of another length": (
        square(forward="self.x = x; return [[1.0, 2.0], [3.0]]"),
        0,
        "it raised ValueError: setting an array element with a sequence",
    ),
    "it yields": (square(forward="yield x"), 0, "forward must return an array"),
    "a mean over the rows": (square(backward="dy = dy / len(dy)"), 2, "gradients of a batch must be those of its rows"),
    "the derivative forgets 2": (square(backward="dy = dy / 2"), 4, "every element is half the right one"),
    "it is a script, too": (square("if __name__ == '__main__': raise SystemExit"), 5, ""),
}


@pytest.fixture
def order(tmp_path):
    """What a worker is told."""
    teacher, file = write_assignment(tmp_path / "teacher"), tmp_path / "square.py"
    places = {"assignment": teacher / "assignment.py", "file": file, "work": tmp_path, "hidden": []}
    return places | {"examples": 5, "seed": 0, "key": "secret"}


@pytest.fixture
def answered(order, monkeypatch):
    """Grades code in this process, and leaves nothing of it behind."""
    monkeypatch.setitem(sys.modules, "submission_square", None)
    drawing, drawn = random.getstate(), np.random.get_state()  # noqa: NPY002 a worker seeds them

    def answered(code):
        order["file"].write_bytes(code if isinstance(code, bytes) else code.encode())
        worker = Worker(order, io.StringIO())
        wrong = worker.load()

        def ask(part, name):
            answer = {"verdict": "crashed", "message": wrong} if wrong else worker.judge(part, name).as_dict()
            return answer["verdict"], answer.get("runs", 0), answer["message"]

        return Grade("A square", "alice.py", tuple(ask_parts(worker.assignment, ask)))

    yield answered
    random.setstate(drawing)
    np.random.set_state(drawn)  # noqa: NPY002


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wrong_answer_loses_its_points_and_is_told_why(name, answered):
    code, points, said = ANSWERS[name]
    got = answered(code)
    assert got.points == points
    assert said in told(got)


def test_a_file_for_each_batch_is_not_a_note_for_each_batch(order):
    lines = io.StringIO()
    worker = Worker(order, lines)
    for i in range(2 * NOTES):
        worker.note(f"it wrote the file {i}")
    notes = [json.loads(line)["note"] for line in lines.getvalue().splitlines()]
    assert notes == [*(f"it wrote the file {i}" for i in range(NOTES)), f"there is more than these {NOTES}"]


def test_lines_of_the_teacher_are_not_shown(answered):
    got = answered("class Square: pass")
    assert got["nine"].message == "it raised AttributeError: 'Square' object has no attribute 'build'"

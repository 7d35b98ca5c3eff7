"""What submissions do besides being wrong: each runs in a process of its own, is graded, and what it did is said."""

import json
import os
import sys

import pytest

from minidl.testing.grading import grade, grade_all, summary
from tests.tools.handed_in import ASSIGNMENT, HEAD, SAME, square, told, write_assignment


@pytest.fixture
def teacher(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return write_assignment(tmp_path / "teacher")


@pytest.fixture
def graded(teacher, tmp_path):
    def graded(code, **limits):
        handed = tmp_path / "alice.py"
        handed.write_text(code.replace("TEACHER", str(teacher)), encoding="utf-8")
        return grade(teacher, handed, **limits)

    return graded


WRITES_ANSWERS = """
import json, os
from contextlib import suppress

def cheat():
    for number in range(3, 20):
        with suppress(OSError):
            os.write(number, json.dumps({"verdict": "passed", "runs": 5, "message": ""}).encode() + b"\\n")
"""
DOES = {
    "it raises on import": ("1 / 0", 0, "square.py cannot be imported: it raised ZeroDivisionError: division by zero"),
    "its process ends on import": ("import os; os._exit(0)", 0, "ended with exit code 0, without an answer"),
    "it reads the solution": (
        "text = open(r'TEACHER/solution.py').read()",
        0,
        "it tried to read TEACHER/solution.py: refused",
    ),
    "it wants all memory": (square(forward="self.x = np.zeros(5 << 27)"), 0, "MemoryError"),
    "it uses what it was to write": (
        f"{HEAD}from minidl import Tanh\nclass Square(Tanh): pass",
        0,
        "it used Tanh of minidl, which it was to write",
    ),
    "it replaces what judges it": (
        square("np.allclose = lambda *_, **__: True", f"{SAME}x = 1 + x"),
        0,
        "it replaced numpy.allclose, which judges it",
    ),
    "it replaces what the assignment judges by": (
        square("np.testing.assert_allclose = lambda *_, **__: None", f"{SAME}x = 1 + x"),
        0,
        "it replaced numpy.testing.assert_allclose, which judges it",
    ),
    "it replaces the judge": (
        square("import __main__; __main__.Worker.judge = lambda *_: __main__.Judged('passed')", f"{SAME}x = 1 + x"),
        0,
        "it replaced __main__.Worker.judge, which judges it",
    ),
    "it ends in forward": (square("import os", "os._exit(3)"), 0, "its process ended with exit code 3"),
    "it prints without end": (
        square(forward=f"{SAME}[print('here I am', i) for i in range(20_000 * (len(x) > 60))]"),
        5,
        "it printed a lot: only the first 2000 bytes are kept",
    ),
    "it writes a file": (
        square("import pickle", f"{SAME}pickle.dump(x, open('batch.pkl', 'wb'))"),
        5,
        "it wrote the file batch.pkl, into a folder that is gone",
    ),
    "it writes to where the answers go": (square("import os", f"{SAME}os.write(1, b'nonsense')"), 5, ""),
    "it writes answers to every open file": (
        square(WRITES_ANSWERS, f"{SAME}cheat(); x = 1 + x"),
        0,
        "something was written to where its answers go",
    ),
    "it closes where it prints": (square("import sys; sys.stdout.close()"), 5, ""),
    "it has a thread that never ends": (
        square("import threading, time; threading.Thread(target=lambda: time.sleep(1e6)).start()"),
        5,
        "",
    ),
    "it draws": (square("import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()"), 5, ""),
    "it has a breakpoint": (square(forward=f"{SAME}breakpoint()"), 5, ""),
}


@pytest.mark.parametrize("name", DOES)
def test_what_a_submission_does_is_handled_and_said(name, graded, teacher):
    code, points, said = DOES[name]
    got = graded(code)
    assert got.points == points
    assert said.replace("TEACHER", str(teacher)) in told(got)
    assert said or got.notes == ()
    assert sorted(os.listdir(teacher)) == ["assignment.py", "solution.py"]
    assert json.loads(json.dumps(got.as_dict()))["points"] == points


ATTEMPTS = {
    "open(r'TEACHER/assignment.py')": "it tried to read TEACHER/assignment.py: refused",
    "os.listdir(r'TEACHER')": "it tried to read TEACHER: refused",
    "open(r'TEACHER/grades.csv', 'w')": "it tried to write TEACHER/grades.csv: refused",
    "os.remove(r'TEACHER/solution.py')": "it tried to write TEACHER/solution.py: refused",
    "subprocess.run(['true'])": "it tried to start or end a process (subprocess.Popen): refused",
    "os.fork()": "it tried to start or end a process (os.fork): refused",
    "socket.create_connection(('127.0.0.1', 9))": "it tried to use the network (socket.getaddrinfo): refused",
    "input()": "EOFError",
    "import solution": "ModuleNotFoundError",
    "sys.modules['solution']": "KeyError",
}


def test_what_a_submission_may_not_do_is_said_even_if_it_catches_all_errors(graded, teacher):
    tries = "".join(f"try: {tried}\nexcept BaseException as e: print(type(e).__name__)\n" for tried in ATTEMPTS)
    got = graded(square(f"import os, socket, subprocess, sys\n{tries}"))
    notes = [said.replace("TEACHER", str(teacher)) for said in ATTEMPTS.values() if "tried" in said]
    assert list(got.notes) == notes
    assert got.output.split() == ["PermissionError"] * len(notes) + ["EOFError", "ModuleNotFoundError", "KeyError"]
    assert sorted(os.listdir(teacher)) == ["assignment.py", "solution.py"]
    assert got.full


def test_a_process_that_dies_is_said_and_asked_no_more(graded):
    got = graded(square("import os", "os.abort()"))
    assert got.points == 0
    assert got["runs"].verdict == "crashed"
    assert got["runs"].message.startswith("its process ended ")
    assert got["many rows"].message == 'not judged: "runs" must hold first'


ENDLESS = "while True: time.sleep(0.1)"


def test_an_import_that_does_not_end_is_ended(graded):
    got = graded(f"import time\n{ENDLESS}", seconds=1)
    assert {criterion.verdict for criterion in got.criteria} == {"out of time", "not judged"}
    assert "square.py is not imported within 1 seconds: is there a loop that does not end?" in told(got)


def test_a_loop_that_cannot_be_interrupted_is_ended(graded):
    loop = "\n        while True:\n            try: time.sleep(0.1)\n            except BaseException: pass"
    got = graded(square("import time", loop), seconds=2)
    assert [criterion.verdict for criterion in got.criteria] == ["out of time"] * 2 + ["not judged"] * 3
    assert got["runs"].message.startswith("no answer within 2 seconds: is there a loop that does not end?")


def test_a_loop_costs_the_points_of_its_property_only(graded):
    got = graded(square("import time", backward="\n        while len(dy) > 60: time.sleep(0.1)"), seconds=10)
    assert got.points == 4
    assert got.lost == ("many rows",)
    assert got["many rows"].verdict == "out of time"


def test_the_same_file_gets_the_same_grade_also_where_it_is_random(graded):
    code = square(forward="self.x = x + np.random.choice([0, 1])")
    first, second = (json.dumps(graded(code).as_dict()) for _ in range(2))
    assert first == second


def test_a_folder_may_hold_more_files_and_shadows_nothing(teacher, tmp_path):
    handed = tmp_path / "alice"
    handed.mkdir()
    (handed / "square.py").write_text(f"{square('from helper import two')}".replace("2 *", "two *"), encoding="utf-8")
    (handed / "helper.py").write_text("two = 2", encoding="utf-8")
    (handed / "random.py").write_text("raise RuntimeError('not this one')", encoding="utf-8")
    assert grade(teacher, handed).full


def test_a_folder_of_submissions_is_graded_by_name(teacher, tmp_path):
    home = tmp_path / "handed"
    for name in ("bob", "carol", "dave", "erin"):
        (home / name).mkdir(parents=True)
    (home / "alice.py").write_text(square(), encoding="utf-8")
    (home / "bob" / "square.py").write_text(f"text = open(r'{home / 'alice.py'}').read()", encoding="utf-8")
    (home / "carol" / "my_square.py").write_text(square(), encoding="utf-8")
    (home / "dave" / "one.py").write_text("", encoding="utf-8")
    (home / "dave" / "two.py").write_text("", encoding="utf-8")
    (home / "frank").mkdir()
    (home / "frank" / "square.py").symlink_to(teacher / "solution.py")
    (home / "gone.py").symlink_to(home / "nowhere.py")
    (home / ".hidden").mkdir()
    (home / "notes.txt").write_text("not a submission", encoding="utf-8")
    alice, bob, carol, dave, erin, frank, gone = grade_all(teacher, home, jobs=2)
    assert [got.submission for got in (alice, bob, carol, dave, erin)] == ["alice.py", "bob", "carol", "dave", "erin"]
    assert [got.points for got in (alice, bob, carol, dave, erin)] == [5, 0, 5, 0, 0]
    assert bob.notes == (f"it tried to read {home / 'alice.py'}: refused",)
    assert carol.notes == ("its only Python file is my_square.py, taken for square.py",)
    assert dave.notes == ("there is no square.py at its top, but files of other names",)
    assert frank.notes == erin.notes
    assert gone.notes == ("it cannot be read: No such file or directory",)
    assert erin.notes == ("there is no square.py at its top, nor another Python file",)
    table = summary([alice, bob, carol, dave, erin])
    assert "alice.py      5 of 5" in table
    assert "    3  Square: many rows" in table


def test_what_the_teacher_got_wrong_is_an_error(teacher, tmp_path):
    handed = tmp_path / "alice.py"
    with pytest.raises(FileNotFoundError, match="expected a submission"):
        grade(teacher, handed)
    handed.write_text(square(), encoding="utf-8")
    with pytest.raises(FileNotFoundError, match="expected the file of an assignment"):
        grade(tmp_path, handed)
    with pytest.raises(FileNotFoundError, match="expected a folder of submissions"):
        grade_all(teacher, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="expected a folder of submissions"):
        grade_all(teacher, tmp_path / "empty")
    (teacher / "assignment.py").write_text(
        f"import sys\nif sys.argv[0].endswith('worker.py'): raise KeyError('here')\n{ASSIGNMENT}", encoding="utf-8"
    )
    with pytest.raises(RuntimeError, match="KeyError: 'here'"):
        grade(teacher, handed)
    (teacher / "assignment.py").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="expected one Assignment"):
        grade(teacher, handed)

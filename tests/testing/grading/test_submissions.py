"""What submissions do besides being wrong: each is graded, and what it did is said."""

import json
import os

import pytest

from minidl.testing.grading import grade, grade_all, summary

ASSIGNMENT = """
import numpy as np
import solution

from minidl import Tanh
from minidl.testing import check_layer
from minidl.testing.grading import Assignment, Checks, Example

def nine(Square):
    x = np.array([[3.0]])
    np.testing.assert_allclose(Square().build(dtype=np.float64).forward(x), solution.square(x))

ASSIGNMENT = Assignment(
    "A square",
    "square.py",
    [
        Example("Square", "nine", nine, points=1),
        Checks(
            "Square",
            check_layer,
            {"runs": 1, "rows independent": 1, "derivatives off the grid": 1, "many rows": 1},
        ),
    ],
    forbids=[Tanh],
    seconds=60,
    examples=5,
)
"""
SOLUTION = "def square(x):\n    return x * x\n"
HEAD = "import numpy as np\nfrom minidl import Layer\n"
FORWARD, BACKWARD = "self.x = x", "pass"
CLASS = """
class Square(Layer):
    def forward(self, x):
        {forward}
        return x * x

    def backward(self, dy):
        {backward}
        return 2 * self.x * dy
"""


def square(top="", forward=FORWARD, backward=BACKWARD):
    """A right answer, with more in it."""
    return f"{HEAD}{top}\n{CLASS.format(forward=forward, backward=backward)}"


@pytest.fixture
def teacher(tmp_path):
    folder = tmp_path / "teacher"
    folder.mkdir()
    (folder / "assignment.py").write_text(ASSIGNMENT, encoding="utf-8")
    (folder / "solution.py").write_text(SOLUTION, encoding="utf-8")
    return folder


@pytest.fixture
def graded(teacher, tmp_path):
    def graded(code, **limits):
        handed = tmp_path / "alice.py"
        handed.write_bytes(code if isinstance(code, bytes) else code.replace("TEACHER", str(teacher)).encode())
        return grade(teacher, handed, **limits)

    return graded


CANNOT = "square.py cannot be imported: "
SAME = "self.x = x; "
BROKEN = {
    "it raises on import": ("1 / 0", 0, f"{CANNOT}it raised ZeroDivisionError: division by zero"),
    "its syntax is wrong": ("def square(:", 0, f"{CANNOT}it raised SyntaxError"),
    "it is no text": (b"\xff\xfe\x00x = 1", 0, f"{CANNOT}it raised SyntaxError"),
    "it leaves on import": ("import sys; sys.exit(0)", 0, f"{CANNOT}it raised SystemExit: 0"),
    "its process ends on import": ("import os; os._exit(0)", 0, "ended with exit code 0, without an answer"),
    "it lacks a package": ("import no_such_package", 0, "No module named 'no_such_package'"),
    "it imports the solution": ("from solution import square", 0, "No module named 'solution'"),
    "it asks what is loaded for the solution": ("import sys; sys.modules['solution']", 0, "KeyError: 'solution'"),
    "it reads the solution": (
        "text = open(r'TEACHER/solution.py').read()",
        0,
        "it tried to read TEACHER/solution.py: refused",
    ),
    "it lists what the teacher has": ("import os; os.listdir(r'TEACHER')", 0, "it tried to read TEACHER: refused"),
    "it reads what is typed": ("n = input('how many? ')", 0, "EOFError"),
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
    "it yields": (square(forward="yield x"), 0, "forward must return an array"),
    "it wants all memory": (square(forward="self.x = np.ones(1 << 50)"), 0, "MemoryError"),
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
    "it ends in forward": (square("import os", "os._exit(3)"), 0, "its process ended with exit code 3"),
    "it starts a program": (
        square("import subprocess", "subprocess.run(['true'])"),
        0,
        "it tried to start or end a process (subprocess.Popen): refused",
    ),
    "it uses the network": (
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        0,
        "it tried to use the network",
    ),
    "it writes elsewhere": ("open(r'TEACHER/grades.csv', 'w')", 0, "it tried to write TEACHER/grades.csv: refused"),
    "it removes the assignment": ("import os; os.remove(r'TEACHER/assignment.py')", 0, "it tried to write TEACHER"),
    "a mean over the rows": (square(backward="dy = dy / len(dy)"), 2, "gradients of a batch must be those of its rows"),
    "the derivative forgets 2": (square(backward="dy = dy / 2"), 4, "every element is half the right one"),
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
    "it writes nonsense to every open file": (
        square(
            "import os",
            f"{SAME}[os.write(k, b'nonsense\\n') for k in range(3, 9) if k in map(int, os.listdir('/dev/fd'))]",
        ),
        0,
        "",
    ),
    "it closes where it prints": (square("import sys; sys.stdout.close()"), 5, ""),
    "it has a thread that never ends": (
        square("import threading, time; threading.Thread(target=lambda: time.sleep(1e6)).start()"),
        5,
        "",
    ),
    "it draws": (square("import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()"), 5, ""),
    "it is a script, too": (square("if __name__ == '__main__': raise SystemExit"), 5, ""),
}


def told(got):
    """All that a grade says."""
    return "\n".join([*got.notes, *(criterion.message for criterion in got.criteria)])


@pytest.mark.parametrize("name", BROKEN)
def test_what_a_submission_does_is_handled_and_said(name, graded, teacher):
    code, points, said = BROKEN[name]
    got = graded(code)
    assert got.points == points
    assert said.replace("TEACHER", str(teacher)) in told(got)
    assert said or got.notes == ()
    assert sorted(os.listdir(teacher)) == ["assignment.py", "solution.py"]
    assert json.loads(json.dumps(got.as_dict()))["points"] == points


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
    got = graded(square("import time", backward="\n        while len(dy) > 60: time.sleep(0.1)"), seconds=20)
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
    assert carol.notes == ("its only file is my_square.py, taken for square.py",)
    assert dave.notes == ("there is no square.py in it, but files of other names",)
    assert frank.notes == erin.notes
    assert gone.notes == ("it cannot be read: No such file or directory",)
    assert erin.notes == ("there is no square.py in it, but no Python file",)
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

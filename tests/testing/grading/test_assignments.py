"""What a teacher writes: points for properties, and what is refused."""

import pytest

import minidl.testing
from minidl import ReLU, Tanh
from minidl.testing import check_layer
from minidl.testing.grading import Assignment, Checks, Criterion, Example, Grade, grade_report, summary

CHECKS = Checks("Square", check_layer, {"rows independent": 1.5})


@pytest.mark.parametrize("name", [name for name in minidl.testing.__all__ if name.startswith("check_")])
def test_every_check_can_earn_points(name):
    checks = Checks("Mine", getattr(minidl.testing, name), {"runs": 2})
    assert [asked.points for asked in checks.asked] == [2.0]


def test_properties_are_asked_in_their_own_order_whatever_that_of_the_points():
    checks = Checks("Square", check_layer, {"float32": 1, "rows independent": 2, "runs": 3})
    assert [asked.name for asked in checks.asked] == ["runs", "rows independent", "float32"]


def test_a_property_is_judged_by_itself():
    class Wrong(Tanh):
        def backward(self, dy):
            return -super().backward(dy)

    checks = Checks("Wrong", check_layer, {"rows independent": 1, "derivatives off the grid": 1})
    judged = {
        name: checks.judge(name, Wrong, examples=5, seed=0) for name in ("rows independent", "derivatives off the grid")
    }
    assert judged["rows independent"].verdict == "passed"
    assert judged["derivatives off the grid"].verdict == "failed"
    assert "a sign is wrong" in judged["derivatives off the grid"].message


def test_the_seed_decides_which_cases_are_drawn():
    seen = []

    class Remembers(Tanh):
        def forward(self, x):
            seen.append(x.tolist())
            return super().forward(x)

    def drawn(seed):
        seen.clear()
        CHECKS.judge("rows independent", Remembers, examples=5, seed=seed)
        return list(seen)

    first = drawn(0)
    assert first == drawn(0)
    assert first != drawn(1)


@pytest.mark.parametrize(
    ("made", "error", "said"),
    [
        (lambda: Checks("Square", print, {"runs": 1}), TypeError, "expected a check such as check_layer"),
        (lambda: Checks("a square", check_layer, {"runs": 1}), TypeError, "the name of what is handed in"),
        (lambda: Checks("Square", check_layer, {"run": 1}), ValueError, "did you mean 'runs'"),
        (lambda: Checks("Square", check_layer, {"runs": -1}), ValueError, "points"),
        (lambda: Checks("Square", check_layer, {"runs": 1}, max_examples=5), ValueError, "max_examples"),
        (lambda: Example("Square", "", print, points=1), TypeError, "in a few words"),
        (lambda: Example("Square", "nine", 9, points=1), TypeError, "function"),
        (lambda: Example("Square", "nine", print, points=1, needed="yes"), TypeError, "needed"),
        (lambda: Assignment("A square", "square.txt", [CHECKS]), ValueError, "the name of a Python file"),
        (lambda: Assignment("A square", "../square.py", [CHECKS]), ValueError, "the name of a Python file"),
        (lambda: Assignment("A square", "square.py", []), TypeError, "Checks and Examples"),
        (lambda: Assignment("A square", "square.py", [CHECKS], forbids=["Tanh"]), TypeError, "classes"),
        (lambda: Assignment("A square", "square.py", [CHECKS], seconds=0), ValueError, "seconds"),
        (lambda: Assignment("A square", "square.py", [CHECKS], examples=0), ValueError, "examples"),
        (lambda: Assignment("A square", "square.py", [CHECKS], seed=-1), ValueError, "seed"),
    ],
)
def test_what_makes_no_sense_is_refused(made, error, said):
    with pytest.raises(error, match=said):
        made()


def test_points_for_a_report_of_ones_own():
    report = check_layer(ReLU(), raises=False, max_examples=3)
    grade = grade_report(report, {"runs": 1, "mean over draws": 1, "derivatives off the grid": 2})
    assert grade.full
    assert grade["mean over draws"].verdict == "not tried"
    with pytest.raises(ValueError, match="did you mean 'runs'"):
        grade_report(report, {"run": 1})


def test_a_grade_says_each_finding_once_and_a_summary_what_is_lost_most():
    failed = [Criterion("Square", name, 1, "failed", 1, "it is wrong") for name in ("runs", "float32")]
    grade = Grade("A square", "alice.py", (*failed, Criterion("Square", "nine", 0, "failed", 1, "9")), ("it wrote",))
    assert (grade.points, grade.of, grade.full, grade.lost) == (0, 2, False, ("runs", "float32"))
    assert "\nruns, float32:\n  it is wrong" in str(grade)
    assert "  note: it wrote\n" in str(grade)
    assert "needed  Square  nine" in str(grade)
    assert "(it wrote)" in summary([grade, grade])
    assert "    2  Square: runs" in summary([grade, grade])
    with pytest.raises(KeyError, match="no question 'run'"):
        grade["run"]

"""The command line: one submission or a folder of them, text or JSON."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from minidl.testing.grading.__main__ import main

RIGHT = """
from minidl import Layer

class Square(Layer):
    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dy):
        return 2 * self.x * dy
"""
ASSIGNMENT = """
from minidl.testing import check_layer
from minidl.testing.grading import Assignment, Checks

checks = Checks("Square", check_layer, {"runs": 1, "derivatives off the grid": 2})
ASSIGNMENT = Assignment("A square", "square.py", [checks], seconds=60, examples=5)
"""


@pytest.fixture
def places(tmp_path):
    (tmp_path / "assignment.py").write_text(ASSIGNMENT, encoding="utf-8")
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / "alice.py").write_text(RIGHT, encoding="utf-8")
    (handed / "bob.py").write_text(RIGHT.replace("2 *", "3 *"), encoding="utf-8")
    return tmp_path / "assignment.py", handed


def test_one_submission_is_shown_with_what_was_found(places, capsys):
    assignment, handed = places
    assert main([str(assignment), str(handed / "bob.py")]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("A square: bob.py has 1 of 3 points\n")
    assert "    0 of 2  Square  derivatives off the grid  failed" in shown
    assert "every element is 1.5 times the right one" in shown


def test_a_folder_gives_a_table_a_list_and_a_text_for_each(places, capsys, tmp_path):
    assignment, handed = places
    out, feedback = tmp_path / "grades.json", tmp_path / "feedback"
    options = ["--json", str(out), "--feedback", str(feedback), "--jobs", "2", "--seed", "3", "--examples", "4"]
    assert main([str(assignment), str(handed), *options, "--full"]) == 1
    assert "alice.py      3 of 3" in capsys.readouterr().out
    alice, bob = json.loads(out.read_text(encoding="utf-8"))
    assert (alice["submission"], alice["points"], alice["of"], alice["seed"], alice["examples"]) == (
        "alice.py",
        3,
        3,
        3,
        4,
    )
    assert alice["format"] == 1
    assert [(each["name"], each["points"], each["of"], each["verdict"]) for each in bob["criteria"]] == [
        ("runs", 1, 1, "passed"),
        ("derivatives off the grid", 0, 2, "failed"),
    ]
    assert (feedback / "bob.txt").read_text(encoding="utf-8").startswith("A square: bob.py has 1 of 3 points")


def test_submissions_of_almost_the_same_name_get_a_text_each(places, tmp_path, capsys):
    handed = tmp_path / "more"
    for name in ("bob", "smith.j", "smith.k"):
        (handed / name).mkdir(parents=True)
    (handed / "bob.py").symlink_to("nowhere")
    (handed / "carol.ipynb").write_text("{}", encoding="utf-8")
    assert main([str(places[0]), str(handed), "--feedback", str(tmp_path / "feedback")]) == 0
    assert capsys.readouterr().out.endswith("not graded, as it is no Python file or folder: carol.ipynb\n")
    texts = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "feedback").iterdir()}
    assert texts.keys() == {"bob.py.txt", "bob.txt", "smith.j.txt", "smith.k.txt"}
    assert all(text.startswith(f"A square: {name.removesuffix('.txt')} has 0") for name, text in texts.items())


def test_no_text_of_a_student_keeps_the_list_from_being_written(places, tmp_path):
    assignment, handed = places
    raises = "raise ValueError('half a character \\udcff, and \\x1b[2J clears the screen')"
    (handed / "alice.py").write_text(raises, encoding="utf-8")
    out = tmp_path / "made" / "here" / "grades.json"
    assert main([str(assignment), str(handed / "alice.py"), "--json", str(out)]) == 0
    (alice,) = json.loads(out.read_text(encoding="utf-8"))
    assert r"half a character \udcff, and \x1b[2J clears the screen" in alice["criteria"][0]["message"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere.py", "handed"], "expected the file of an assignment"),
        (["assignment.py", "nowhere.py"], "expected a submission"),
        (["assignment.py", "handed", "--seconds", "0"], "expected seconds"),
        (["assignment.py", "handed", "--jobs", "0"], "expected jobs"),
        (["assignment.py", "handed", "--json", "handed"], "Is a directory"),
        (["assignment.py", "handed", "--feedback", "assignment.py"], "File exists"),
    ],
)
def test_what_cannot_be_done_is_said(places, capsys, monkeypatch, options, said):
    monkeypatch.chdir(places[0].parent)
    assert main(options) == 2
    assert said in capsys.readouterr().err


def test_it_runs_as_a_module(places):
    assignment, handed = places
    command = [sys.executable, "-m", "minidl.testing.grading", str(assignment), str(handed / "alice.py"), "--full"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("A square: alice.py has 3 of 3 points")


def test_the_page_says_what_one_gets(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "course.md").read_text(encoding="utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(compile(block, "course.md", "exec"), names)
    assert f"prints `{capsys.readouterr().out.strip()}`" in page
    said = json.loads(re.search(r"```\n(\{.*?\})\n```", page, flags=re.DOTALL)[1].replace(", ...]", "]"))
    got = names["alice"].as_dict()
    assert said.pop("criteria") == [each for each in got.pop("criteria") if each["name"] == "runs"]
    assert said == got

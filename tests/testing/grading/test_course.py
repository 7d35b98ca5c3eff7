"""The course kit: solutions earn all points, empty answers none, and each typical mistake loses the right ones."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase

from minidl.testing.grading import load_assignment
from minidl.testing.grading.asking import ask_parts
from minidl.testing.running import COMMON

COURSE = Path(__file__).parents[3] / "examples" / "course"


def module(name, path, code):
    """A module made of code that stands nowhere."""
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader=None))
    exec(compile(code, str(path), "exec"), vars(made))
    return made


COURSE_MISTAKES = COURSE / "mistakes.py"
spec = importlib.util.spec_from_file_location("mistakes_of_the_course", COURSE_MISTAKES)
mistakes = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = mistakes  # its dataclasses look for it there
spec.loader.exec_module(mistakes)
EVERY = [
    pytest.param(assignment, mistake, id=f"{assignment}: {mistake.name}")
    for assignment, made in mistakes.MISTAKES.items()
    for mistake in made
]


@pytest.fixture(autouse=True)
def _verdicts_only(monkeypatch):
    """Nobody reads the messages here: the smallest case need not be looked for."""
    monkeypatch.setitem(COMMON, "phases", tuple(phase for phase in COMMON["phases"] if phase is not Phase.shrink))


def lost(assignment, code):
    """What a submission loses, asked here, without a process of its own."""
    asked = load_assignment(COURSE / assignment / "teacher" / "assignment.py")
    made = module("handed_in", mistakes.FILES[assignment], code)

    def ask(part, name):
        each = asked.parts[part]
        judged = each.judge(name, getattr(made, each.thing), examples=asked.examples, seed=asked.seed)
        return judged.verdict, judged.runs, judged.message

    criteria = ask_parts(asked, ask)
    assert sum(criterion.of for criterion in criteria) == 10
    return {criterion.name for criterion in criteria if criterion.points < criterion.of}


def questions(assignment):
    """The names of all that earns points."""
    asked = load_assignment(COURSE / assignment / "teacher" / "assignment.py")
    return {each.name for part in asked.parts for each in part.asked if each.points}


def code_of(assignment, whose):
    return (COURSE / assignment / whose / mistakes.FILES[assignment]).read_text(encoding="utf-8")


def test_there_are_ten_typical_mistakes_for_each_assignment():
    assert mistakes.MISTAKES.keys() == mistakes.FILES.keys()
    assert all(len(made) >= 10 for made in mistakes.MISTAKES.values())


@pytest.mark.parametrize("assignment", mistakes.FILES)
def test_the_solution_earns_all_points_and_the_empty_answer_none(assignment):
    assert lost(assignment, code_of(assignment, "teacher")) == set()
    assert lost(assignment, code_of(assignment, "student")) == questions(assignment)


LAZY = {
    "layer": """
import numpy as np
from minidl import Layer, Parameter
from minidl.initializers import zeros

class Dense(Layer):
    def __init__(self, in_features, out_features):
        self.weight, self.bias = Parameter((in_features, out_features), zeros), Parameter((out_features,), zeros)

    def forward(self, x):
        self.x = x
        return np.zeros((len(x), self.bias.size), x.dtype)

    def backward(self, dy):
        self.weight.grad, self.bias.grad = np.zeros(self.weight.shape), np.zeros(self.bias.shape)
        return np.zeros_like(self.x)
""",
    "loss": """
import numpy as np
from minidl.layers.losses import Loss

class CrossEntropy(Loss):
    def forward(self, scores, targets, weights=None):
        self.scores = scores
        return 0.0

    def backward(self):
        return np.zeros_like(self.scores)
""",
    "optimizer": """
from minidl.optim import Optimizer

class MyAdam(Optimizer):
    def __init__(self, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        super().__init__(lr)

    def update(self, value, grad, lr):
        pass
""",
}


@pytest.mark.parametrize("assignment", LAZY)
def test_zeros_earn_nothing_though_their_derivatives_are_right(assignment):
    assert lost(assignment, LAZY[assignment]) == questions(assignment)


@pytest.mark.parametrize(("assignment", "mistake"), EVERY)
def test_a_typical_mistake_loses_the_right_points(assignment, mistake):
    assert lost(assignment, mistakes.wrong(assignment, mistake)) == set(mistake.loses)


def test_the_mistakes_can_be_written_as_submissions(tmp_path):
    subprocess.run([sys.executable, str(COURSE_MISTAKES), str(tmp_path)], check=True)
    for assignment, made in mistakes.MISTAKES.items():
        assert len(list((tmp_path / assignment).glob("*.py"))) == len(made) + 2


def test_a_mistake_that_is_not_in_the_solution_is_refused():
    with pytest.raises(ValueError, match="found 0"):
        mistakes.wrong("layer", mistakes.Mistake("gone", "nowhere", "", ()))

"""How far the checks look: the pages say it, and cases of the far kind are drawn."""

from pathlib import Path

import numpy as np
import pytest

from minidl import Elementwise, Loss, Optimizer
from minidl.testing import check_layer, check_loss, check_optimizer, check_schedule
from minidl.testing.functions.rows import FEW, MANY
from minidl.testing.layers.contract import FORWARDS
from minidl.testing.losses.properties import MANY as MANY_OF_A_LOSS
from minidl.testing.optimizers.memory import FAR_STEPS
from minidl.testing.optimizers.properties import MANY_STEPS, QUIET_STEPS
from minidl.testing.regularizers import MANY as WIDTHS
from minidl.testing.schedules import ANSWERS
from minidl.testing.strategies.objects import LONGER, LONGEST

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "said",
    [
        f"one of {LONGEST} (of {LONGER} where more are named)",
        f'in "many rows" {MANY}, or {FEW} where',
        f"a loss, {MANY_OF_A_LOSS}",
        f"{FORWARDS} in a row in some cases of one row",
        f"{MANY_STEPS} against its reference and when it is restored, {QUIET_STEPS} without a gradient",
        f"{WIDTHS[0] * WIDTHS[1] + 2 * WIDTHS[1] + 1:,}".replace(",", " "),
        f"{ANSWERS:,} answers".replace(",", " "),
    ],
)
def test_the_page_says_how_far_the_checks_look(said):
    assert said in PAGE
    assert FAR_STEPS == 10**6


def test_each_size_but_that_of_the_rows_is_long_in_some_cases():
    shapes = set()

    class Seen(Elementwise):
        def forward(self, x):
            shapes.add(x.shape)
            return x.copy()

        def backward(self, dy):
            return dy.copy()

    check_layer(Seen, shape=("n", "channels", "height", "width"), max_examples=60)
    longest = np.max(list(shapes), axis=0)
    assert (longest[1:] == LONGER).all()
    assert max(sum(size > 4 for size in shape[1:]) for shape in shapes) == 1
    shapes.clear()
    check_layer(Seen, max_examples=60)
    assert max(width for _, width in shapes) == LONGEST
    shapes.clear()
    check_layer(Seen, shape=("n", 3), max_examples=20)
    assert {width for _, width in shapes} == {3}


def test_another_loss_and_another_optimizer_of_the_same_call_run_in_between():
    made = []

    class Squares(Loss):
        def __init__(self):
            super().__init__()
            made.append("loss")

        def row_losses(self, scores, targets):
            self.error = scores - targets
            return (self.error**2).reshape(len(scores), -1).sum(axis=1)

        def row_gradients(self):
            return 2 * self.error

    class Plain(Optimizer):
        def __init__(self, lr):
            super().__init__(lr)
            made.append("optimizer")

        def update(self, value, grad, lr):
            value -= lr * grad

    of_loss = {"scores": [[1.0], [0.5]], "targets": [[0.0], [0.25]]}
    check_loss(Squares, at=of_loss)
    check_optimizer(Plain, lr=0.1, at={"start": [1.0], "gradients": [[1.0]]})
    assert made == ["loss", "loss", "optimizer", "optimizer"]
    check_loss(Squares(), at=of_loss)
    assert made.count("loss") == 3


def test_where_a_long_run_parts_from_its_reference_is_found_without_trying_every_length():
    asked = []

    class Stands(Optimizer):
        def update(self, value, grad, lr):
            value -= lr * grad * (self.steps < 200)

    def plainly(start, gradients):
        asked.append(len(gradients))
        return start - 0.5 * sum(gradients)

    at = {"start": [1.0], "gradients": [[1.0]]}
    report = check_optimizer(Stands(0.5), at=at, reference=plainly, raises=False)
    assert "after 201 steps, which take the 1 gradients below in turn" in report["reference"].failure
    assert len(asked) < 20


def test_a_schedule_is_asked_a_thousand_times():
    answers = []
    assert check_schedule(lambda step: float(answers.append(step) or 0.1), max_examples=1).passed
    assert len(answers) > ANSWERS

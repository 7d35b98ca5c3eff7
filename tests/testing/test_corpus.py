"""The checks are checked: every wrong component is caught within a hundred examples, no right one raises an alarm."""

import sys
from pathlib import Path

import pytest

import minidl
import minidl.testing
from tests.corpus.right import DEEP, RIGHT
from tests.corpus.wrong import WRONG
from tests.tools import count_corpus


@pytest.mark.parametrize("item", WRONG, ids=lambda item: item.name)
def test_a_wrong_component_is_caught_within_a_hundred_examples(item):
    assert count_corpus.is_caught(item, 100)


@pytest.mark.parametrize("item", RIGHT, ids=lambda item: item.name)
def test_a_right_component_raises_no_alarm(item):
    check = getattr(minidl.testing, f"check_{item.kind}")
    assert check(item.thing, max_examples=20, **item.options).passed


CANCELLING = [
    [[0.125], [-0.5], [0.375]],  # 1, -4, 3 and 1, -4/2, 3/3
    [[0.125], [0.25], [0.5], [-0.5]],  # 2 r + 4 r^2 - 4 r^3 = 2 for r = 2 ** -0.5
]


@pytest.mark.parametrize("gradients", CANCELLING)
def test_gradients_that_cancel_under_a_schedule_too_raise_no_alarm(gradients):
    cancel = {"start": [0.0], "gradients": gradients, "cut": 0}
    assert minidl.testing.check_optimizer(minidl.SGD(0.1), at=cancel).passed


def test_names_are_unique_and_the_corpus_is_as_large_as_promised():
    for items in (WRONG, RIGHT):
        assert len({item.name for item in items}) == len(items)
    assert len(WRONG) >= 50
    assert set(DEEP) <= {item.name for item in RIGHT}
    assert len(DEEP) >= 30


@pytest.mark.parametrize("page", ["README.md", "docs/testing.md"])
def test_the_counts_on_the_pages_are_those_of_the_corpus(page):
    text = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")
    assert f"{len(WRONG)} of {len(WRONG)}" in text
    assert f"{len(RIGHT)} of {len(RIGHT)}" in text


def test_the_counts_are_printed_and_a_surprise_is_named(monkeypatch, capsys):
    right = [item for item in RIGHT if item.kind == "schedule"][:2]
    assert count_corpus.count("right", right, 5, 1, verbose=False)
    assert "right: 2 of 2 left alone, 5 examples each" in capsys.readouterr().out
    monkeypatch.setattr(count_corpus, "SHELVES", {"wrong": RIGHT, "right": RIGHT})
    assert not count_corpus.count("wrong", right, 5, 1, verbose=True)
    assert f"not caught: {right[0].name}, {right[1].name}" in capsys.readouterr().out


def test_the_command_says_by_its_exit_status_whether_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(count_corpus, "SHELVES", {"wrong": WRONG[:1], "right": RIGHT[:1]})
    monkeypatch.setattr(sys, "argv", ["count_corpus", "--jobs", "1", "--examples", "30"])
    with pytest.raises(SystemExit) as stopped:
        count_corpus.main()
    assert stopped.value.code == 0
    assert "wrong: 1 of 1 caught" in capsys.readouterr().out

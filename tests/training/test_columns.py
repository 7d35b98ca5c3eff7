"""The columns of evaluations as people read them."""

import pytest

from minidl.training.columns import PARTS, Lines, named, number, parts_of, watched

COLUMNS = ["step", "epoch", *(f"train_{part}" for part in PARTS), *(f"test_{part}" for part in PARTS)]
WITH_METRICS = [*COLUMNS, "test_accuracy", "test_mean_absolute_error", "test_cpu_cost"]
ROW = dict.fromkeys(WITH_METRICS, 0.5) | {"step": 12, "epoch": 1.5}


@pytest.mark.parametrize(
    ("column", "parts"),
    [
        ("train_loss", ("train", "loss")),
        ("test_cpu_cost", ("test", "cpu_cost")),
        ("test_mean_absolute_error", ("test", "mean_absolute_error")),
        ("epoch", ("", "epoch")),
        ("other_loss", ("", "other_loss")),
    ],
)
def test_a_column_is_a_set_and_a_quantity(column, parts):
    assert parts_of(column, WITH_METRICS) == parts


def test_of_two_sets_whose_names_begin_alike_the_longer_counts():
    columns = [f"{name}_{part}" for name in ("a", "a_b") for part in PARTS]
    assert parts_of("a_b_loss", columns) == ("a_b", "loss")
    assert parts_of("a_loss", columns) == ("a", "loss")


def test_penalties_and_costs_are_not_watched_but_a_metric_called_so_is():
    assert watched(WITH_METRICS) == [
        "train_loss",
        "test_loss",
        "test_accuracy",
        "test_mean_absolute_error",
        "test_cpu_cost",
    ]
    assert named(ROW).startswith("train_loss 0.5000, test_loss 0.5000, test_accuracy 0.5000, ")


def test_lines_are_as_wide_as_their_head_and_stand_below_it():
    lines = Lines(WITH_METRICS, last_step=10, width=None)
    above, below = lines.head
    line = lines.line(ROW)
    assert len(line) == len(below) >= len(above)
    assert line.split() == ["1.50", "12", *["0.5000"] * 5]
    for word in ("epoch", "loss", "mean_absolute_error", "cpu_cost"):
        end = below.index(word) + len(word)
        assert line[end - 1].isdigit()
        assert line[end:].startswith("  ") or end == len(line)


def test_what_does_not_fit_is_left_out_at_the_end_and_said():
    whole = Lines(WITH_METRICS, last_step=10, width=None)
    for width in range(10, 120):
        lines = Lines(WITH_METRICS, last_step=10, width=width)
        line = lines.line(ROW)
        assert line == whole.line(ROW)[: len(line)]
        assert len(line) <= max(width, 14)
        left_out = watched(WITH_METRICS)[len(line.split()) - 2 :]
        assert (len(lines.head) == 3) is bool(left_out)
        if left_out:
            assert lines.head[0].endswith(f": {', '.join(left_out)}")


def test_many_steps_have_room():
    lines = Lines(COLUMNS, last_step=12_345_678, width=None)
    assert len(lines.line(ROW | {"step": 1})) == len(lines.line(ROW | {"step": 12_345_678})) == len(lines.head[-1])


@pytest.mark.parametrize("value", [1e-300, -1.2345e-5, 0.0, 1, 9999.0, 1e300, float("inf"), float("-inf")])
def test_a_number_of_any_size_is_short_and_near(value):
    text = number(value)
    assert len(text) <= 10
    assert float(text) == pytest.approx(value, rel=5.1e-4, abs=5.1e-5 if abs(value) >= 1e-3 else 0)


def test_values_that_are_not_there_are_nan():
    row = ROW | {"train_loss": float("nan")}
    assert Lines(COLUMNS, last_step=1, width=None).line(row).split() == ["1.50", "12", "nan", "0.5000"]

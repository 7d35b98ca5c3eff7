"""What "better" means."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import EarlyStopping
from minidl.training import Monitor

whole = st.integers(-50, 50)
columns = st.lists(whole, min_size=1, max_size=30)
modes = st.sampled_from(["min", "max"])


def improvements(values, **arguments):
    monitor = Monitor("loss", **arguments)
    return [monitor.improved({"loss": value}) for value in values]


@given(columns, modes, st.integers(0, 10))
def test_better_is_beyond_the_best_so_far_by_more_than_min_delta(values, mode, min_delta):
    sign, best, expected = (1 if mode == "max" else -1), -math.inf, []
    for value in values:
        expected.append(sign * value - best > min_delta)
        best = sign * value if expected[-1] else best
    assert improvements(values, mode=mode, min_delta=min_delta) == expected


@given(columns, whole, modes, st.integers(0, 10))
def test_a_constant_added_to_the_column_changes_nothing(values, constant, mode, min_delta):
    shifted = [value + constant for value in values]
    assert improvements(shifted, mode=mode, min_delta=min_delta) == improvements(values, mode=mode, min_delta=min_delta)


@given(columns, st.integers(0, 10))
def test_the_two_modes_mirror_each_other(values, min_delta):
    mirrored = improvements([-value for value in values], mode="max", min_delta=min_delta)
    assert mirrored == improvements(values, min_delta=min_delta)


@given(st.lists(st.none() | whole), modes)
def test_nan_never_improves_and_changes_nothing(values, mode):
    flags = improvements([math.nan if value is None else value for value in values], mode=mode)
    numbers = [value for value in values if value is not None]
    assert [flag for flag, value in zip(flags, values, strict=True) if value is not None] == improvements(
        numbers, mode=mode
    )
    assert not any(flag for flag, value in zip(flags, values, strict=True) if value is None)


def test_an_infinite_loss_does_not_improve_and_does_not_hide_what_comes():
    assert improvements([math.inf, math.inf, 3.0]) == [False, False, True]


def test_waiting_counts_evaluations_since_the_last_better_one():
    monitor, waited = Monitor("loss"), []
    for value in (3, 3, 4, 2, math.nan, 2, 1):
        monitor.improved({"loss": value})
        waited.append(monitor.waited)
    assert waited == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mode": "auto"}, "expected mode to be 'min' or 'max', received mode='auto'"),
        ({"min_delta": -1}, "expected min_delta to be a finite number >= 0, received min_delta=-1"),
        ({"min_delta": math.nan}, "received min_delta=nan"),
        ({"monitor": None}, "expected monitor to be the name of a column, received monitor=None"),
        ({"patience": 0}, "expected patience to be an integer >= 1, received patience=0"),
        ({"patience": 2.5}, "received patience=2.5"),
        ({"patience": True}, "received patience=True"),
    ],
)
def test_bad_arguments_are_refused_at_construction(wrong, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**wrong)


@pytest.mark.parametrize("arguments", [{"patience": 2}, {"patience": 3, "min_delta": 0.5}])
def test_the_repr_is_the_call(arguments):
    shown = ", ".join(f"{name}={value}" for name, value in arguments.items())
    assert repr(EarlyStopping("train_loss", **arguments)) == f"EarlyStopping('train_loss', {shown})"

"""Reported beside measured numbers."""

import math
import re

import numpy as np
import pytest

from minidl.experiments import Comparison, comparison_table


def test_the_distance_is_in_sample_deviations_of_the_seeds():
    row = Comparison("accuracy", "43.2", np.array([40.0, 41.0, 42.0]))
    assert (row.mean, row.std) == (41.0, 1.0)
    assert row.distance == pytest.approx(-2.2)


@pytest.mark.parametrize(
    ("reported", "measured"), [(1.0, 2.0), (1.0, [2.0]), ("", [2.0, 3.0]), ("above 0", [2.0, 3.0]), (1.0, [2.0, 2.0])]
)
def test_without_a_deviation_or_a_reported_number_there_is_no_distance(reported, measured):
    row = Comparison("x", reported, measured)
    assert row.distance is None
    assert "| - |" in comparison_table([row])


def test_a_mean_that_is_not_finite_is_inside_of_nothing():
    assert Comparison("x", "", math.nan, (-math.inf, math.inf)).inside is False
    assert Comparison("x", "", [math.inf, math.inf], (0, math.inf)).inside is False
    assert Comparison("x", "", [math.nan, 1.0]).distance is None


def test_columns_that_nothing_fills_are_left_out():
    bare = comparison_table([Comparison("x", 1, 2.0)])
    assert bare.splitlines()[0] == "|  | reported | measured | deviations |"
    full = comparison_table(
        [Comparison("x", 1, 2.0, (3, 4), because="JPEG", source="figure 3"), Comparison("y", "", 1)]
    )
    assert full.splitlines()[0].endswith("| interval | inside | because |")
    assert "| x | 1 (figure 3) | 2.0 | - | 3.0 to 4.0 | **no** | JPEG |" in full
    assert "| y | - | 1.0 | - |  |  |  |" in full


def test_a_bound_on_one_side_is_said_as_one():
    rows = [Comparison("x", "", 1, bounds) for bounds in ((0, math.inf), (-math.inf, 2), (1, 1))]
    assert [re.findall(r"\| ([^|]*) \| yes", line) for line in comparison_table(rows).splitlines()[2:]] == [
        ["at least 0.0"],
        ["at most 2.0"],
        ["1.0"],
    ]


def test_what_is_no_list_of_numbers_is_refused():
    for measured in ("2", [], [[1.0]], None):
        with pytest.raises(TypeError, match="expected measured to be a number or a list of numbers"):
            Comparison("x", 1, measured)
    with pytest.raises(ValueError, match="put low first"):
        Comparison("x", 1, 2, (4, 3))


def test_other_publications_stand_beside_what_was_reported():
    rows = [Comparison("a", 1, 2.0), Comparison("b", "", 3.0)]
    table = comparison_table(rows, {"later version": ["1.5", "2.5"]})
    assert table.splitlines()[0] == "|  | reported | later version | measured | deviations |"
    assert table.splitlines()[3] == "| b | - | 2.5 | 3.0 | - |"
    with pytest.raises(ValueError, match=r"expected 2 cells in beside\['later'\].* received 1"):
        comparison_table(rows, {"later": ["1.5"]})

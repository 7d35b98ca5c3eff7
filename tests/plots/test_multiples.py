"""Small multiples."""

import numpy as np
import pytest

from minidl.plots import grid_heatmap, mean_curves, small_multiples, weight_images
from tests.tools.drawings import RUNS, WEIGHTS, legend

CURVES = {f"rate {rate}": {"a": RUNS * rate, "b": RUNS + rate} for rate in (1, 2, 3)}


def curves(groups, ax):
    mean_curves(groups, ax=ax)


def test_each_setting_has_a_panel_with_its_name_and_empty_cells_are_left_out():
    figure = small_multiples(CURVES, curves, columns=2)
    assert [ax.get_title() for ax in figure.axes] == list(CURVES)
    assert [ax.lines[0].get_ydata().tolist() for ax in figure.axes] == [
        (RUNS * rate).mean(axis=0).tolist() for rate in (1, 2, 3)
    ]
    assert all(ax.get_xlabel() == "epoch" and ax.get_ylabel() == "loss" for ax in figure.axes)
    figure.canvas.draw()


def test_shared_axes_have_one_scale_labels_at_the_edges_and_one_legend():
    first, second, third = small_multiples(CURVES, curves, columns=2, share=True).axes
    assert first.get_ylim() == second.get_ylim() == third.get_ylim()
    assert [ax.get_ylabel() for ax in (first, second, third)] == ["loss", "", "loss"]
    assert [ax.get_xlabel() for ax in (first, second, third)] == ["", "epoch", "epoch"]
    assert [legend(ax) for ax in (first, second, third)] == [["a", "b", "mean ± deviation of 2 runs"], [], []]


def test_the_panel_above_an_empty_cell_keeps_the_numbers_of_its_axis():
    first, second, third = small_multiples(CURVES, curves, columns=2, share="x").axes
    shown = [any(tick.label1.get_visible() for tick in ax.xaxis.get_major_ticks()) for ax in (first, second, third)]
    assert shown == [False, True, True]
    assert second.get_ylabel() == "loss"


@pytest.mark.parametrize("share", [False, True, "x", "y"])
def test_heat_maps_and_templates_are_drawn_likewise(share):
    maps = small_multiples(
        {"a": RUNS, "b": RUNS},
        lambda values, ax: grid_heatmap(values, [1, 2], "xyz", xlabel="x", ylabel="y", ax=ax),
        columns=5,
        share=share,
    )
    assert len(maps.axes) == 2
    templates = small_multiples({"a": WEIGHTS, "b": -WEIGHTS}, lambda w, ax: weight_images(w, (2, 4), ax=ax), columns=1)
    assert [ax.get_title() for ax in templates.axes[:2]] == ["a", "b"]
    maps.canvas.draw()


@pytest.mark.parametrize(
    ("panels", "draw", "how", "error", "message"),
    [
        ([1], curves, {}, TypeError, "write small_multiples"),
        (CURVES, "curves", {}, TypeError, "write small_multiples"),
        ({}, curves, {}, ValueError, "expected at least one panel"),
        (CURVES, curves, {"columns": 0}, ValueError, "columns"),
        (CURVES, curves, {"share": "both"}, ValueError, "share='both'"),
        (CURVES, curves, {"share": 1}, ValueError, "share=1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panels, draw, how, error, message):
    with pytest.raises(error, match=message):
        small_multiples(panels, draw, **how)


def test_nothing_given_is_changed():
    given = np.array(RUNS)
    small_multiples({"a": {"a": given}}, curves)
    np.testing.assert_array_equal(given, RUNS)

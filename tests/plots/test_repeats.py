"""Figures of repeated runs and grids."""

import numpy as np
import pytest

from minidl.plots import error_bars, grid_heatmap, histograms, mean_curves
from tests.tools.drawings import legend

NAN = float("nan")


def axes(figure):
    (ax,) = figure.axes
    return ax


def band(ax, place=0):
    """The lower and upper edge of a band, point by point."""
    corners = ax.collections[place].get_paths()[0].vertices
    xs = np.unique(corners[:, 0])
    return [(corners[corners[:, 0] == x, 1].min(), corners[corners[:, 0] == x, 1].max()) for x in xs]


def test_the_line_is_the_mean_and_the_band_one_sample_deviation_to_either_side():
    ax = axes(mean_curves({"a": [[1.0, 5.0], [3.0, 5.0], [5.0, 5.0]]}, ylabel="accuracy"))
    assert ax.lines[0].get_ydata().tolist() == [3.0, 5.0]
    assert ax.lines[0].get_xdata().tolist() == [1, 2]
    assert band(ax) == [(1.0, 5.0), (5.0, 5.0)]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "accuracy")


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"a": [[1.0], [2.0], [3.0]]}, ["mean ± deviation of 3 runs"]),
        ({"a": [[1.0], [2.0]], "b": [[3.0], [4.0]]}, ["a", "b", "mean ± deviation of 2 runs"]),
        ({"a": [[1.0], [2.0]], "b": [[3.0]] * 4, "c": [[5.0]]}, ["a", "b", "c", "mean ± deviation of 2 to 4 runs"]),
        ({"a": [[1.0]], "b": [[2.0]]}, ["a", "b"]),
        ({"a": [[1.0]]}, []),
    ],
)
def test_the_legend_says_what_bands_and_bars_are(groups, said):
    assert legend(axes(mean_curves(groups))) == said
    assert legend(axes(error_bars(groups, [1], xlabel="x", ylabel="y"))) == said


def test_a_single_run_has_no_band():
    assert not axes(mean_curves({"a": [1.0, 2.0]})).collections
    assert not axes(mean_curves({"a": [[1.0, 2.0]]})).collections


def test_names_within_groups_have_line_styles_and_groups_have_colours():
    part = {"training": [1.0, 2.0], "validation": [2.0, 3.0]}
    ax = axes(mean_curves({"slow": part, "fast": part}, x=[0, 100]))
    colours, styles = [[getattr(line, f"get_{what}")() for line in ax.lines] for what in ("color", "linestyle")]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert styles == ["-", "--", "-", "--"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["slow", "fast", "training", "validation"]
    alone = axes(mean_curves({"": part}))
    assert len({line.get_color() for line in alone.lines}) == 2
    assert [text.get_text() for text in alone.get_legend().get_texts()] == ["training", "validation"]


def test_shorter_groups_use_the_first_of_x():
    ax = axes(mean_curves({"a": [1.0, 2.0, 3.0], "b": [1.0]}, x=[0, 10, 20]))
    assert [line.get_xdata().tolist() for line in ax.lines] == [[0, 10, 20], [0]]


def test_a_log_axis_over_a_short_range_shows_plain_numbers():
    figure = mean_curves({"a": [2.0, 30.0]}, log=True)
    figure.draw_without_rendering()
    ax = axes(figure)
    shown = [text.get_text() for text in (*ax.get_yticklabels(), *ax.get_yticklabels(minor=True)) if text.get_text()]
    assert "10" in shown
    assert not any("^" in text for text in shown)


def test_a_log_axis_shows_plain_numbers_below_1_too():
    figure = mean_curves({"a": [0.05, 0.2, 2.0]}, log=True)
    figure.canvas.draw()
    texts = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"0.1", "1"} <= set(texts)
    assert not any("e" in text for text in texts)


def test_a_log_axis_of_less_than_two_powers_of_ten_has_numbers_between_them():
    figure = mean_curves({"a": [0.1, 3.0]}, log=True)
    figure.draw_without_rendering()
    assert "0.2" in [text.get_text() for text in axes(figure).get_yticklabels(minor=True)]


def test_error_bars_stand_at_the_values_of_the_parameter():
    ax = axes(error_bars({"SGD": [[1.0, 4.0], [3.0, 4.0]]}, [0.1, 10], xlabel="rate", ylabel="loss", log_x=True))
    assert ax.lines[0].get_xdata().tolist() == [0.1, 10]
    assert ax.lines[0].get_ydata().tolist() == [2.0, 4.0]
    np.testing.assert_allclose(ax.collections[0].get_segments()[0], [[0.1, 2 - 2**0.5], [0.1, 2 + 2**0.5]])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.1", "10"]
    assert ax.get_xscale() == "log"


def test_strings_stand_at_equal_distances():
    ax = axes(error_bars({"a": [1.0, 2.0, 3.0]}, ["0", "0.001", "1"], xlabel="x", ylabel="y"))
    assert ax.lines[0].get_xdata().tolist() == [0, 1, 2]


def test_a_heatmap_shows_every_number_and_frames_the_largest():
    ax = axes(grid_heatmap([[1.0, NAN], [3.25, 2.0]], [0.1, 1], ["a", "b"], xlabel="x", ylabel="y"))
    assert sorted(text.get_text() for text in ax.texts) == ["1.0", "2.0", "3.2"]
    (frame,) = ax.patches
    assert frame.get_xy() == (-0.5, 0.5)
    assert not frame.get_clip_on()  # at the edge, half of its line would be
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0.1", "1"]


def test_infinities_leave_a_cell_of_a_heatmap_empty():
    ax = axes(grid_heatmap([[1.0, 2.0, float("inf")]], [0.1 + 0.2], [0, 1, 2], xlabel="x", ylabel="y"))
    assert [text.get_text() for text in ax.texts] == ["1.0", "2.0"]
    assert ax.images[0].get_clim() == (1, 2)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0.3"]


def test_heatmaps_of_one_range_have_the_same_colours():
    figure = grid_heatmap([[1.0, 2.0]], [0], [0, 1], xlabel="x", ylabel="y", between=(0, 10))
    assert axes(figure).images[0].get_clim() == (0, 10)


def test_a_histogram_counts_each_group_in_the_same_intervals():
    ax = axes(histograms({"a": [0.0, 0.5, 1.0], "b": [0.9]}, xlabel="p", bins=2))
    assert [patch.get_data().values.tolist() for patch in ax.patches] == [[1, 2], [0, 1]]
    assert ax.patches[0].get_data().edges.tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: mean_curves({}), "expected a mapping label"),
        (lambda: mean_curves({"a": {}}), "expected a mapping label"),
        (lambda: mean_curves({"a": np.zeros((2, 2, 2))}), r"expected 'a' of shape .* received \(2, 2, 2\)"),
        (lambda: mean_curves({"a": []}), r"received \(1, 0\)|received \(0,\)"),
        (lambda: mean_curves({"a": [1, 2, 3]}, x=[1, 2]), "expected at most 2 points, one for each x"),
        (lambda: mean_curves({"a": {str(i): [1.0] for i in range(5)}}), "expected at most 4 names for a label"),
        (lambda: mean_curves({"a": [-1.0]}, log=True), "expected some positive loss for log=True"),
        (lambda: error_bars({"a": [1.0]}, [1, 2], xlabel="x", ylabel="y"), r"expected 'a' of shape \(runs, 2\)"),
        (lambda: error_bars({"a": [1.0]}, [0], xlabel="x", ylabel="y", log_x=True), "expected numbers > 0 for log_x"),
        (lambda: error_bars({"a": [1.0]}, ["1"], xlabel="x", ylabel="y", log_x=True), "expected numbers > 0 for log_x"),
        (lambda: error_bars({}, [1], xlabel="x", ylabel="y"), "expected a mapping label"),
        (lambda: grid_heatmap([[1.0]], [1], [1, 2], xlabel="x", ylabel="y"), r"of shape \(1, 2\), received \(1, 1\)"),
        (lambda: grid_heatmap([[NAN]], [1], [1], xlabel="x", ylabel="y"), "expected finite values"),
        (lambda: histograms({"a": [1.5]}, xlabel="p"), "expected numbers from 0 to 1 in 'a', received others"),
        (lambda: histograms({"a": [NAN]}, xlabel="p"), "expected numbers from 0 to 1"),
        (lambda: histograms({}, xlabel="p"), "received none"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()

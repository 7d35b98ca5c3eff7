"""What every figure keeps to: where it is drawn, and what it leaves alone."""

import io
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from minidl.plots import filters
from tests.tools.drawings import DRAWINGS, legend

every_drawing = pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)


@every_drawing
def test_without_ax_a_new_figure_is_made_that_can_be_saved_and_settings_stay_as_they_are(draw):
    before = dict(matplotlib.rcParams)
    figure = draw()
    figure.savefig(file := io.BytesIO())
    assert file.getvalue().startswith(b"\x89PNG")
    assert dict(matplotlib.rcParams) == before


@every_drawing
def test_with_ax_everything_is_drawn_there_and_its_whole_figure_returned(draw):
    figure = Figure(figsize=(6, 3))
    left, right = figure.subfigures(1, 2)
    ax = left.add_subplot()
    assert draw(ax=ax) is figure
    assert figure.axes == [ax]
    assert ax.has_data()
    assert right.axes == []


@every_drawing
def test_a_colour_bar_says_what_it_measures(draw):
    figure = draw()
    assert all(bar.get_ylabel() for ax in figure.axes for bar in ax.child_axes)


@pytest.mark.parametrize("draw", [*DRAWINGS.values(), lambda: filters(np.full((3, 3, 1, 8), -1e-3))])
def test_nothing_is_cut_off_at_the_edge_of_the_figure(draw):
    figure = draw()
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) > 0


def test_bands_and_bars_are_named_in_the_legend():
    for name in ("step_curve", "mean_curves", "error_bars"):
        assert "± deviation of" in legend(DRAWINGS[name]().axes[0])[-1]


@every_drawing
def test_an_ax_of_another_kind_is_refused(draw):
    with pytest.raises(TypeError, match="expected ax to be a matplotlib Axes, received Figure"):
        draw(ax=Figure())


def test_no_window_system_is_loaded():
    code = "import io, sys; from minidl.plots import schedule_curve; schedule_curve(float, 2).savefig(io.BytesIO());"
    code += "sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

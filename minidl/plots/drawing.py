"""How curves are drawn, whatever they show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.plots.style import (
    LINE_WIDTH,
    NEUTRAL,
    PALE,
    add_grid,
    add_legend,
    axes_for,
    band_key,
    figure_of,
    label_axes,
    log_scale,
)
from minidl.quiet import quiet


@frozen
class Curve:
    """What is drawn for one column: the line, half the width of a band around it, the row that gets a dot."""

    x: Array
    y: Array
    colour: Any
    line: Any = "-"
    band: Array | None = None
    dot: int | None = None


@quiet
def draw_curves(
    ax: Axes | None,
    curves: list[Curve],
    entries: Sequence[Artist],
    *,
    x: str,
    y: str,
    log: bool,
    zero: bool = False,
    band: str = "",
) -> Figure:
    """Draw all curves; `zero` keeps 0 in sight on a linear axis, `band` says what bands are."""
    if log and not any((curve.y > 0).any() for curve in curves):
        raise ValueError(f"expected some positive {y} for log=True, received none: use log=False")
    ax = axes_for(ax)
    for curve in curves:
        alone = _alone(np.isfinite(curve.y))
        points: dict[str, Any] = {"marker": ".", "markevery": alone} if alone else {}
        ax.plot(curve.x, curve.y, color=curve.colour, linestyle=curve.line, linewidth=LINE_WIDTH, **points)
        if curve.band is not None:
            low, high = curve.y - curve.band, curve.y + curve.band
            ax.fill_between(curve.x, low, high, color=curve.colour, alpha=PALE, linewidth=0)
        if curve.dot is not None:
            ax.scatter(curve.x[curve.dot], curve.y[curve.dot], s=16, color=[curve.colour], zorder=3)
    if log:
        log_scale(ax)
    elif zero:
        ax.update_datalim([(float(curves[0].x[0]), 0.0)])
        ax.autoscale_view()
    places = np.unique(np.concatenate([np.asarray(curve.x, float) for curve in curves]))
    if len(places) == 1:  # one evaluation: whole numbers around it instead of 0.96 to 1.04
        ax.set_xlim(places[0] - 1, places[0] + 1)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    add_grid(ax)
    label_axes(ax, x, y)
    if band and any(curve.band is not None for curve in curves):
        same = len({str(curve.colour) for curve in curves}) == 1
        entries = [*entries, band_key(band, curves[0].colour if same else NEUTRAL)]
    add_legend(ax, entries)
    return figure_of(ax)


def _alone(there: Array) -> list[int]:
    """The places with a value whose neighbours have none: a line through them would not be seen."""
    padded = np.concatenate([[False], there, [False]])
    return [int(place) for place in np.flatnonzero(there & ~padded[:-2] & ~padded[2:])]

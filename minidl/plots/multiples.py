"""Small multiples: the same drawing for several settings, side by side in one figure."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl.arguments import check_integer, short
from minidl.plots.style import DPI, TEXT, Drawing

T = TypeVar("T")
WIDTH = 6.4  # inches, of the whole figure


def small_multiples(
    panels: Mapping[str, T],
    draw: Callable[[T, Axes], object],
    *,
    columns: int = 2,
    height: float = 2.3,
    share: bool | Literal["x", "y"] = False,
) -> Figure:
    """A panel for each setting, with its name above it, row by row; cells that are left over stay empty.

    Args:
        panels: title -> what `draw` gets for it: curves, weights, a matrix, results of runs.
        draw: `draw(value, ax)` draws into the axes, such as `lambda curves, ax: mean_curves(curves, ax=ax)`.
        columns: panels in a row; fewer where there are fewer panels.
        height: of a row, in inches. The figure is 6.4 wide.
        share: the axes that have one scale in all panels, and are labelled at the edges only: "x", "y", or True for
            both. Panels that share both have one legend, in the first.

    Raises:
        TypeError: panels is no mapping, draw is not callable.
        ValueError: no panel, columns below 1, another `share`.

    >>> from minidl.plots import mean_curves
    >>> curves = {"rate 0.1": {"SGD": [3.0, 2.0], "Adam": [2.0, 1.0]}, "rate 1": {"SGD": [2.0, 1.0], "Adam": [1, 3]}}
    >>> figure = small_multiples(curves, lambda groups, ax: mean_curves(groups, ax=ax), share=True)
    >>> [ax.get_title() for ax in figure.axes], [ax.get_ylabel() for ax in figure.axes]
    (['rate 0.1', 'rate 1'], ['loss', ''])
    """
    if not isinstance(panels, Mapping) or not callable(draw):
        raise TypeError(
            f"expected a mapping title -> value and a function, received panels={short(panels)}, draw={short(draw)}: "
            f"write small_multiples({{title: value}}, lambda value, ax: ...)"
        )
    if not panels:
        raise ValueError(f"expected at least one panel, received panels={panels!r}: give title -> value")
    if not (isinstance(share, bool) or share in ("x", "y")):
        raise ValueError(f"expected share to be True, False, 'x' or 'y', received {share=}: choose one of them")
    columns = min(check_integer("columns", columns, minimum=1), len(panels))
    rows = -(-len(panels) // columns)
    figure = Drawing(figsize=(WIDTH, height * rows), dpi=DPI, layout="constrained")
    share_x, share_y = share in (True, "x"), share in (True, "y")
    cells = list(figure.subplots(rows, columns, squeeze=False, sharex=share_x, sharey=share_y).flat)
    for place, (ax, (title, value)) in enumerate(zip(cells, panels.items(), strict=False)):
        draw(value, ax)
        ax.set_title(title, fontsize=TEXT, pad=4)
        if share_y and place % columns:
            _unlabel(ax, "y")
        if share_x:
            last = place + columns >= len(panels)
            ax.tick_params(axis="x", labelbottom=last)
            if not last:
                _unlabel(ax, "x")
        if share is True and place and (legend := ax.get_legend()):
            legend.remove()
    for ax in cells[len(panels) :]:
        ax.remove()
    return figure


def _unlabel(ax: Axes, axis: Literal["x", "y"]) -> None:
    """Leave the label of an axis and of its ticks to the panel at the edge."""
    axes = ax.xaxis if axis == "x" else ax.yaxis
    axes.set_label_text("")
    axes.set_tick_params(which="both", **{"labelbottom" if axis == "x" else "labelleft": False})

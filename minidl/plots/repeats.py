"""What repeated runs come to: curves with bands, values with error bars, and distributions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator
from numpy.typing import ArrayLike

from minidl.arguments import check_integer
from minidl.parameters import Array
from minidl.plots.drawing import Curve, draw_curves
from minidl.plots.style import (
    LINE_WIDTH,
    LINES,
    NEUTRAL,
    add_grid,
    add_legend,
    axes_for,
    colours,
    figure_of,
    label_axes,
    legend_key,
    log_scale,
)


def mean_curves(
    groups: Mapping[str, ArrayLike | Mapping[str, ArrayLike]],
    *,
    x: ArrayLike | None = None,
    xlabel: str = "epoch",
    ylabel: str = "loss",
    log: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """For each group of runs the mean along an axis, in a band of one sample standard deviation to either side.

    The legend says what the band is and of how many runs.

    Args:
        groups: label -> (runs, points), or (points,) for a single run, drawn without a band. Or label -> name ->
            such arrays: a colour for each label, a line style for each name, such as "training" and "validation".
        x: (points,), or 1, 2, ..., points. Groups may be shorter than x.
        xlabel: what x counts, with its unit where it has one.
        ylabel: what is drawn, likewise.
        log: draw values on a logarithmic axis.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: no group, an array of another rank, more points than x, more names than line styles.

    >>> figure = mean_curves({"slow": [[3.0, 2.0], [5.0, 4.0]], "fast": [2.0, 1.0]})
    >>> [line.get_ydata().tolist() for line in figure.axes[0].lines]
    [[4.0, 3.0], [2.0, 1.0]]
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['slow', 'fast', 'mean ± deviation of 2 runs']
    """
    nested = {label: dict(v) if isinstance(v, Mapping) else {"": v} for label, v in groups.items()}
    names = list(dict.fromkeys(name for parts in nested.values() for name in parts))
    if not nested or not names:
        raise ValueError(f"expected a mapping label -> (runs, points), received {groups!r}")
    if len(names) > len(LINES):
        raise ValueError(f"expected at most {len(LINES)} names for a label, received {names}: draw two figures")
    palette = colours(len(nested)) if len(nested) > 1 else colours(len(names))
    curves = []
    for place, (label, parts) in enumerate(nested.items()):
        for name, values in parts.items():
            line = names.index(name)
            colour = palette[place] if len(nested) > 1 else palette[line]
            curves.append(_curve(label, _runs(label, values), x, colour, LINES[line]))
    entries: list[Artist] = [legend_key(k, palette[i]) for i, k in enumerate(nested)] if len(nested) > 1 else []
    if len(names) > 1:
        entries += [
            legend_key(name, NEUTRAL if len(nested) > 1 else palette[i], LINES[i]) for i, name in enumerate(names)
        ]
    sizes = [len(np.atleast_2d(np.asarray(values))) for parts in nested.values() for values in parts.values()]
    return draw_curves(ax, curves, entries, x=xlabel, y=ylabel, log=log, band=_of_runs(sizes))


def error_bars(
    groups: Mapping[str, ArrayLike],
    x: Sequence[float | str] | Array,
    *,
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
    log: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """For each group the mean at each value of a parameter, with bars of one sample standard deviation.

    Args:
        groups: label -> (runs, values of the parameter).
        x: the values of the parameter: numbers, or strings, which stand at equal distances.
        xlabel: what the parameter is.
        ylabel: what is drawn.
        log_x: draw the parameter on a logarithmic axis.
        log: draw values on a logarithmic axis.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: no group, or arrays that do not fit x.

    >>> figure = error_bars({"SGD": [[0.4, 0.5], [0.6, 0.5]]}, [0.1, 1.0], xlabel="rate", ylabel="accuracy", log_x=True)
    >>> figure.axes[0].lines[0].get_ydata()
    array([0.5, 0.5])
    """
    if not groups or not len(x):
        raise ValueError(f"expected a mapping label -> (runs, {len(x)}), received {groups!r}")
    places = np.arange(len(x)) if any(isinstance(value, str) for value in x) else np.asarray(x, float)
    if log_x and not (places.dtype.kind == "f" and (places > 0).all()):
        raise ValueError(
            f"expected numbers > 0 for log_x=True, received {x=}: use strings without log_x for equal steps"
        )
    ax, palette = axes_for(ax), colours(len(groups))
    for (label, values), colour in zip(groups.items(), palette, strict=True):
        runs = _runs(label, values)
        if runs.shape[1] != len(x):
            raise ValueError(
                f"expected {label!r} of shape (runs, {len(x)}), received {runs.shape}: one value for each x"
            )
        mean, spread = _mean_and_spread(runs)
        ax.errorbar(places, mean, spread, color=colour, marker="o", markersize=3.5, linewidth=LINE_WIDTH, capsize=2.5)
    if log_x:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xticks(places, [value if isinstance(value, str) else f"{value:g}" for value in x])
    if log:
        log_scale(ax)
    add_grid(ax)
    label_axes(ax, xlabel, ylabel)
    named = zip(groups, palette, strict=True) if len(groups) > 1 else ()
    keys = [legend_key(label, colour, marker="o", markersize=3.5) for label, colour in named]
    if what := _of_runs([len(np.atleast_2d(np.asarray(values))) for values in groups.values()]):
        bar: dict[str, Any] = {"marker": "|", "markersize": 9, "markeredgewidth": LINE_WIDTH}
        keys.append(legend_key(what, palette[0] if len(groups) == 1 else NEUTRAL, "", **bar))
    add_legend(ax, keys)
    return figure_of(ax)


def histograms(
    groups: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str = "rows",
    bins: int = 20,
    between: tuple[float, float] = (0.0, 1.0),
    ax: Axes | None = None,
) -> Figure:
    """How many values of each group lie in each of `bins` equal intervals: outlines over pale areas.

    Args:
        groups: label -> (n,) numbers.
        xlabel: what the numbers are.
        ylabel: what is counted.
        bins: how many intervals, the same for all groups.
        between: their smallest and largest edge; numbers outside are refused.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: no group, or numbers outside of `between`.

    >>> figure = histograms({"right": [0.9, 0.8], "wrong": [0.1]}, xlabel="probability", bins=2)
    >>> [patch.get_data().values.tolist() for patch in figure.axes[0].patches]
    [[0, 2], [1, 0]]
    """
    low, high = between
    check_integer("bins", bins, minimum=1)
    if not groups:
        raise ValueError("expected a mapping label -> numbers, received none")
    ax, palette = axes_for(ax), colours(len(groups))
    for (label, given), colour in zip(groups.items(), palette, strict=True):
        values = np.asarray(given, float)
        if not ((values >= low) & (values <= high)).all():
            raise ValueError(f"expected numbers from {low:g} to {high:g} in {label!r}, received others: see between=")
        counts, edges = np.histogram(values, bins, (low, high))
        ax.stairs(counts, edges, facecolor=(colour, 0.3), edgecolor=colour, fill=True, linewidth=LINE_WIDTH)
    ax.set_xlim(low, high)
    add_grid(ax)
    label_axes(ax, xlabel, ylabel)
    add_legend(ax, [legend_key(label, colour) for label, colour in zip(groups, palette, strict=True)])
    return figure_of(ax)


def _runs(label: str, values: ArrayLike) -> Array:
    runs = np.asarray(values, float)
    if runs.ndim not in (1, 2) or 0 in runs.shape:
        raise ValueError(f"expected {label!r} of shape (runs, points) or (points,), received {runs.shape}")
    return np.atleast_2d(runs)


def _of_runs(sizes: Sequence[int]) -> str:
    """What a band or a bar of groups of so many runs is, "" where no group has one."""
    several = [size for size in sizes if size > 1]
    if not several:
        return ""
    least, most = min(several), max(several)
    return f"mean ± deviation of {least if least == most else f'{least} to {most}'} runs"


def _mean_and_spread(runs: Array) -> tuple[Array, Array | None]:
    with np.errstate(over="ignore", invalid="ignore"):  # a loss of 1e200 has a mean, but no band
        return runs.mean(axis=0), runs.std(axis=0, ddof=1) if len(runs) > 1 else None


def _curve(label: str, runs: Array, x: ArrayLike | None, colour: object, line: str) -> Curve:
    along = np.arange(1, runs.shape[1] + 1) if x is None else np.asarray(x)
    if len(along) < runs.shape[1]:
        raise ValueError(f"expected at most {len(along)} points, one for each x, received {label!r} of {runs.shape[1]}")
    mean, spread = _mean_and_spread(runs)
    return Curve(along[: runs.shape[1]], mean, colour, line, band=spread)

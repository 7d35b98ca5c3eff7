"""What a Recorder noted, as figures: where a network is sick, and how numbers of each layer spread."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from minidl.diagnostics import Recorder, diagnose
from minidl.diagnostics.evidence import Evidence
from minidl.parameters import Array
from minidl.plots.style import (
    DPI,
    LINE_WIDTH,
    MANY_MAP,
    NEUTRAL,
    OKABE_ITO,
    SHARE_MAP,
    SMALL,
    TEXT,
    Drawing,
    add_bar,
    add_grid,
    band_key,
    label_axes,
    legend_key,
)
from minidl.quiet import quiet

SICK, NONE = OKABE_ITO[1], "0.9"
ROW = 0.17  # inches, of a layer
FEW = 0.1  # a share that looks like white
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
PALER, PALE = 0.18, 0.35  # opacity of the two bands


@quiet
def health(recorder: Recorder) -> Figure:
    """Where a network is sick: four maps with a row for each layer or weight, and a column for each measured step.

    The standard deviation of activations, the norm of the gradient that layers are given, the share of units that are
    0 on every row or saturated, and the ratio of update to weight. The first, second and fourth on logarithmic scales.
    Layers that `diagnose` names stand in red, and what it found above the maps. Black
    is 0; grey are cells without a value.

    Raises:
        ValueError: no step was measured.

    >>> from minidl import SGD, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Trainer
    >>> model, recorder = Sequential(Linear(2, 4), ReLU(), Linear(4, 2)).build(seed=0), Recorder(every=1)
    >>> trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.5), callbacks=[recorder])
    >>> history = trainer.fit((np.eye(2), np.arange(2)), steps=5, progress=False)
    >>> [ax.get_title(loc="left") for ax in health(recorder).axes[:4]]
    ['activations: deviation', 'gradients: |dL/dy|', 'units at 0 or saturated', 'update / weight']
    """
    diagnosis = diagnose(recorder)
    sick = {recorder.layers[place] for finding in diagnosis.findings for place in finding.layers}
    names, steps = recorder.layers, recorder["step"]
    evidence = Evidence(recorder)
    weights, places = evidence.weights, evidence.activations
    of_weights = [recorder.parameters[place] for place in weights]
    off = np.full(recorder["inactive"].shape, np.nan)
    off[:, places] = recorder["inactive"][:, places]
    stuck = np.fmax(off, recorder["saturated"])
    known = np.logical_not(np.isnan(stuck).all(axis=0)).reshape(-1)
    of_stuck = [name for name, there in zip(names, known, strict=True) if there] or ["none"]
    stuck = stuck[:, known] if known.any() else np.full((len(steps), 1), np.nan)
    lower = max(len(of_stuck), len(of_weights), 2)
    figure = Drawing(figsize=(6.4, 1.7 + ROW * (len(names) + lower)), dpi=DPI, layout="constrained")
    cells = figure.subplots(2, 2, height_ratios=(max(len(names), 2), lower)).flat
    _map(next(cells), steps, names, recorder["activation_deviation"], "activations: deviation", sick)
    _map(next(cells), steps, names, recorder["gradient_norm"], "gradients: |dL/dy|", sick)
    _map(next(cells), steps, of_stuck, stuck, "units at 0 or saturated", sick, share=True)
    _map(next(cells), steps, of_weights, recorder["update_ratio"][:, weights], "update / weight", set())
    found = "nothing found" if diagnosis.healthy else "found: " + ", ".join(diagnosis.names)
    figure.suptitle(found, fontsize=TEXT, color=SICK if diagnosis.findings else "black", fontweight="bold")
    return figure


def _map(
    ax: Axes, steps: Array, names: Sequence[str], values: Array, title: str, sick: set[str], *, share: bool = False
) -> None:
    """One map: rows by name, columns by record, colours by value or its logarithm."""
    shown = values.astype(float) if share else np.log10(values.astype(float))
    finite = shown[np.isfinite(shown)]
    low, high = (0.0, 1.0) if share else _limits(finite)
    colours = matplotlib.colormaps[SHARE_MAP if share else MANY_MAP].with_extremes(bad=NONE, under="black")
    cells = np.where(shown == -np.inf, low - 1, np.where(np.isfinite(shown), shown, np.nan))
    image = ax.imshow(cells.T, colours, norm=Normalize(low, high), aspect="auto", interpolation="nearest")
    ax.set_yticks(range(len(names)), names)
    for label in ax.get_yticklabels():
        if label.get_text() in sick:
            label.set(color=SICK, fontweight="bold")
    if share and finite.size and finite.max() < FEW:  # or the map would look forgotten
        most = f"at most {np.ceil(100 * finite.max()):.0f}%"
        ax.text(0.5, 0.5, most, transform=ax.transAxes, ha="center", va="center", fontsize=SMALL)
    places = np.arange(0, len(steps), -(-len(steps) // 5))
    ax.set_xticks(places, [f"{steps[place]:.0f}" for place in places])
    label_axes(ax, "step", "")
    ax.tick_params(axis="y", length=0)
    ax.spines[:].set_visible(False)
    ax.set_title(title, fontsize=TEXT, loc="left")
    add_bar(ax, image, "")
    bar = image.colorbar.ax.yaxis  # type: ignore[union-attr]
    bar.set_major_locator(MaxNLocator(4 if len(names) > 3 else 2) if finite.size else NullLocator())
    bar.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0%}" if share else f"{float(f'{10**v:.2g}'):g}"))


def _limits(finite: Array) -> tuple[float, float]:
    """The range of colours: all values, a power of ten at least."""
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    room = max(0.0, 1 - (high - low)) / 2
    return low - room, high + room


@quiet
def layer_spreads(recorder: Recorder, *, layers: Sequence[str] = ()) -> Figure:
    """How activations and gradients of each layer spread while it trains: a row of two panels for each layer.

    A line is the median, the dark band holds the middle half of the numbers and the pale one 90 %, by the histograms of
    the recorder, so to 1/30 of their range.

    Args:
        recorder: of a run.
        layers: which ones, by the names in `recorder.layers`; none shows all of them, at most 12.

    Raises:
        ValueError: no step was measured, a layer that is not there, or too many.

    >>> from minidl import SGD, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Trainer
    >>> model, recorder = Sequential(Linear(2, 4), ReLU(), Linear(4, 2)).build(seed=0), Recorder(every=1)
    >>> trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.5), callbacks=[recorder])
    >>> history = trainer.fit((np.eye(2), np.arange(2)), steps=5, progress=False)
    >>> len(layer_spreads(recorder).axes), len(layer_spreads(recorder, layers=["1 ReLU"]).axes)
    (6, 2)
    """
    steps, chosen = recorder["step"], list(layers) or recorder.layers
    if strays := [name for name in chosen if name not in recorder.layers]:
        raise ValueError(f"expected layers of {recorder.layers}, received {strays}")
    if len(chosen) > 12:
        raise ValueError(f"expected at most 12 layers, received {len(chosen)}: choose with layers=[...]")
    figure = Drawing(figsize=(6.4, 0.7 + 1.05 * len(chosen)), dpi=DPI, layout="constrained")
    cells = figure.subplots(len(chosen), 2, squeeze=False, sharex=True)
    for index, (row, name) in enumerate(zip(cells, chosen, strict=True)):
        place = recorder.layers.index(name)
        for ax, what, colour in zip(row, ("activation", "gradient"), OKABE_ITO, strict=False):
            _spread(ax, steps, recorder[f"{what}_histogram"][:, place], colour)
            label_axes(ax, "step" if index == len(chosen) - 1 else "", name if what == "activation" else "")
            if index == 0:
                ax.set_title(f"{what}s", fontsize=TEXT)
    keys = [
        legend_key("median", NEUTRAL),
        band_key("half of the numbers", alpha=0.6),
        band_key("90 % of them", alpha=PALER),
    ]
    figure.legend(handles=keys, loc="outside upper center", ncols=3, frameon=False, fontsize=SMALL)
    return figure


def _spread(ax: Axes, steps: Array, rows: Array, colour: str) -> None:
    quantiles = np.array([_quantiles(row.astype(float)) for row in rows]).T
    alone = len(steps) == 1  # an area of one column and a line of one point would not be seen
    for low, high, alpha in ((0, 4, PALER), (1, 3, PALE)):
        ax.fill_between(steps, quantiles[low], quantiles[high], color=colour, alpha=alpha, linewidth=8 * alone)
    ax.plot(steps, quantiles[2], "o" if alone else "-", color=colour, linewidth=LINE_WIDTH, markersize=3)
    if alone:
        ax.set_xlim(steps[0] - 1, steps[0] + 1)
    ax.ticklabel_format(axis="y", scilimits=(-2, 3))
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    add_grid(ax)


def _quantiles(row: Array) -> Array:
    """The quantiles of a histogram: its smallest and largest number, and counts between; NaN where it is empty."""
    low, high, counts = row[0], row[1], row[2:]
    if not (np.isfinite([low, high]).all() and counts.sum() > 0):
        return np.full(len(SHARES), np.nan)
    edges = low + (high - low) * np.linspace(0, 1, len(counts) + 1)
    quantiles: Array = np.interp(SHARES, np.concatenate([[0], counts.cumsum()]) / counts.sum(), edges)
    return quantiles

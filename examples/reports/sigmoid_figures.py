"""Curves and final values of the sweeps."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from sigmoid_runs import BASE, NAMES, SWEEPS, final, parameter

from minidl import plots
from minidl.experiments import Results

Setting = dict[str, object]
MEASURES = {"test_loss": "test loss", "test_accuracy": "test accuracy in %"}
STROKES: Any = ("-", (0, (4, 2)), (0, (1, 1)))  # so that curves that coincide can be told apart
COLUMNS = {  # of the figure: title, what varies, curve -> settings, with the default among them
    "weight decay": ("lambda", {"SGD": [BASE, *SWEEPS["lambda"]]}),
    "optimizer": ("SGD", {name: SWEEPS[name] for name in ("SGD", "Adam")}),
    "learning-rate decay": ("k", {"SGD": [BASE, *SWEEPS["k"]]}),
}


def final_figure(group: Results) -> Figure:
    """The report's three figures: final loss above accuracy, against lambda, the learning rate and k."""
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout="constrained")
    panels = figure.subplots(2, 3)
    handles: list[Any] = []
    names: list[str] = []
    for column, (title, (sweep, curves)) in enumerate(COLUMNS.items()):
        for row, (name, ylabel) in enumerate(MEASURES.items()):
            ax = panels[row, column]
            draw_final(group, sweep, curves, name, ax)
            ax.set_xlabel(NAMES[sweep] if row else "")
            ax.set_ylabel("" if column else ylabel)
            ax.tick_params(axis="x", labelrotation=45, labelbottom=bool(row))
            if legend := ax.get_legend():
                if len(curves) > 1:
                    handles = legend.legend_handles
                    names = [text.get_text() for text in legend.get_texts()]
                legend.remove()
        panels[0, column].set_title(title, fontsize=9)
    highest = max(ax.get_ylim()[1] for ax in panels[1])
    for ax in panels[1]:
        ax.set_ylim(0, highest)
    figure.align_xlabels(panels[1])
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), fontsize=8, frameon=False)
    return figure


def draw_final(group: Results, sweep: str, curves: Mapping[str, Sequence[Setting]], name: str, ax: Axes) -> None:
    """One panel: mean and deviation at each value of a parameter; curves are drawn of equally many repetitions."""
    x = [f"{parameter(sweep, setting):g}" for setting in next(iter(curves.values()))]
    found = {label: [final(group, name, **setting) for setting in settings] for label, settings in curves.items()}
    runs = min(len(values) for columns in found.values() for values in columns)
    groups = {label: np.stack([values[:runs] for values in columns], axis=1) for label, columns in found.items()}
    plots.error_bars(groups, x, xlabel="", ylabel="", log=name == "test_loss", ax=ax)


def epochs_figure(group: Results, settings: Sequence[Setting], sweep: str) -> Figure:
    """Test loss beside accuracy after every epoch, a colour for each value."""
    labels = [f"{parameter(sweep, setting):g}" for setting in settings]

    def draw(name: str, ax: Axes) -> None:
        scale = 100 if name == "test_accuracy" else 1
        curves = {
            label: scale * group.where(**setting).array(name) for label, setting in zip(labels, settings, strict=True)
        }
        plots.mean_curves(curves, ylabel="", ax=ax)
        if legend := ax.get_legend():
            legend.remove()
        for line, stroke in zip(ax.lines, cycle(STROKES), strict=False):
            line.set_linestyle(stroke)

    figure = plots.small_multiples({label: name for name, label in MEASURES.items()}, draw, height=2.7)
    drawn = zip(labels, figure.axes[0].lines, cycle(STROKES), strict=False)
    handles: list[Artist] = [
        Line2D([], [], color=line.get_color(), linestyle=stroke, label=label) for label, line, stroke in drawn
    ]
    seeds = [len(group.where(**setting)) for setting in settings]
    if max(seeds) > 1:
        number = f"{max(seeds)}" if len(set(seeds)) == 1 else f"up to {max(seeds)}"
        handles.append(Patch(facecolor="0.5", alpha=0.4, label=f"mean ± deviation\nof {number} runs"))
    style: dict[str, Any] = {"loc": "outside right center", "fontsize": 8, "title_fontsize": 8, "frameon": False}
    figure.legend(handles=handles, title=NAMES[sweep], **style)
    return figure

"""Curves and templates of several settings side by side."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl import plots
from minidl.data.cifar import CLASSES
from minidl.experiments import Results


def curves_figure(named: dict[str, Results], kind: str) -> Figure:
    """Loss or cost of training and validation against the epoch, a panel for each setting; thin lines are one seed."""

    def draw(group: Results, ax: Axes) -> None:
        curves = {name: group.array(f"{name}_{kind}") for name in ("training", "validation")}
        plots.mean_curves({"": curves}, ylabel=kind, ax=ax)
        if len(group) == 1:
            return
        for line, runs in zip(list(ax.lines), curves.values(), strict=True):
            ax.plot(line.get_xdata(), runs[0], color=line.get_color(), linestyle=line.get_linestyle(), linewidth=0.5)

    figure = plots.small_multiples(named, draw, share="x")
    for ax in figure.axes[:-1]:  # one legend, where there is room
        if legend := ax.get_legend():
            legend.remove()
    return figure


def curves_caption(what: str, runs: int) -> str:
    """What stands below it: with several seeds, which lines are which."""
    return f"{what}: one seed." if runs == 1 else f"{what}: mean and deviation of {runs} seeds; thin: the first alone."


def weights_figure(named: dict[str, Results]) -> Figure:
    """A row of ten templates for each setting, of its first seed."""

    def draw(group: Results, ax: Axes) -> None:
        plots.weight_images(group[0].values["weight"], (3, 32, 32), columns=10, titles=CLASSES, ax=ax)

    return plots.small_multiples(named, draw, columns=1, height=1.05)

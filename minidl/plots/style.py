"""How every figure looks, in one place, and the few helpers that apply it."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogFormatter

WIDTH, HEIGHT = 5.0, 3.2  # inches: one column of a report
EDGE = 0.075  # inches, the least margin
DPI = 150
TEXT, SMALL = 9, 8  # points: axis labels; ticks, legends, titles of images
LINE_WIDTH = 1.3
LINES = ("-", "--", ":", "-.")
NEUTRAL = "0.5"  # a grey that shows on white and on black
# The colours of Okabe and Ito, "Color universal design", 2008, without black and yellow, which some page hides.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
GREY_MAP, WEIGHT_MAP, SHARE_MAP, MANY_MAP = "gray", "RdBu_r", "Blues", "viridis"
ENTRIES_INSIDE, ENTRIES_PER_COLUMN = 6, 18  # of a legend
PALE = 0.2  # opacity of a band


class Drawing(Figure):
    """A figure that a notebook draws when it is the last line of a cell; otherwise one of matplotlib like any other."""

    def _repr_png_(self) -> bytes:
        """The picture, with room for what stands beside the axes."""
        file = BytesIO()
        self.savefig(file, format="png", dpi=DPI, bbox_inches="tight")
        return file.getvalue()


def axes_for(ax: Axes | None, *, width: float = WIDTH, height: float = HEIGHT) -> Axes:
    """`ax` itself, or the axes of a new figure of that many inches."""
    if ax is None:
        return Drawing(figsize=(width, height), dpi=DPI, layout="constrained").add_subplot()
    if not isinstance(ax, Axes):
        raise TypeError(f"expected ax to be a matplotlib Axes, received {type(ax).__name__}: take one of figure.axes")
    return ax


def axes_of_size(width: float, height: float, *, left: float, right: float) -> Axes:
    """Axes of exactly so many inches in a new figure with these margins, small ones above and below."""
    across, down = width + left + right, height + 2 * EDGE
    figure = Drawing(figsize=(across, down), dpi=DPI)
    return figure.add_axes((left / across, EDGE / down, width / across, height / down))


def figure_of(ax: Axes) -> Figure:
    """The whole figure around `ax`, also where it stands in a subfigure."""
    return ax.figure.canvas.figure


def text_width(texts: Sequence[str], size: float) -> float:
    """The width of the widest of them in inches, with some room for what hinting adds; 0 without any."""
    paths = [TextPath((0, 0), text, size=size) for text in texts if text.strip()]
    return max((float(path.get_extents().width) * 1.1 / 72 for path in paths), default=0.0)


def colours(count: int) -> list[Any]:
    """So many colours that colour-blind readers tell apart: Okabe and Ito's, or a scale where those are too few."""
    if count <= len(OKABE_ITO):
        return list(OKABE_ITO[:count])
    return list(matplotlib.colormaps[MANY_MAP](np.linspace(0, 0.92, count)))


def label_axes(ax: Axes, x: str, y: str) -> None:
    """Name both axes, and give ticks their size."""
    ax.set_xlabel(x, fontsize=TEXT)
    ax.set_ylabel(y, fontsize=TEXT)
    ax.tick_params(which="both", labelsize=SMALL)
    ax.yaxis.get_offset_text().set_fontsize(SMALL)


def add_grid(ax: Axes) -> None:
    """A light grid behind the curves, and no frame above and right of them."""
    ax.grid(True, color=NEUTRAL, alpha=0.25, linewidth=0.5)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def log_scale(ax: Axes) -> None:
    """Values on a logarithmic axis, with plain numbers where it spans few powers of ten."""
    ax.set_yscale("log")
    low, high = map(float, ax.get_ylim())  # of Python: numpy warns where one over the other overflows
    if low > 0 and high / low < 1e4:
        ax.yaxis.set_major_formatter(_PlainFormatter())
        ax.yaxis.set_minor_formatter(_PlainFormatter(minor_thresholds=(2, 0.7)))


class _PlainFormatter(LogFormatter):
    """Labels where matplotlib has them, 0.1 where it writes 1e-01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of a tick, "" for none."""
        return f"{x:g}" if super().__call__(x, pos) else ""


def add_bar(ax: Axes, image: ScalarMappable, label: str) -> None:
    """The colour bar of an image, exactly as high as `ax` is drawn."""
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.035, 1.0)))
    bar.set_label(label, fontsize=TEXT)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)


def legend_key(label: str, colour: Any, line: Any = "-", **marker: Any) -> Line2D:
    """A sample of a line or marker for the legend."""
    return Line2D([], [], label=label, color=colour, linestyle=line, linewidth=LINE_WIDTH, **marker)


def band_key(label: str, colour: Any = NEUTRAL, *, alpha: float = 2 * PALE) -> Patch:
    """A sample of a band for the legend."""
    return Patch(label=label, facecolor=colour, alpha=alpha, linewidth=0)


def add_legend(ax: Axes, entries: Sequence[Artist]) -> None:
    """A legend without an outline where it hides least, or beside the axes if it is long; none without entries."""
    if not entries:
        return
    place: dict[str, Any] = {"loc": "best"}
    if len(entries) > ENTRIES_INSIDE:
        pillars = -(-len(entries) // ENTRIES_PER_COLUMN)
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.0, "ncols": pillars}
    ax.legend(handles=list(entries), edgecolor="none", framealpha=0.7, fontsize=SMALL, **place)

"""Figures of runs, schedules, weights, data and mistakes: the only package that loads matplotlib.

One rule for every function that draws one thing: with `ax=` it draws into that Axes, without into a new figure, and it
returns the figure: `learning_curves(history).savefig("curves.png")`. `small_multiples` puts any of them side by side;
`health` and `layer_spreads` are figures of several Axes already.
Figures belong to no window system: nothing is shown, nothing needs closing, no setting of matplotlib is changed. A
notebook displays them after `%matplotlib inline`.
"""

from minidl.plots.confidence import true_class_histogram
from minidl.plots.curves import learning_curves, schedule_curve, step_curve
from minidl.plots.health import health, layer_spreads
from minidl.plots.heatmaps import confusion_heatmap, grid_heatmap
from minidl.plots.images import sample_images, weight_images, worst_images
from minidl.plots.inside import decision_regions, embedding, filters, range_curve
from minidl.plots.multiples import small_multiples
from minidl.plots.repeats import error_bars, histograms, mean_curves

__all__ = [
    "confusion_heatmap",
    "decision_regions",
    "embedding",
    "error_bars",
    "filters",
    "grid_heatmap",
    "health",
    "histograms",
    "layer_spreads",
    "learning_curves",
    "mean_curves",
    "range_curve",
    "sample_images",
    "schedule_curve",
    "small_multiples",
    "step_curve",
    "true_class_histogram",
    "weight_images",
    "worst_images",
]

"""Figures of every kind, what they are drawn from, and what is in them."""

import numpy as np

from minidl import Dataset, History
from minidl.optim import StepDecay
from minidl.plots import (
    confusion_heatmap,
    error_bars,
    grid_heatmap,
    histograms,
    learning_curves,
    mean_curves,
    sample_images,
    schedule_curve,
    step_curve,
    true_class_histogram,
    weight_images,
    worst_images,
)
from minidl.training.history import Table

NAN = float("nan")
CLASSES = ("airplane", "automobile")
GREY = Dataset(np.arange(40, dtype=np.uint8).reshape(5, 8), np.array([1, 0, 1, 1, 0]), image_shape=(2, 4))
RGB = Dataset(np.eye(4, 12, dtype=np.float32), np.array([0, 1, 0, 1]), classes=CLASSES, image_shape=(3, 2, 2))
PROBABILITIES = np.array([[0.3, 0.7], [0.6, 0.4], [0.9, 0.1], [0.8, 0.2], [0.5, 0.5]])
RUNS = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 5.0]])
WEIGHTS = np.arange(24.0).reshape(8, 3) - 4


def run(scale=1.0, **changes):
    """A run of four evaluations and eight steps."""
    evaluations = {"step": [2, 4, 6, 8], "epoch": [0.5, 1.0, 1.5, 2.0]}
    for place, name in enumerate(("train", "validation", "held_out")):
        for column in ("loss", "penalty", "cost", "top_2_accuracy"):
            evaluations[f"{name}_{column}"] = [scale * (place + 1) / step for step in evaluations["step"]]
    steps = {"step": list(range(1, 9)), "epoch": [step / 4 for step in range(1, 9)], "learning_rate": [0.1] * 8}
    steps["loss"] = [scale * value for value in (9.0, 8.0, 4.0, 5.0, 3.0, 3.5, 2.0, 1.0)]
    facts = {"best_step": 6, "best_value": 2 / 6, "monitor": "validation_loss"}
    return History(steps=Table(steps), evaluations=Table(evaluations), **(facts | changes))


DRAWINGS = {
    "learning_curves": lambda **ax: learning_curves(run(), **ax),
    "step_curve": lambda **ax: step_curve({"a": run(), "b": run(2)}, window=3, evaluations=("train_loss",), **ax),
    "schedule_curve": lambda **ax: schedule_curve(StepDecay(0.1, 0.5, every=3), 10, **ax),
    "weight_images": lambda **ax: weight_images(WEIGHTS, (2, 4), titles="abc", shared_scale=True, **ax),
    "sample_images": lambda **ax: sample_images(RGB, **ax),
    "worst_images": lambda **ax: worst_images(GREY, PROBABILITIES, **ax),
    "mean_curves": lambda **ax: mean_curves({"a": {"x": RUNS, "y": RUNS + 1}, "b": {"x": RUNS[0]}}, **ax),
    "error_bars": lambda **ax: error_bars({"a": RUNS, "b": -RUNS}, [1, 10, 100], xlabel="x", ylabel="y", **ax),
    "true_class_histogram": lambda **ax: true_class_histogram([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], [0, 1, 1], **ax),
    "histograms": lambda **ax: histograms({"right": [0.5, 0.9], "wrong": [0.1]}, xlabel="p", **ax),
    "grid_heatmap": lambda **ax: grid_heatmap(RUNS, [1, 2], "abc", xlabel="x", ylabel="y", label="z", **ax),
    "confusion_heatmap": lambda **ax: confusion_heatmap(np.array([[3, 1], [0, 5]]), classes=CLASSES, **ax),
}


def axes(figure):
    (ax,) = figure.axes
    return ax


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []

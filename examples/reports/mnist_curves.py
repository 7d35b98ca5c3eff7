"""What the pages of the MNIST report read off its curves, and how they draw them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from mnist_runs import CURVES
from numpy.lib.stride_tricks import sliding_window_view
from report import Row, ends

from minidl import History, plots
from minidl.experiments import Results
from minidl.training.history import Table

Values = Mapping[str, Any]  # what one run returned
TWO_EPOCHS = 62  # steps, of 2 against 3
SPIKE = 1.4  # times the median of the two epochs around it


def gap(results: Results) -> np.ndarray:
    """Training minus validation accuracy after the last step, for each run."""
    apart: np.ndarray = ends(results, "training_accuracy") - ends(results, "validation_accuracy")
    return apart


def at(values: Values, name: str, step: int) -> float:
    """A curve of one run at the validation that lies nearest to a step."""
    return float(values[name][np.abs(values["step"] - step).argmin()])


def begin(values: Values) -> int:
    """Step 100; the middle of a run that has no 200 steps."""
    return min(100, len(values["batch_loss"]) // 2)


def later(values: Values, name: str) -> np.ndarray:
    """A curve at the validations after step 100."""
    late: np.ndarray = values[name][values["step"] > begin(values)]
    return late


def means_of_ten(values: Values) -> np.ndarray:
    """The batch loss after step 100, each point the mean of 10 steps in a row, as the figures show it."""
    means: np.ndarray = sliding_window_view(values["batch_loss"][begin(values) :], 10).mean(axis=1)
    return means


def spikes(curve: np.ndarray, width: int) -> int:
    """How often a curve rises above 1.4 times its median over the `width` points around."""
    half = width // 2
    around = sliding_window_view(np.pad(curve, half, mode="edge"), 2 * half + 1)
    above = np.concatenate([[False], curve > SPIKE * np.median(around, axis=1)])
    return int((above[1:] & ~above[:-1]).sum())


def training_spikes(results: Results) -> np.ndarray:
    """Spikes of the training loss after step 100, for each run."""
    return np.array([spikes(means_of_ten(result.values), TWO_EPOCHS) for result in results])


def validation_spikes(results: Results) -> np.ndarray:
    """Spikes of the validation loss after step 100, for each run."""
    return np.array([spikes(later(r.values, "validation_loss"), validations(r.values)) for r in results])


def validations(values: Values) -> int:
    """How many validations come in two epochs."""
    return int(TWO_EPOCHS // (values["step"][1] - values["step"][0]))


def spread(curve: np.ndarray) -> float:
    """The standard deviation of a curve over its median."""
    return float(curve.std() / np.median(curve))


def first_above(values: Values, part: str, level: float) -> float:
    """The first step at which an accuracy lies above a level; NaN where it never does."""
    above = values[f"{part}_accuracy"] > level
    return float(values["step"][above.argmax()]) if above.any() else float("nan")


def of_the_report(results: Results) -> Results:
    """The run with the report's own random stream, seed 0; none where --seed left it out."""
    return Results([result for result in results if result.run.seed == 0])


def known_rows(
    results: Results,
    stop: int,
    known: tuple[float, ...],
    reported: tuple[str | float, ...] = ("",) * 5,
    sources: tuple[str, ...] = ("",) * 5,
) -> list[Row]:
    """Where the run of seed 0 stops and ends; it is the report's own run, so everything about it is known."""
    own = of_the_report(results)
    if not own:
        return []
    step, *printed = reported
    rows = [Row("seed 0: stops at step (from 0)", step, own.array("stop_step"), (stop, stop), ".0f", "", sources[0])]
    for name, end, said, source in zip(CURVES, known, printed, sources[1:], strict=True):
        off = 2e-4 if "loss" in name else 5e-4
        label, within = f"seed 0: {name.replace('_', ' ')}", (end - off, end + off)
        rows.append(Row(label, said, ends(own, name), within, form=".6f", source=source))
    return rows


def curves_figure(runs: Mapping[str, Values], name: str, limits: tuple[float, float]) -> Figure:
    """A curve of several runs, or training and validation of one, over the steps."""
    if len(runs) == 1:
        (run,) = runs.values()
        shown = {"": {part: run[f"{part}_{name}"] for part in ("training", "validation")}}
    else:
        shown = {label: run[name] for label, run in runs.items()}
    steps = max((run["step"] for run in runs.values()), key=len)
    return within(plots.mean_curves(shown, x=steps, xlabel="step", ylabel=name.replace("_", " ")), limits)


def within(figure: Figure, limits: tuple[float, float]) -> Figure:
    """The figure with the limits of the report, where all its curves end between them; else with those of its data."""
    (ax,) = figure.axes
    low, high = limits
    if all(low <= np.asarray(line.get_ydata(), float)[-1] <= high for line in ax.lines):
        ax.set_ylim(low, high)
    return figure


def history_of(values: Values) -> History:
    """The loss of every step and of every validation of a run, with steps from 0 as in the report."""
    losses = values["batch_loss"].tolist()
    evaluated = {"step": values["step"].tolist(), "validation_loss": values["validation_loss"].tolist()}
    return History(steps=Table({"step": list(range(len(losses))), "loss": losses}), evaluations=Table(evaluated))


def loss_figure(values: Values, limits: tuple[float, float]) -> Figure:
    """The loss of every step as a mean of ten with its band, beside the validation loss: figures 1 and 5."""
    return within(plots.step_curve(history_of(values), window=10, evaluations=("validation_loss",)), limits)


def caption_of_losses(what: str) -> str:
    """What stands below a figure of step losses."""
    return (
        f"{what}: the loss of every gradient step as a mean of 10 steps, its band one standard deviation of these to "
        f"either side (the legend of the report: variance), beside the validation loss every 20 % of an epoch."
    )

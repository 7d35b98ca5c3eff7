"""Curves: what a run recorded at its evaluations or its steps, and learning rates before any run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minidl.arguments import check_integer
from minidl.parameters import Array
from minidl.plots.drawing import Curve, draw_curves
from minidl.plots.style import LINES, NEUTRAL, colours, legend_key
from minidl.training.columns import parts_of
from minidl.training.history import History, Table


def schedule_curve(
    schedules: Callable[[int], float] | Mapping[str, Callable[[int], float]],
    steps: int,
    *,
    log: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """The learning rate of one schedule, or of several by label, at 0, 1, ..., steps - 1 steps taken.

    Args:
        schedules: functions int -> float, such as those of `minidl.optim`.
        steps: how many steps to draw; no training is needed.
        log: draw the learning rate on a logarithmic axis.
        ax: where to draw; None makes a new figure.

    >>> figure = schedule_curve({"halved": lambda step: 0.5**step, "constant": lambda step: 1.0}, 3)
    >>> figure.axes[0].lines[0].get_ydata()
    array([1.  , 0.5 , 0.25])
    """
    named = schedules if isinstance(schedules, Mapping) else {"": schedules}
    if not named or not all(callable(schedule) for schedule in named.values()):
        raise TypeError(
            f"expected a function of the step, or a mapping label -> function, received schedules={schedules!r}: "
            f"a fixed rate is Constant(rate)"
        )
    x = np.arange(check_integer("steps", steps, minimum=1))
    palette = colours(len(named))
    curves = [
        Curve(x, np.array([schedule(step) for step in range(steps)], float), colour)
        for schedule, colour in zip(named.values(), palette, strict=True)
    ]
    entries: list[Artist] = _run_keys(named, palette) if isinstance(schedules, Mapping) else []
    return draw_curves(ax, curves, entries, x="step", y="learning rate", log=log, zero=True)


def learning_curves(
    histories: History | Mapping[str, History],
    columns: Sequence[str] = ("train_loss", "validation_loss"),
    *,
    x: Literal["epoch", "step"] = "epoch",
    log: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Columns of `History.evaluations`: losses, costs or metrics, of one run or of several by label.

    One history: a colour for each column. A mapping label -> history: a colour for each run, a line style for each
    column. A dot marks `best_step` where the run has one. Points next to gaps (NaN) are drawn as points.

    Args:
        histories: what `fit` returned.
        columns: such as "train_cost" or "validation_accuracy". For a curve of accuracy on the training set beside it,
            give `fit` both: `fit(train, {"validation": validation, "training": train}, ...)`, and draw
            ("training_accuracy", "validation_accuracy").
        x: the column along the horizontal axis.
        log: draw values on a logarithmic axis.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: a history without evaluations, no columns, more columns than line styles, or `log` for values
            none of which is positive.
        KeyError: a column that a history has not; the message lists those it has.

    >>> table = Table({"epoch": [1, 2], "train_loss": [2.0, 1.5], "validation_loss": [2.1, 1.8]})
    >>> figure = learning_curves(History(evaluations=table))
    >>> figure.axes[0].get_ylabel(), [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ('loss', ['train', 'validation'])
    """
    runs = _runs(histories, "evaluations")
    one = isinstance(histories, History)
    _check_columns(columns, most=len(columns) if one else len(LINES))
    palette = colours(len(columns) if one else len(runs))
    looks = [
        [(palette[j], "-") if one else (palette[i], LINES[j]) for j in range(len(columns))] for i in range(len(runs))
    ]
    curves = [
        Curve(_numbers(run.evaluations[x]), _numbers(run.evaluations[column]), *look, dot=_best_row(run))
        for run, styles in zip(runs.values(), looks, strict=True)
        for column, look in zip(columns, styles, strict=True)
    ]
    quantity, names = _words(columns, next(iter(runs.values())).evaluations)
    entries: list[Artist] = [] if one else _run_keys(runs, palette)
    if len(columns) > 1:
        entries += [
            legend_key(name, look[0] if one else NEUTRAL, look[1]) for name, look in zip(names, looks[0], strict=True)
        ]
    if any(curve.dot is not None for curve in curves):
        monitors = {run.monitor for run in runs.values() if run.monitor}
        best = f"at the best {_spaced(monitors.pop())}" if len(monitors) == 1 else "at the best"
        colour = curves[0].colour if len(curves) == 1 else NEUTRAL
        entries.append(legend_key(best, colour, "", marker="o", markersize=4))
    return draw_curves(ax, curves, entries, x=_spaced(x), y=quantity, log=log)


def step_curve(
    histories: History | Mapping[str, History],
    column: str = "loss",
    *,
    window: int = 1,
    evaluations: Sequence[str] = (),
    x: Literal["epoch", "step"] = "step",
    log: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """A column of `History.steps`, of one run or of several by label, and columns of evaluations on the same axis.

    With `window` > 1 each point is the mean of `window` steps in a row, drawn in their middle, and the band reaches
    one standard deviation of them to either side, as the legend says. A value that is not finite leaves a gap of
    `window` points.
    One history: a colour for the steps, and one for each column of `evaluations`. A mapping label -> history: a colour
    for each run, a line style for the steps and for each column of `evaluations`.

    Args:
        histories: what `fit` returned.
        column: "loss", "penalty", "cost" or "learning_rate".
        window: how many steps to average; 1 draws the column as it is.
        evaluations: columns of `History.evaluations` to draw over it, such as ("validation_loss",).
        x: the column along the horizontal axis.
        log: draw values on a logarithmic axis.
        ax: where to draw; None makes a new figure.

    Raises:
        ValueError: a history without steps or with fewer than `window`, one without evaluations where some are to be
            drawn, more columns than line styles, or `log` for values none of which is positive.
        KeyError: a column that there is not; the message lists those there are.

    >>> steps = Table({"step": [1, 2, 3], "loss": [3.0, 1.0, 2.0]})
    >>> step_curve(History(steps=steps), window=2).axes[0].lines[0].get_ydata()
    array([2. , 1.5])
    >>> history = History(steps=steps, evaluations=Table({"step": [3], "validation_loss": [1.8]}))
    >>> figure = step_curve(history, window=2, evaluations=("validation_loss",))
    >>> figure.axes[0].get_ylabel(), [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ('loss', ['mean of 2 steps', 'validation', '± deviation of 2 steps'])
    """
    runs = _runs(histories, "steps")
    window = check_integer("window", window, minimum=1)
    one, count = isinstance(histories, History), 1 + len(evaluations)
    if evaluations:
        _runs(histories, "evaluations")
        _check_columns(evaluations, most=count if one else len(LINES) - 1)
    palette = colours(count if one else len(runs))
    styles = ["-"] * count if one else LINES[:count]
    curves = []
    for place, run in enumerate(runs.values()):
        looks = list(zip(palette if one else [palette[place]] * count, styles, strict=True))
        curves.append(_step_curve(run, column, window, x, *looks[0]))
        for name, look in zip(evaluations, looks[1:], strict=True):
            curves.append(Curve(_numbers(run.evaluations[x]), _numbers(run.evaluations[name]), *look))
    entries: list[Artist] = [] if one else _run_keys(runs, palette)
    quantity, band = _spaced(column), f"{'' if evaluations else 'mean '}± deviation of {window} steps"
    if evaluations:
        quantity, names = _words((f"step_{column}", *evaluations), next(iter(runs.values())).evaluations)
        owner = f"mean of {window} steps" if window > 1 else "each step"
        names[0] = owner if quantity == _spaced(column) else f"{_spaced(column)}, {owner}"
        entries += [
            legend_key(name, palette[i] if one else NEUTRAL, line)
            for i, (name, line) in enumerate(zip(names, styles, strict=True))
        ]
    return draw_curves(
        ax, curves, entries, x=_spaced(x), y=quantity, log=log, zero=column == "learning_rate", band=band
    )


def _step_curve(run: History, column: str, window: int, x: str, colour: Any, line: str) -> Curve:
    along, values = _numbers(run.steps[x]), _numbers(run.steps[column])
    if window > len(values):
        raise ValueError(f"expected window <= {len(values)}, the number of steps, received {window=} for {run!r}")
    mean, spread = _running(values, window)
    return Curve(_running(along, window)[0], mean, colour, line, band=spread if window > 1 else None)


def _runs(histories: History | Mapping[str, History], table: Literal["steps", "evaluations"]) -> Mapping[str, History]:
    runs = {"": histories} if isinstance(histories, History) else histories
    if not isinstance(runs, Mapping) or not runs or not all(isinstance(run, History) for run in runs.values()):
        raise TypeError(f"expected a History or a mapping label -> History, received {histories!r}")
    for label, run in runs.items():
        if not any(getattr(run, table).values()):
            advice = "train for at least one step" if table == "steps" else "draw its steps alone with step_curve"
            raise ValueError(f"expected a history with {table}, received {label or 'history'}={run!r}: {advice}")
    return runs


def _check_columns(columns: Sequence[str], *, most: int) -> None:
    if isinstance(columns, str) or not columns:
        wanted = (columns or "train_loss",)
        raise ValueError(f"expected at least one column in a tuple, received {columns=}: write {wanted}")
    if len(columns) > most:
        raise ValueError(f"expected at most {most} columns for several runs, received {columns=}: draw two figures")


def _words(columns: Sequence[str], table: Table) -> tuple[str, list[str]]:
    """The label of the vertical axis, and a name for each column: the set alone where all show the same quantity."""
    parts = []
    for column in columns:
        owner, quantity = parts_of(column, table)
        parts.append((owner, quantity) if owner else (column.partition("_")[0], column.partition("_")[2]))
    quantities = list(dict.fromkeys(quantity for _, quantity in parts))
    if len(columns) == 1:
        return _spaced(columns[0]), [""]
    if len(quantities) == 1:
        return _spaced(quantities[0]), [_spaced(owner) for owner, _ in parts]
    return ", ".join(_spaced(quantity) for quantity in quantities), [_spaced(column) for column in columns]


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _numbers(column: list[float]) -> Array:
    return np.array(column, float)


def _best_row(run: History) -> int | None:
    steps = run.evaluations.get("step", [])
    return steps.index(run.best_step) if run.best_step in steps else None


def _running(values: Array, window: int) -> tuple[Array, Array]:
    """Mean and standard deviation of each `window` values in a row, (n - window + 1,) both; NaN where not finite."""
    if window == 1:
        return values, np.zeros_like(values)
    finite = np.isfinite(values)
    centre = float(np.median(values[finite])) if finite.any() else 0.0  # keeps the squares small
    centred = np.where(finite, values - centre, np.nan)
    share = np.full(window, 1 / window)
    mean = np.convolve(centred, share, "valid")
    with np.errstate(over="ignore", invalid="ignore"):  # a loss of 1e200 has a mean, but no band
        variance = np.convolve(centred**2, share, "valid") - mean**2
        return mean + centre, np.sqrt(np.maximum(variance, 0))


def _run_keys(runs: Mapping[str, Any], palette: list[Any]) -> list[Artist]:
    return [legend_key(str(label), colour) for label, colour in zip(runs, palette, strict=True)]

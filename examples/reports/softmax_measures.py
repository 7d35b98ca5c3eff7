"""What the claims about softmax regression are measured by: roughness, gaps, jumps, and when a cost has settled."""

from collections.abc import Callable

import numpy as np
from report import Row, ends, with_spread

from minidl import Linear, Sequential
from minidl.data import roughness
from minidl.experiments import Result, Results
from minidl.initializers import normal


def rough(group: Results) -> np.ndarray:
    """The roughness of a run's ten templates, on average, for each seed."""
    return np.array([roughness(weight.T, (3, 32, 32)).mean() for weight in group.column("weight")])


def rough_change(group: Results) -> np.ndarray:
    """The same of what the data added: the initial weights, as far as they have not decayed, are taken away."""
    return np.array([roughness(added(result).T, (3, 32, 32)).mean() for result in group])


def added(result: Result) -> np.ndarray:
    """W minus what is left of the initial weights: each step multiplies them by 1 - 2 eta lambda."""
    setting = result.run.setting
    steps = setting["epochs"] * (setting["rows"] // 100)
    left = (1 - 2 * setting["eta"] * setting["strength"]) ** steps
    initial = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=result.run.seed)[0].weight.value
    rest: np.ndarray = result.values["weight"] - left * initial
    return rest


def gap(group: Results, epoch: int = -1) -> np.ndarray:
    """Validation minus training loss after one epoch, for each seed."""
    apart: np.ndarray = ends(group, "validation_loss", epoch) - ends(group, "training_loss", epoch)
    return apart


def jumps(group: Results, name: str) -> np.ndarray:
    """The largest change of a curve from one epoch to the next, for each seed."""
    return np.array([np.abs(np.diff(curve)).max() for curve in group.column(name)])


def steepest_rise(group: Results, name: str) -> float:
    """By how much the mean of a curve over the seeds rises from one epoch to the next, at most."""
    return max(0.0, float(np.diff(group.array(name).mean(axis=0)).max()))


def is_smooth(group: Results, name: str) -> bool:
    """Whether no rise of the mean of a curve is more than 2 % of its whole fall."""
    return steepest_rise(group, name) < 0.02 * whole_fall(group, name)


def whole_fall(group: Results, name: str) -> float:
    """By how much the mean of a curve falls from the first epoch to the last."""
    curve = group.array(name).mean(axis=0)
    return float(curve[0] - curve[-1])


def second_half(group: Results, name: str) -> float:
    """By how much the mean of a curve falls in the second half of the epochs."""
    curve = group.array(name).mean(axis=0)
    return float(curve[len(curve) // 2] - curve[-1])


def settled(group: Results) -> int:
    """The epoch from which on the mean training cost stays within 0.02 of its last value."""
    away = np.abs(group.array("training_cost").mean(axis=0) - ends(group, "training_cost").mean()) > 0.02
    return int(np.flatnonzero(away).max(initial=-1)) + 2


def in_order(groups: dict[str, Results], measure: Callable[[Results], np.ndarray], form: str = ".2f") -> str:
    """A measure for each lambda at eta 0.001, as text."""
    _, *cases = groups.values()
    return f"{', '.join(with_spread(measure(group), form) for group in cases)} for lambda 0, 0.1, 1"


def measured_rows(label: str, group: Results) -> list[Row]:
    """How noisy the templates of a setting are, and how far its curves jump and part."""
    wild = group[0].run.setting["eta"] == 0.1
    return [
        Row(f"{label}: roughness of the templates", "", rough(group), form=".2f"),
        Row(f"{label}: roughness of what the data added", "", rough_change(group), form=".2f"),
        Row(
            f"{label}: validation loss at the end",
            "",
            ends(group, "validation_loss"),
            (3, np.inf) if wild else None,
            ".3f",
        ),
        Row(f"{label}: gap at the end", "", gap(group), form=".3f"),
        Row(
            f"{label}: largest change of the training loss in an epoch",
            "",
            jumps(group, "training_loss"),
            (0.5, np.inf) if wild else None,
            ".3f",
        ),
    ]

"""Monitor: the one meaning of "better" for early stopping, plateaus and best weights."""

import math
from collections.abc import Collection, Mapping
from typing import Literal

from minidl.arguments import Recorded, check_number, suggest

Mode = Literal["min", "max"]
SMALLER_IS_BETTER = ("loss", "penalty", "cost")


class Monitor(Recorded):
    """Watches one column of the evaluations. Better means: beyond the best so far by more than `min_delta`.

    NaN never improves. Adding a constant to the column changes nothing.

    Args:
        monitor: the name of the column, such as "validation_loss" or "validation_accuracy".
        mode: "min" where smaller is better, "max" where larger is. May be left out for losses, penalties and costs
            only, where smaller is better; nothing is guessed.
        min_delta: >= 0, in the units of the column.

    >>> watch = Monitor("validation_loss")
    >>> [watch.improved({"validation_loss": loss}) for loss in (1.0, 1.0, 0.5, float("nan"))]
    [True, False, True, False]
    """

    def __init__(self, monitor: str = "validation_loss", *, mode: Mode | None = None, min_delta: float = 0.0) -> None:
        if mode not in ("min", "max", None):
            raise ValueError(f"expected mode to be 'min' or 'max', received mode={mode!r}")
        if not isinstance(monitor, str):
            raise ValueError(f"expected monitor to be the name of a column, received monitor={monitor!r}")
        if mode is None and not monitor.endswith(SMALLER_IS_BETTER):
            raise ValueError(
                f"expected mode='max' or mode='min' with monitor={monitor!r}: which is better, large or small?"
            )
        self.monitor, self.mode = monitor, mode or "min"
        self.min_delta = check_number("min_delta", min_delta, minimum=0)
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.best = math.inf if self.mode == "min" else -math.inf
        self.waited = 0

    def state(self) -> dict[str, float]:
        """The best value and how long it is ago."""
        return {"best": self.best, "waited": self.waited}

    def load_state(self, state: Mapping[str, float]) -> None:
        """Go on from there."""
        self.best, self.waited = float(state["best"]), int(state["waited"])

    def same(self, other: "Monitor") -> bool:
        """Whether both call the same evaluations better."""
        return (self.monitor, self.mode, self.min_delta) == (other.monitor, other.mode, other.min_delta)

    def check(self, columns: Collection[str]) -> None:
        """Raise ValueError where the column will not be recorded, before a step is taken."""
        if self.monitor not in columns:
            raise ValueError(
                f"expected monitor to be a recorded column, received monitor={self.monitor!r}; "
                f"{suggest(self.monitor, columns)}; others come with a validation set given to fit and metrics given "
                f"to the Trainer"
            )

    def improved(self, row: Mapping[str, float]) -> bool:
        """Take note of one evaluation; `waited` counts those since the last that improved."""
        value = row[self.monitor]
        gain = self.best - value if self.mode == "min" else value - self.best
        better = gain > self.min_delta
        self.best, self.waited = (value, 0) if better else (self.best, self.waited + 1)
        return better

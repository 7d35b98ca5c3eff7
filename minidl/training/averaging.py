"""AverageWeights: the callback that ends a run with a mean of its weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.arguments import check_number, short
from minidl.remembered import check_state, count_in, floats_in
from minidl.training.callbacks import Callback


class AverageWeights(Callback):
    """End the run with the mean of the weights over its last part, instead of the last or the best ones.

    That mean is evaluated on the validation sets, as the last row of `history.evaluations`.

    Args:
        last: the part, as a fraction of the planned steps, in (0, 1].

    Attributes:
        count: how many steps the mean was taken over; 0 leaves the weights as they are.

    Raises:
        ValueError: at `fit`, where `restore_best` would undo it: pass `restore_best=False`.

    Source: Polyak and Juditsky, SIAM Journal on Control and Optimization 30, 1992.

    >>> AverageWeights(last=0.25)
    AverageWeights(last=0.25)
    """

    def __init__(self, last: float = 1 / 3) -> None:
        self.last = check_number("last", last, minimum=0, maximum=1)
        if self.last == 0:
            raise ValueError("expected last to be > 0, received last=0: nothing would be averaged")
        self.count, self.first, self.planned, self.mean = 0, 0, 0, np.zeros(0)

    def on_fit_begin(self, trainer: Any) -> None:
        """Find the first step to average."""
        if trainer.restores_best:
            raise ValueError(
                f"expected fit(..., restore_best=False) with {self!r}: a run ends with one kind of weights"
            )
        self.count = 0
        self.mean = np.zeros(trainer.model.parameters.size)
        self.planned = trainer.planned_steps
        self.first = trainer.optimizer.steps + round(self.planned * (1 - self.last)) + 1

    def on_step_end(self, trainer: Any) -> None:
        """Move the mean: m <- m + (w - m) / count, in float64."""
        if trainer.optimizer.steps >= self.first:
            self.count += 1
            self.mean += (trainer.model.parameters.value - self.mean) / self.count

    def on_fit_end(self, trainer: Any) -> None:
        """Put the mean into the model."""
        if self.count:
            trainer.model.parameters.value[...] = self.mean

    def state(self) -> dict[str, Any]:
        """The mean so far."""
        return {"count": self.count, "first": self.first, "mean": self.mean.copy(), "planned": self.planned}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on with it; refuses a run of another length, whose last part is another.

        Raises:
            ValueError, TypeError: it is not what `state` returned in such a run; nothing has changed.
        """
        check_state(self, state, ("count", "first", "mean", "planned"))
        if (planned := count_in(state, "planned")) != self.planned:
            raise ValueError(f"expected the {planned} steps planned before, received {self.planned}")
        count, first, mean = (
            count_in(state, "count"),
            count_in(state, "first"),
            floats_in(state, "mean", self.mean.shape),
        )
        if count > planned or mean.dtype != self.mean.dtype or not np.isfinite(mean).all():
            raise ValueError(
                f"expected a finite mean of {self.mean.dtype} over at most {planned} steps, received "
                f"mean={short(mean)}, {count=}: is it another's?"
            )
        self.count, self.first, self.mean = count, first, mean

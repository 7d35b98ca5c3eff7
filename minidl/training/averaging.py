"""Callbacks that end a run with a mean of its weights: over its last part, or one that forgets exponentially."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.arguments import check_number, short
from minidl.parameters import Floats
from minidl.remembered import check_state, count_in, floats_in
from minidl.training.callbacks import Callback


class _MeanOfWeights(Callback):
    """m <- m + (w - m) / span in float64 after each step that counts; at the end w <- m."""

    _layout: object = None  # which numbers stand where in the mean
    _of_the_moment = ("_layout",)

    def __init__(self) -> None:
        self.count, self.mean = 0, np.zeros(0)

    def on_fit_begin(self, trainer: Any) -> None:
        """Begin a new mean."""
        if trainer.restores_best:
            raise ValueError(
                f"expected fit(..., restore_best=False) with {self!r}: a run ends with one kind of weights"
            )
        self.count, self.mean = 0, np.zeros(trainer.model.parameters.value.size)
        self._layout = trainer.model.parameters.layout

    def on_step_end(self, trainer: Any) -> None:
        """Move the mean."""
        if self.counts(trainer.optimizer.steps):
            self.count += 1
            self.mean += (self._weights(trainer) - self.mean) / self.span()

    def on_fit_end(self, trainer: Any) -> None:
        """Put the mean into the model."""
        if self.count:
            self._weights(trainer)[...] = self.mean

    def _weights(self, trainer: Any) -> Floats:
        """The numbers that the mean is of, if they are still where they were."""
        if trainer.model.parameters.layout is not self._layout:
            raise ValueError(
                f"expected the parameters of the mean to stay the same for all of a run with {self!r}, received others "
                f"after freeze or unfreeze: do that between two calls of fit"
            )
        weights: Floats = trainer.model.parameters.value
        return weights

    def counts(self, step: int) -> bool:
        """Whether the weights after that step enter."""
        return True

    def span(self) -> float:
        """How many steps the mean is over, or as good as: 1 at the first."""
        raise TypeError(f"{type(self).__name__} must define span(self)")

    def state(self) -> dict[str, Any]:
        """The mean so far."""
        return {"count": self.count, "mean": self.mean.copy()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on with it.

        Raises:
            ValueError, TypeError: it is not what `state` returned in such a run; nothing has changed.
        """
        check_state(self, state, self.state())
        count, mean = count_in(state, "count"), floats_in(state, "mean", self.mean.shape)
        if mean.dtype != self.mean.dtype or not np.isfinite(mean).all():
            raise ValueError(
                f"expected a finite mean of {self.mean.dtype}, received mean={short(mean)}: is it another's?"
            )
        self.count, self.mean = count, mean


class AverageWeights(_MeanOfWeights):
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
        super().__init__()
        self.last = check_number("last", last, minimum=0, maximum=1)
        if self.last == 0:
            raise ValueError("expected last to be > 0, received last=0: nothing would be averaged")
        self.first, self.planned = 0, 0

    def on_fit_begin(self, trainer: Any) -> None:
        """Find the first step to average."""
        super().on_fit_begin(trainer)
        self.planned = trainer.planned_steps
        self.first = trainer.optimizer.steps + round(self.planned * (1 - self.last)) + 1

    def counts(self, step: int) -> bool:
        """Whether the step is in the last part."""
        return step >= self.first

    def span(self) -> float:
        """All that count."""
        return self.count

    def state(self) -> dict[str, Any]:
        """The mean so far, and of which steps."""
        return super().state() | {"first": self.first, "planned": self.planned}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on with it; refuses a run of another length, whose last part is another."""
        check_state(self, state, self.state())
        first, planned = count_in(state, "first"), count_in(state, "planned")
        if planned != self.planned:
            raise ValueError(f"expected the {planned} steps planned before, received {self.planned}")
        if (count := count_in(state, "count")) > planned:
            raise ValueError(f"expected a mean over at most {planned} steps, received {count=}: is it another's?")
        super().load_state(state)
        self.first = first


class ExponentialAverage(_MeanOfWeights):
    """End the run with an exponential moving average of the weights, instead of the last or the best ones.

    After step t of the run: a_t = decay a_{t-1} + (1 - decay) w_t from a_0 = 0, and the mean is a_t / (1 - decay**t):
    the correction of `Adam`, so the start at 0 never shows. It is evaluated on the validation sets, as the last row of
    `history.evaluations`. States, such as running statistics, stay those of the last step.

    Args:
        decay: in [0, 1); about the last 1 / (1 - decay) steps count.

    Attributes:
        count: how many steps entered; 0 leaves the weights as they are.

    Raises:
        ValueError: at `fit`, where `restore_best` would undo it: pass `restore_best=False`.

    Source: Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS 2017, equation 2; the correction:
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.2.

    >>> ExponentialAverage(decay=0.99)
    ExponentialAverage(decay=0.99)
    """

    def __init__(self, decay: float = 0.999) -> None:
        super().__init__()
        self.decay = check_number("decay", decay, minimum=0, maximum=1)
        if self.decay == 1:
            raise ValueError("expected decay to be < 1, received decay=1: no weights but the first would count")

    def span(self) -> float:
        """(1 - decay**t) / (1 - decay) = 1 + decay + ... + decay**(t - 1), by which a_t / (1 - decay**t) moves."""
        return (1 - self.decay**self.count) / (1 - self.decay)

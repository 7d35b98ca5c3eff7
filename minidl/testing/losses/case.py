"""One drawn case of a loss."""

from functools import cached_property
from typing import Any

import numpy as np

from minidl.frozen import frozen
from minidl.layers.losses.base import Loss
from minidl.parameters import Array
from minidl.testing.functions import shown
from minidl.testing.report import Case, CheckError, raised


class LossCheckError(CheckError):
    """A loss broke one of its properties; the text holds the smallest case found."""


@frozen
class LossCase(Case):
    """A loss, scores in float64, targets, and weights of which at least one is positive.

    `other` is another loss made by the same call, None where one object was given.
    """

    loss: Loss
    scores: Array
    targets: Array
    weights: Array
    seed: int
    other: Loss | None = None

    def __repr__(self) -> str:
        arrays = {"scores": self.scores, "targets": self.targets, "weights": self.weights}
        given = ", ".join(f"{name!r}: {array.tolist()}" for name, array in arrays.items())
        return f"check_loss({self.loss!r}, at={{{given}, 'seed': {self.seed}}})"

    @cached_property
    def rng(self) -> np.random.Generator:
        """The randomness of the case."""
        return np.random.default_rng(self.seed)

    def failure(
        self, failed: str, details: str = "", *, weights: Array | None = None, drawn: bool = True
    ) -> LossCheckError:
        """The error to raise, with the scores drawn, unless the details tell others, and the call that repeats it."""
        lines = [details, f"  scores = {shown(self.scores)}" if drawn else ""]
        lines += [f"  targets = {shown(self.targets)}"]
        lines += [f"  weights = {shown(weights)}"] if weights is not None else []
        lines += [f"  loss           {self.loss!r}", f"  repeat with    {self!r}"]
        return LossCheckError(type(self.loss).__name__, failed, *lines)

    def value(self, scores: Array, targets: Array, weights: Array | None = None) -> float:
        """The loss, or a failure if it raises."""
        try:
            return self.loss.forward(scores, targets, weights)
        except Exception as error:
            details = raised(error)
            details += "" if np.array_equal(scores, self.scores) else f"\n  for scores = {shown(scores)}"
            details += (
                "\n  if it takes other targets: targets=binary_labels, real_targets, ... (class_labels is the default)"
            )
            raise self.failure("forward must not raise", details, weights=weights).of_running() from error

    def gradient(self) -> Array:
        """The gradient of the newest value, or a failure if it raises."""
        try:
            return self.loss.backward()
        except Exception as error:
            raise self.failure("backward must not raise", raised(error)).of_running() from error

    def rows(self, rows: Any, weights: Array | None = None) -> float:
        """The loss of some of the rows."""
        return self.value(self.scores[rows], self.targets[rows], weights)

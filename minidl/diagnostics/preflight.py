"""Before a long run: does the loss start where it should, and can the network learn one batch by heart?"""

import math

import numpy as np

from minidl.arguments import check_integer
from minidl.diagnostics.copies import copy_of, first_rows
from minidl.frozen import frozen
from minidl.layers.losses.base import Loss
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.returned import check_finite
from minidl.training.divergence import DivergenceError
from minidl.training.door import Data
from minidl.training.trainer import Trainer

ROWS = 1024  # of which the loss at the start is taken
ABOVE, ROOM = 1.5, 0.1  # how far above the expected loss one may start: a factor, and a little more
LEARNED = 0.1  # of the first loss, below which a batch is known by heart


@frozen
class Preflight:
    """What was found before a run.

    Attributes:
        expected_loss: the loss of scores that are all 0; log of the number of classes for a cross-entropy.
        first_loss: the loss of the model as it is.
        batch_losses: (steps,) on one batch, which a copy was trained on again and again.
        warnings: one sentence for each thing that is not as it should be.
        ready: whether there is none.
    """

    expected_loss: float
    first_loss: float
    batch_losses: Array
    warnings: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing speaks against a long run."""
        return not self.warnings

    def __str__(self) -> str:
        """Both losses, what became of the batch, and the warnings."""
        losses = self.batch_losses
        lines = [
            f"loss at the start: {self.first_loss:.4g} (scores of 0 have {self.expected_loss:.4g})",
            f"one batch: {losses[0]:.4g} -> {losses[-1]:.4g} in {len(losses) - 1} steps",
        ]
        return "\n".join([*lines, *(f"warning: {text}" for text in self.warnings)])


@quiet
def expected_loss(loss: Loss, scores: Array, targets: Array, weights: Array | None = None) -> float:
    """The loss of scores that are all 0, which a network that knows nothing should start near.

    For `SoftmaxCrossEntropy` log of the number of classes, for `BinaryCrossEntropy` log 2 for each label, for
    `MeanSquaredError` the mean square of the targets.

    Args:
        loss: a copy of it is asked.
        scores: in the shape of what the model returns; the numbers are not used.
        targets: as the loss takes them.
        weights: of the rows.

    >>> from minidl import SoftmaxCrossEntropy
    >>> expected_loss(SoftmaxCrossEntropy(), np.zeros((5, 10)), np.arange(5)).__round__(4), np.log(10).round(4).item()
    (2.3026, 2.3026)
    """
    from copy import deepcopy

    return deepcopy(loss).forward(np.zeros_like(scores), targets, weights)


def overfit_one_batch(trainer: Trainer, train: Data, *, rows: int = 32, steps: int = 300) -> Array:
    """The losses of a copy that sees the same few rows at every step: (steps + 1,), the last one after the last step.

    A network that cannot learn them by heart, without regularizers, will not learn more. It stops early where the loss
    is below 1 % of the first one, or diverges, which ends in an infinite one. The trainer stays as it is.

    Args:
        trainer: its optimizer takes the steps, with its own rate.
        train: the first rows of it are the batch.
        rows: how many.
        steps: at most.

    >>> from minidl import Adam, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Trainer
    >>> from minidl.data import digits, standardize
    >>> train, rest = standardize(*digits().split(0.7, 0.3, seed=0))
    >>> model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10)).build(seed=0)
    >>> losses = overfit_one_batch(Trainer(model, SoftmaxCrossEntropy(), Adam(1e-2)), train)
    >>> bool(losses[-1] < 0.02 * losses[0])
    True
    """
    rows, steps = check_integer("rows", rows, minimum=1), check_integer("steps", steps, minimum=1)
    trial = copy_of(trainer, regularized=False)
    batch = first_rows("train", train, rows, trial.model.parameters.dtype)
    check_finite("train.x", batch.x, batch.x.dtype)
    losses: list[float] = []
    try:
        for _ in range(steps):
            losses.append(trial.step(batch.x, batch.targets, batch.weights))
            if losses[-1] < 0.01 * losses[0]:
                return np.array(losses)
        losses.append(trial.loss_and_gradient(batch.x, batch.targets, batch.weights))
    except DivergenceError:
        losses.append(math.inf)
    return np.array(losses)


def preflight(trainer: Trainer, train: Data, *, rows: int = 32, steps: int = 300) -> Preflight:
    """Two checks before a long run, on copies: the loss at the start, and one batch by heart.

    1. The loss of the first 1024 rows should not be more than 1.5 times that of scores which are all 0 (and 0.1 more):
       a network that begins far above is sure of what it does not know, by large inputs or weights.
    2. `overfit_one_batch` should end below a tenth of its first loss. If not, something between data, layers, loss and
       learning rate is wrong, or so much noise is added (dropout, augmentation) that more steps are needed.

    Args:
        trainer: as it would train; it stays as it is.
        train: the data.
        rows: of the one batch.
        steps: at most, on it.

    >>> from minidl import Adam, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Trainer
    >>> from minidl.data import digits, standardize
    >>> train, rest = standardize(*digits().split(0.7, 0.3, seed=0))
    >>> model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10)).build(seed=0)
    >>> found = preflight(Trainer(model, SoftmaxCrossEntropy(), Adam(1e-2)), train)
    >>> found.ready, round(found.expected_loss, 4)
    (True, 2.3026)
    """
    trial = copy_of(trainer)
    data = first_rows("train", train, ROWS, trial.model.parameters.dtype)
    scores = trial.model.predict(data.x)
    expected = expected_loss(trial.loss, scores, data.targets, data.weights)
    first = trial.loss.forward(scores, data.targets, data.weights)
    losses = overfit_one_batch(trainer, train, rows=rows, steps=steps)
    warnings = []
    if not first <= ABOVE * expected + ROOM:
        warnings.append(
            f"the loss starts at {first:.4g}, far above {expected:.4g}: smaller initial weights, or "
            f"minidl.data.standardize for the inputs"
        )
    if not losses[-1] <= LEARNED * losses[0]:
        warnings.append(
            f"one batch of {min(rows, len(data))} rows was not learned by heart, its loss went from {losses[0]:.4g} to "
            f"{losses[-1]:.4g} in {len(losses) - 1} steps: another learning rate (range_test), more units, or a "
            f"mistake in data or layers"
        )
    return Preflight(expected, first, losses, tuple(warnings))

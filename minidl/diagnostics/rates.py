"""The learning-rate range test: the rate grows at each step of a copy, and the loss says where it learns and breaks."""

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.diagnostics.copies import copy_of
from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.training.door import Data
from minidl.training.trainer import Trainer

FALL = 0.05  # of the first smooth cost, which the lowest one must be below it by


@frozen
class RangeTest:
    """What a range test measured; `minidl.plots.range_curve` draws it.

    Attributes:
        rates: (steps,) learning rates, each larger than the one before by the same factor.
        costs: (steps,) what each step cost before its update.
        smooth: (steps,) the mean of a cost with its neighbours.
        suggestion: a third of `lowest`.
        steepest: the rate at which the smooth cost falls fastest, before its lowest point.
        lowest: the rate at its lowest point; from there on a run would not last.
        diverged: whether the cost left all bounds before the largest rate.
    """

    rates: Array
    costs: Array
    smooth: Array
    suggestion: float
    steepest: float
    lowest: float
    diverged: bool

    def __str__(self) -> str:
        """The suggestion in one line."""
        broken = "and then it diverged" if self.diverged else "up to the largest rate it did not diverge"
        return (
            f"suggested learning rate {self.suggestion:.2g}: a third of {self.lowest:.2g}, where the cost is lowest; "
            f"it falls fastest at {self.steepest:.2g}, {broken}"
        )


def range_test(
    trainer: Trainer,
    train: Data,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 120,
    batch_size: int = 64,
    seed: int = 0,
) -> RangeTest:
    """Find a learning rate: lr_t = low (high / low)**(t / (steps - 1)) for t = 0, 1, ... on a copy of the trainer.

    The trainer stays as it is: a copy of model, loss and optimizer takes the steps, without callbacks. It ends early
    where the cost is not finite or 100 times the first one. The suggestion is a third of the rate at which the smooth
    cost is lowest: a start, which `fit` must prove. Costs of single batches are noisy, so another seed may move it by a
    factor of two.

    Args:
        trainer: fresh, or trained so far; its own rate and schedule are not used.
        train: what it would train on.
        low: the first rate.
        high: the last one.
        steps: how many rates, at least 20.
        batch_size: as `fit` would take.
        seed: of the order of the data.

    Raises:
        ValueError: high is not above low, too few steps, or a cost that never falls by 5 %: `low` is too large, `high`
            too small, or the network cannot learn, which `preflight` may explain.

    Source: Smith, "Cyclical learning rates for training neural networks", WACV 2017.

    >>> from minidl import SGD, Linear, Sequential, SoftmaxCrossEntropy, Trainer
    >>> from minidl.data import digits, standardize
    >>> train, rest = standardize(*digits().split(0.7, 0.3, seed=0))
    >>> trainer = Trainer(Sequential(Linear(64, 10)).build(seed=0), SoftmaxCrossEntropy(), SGD(1e-4))
    >>> found = range_test(trainer, train)
    >>> 0.001 < found.suggestion < 1.0, trainer.optimizer.steps
    (True, 0)
    """
    low, high = check_number("low", low, minimum=0), check_number("high", high, minimum=0)
    if not 0 < low < high:
        raise ValueError(f"expected 0 < low < high, received {low=}, {high=}: rates grow from low to high")
    steps = check_integer("steps", steps, minimum=20)
    trial = copy_of(trainer)
    start, trial.optimizer.lr_scale = trial.optimizer.steps, 1.0
    trial.optimizer.lr = lambda step: low * (high / low) ** ((step - start) / (steps - 1))
    history = trial.fit(
        train, steps=steps, batch_size=batch_size, seed=seed, max_growth=100, raise_divergence=False, progress=False
    )
    rates, costs = (np.array(history.steps[name], float) for name in ("learning_rate", "cost"))
    diverged = history.stopped_because.startswith("diverged")
    return _found(rates, costs, steps, diverged=diverged)


def _found(rates: Array, costs: Array, steps: int, *, diverged: bool) -> RangeTest:
    smooth = smoothed(costs, max(1, steps // 40))
    lowest = int(smooth.argmin())
    if lowest < 2 or not smooth[lowest] < smooth[0] - FALL * abs(smooth[0]):
        raise ValueError(
            f"expected a cost that falls by {FALL:.0%} from the rate low={rates[0]:.2g} on, received {smooth[0]:.4g} "
            f"there and {smooth[lowest]:.4g} at {rates[lowest]:.2g}, its lowest: take a smaller low= or a larger high=,"
            f" or ask preflight(trainer, train)"
        )
    slope = np.gradient(smooth[: lowest + 1], np.log(rates[: lowest + 1]))
    steepest, found = int(slope.argmin()), float(rates[lowest])
    return RangeTest(rates, costs, smooth, found / 3, float(rates[steepest]), found, diverged)


def smoothed(values: Array, reach: int) -> Array:
    """The mean of each value with `reach` neighbours on both sides, fewer of them at the ends.

    >>> smoothed(np.array([0.0, 3.0, 6.0]), 1)
    array([1.5, 3. , 4.5])
    """
    ones = np.ones(2 * reach + 1)
    return (
        np.convolve(values, ones)[reach : reach + len(values)]
        / np.convolve(np.ones(len(values)), ones)[reach : reach + len(values)]
    )

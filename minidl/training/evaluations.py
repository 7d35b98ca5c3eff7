"""Evaluations: when there is one, as `validate_every` says it, and what it says of the training batches before it."""

import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from minidl.arguments import check_integer, check_number, short
from minidl.data.dataset import Dataset
from minidl.quiet import quietly
from minidl.remembered import check_state, number_in
from minidl.training.divergence import DivergenceError
from minidl.training.door import check_weighs, measured, penalty_of
from minidl.training.view import TrainerView


def evaluation_points(validate_every: float | Callable[[int], bool]) -> Callable[[int, float, float], bool]:
    """A function of (step of the optimizer's clock, epochs of this fit before the step, and after): evaluate after it?

    An int counts steps, a float epochs, a function decides by the step of the optimizer's clock.

    >>> every_fifth = evaluation_points(0.2)
    >>> [step for step in range(1, 32) if every_fifth(step, (step - 1) / 31, step / 31)]
    [7, 13, 19, 25, 31]

    Raises:
        ValueError: not a positive number and not a function.
    """
    if callable(validate_every):
        return lambda clock, before, after: _decided(validate_every(clock))
    if isinstance(validate_every, Integral):
        every = check_integer("validate_every", validate_every, minimum=1)
        return lambda clock, before, after: clock % every == 0
    if not isinstance(validate_every, Real):
        raise ValueError(
            f"expected validate_every to be an int (steps), a float (epochs) or a function of the step, "
            f"received validate_every={short(validate_every)}: for steps of a list write lambda step: step in steps"
        )
    interval = max(1e-9, check_number("validate_every", validate_every, minimum=0, exclusive=True))

    little = 1e-9  # 3 * 0.1 epochs are 0.30000000000000004
    return lambda clock, before, after: int(after / interval + little) > int(before / interval + little)


def _decided(value: object) -> bool:
    """What a function answered to whether there is an evaluation: True, False or a number."""
    if isinstance(value, bool | Real | np.bool_) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return bool(value)
    raise TypeError(
        f"expected validate_every to return True or False, received {short(value)}: return bool(...) of what decides"
    )


def judged(trainer: TrainerView, data: Dataset, *, batch_size: int | None) -> dict[str, float]:
    """Loss, penalty, cost and every metric on a whole set; see `Trainer.evaluate`.

    Where the cost of a set of the run that is under way is not finite, metrics are NaN, as none of them is asked.
    """
    sets: Mapping[str, Dataset] = {} if trainer.run is None else trainer.run.sets
    model, parameters = trainer.model, trainer.model.parameters
    with quietly():
        scores = model.predict(data.x, batch_size=batch_size)
        loss = float(trainer.loss.forward(scores, data.targets, data.weights))
        check_weighs(trainer.loss)
        gradient = parameters.grad.copy()
        penalty = sum((penalty_of(regularize, parameters) for regularize in trainer.regularizers), 0.0)
        parameters.grad[...] = gradient
        diverged = not math.isfinite(loss + penalty) and any(own is data for own in sets.values())
        of_metrics = {
            name: math.nan if diverged else measured(name, metric, scores, data.targets)
            for name, metric in trainer.metrics.items()
        }
    return {"loss": loss, "penalty": penalty, "cost": loss + penalty, **of_metrics}


def check_costs(row: Mapping[str, float], sets: Iterable[str]) -> None:
    """Refuse an evaluation in which the cost of a set is not finite, although the parameters are."""
    for name in sets:
        if not math.isfinite(row[f"{name}_cost"]):
            found = f"loss {row[f'{name}_loss']} and penalty {row[f'{name}_penalty']} on {name!r}"
            raise DivergenceError(int(row["step"]), f"{found}, of finite parameters: no metric was asked")


class BatchMeans:
    """The means of loss and penalty over the batches since the evaluation before, weighted as the loss weighs rows.

    >>> means = BatchMeans()
    >>> means.add(weight=1, loss=0.5, penalty=0.0)
    >>> means.add(weight=3, loss=1.5, penalty=1.0)
    >>> means.columns()
    {'train_loss': 1.25, 'train_penalty': 0.75, 'train_cost': 2.0}
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the batches."""
        self.weight = self.loss = self.penalty = 0.0

    def add(self, weight: float, loss: float, penalty: float) -> None:
        """Count one batch."""
        self.weight += weight
        self.loss += weight * loss
        self.penalty += weight * penalty

    def columns(self) -> dict[str, float]:
        """The columns of the evaluation; NaN where no row weighed anything."""
        loss, penalty = (total / self.weight if self.weight else math.nan for total in (self.loss, self.penalty))
        return {"train_loss": loss, "train_penalty": penalty, "train_cost": loss + penalty}

    def state(self) -> dict[str, Any]:
        """The three sums."""
        return {"weight": self.weight, "loss": self.loss, "penalty": self.penalty}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        check_state("the means of batches", state, ("weight", "loss", "penalty"))
        weight = number_in(state, "weight", minimum=0)
        self.weight, self.loss, self.penalty = weight, number_in(state, "loss"), number_in(state, "penalty")

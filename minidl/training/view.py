"""What callbacks know of the trainer (the type of the `trainer` hooks are given), and checkpoints of a run."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from typing import Any, Protocol

from minidl.data.dataset import Dataset
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.metrics import Metric
from minidl.optim.base import Optimizer
from minidl.parameters import Array
from minidl.training.history import History


class TrainerView(Protocol):
    """See the attributes of `Trainer`, which has all of these."""

    model: Layer
    loss: Loss
    optimizer: Optimizer
    metrics: dict[str, Metric]
    regularizers: list[Any]
    callbacks: list[Any]
    history: History
    epoch: int
    planned_steps: int
    restores_best: bool
    stop_reason: str
    step_loss: float
    step_penalty: float

    def step(self, x: Array, targets: Array, weights: Array | None = None) -> float:
        """Take one step on one batch."""

    def evaluate(self, data: Dataset) -> dict[str, float]:
        """Loss, penalty, cost and metrics on a set."""

    def stop(self, reason: str) -> None:
        """End the run after the current step."""


class RunView(Protocol):
    """What a checkpoint keeps and puts back; see `Run`, which has all of these."""

    trainer: TrainerView
    train: Dataset
    sets: dict[str, Dataset]
    plan: Any
    history: History
    feed: Any
    watch: Any
    best: tuple[int, float, dict[str, Array] | None] | None
    evaluated: bool
    identity: dict[str, str]

    def go_to(self, steps: int, *, epochs_before: int) -> None:
        """Stand where so many steps were taken, in a trainer that had begun so many epochs before the run."""

    @property
    def restores_best(self) -> bool:
        """Whether the run is to end with the weights of its best evaluation."""

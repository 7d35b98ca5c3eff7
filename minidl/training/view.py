"""What a run and its callbacks know of the trainer above them."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Mapping
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
    run: Any
    settings: Any
    history: History
    epoch: float
    augmentation: Any
    planned_steps: int
    restores_best: bool
    stop_reason: str
    share: tuple[int, int]
    step_loss: float
    step_penalty: float

    def step(self, x: Array, targets: Array, weights: Array | None = None) -> float:
        """Take one step on one batch."""

    def evaluate(self, data: Dataset) -> dict[str, float]:
        """Loss, penalty, cost and metrics on a set."""

    def agreed(self, interrupted: bool) -> tuple[bool, str]:
        """Whether the run is to end as by Ctrl-C, and the reason to stop."""

    def stop(self, reason: str) -> None:
        """End the run after the current step."""

    def state(self) -> dict[str, Any]:
        """What of the trainer a run remembers."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take it back."""

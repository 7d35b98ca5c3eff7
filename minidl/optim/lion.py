"""Lion: the sign of an average of the gradient."""

from minidl.arguments import check_number
from minidl.kernels.updates import lion_update
from minidl.optim.base import Clip, Optimizer
from minidl.optim.schedules import LearningRate
from minidl.optim.vectors import SETTLED, check_discount, settle
from minidl.parameters import Array
from minidl.store import Parameters


class Lion(Optimizer):
    """w <- w - lr sign(beta1 m + (1 - beta1) g), then m <- beta2 m + (1 - beta2) g.

    Every number moves by exactly lr, so take a rate of a third to a tenth of what Adam needs. First of all
    w <- w - lr weight_decay w on the parameters that decay applies to, never on biases, as in `AdamW`. A sum of exactly
    0 moves nothing; a number whose gradient has died goes on until its m is 0.

    Args:
        lr: a number >= 0 or a function of the step.
        weight_decay: >= 0.
        beta1: in [0, 1), for the direction.
        beta2: in [0, 1), for the memory.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument.

    Source: Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023, program 1.

    >>> import numpy as np
    >>> from minidl.initializers import zeros
    >>> from minidl import Parameter, Parameters
    >>> parameters = Parameters({"weight": Parameter((3,), zeros)}, np.random.default_rng(0))
    >>> parameters.grad[:] = [1000.0, -0.001, 0.0]
    >>> Lion(0.1).step(parameters)
    >>> parameters.value
    array([-0.1,  0.1,  0. ], dtype=float32)
    """

    slot_names = ("gradient_mean",)

    def __init__(
        self,
        lr: LearningRate = 1e-4,
        *,
        weight_decay: float = 0.0,
        beta1: float = 0.9,
        beta2: float = 0.99,
        clip: Clip | None = None,
    ) -> None:
        super().__init__(lr, clip=clip)
        self.weight_decay = check_number("weight_decay", weight_decay, minimum=0)
        self.beta1 = check_discount("beta1", beta1)
        self.beta2 = check_discount("beta2", beta2)

    def apply(self, parameters: Parameters, lr: float) -> None:
        """Decay, then the update."""
        decayed = parameters.value[parameters.decayed]
        decayed *= 1 - lr * self.weight_decay
        super().apply(parameters, lr)

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """One step of the formula of the class."""
        lion_update(value, grad, self.slots["gradient_mean"], self.beta1, self.beta2, lr)
        if (self.steps + 1) % SETTLED == 0:
            settle(self.slots["gradient_mean"])

"""RMSprop: the gradient divided by a running root mean square of itself."""

import math

from minidl.arguments import check_number
from minidl.kernels.updates import rmsprop_update
from minidl.optim.base import Clip, Optimizer
from minidl.optim.schedules import LearningRate
from minidl.optim.vectors import SETTLED, SMALLEST_EPS, check_discount, settle
from minidl.parameters import Array


class RMSprop(Optimizer):
    """v <- rho v + (1 - rho) g**2, w <- w - lr g / (sqrt(v) + eps): `eps` stands outside the root.

    The start of v at zero is not corrected for, so the first steps are long: lr / sqrt(1 - rho). The slot holds the sum
    v / (1 - rho); the constant factor goes into two numbers per step.

    Args:
        lr: a number >= 0 or a function of the step.
        rho: in [0, 1).
        eps: at least 1e-37, so that it is not 0 in float32.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument.

    Source: Hinton, Srivastava and Swersky, "Neural networks for machine learning", lecture 6e (2012), which has no eps.

    >>> import numpy as np
    >>> from minidl.initializers import zeros
    >>> from minidl.parameters import Parameter
    >>> from minidl.store import Parameters
    >>> parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0))
    >>> parameters.grad[:] = [1000.0, -0.001]
    >>> RMSprop(0.1, rho=0.75).step(parameters)
    >>> parameters.value.round(3)
    array([-0.2,  0.2], dtype=float32)
    """

    slot_names = ("square_sum",)
    _squares = ("square_sum",)

    def __init__(
        self, lr: LearningRate = 1e-3, *, rho: float = 0.9, eps: float = 1e-8, clip: Clip | None = None
    ) -> None:
        super().__init__(lr, clip=clip)
        self.rho = check_discount("rho", rho)
        self.eps = check_number("eps", eps, minimum=SMALLEST_EPS)

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """One step of the formula of the class."""
        b = math.sqrt(1 - self.rho)  # sqrt(v) = b sqrt(V), so g / (sqrt(v) + eps) = g/b / (sqrt(V) + eps/b)
        V = self.slots["square_sum"]
        rmsprop_update(value, grad, V, self.rho, self.eps / b, lr / b)
        if (self.steps + 1) % SETTLED == 0:
            settle(V, where=grad == 0)  # g over eps alone would be a huge step

"""Rates by element from the history of its gradients: Adagrad sums their squares, Adadelta forgets them again."""

from minidl.arguments import check_number
from minidl.kernels.updates import adadelta_update, rmsprop_update
from minidl.optim.base import Clip, Optimizer
from minidl.optim.schedules import LearningRate
from minidl.optim.vectors import SETTLED, SMALLEST_EPS, check_discount, settle
from minidl.parameters import Array


class Adagrad(Optimizer):
    """G <- G + g**2, w <- w - lr g / (sqrt(G) + eps): `eps` stands outside the root.

    The sum only grows, so steps shrink as 1 / sqrt(steps), and numbers that seldom have a gradient keep long ones.

    Args:
        lr: a number >= 0 or a function of the step.
        eps: at least 1e-37, so that it is not 0 in float32.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    Journal of Machine Learning Research 12, 2011, with the diagonal matrix and without the projection.

    >>> import numpy as np
    >>> from minidl.initializers import zeros
    >>> from minidl import Parameter, Parameters
    >>> parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0))
    >>> optimizer = Adagrad(0.1)
    >>> for gradient in ([3.0, -1.0], [4.0, 0.0]):
    ...     parameters.grad[:] = gradient
    ...     optimizer.step(parameters)
    >>> parameters.value.round(3), optimizer.slots["square_sum"].round(3)
    (array([-0.18,  0.1 ], dtype=float32), array([25., 1.], dtype=float32))
    """

    slot_names = ("square_sum",)

    def __init__(self, lr: LearningRate = 1e-2, *, eps: float = 1e-10, clip: Clip | None = None) -> None:
        super().__init__(lr, clip=clip)
        self.eps = check_number("eps", eps, minimum=SMALLEST_EPS)

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """One step of the formula of the class."""
        rmsprop_update(value, grad, self.slots["square_sum"], 1.0, self.eps, lr)


class Adadelta(Optimizer):
    """w <- w - lr d with d = sqrt(D + eps) / sqrt(V + eps) g: `eps` stands inside the roots.

    V <- rho V + (1 - rho) g**2 before d is made, D <- rho D + (1 - rho) d**2 after, both from 0. So a step has the unit
    of w whatever the unit of the cost, and needs no rate: lr = 1 is the source's rule. The first steps are of some
    sqrt(eps), so it starts slowly where w is to move far.

    Args:
        lr: a number >= 0 or a function of the step; a factor on the step that D does not see, as in PyTorch.
        rho: in [0, 1).
        eps: at least 1e-37, so that it is not 0 in float32.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument.

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", arXiv 1212.5701, 2012, algorithm 1.

    >>> import numpy as np
    >>> from minidl.initializers import zeros
    >>> from minidl import Parameter, Parameters
    >>> parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0))
    >>> parameters.grad[:] = [1000.0, -1.0]
    >>> Adadelta(rho=0.75, eps=1e-4).step(parameters)
    >>> parameters.value.round(3)
    array([-0.02,  0.02], dtype=float32)
    """

    slot_names = ("square_mean", "step_square_mean")

    def __init__(
        self, lr: LearningRate = 1.0, *, rho: float = 0.9, eps: float = 1e-6, clip: Clip | None = None
    ) -> None:
        super().__init__(lr, clip=clip)
        self.rho = check_discount("rho", rho)
        self.eps = check_number("eps", eps, minimum=SMALLEST_EPS)

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """One step of the formula of the class."""
        V, D = self.slots["square_mean"], self.slots["step_square_mean"]
        adadelta_update(value, grad, V, D, self.rho, self.eps, lr)
        if (self.steps + 1) % SETTLED == 0:
            settle(V, where=grad == 0)  # g over eps alone would be a huge step
            settle(D, where=grad == 0)

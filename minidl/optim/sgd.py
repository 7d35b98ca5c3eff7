"""Stochastic gradient descent, plain, with momentum, and with Nesterov's momentum."""

from minidl.kernels.updates import momentum_update, nesterov_update, sgd_update
from minidl.optim.base import Clip, Optimizer
from minidl.optim.schedules import LearningRate
from minidl.optim.vectors import SETTLED, check_discount, settle
from minidl.parameters import Array


class SGD(Optimizer):
    """w <- w - lr g; with momentum v <- momentum v + g and w <- w - lr v; Nesterov w <- w - lr (g + momentum v).

    This is PyTorch's convention: the learning rate multiplies the velocity, so a change of it acts at once. In the
    source it enters the velocity: v <- momentum v - lr g, w <- w + v, and Nesterov's g is taken at w + momentum v.
    At a constant learning rate the two are the same, the w here being the source's w + momentum v for Nesterov.

    Args:
        lr: a number >= 0 or a function of the step.
        momentum: in [0, 1).
        nesterov: look ahead; needs momentum.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument, or `nesterov` without momentum.

    Source: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning",
    ICML 2013.

    >>> import numpy as np
    >>> from minidl.initializers import zeros
    >>> from minidl.parameters import Parameter
    >>> from minidl.store import Parameters
    >>> parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0))
    >>> parameters.grad[:] = [1.0, -1.0]
    >>> optimizer = SGD(0.5, momentum=0.5)
    >>> for _ in range(2):
    ...     optimizer.step(parameters)
    >>> parameters.value, optimizer.slots["velocity"]
    (array([-1.25,  1.25], dtype=float32), array([ 1.5, -1.5], dtype=float32))
    """

    def __init__(
        self, lr: LearningRate, *, momentum: float = 0.0, nesterov: bool = False, clip: Clip | None = None
    ) -> None:
        super().__init__(lr, clip=clip)
        self.momentum = check_discount("momentum", momentum)
        if nesterov and self.momentum == 0:
            raise ValueError("expected momentum > 0 with nesterov=True, received momentum=0: give SGD(momentum=0.9)")
        self.nesterov = nesterov
        self.slot_names = ("velocity",) if self.momentum else ()

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """One step of the formula of the class."""
        if not self.momentum:
            sgd_update(value, grad, lr)
            return
        move = nesterov_update if self.nesterov else momentum_update
        move(value, grad, self.slots["velocity"], self.momentum, lr)
        if (self.steps + 1) % SETTLED == 0:
            settle(self.slots["velocity"])

"""Adam, AdamW with decoupled weight decay, and Nadam with Nesterov's look ahead."""

import math

from minidl.arguments import check_number
from minidl.kernels.updates import adam_update, nadam_update
from minidl.optim.base import Clip, Optimizer
from minidl.optim.schedules import LearningRate
from minidl.optim.vectors import SETTLED, SMALLEST_EPS, check_discount, settle
from minidl.parameters import Array
from minidl.store import Parameters


class Adam(Optimizer):
    """w <- w - lr m' / (sqrt(v') + eps), with running means of g and g**2 corrected for their start at zero.

    At step t = 1, 2, ...: m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g**2, m' = m / (1 - beta1**t),
    v' = v / (1 - beta2**t). `eps` stands outside the root.

    The slots hold the sums m / (1 - beta1) and v / (1 - beta2); the constant factors go into two numbers per step
    instead of three more passes over memory.

    Args:
        lr: a number >= 0 or a function of the step.
        beta1: in [0, 1).
        beta2: in [0, 1).
        eps: at least 1e-37, so that it is not 0 in float32.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.

    >>> import numpy as np
    >>> from minidl.initializers import zeros
    >>> from minidl.parameters import Parameter
    >>> parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0))
    >>> parameters.grad[:] = [1000.0, -0.001]
    >>> Adam(0.1).step(parameters)
    >>> parameters.value.round(3)
    array([-0.1,  0.1], dtype=float32)
    """

    slot_names = ("gradient_sum", "square_sum")
    _squares = ("square_sum",)

    def __init__(
        self,
        lr: LearningRate = 1e-3,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        clip: Clip | None = None,
    ) -> None:
        super().__init__(lr, clip=clip)
        self.beta1 = check_discount("beta1", beta1)
        self.beta2 = check_discount("beta2", beta2)
        self.eps = check_number("eps", eps, minimum=SMALLEST_EPS)

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """One step of the formula of the class."""
        # With the sums M and V, m' = a M and sqrt(v') = b sqrt(V), so
        # m' / (sqrt(v') + eps) = a/b M / (sqrt(V) + eps/b).
        t = self.steps + 1
        a = (1 - self.beta1) / (1 - self.beta1**t)
        b = math.sqrt((1 - self.beta2) / (1 - self.beta2**t))
        M, V = self.slots["gradient_sum"], self.slots["square_sum"]
        adam_update(value, grad, M, V, self.beta1, self.beta2, self.eps / b, lr * a / b)
        self._settle(M, V)

    def _settle(self, M: Array, V: Array) -> None:
        if (self.steps + 1) % SETTLED == 0:
            settle(M)
            settle(V, where=M == 0)  # a tiny M over eps alone would be a huge step


class AdamW(Adam):
    """Adam, after w <- w - lr * weight_decay * w on the parameters that decay applies to, never on biases.

    The decay does not pass through the running means, unlike an `L2` regularizer's gradient. It is multiplied by the
    learning rate, schedule included, as in PyTorch; the source multiplies it by the schedule's factor only.

    Args:
        lr: a number >= 0 or a function of the step.
        weight_decay: >= 0.
        beta1: in [0, 1).
        beta2: in [0, 1).
        eps: at least 1e-37.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.

    >>> import numpy as np
    >>> from minidl.initializers import ones
    >>> from minidl.parameters import Parameter
    >>> named = {"weight": Parameter((2,), ones), "bias": Parameter((1,), ones, decay=False)}
    >>> parameters = Parameters(named, np.random.default_rng(0))
    >>> AdamW(0.1, weight_decay=0.5).step(parameters)
    >>> parameters.value
    array([0.95, 0.95, 1.  ], dtype=float32)
    """

    def __init__(
        self,
        lr: LearningRate = 1e-3,
        *,
        weight_decay: float = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        clip: Clip | None = None,
    ) -> None:
        super().__init__(lr, beta1=beta1, beta2=beta2, eps=eps, clip=clip)
        self.weight_decay = check_number("weight_decay", weight_decay, minimum=0)

    def apply(self, parameters: Parameters, lr: float) -> None:
        """Decay, then Adam's update."""
        decayed = parameters.value[parameters.decayed]
        decayed *= 1 - lr * self.weight_decay
        super().apply(parameters, lr)


class Nadam(Adam):
    """Adam whose step looks one gradient ahead: w <- w - lr n / (sqrt(v') + eps).

    n = beta1 m / (1 - beta1**(t + 1)) + (1 - beta1) g / (1 - beta1**t) stands for m' of `Adam`; m, v, v', t and the
    arguments are those of `Adam`. beta1 is the same at each step: the source lets it grow towards that value, and
    PyTorch does so too (by `momentum_decay`), so in their first thousands of steps less of the past counts.

    Args:
        lr: a number >= 0 or a function of the step.
        beta1: in [0, 1).
        beta2: in [0, 1).
        eps: at least 1e-37, so that it is not 0 in float32.
        clip: edits the flat gradient before each update.

    Raises:
        ValueError: a bad argument.

    Source: Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016, algorithm 2.

    >>> import numpy as np
    >>> from minidl.initializers import zeros
    >>> from minidl import Parameter, Parameters
    >>> parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0))
    >>> parameters.grad[:] = [1000.0, -0.001]
    >>> Nadam(0.1, beta1=0.5).step(parameters)
    >>> parameters.value.round(3)
    array([-0.133,  0.133], dtype=float32)
    """

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """One step of the formula of the class."""
        # With the sums M and V, n = (1 - beta1) (beta1 M / (1 - beta1**(t + 1)) + g / (1 - beta1**t)) = c M + a g.
        t = self.steps + 1
        a = (1 - self.beta1) / (1 - self.beta1**t)
        c = (1 - self.beta1) * self.beta1 / (1 - self.beta1 ** (t + 1))
        b = math.sqrt((1 - self.beta2) / (1 - self.beta2**t))
        M, V = self.slots["gradient_sum"], self.slots["square_sum"]
        nadam_update(value, grad, M, V, self.beta1, self.beta2, self.eps / b, lr * a / b, lr * c / b)
        self._settle(M, V)

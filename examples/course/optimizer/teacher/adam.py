"""Adam, solved."""

import numpy as np

from minidl.optim import Optimizer


class MyAdam(Optimizer):
    """w <- w - lr m' / (sqrt(v') + eps), with running means of g and g**2 corrected for their start at zero."""

    slot_names = ("mean", "square")

    def __init__(self, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        super().__init__(lr)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def update(self, value, grad, lr):
        """One step t = 1, 2, ...: m' = m / (1 - beta1**t), v' = v / (1 - beta2**t)."""
        t = self.steps + 1
        mean, square = self.slots["mean"], self.slots["square"]
        mean *= self.beta1
        mean += (1 - self.beta1) * grad
        square *= self.beta2
        square += (1 - self.beta2) * grad**2
        corrected = mean / (1 - self.beta1**t)
        root = np.sqrt(square / (1 - self.beta2**t))
        value -= lr * corrected / (root + self.eps)

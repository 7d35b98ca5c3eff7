"""Parts of a run that have a memory or a mind of their own: what must be put back when a run goes on."""

import numpy as np

from minidl import Callback, Layer, State
from minidl.initializers import zeros


class Dropout(Layer):
    """y = m x with m = 2 or 0 by the toss of a coin in training, y = x in inference."""

    def forward(self, x):
        coins = self.rng.random(x.shape) < 0.5 if self.training else np.full(x.shape, 0.5)
        self.mask = 2 * coins.astype(x.dtype)
        return self.mask * x

    def backward(self, dy):
        return self.mask * dy


class RunningCentre(Layer):
    """y = x - c, where c is the running mean of the training batches."""

    def __init__(self, features):
        self.centre = State((features,), zeros)

    def forward(self, x):
        if self.training:
            self.centre.value += (x.mean(axis=0) - self.centre.value) / 8
        return x - self.centre.value

    def backward(self, dy):
        return dy


class Interrupt(Callback):
    """Ctrl-C after a step; 0 for never."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, trainer):
        if trainer.optimizer.steps == self.step:
            raise KeyboardInterrupt


def noisy(x, rng):
    """Training rows with noise on them."""
    return x + rng.normal(0, 0.1, x.shape)

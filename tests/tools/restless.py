"""Parts of a run that have a memory or a mind of their own: what must be put back when a run goes on."""

import numpy as np

from minidl import SGD, Adam, Callback, Layer, RMSprop, State
from minidl.data import one_hot
from minidl.initializers import zeros
from minidl.optim import CosineDecay

OPTIMIZERS = {
    "adam": lambda: Adam(CosineDecay(1e-2, 60)),
    "momentum": lambda: SGD(0.1, momentum=0.9),
    "rmsprop": lambda: RMSprop(1e-3),
}


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


def mixing(x, targets, rng):
    """Training rows mixed with others of their batch, and their targets in the same shares (mixup)."""
    share, other, rows = rng.beta(0.2, 0.2), rng.permutation(len(x)), one_hot(targets, 3)
    return share * x + (1 - share) * x[other], share * rows + (1 - share) * rows[other]


def ragged(epoch):
    """Rows of 30, another number of them in each pass: 17, 24, 31, 5, ..."""
    return np.random.default_rng(epoch).integers(0, 30, 5 + (12 + 7 * epoch) % 33)


class Counting(Callback):
    """Remembers how many evaluations there were, and the sum of the weights at each."""

    def __init__(self):
        self.count, self.sums = 0, np.zeros(0)

    def on_evaluation_end(self, trainer, row):
        self.count += 1
        self.sums = np.append(self.sums, trainer.model.parameters.value.sum())

    def state(self):
        return {"count": self.count, "sums": self.sums}

    def load_state(self, state):
        self.count, self.sums = state["count"], state["sums"]


def assert_same(one, other):
    """Two trainers ended in the same bits."""
    np.testing.assert_equal(one.model.parameters.snapshot(), other.model.parameters.snapshot())
    np.testing.assert_equal(vars(one.history), vars(other.history))
    np.testing.assert_equal(one.optimizer.state(), other.optimizer.state())
    counted, again = (t.callbacks[2].state() for t in (one, other))
    np.testing.assert_equal(counted, again)

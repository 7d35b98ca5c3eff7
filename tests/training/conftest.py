"""A small model with dropout and running statistics, data it can learn, and shorthands for training it."""

import numpy as np
import pytest

from minidl import (
    SGD,
    Callback,
    Checkpoint,
    Dataset,
    EarlyStopping,
    Linear,
    ReduceOnPlateau,
    Sequential,
    SoftmaxCrossEntropy,
    Tanh,
    Trainer,
    accuracy,
)
from tests.tools.restless import OPTIMIZERS, Counting, Dropout, Interrupt, RunningCentre, noisy

FEATURES = 3


class Hooks(Callback):
    """Functions as hooks: Hooks(on_step_end=print)."""

    def __init__(self, **functions):
        self.functions = functions

    def _call(self, hook, *arguments):
        if hook in self.functions:
            self.functions[hook](*arguments)

    def on_fit_begin(self, trainer):
        self._call("on_fit_begin", trainer)

    def on_step_end(self, trainer):
        self._call("on_step_end", trainer)

    def on_evaluation_end(self, trainer, row):
        self._call("on_evaluation_end", trainer, row)

    def on_epoch_end(self, trainer):
        self._call("on_epoch_end", trainer)

    def on_safe_point(self, trainer):
        self._call("on_safe_point", trainer)

    def on_fit_end(self, trainer):
        self._call("on_fit_end", trainer)


def make_data(n=30, *, seed=0, weighted=False, dtype=np.float32):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, FEATURES)).astype(dtype)
    weights = rng.random(n).astype(dtype) + 0.1 if weighted else None
    return Dataset(x, x.argmax(axis=1), weights=weights)


def make_trainer(*layers, loss=None, optimizer=None, lr=0.5, seed=0, **arguments):
    if not layers:
        layers = (Linear(FEATURES, 8), Tanh(), Dropout(), RunningCentre(8), Linear(8, 3))
    model = Sequential(*layers).build(seed)
    return Trainer(model, loss or SoftmaxCrossEntropy(), optimizer or SGD(lr), **arguments)


def fit_quietly(trainer, *data, **arguments):
    return trainer.fit(*data, **({"epochs": 2, "batch_size": 8, "progress": False} | arguments))


def copy_weights(trainer):
    return trainer.model.parameters.snapshot()


@pytest.fixture(scope="session")
def data():
    """The function (n, seed, weighted, dtype) -> Dataset."""
    return make_data


@pytest.fixture(scope="session")
def trainer():
    """The function (layers, loss, optimizer, ...) -> Trainer."""
    return make_trainer


@pytest.fixture(scope="session")
def fit():
    """`trainer.fit` as fit(trainer, ...), without progress and for 2 epochs of batches of 8 unless told otherwise."""
    return fit_quietly


@pytest.fixture(scope="session")
def weights():
    """The function trainer -> a copy of every parameter and state by name."""
    return copy_weights


@pytest.fixture(scope="session")
def hooks():
    return Hooks


@pytest.fixture(scope="session")
def anywhere(data, trainer, fit):
    """A function that trains with everything that has a memory, and returns the trainer."""

    def job(path, *, stop=0, every_steps=1, optimizer="adam", more=(), train=None, into=None, **changed):
        memory = [EarlyStopping(patience=30), ReduceOnPlateau(patience=4, factor=0.5), Counting()]
        callbacks = [*memory, *more, Checkpoint(path, every_steps=every_steps), Interrupt(stop)]
        one = trainer(optimizer=OPTIMIZERS[optimizer](), callbacks=callbacks, metrics=[accuracy])
        if into is not None:
            into.append(one)
        arguments = {"epochs": 6, "validate_every": 3, "augment": noisy, "seed": 3} | changed
        fit(one, train or data(weighted=True), data(seed=1), **arguments)
        return one

    return job


@pytest.fixture
def job(anywhere, tmp_path):
    """The same, with its checkpoint in the folder of the test unless told otherwise."""
    return lambda **arguments: anywhere(**{"path": tmp_path / "run.npz"} | arguments)

"""The runs of the report on a sigmoid MLP, and what is read off every one of them."""

from argparse import Namespace
from itertools import pairwise
from typing import Any

import numpy as np
from images import cifar10_pixels
from report import ends, seeds

from minidl import L2, SGD, Adam, Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, Trainer, accuracy
from minidl.data import steps_per_epoch
from minidl.experiments import PlannedRun, Results, plan
from minidl.initializers import he_normal
from minidl.layers import Layer
from minidl.optim import ExponentialDecay

BASE = {"optimizer": "SGD", "lr": 0.3, "strength": 0.0, "decay": 0.0}
RATES = (0.001, 0.01, 0.1, 0.2, 0.3, 0.5)
STRENGTHS = (0.0001, 0.001, 0.01)
DECAYS = (0.0001, 0.001, 0.01, 0.1)
SWEEPS = {
    "lambda": [BASE | {"strength": strength} for strength in STRENGTHS],
    "SGD": [BASE | {"lr": lr} for lr in RATES],
    "Adam": [BASE | {"optimizer": "Adam", "lr": lr} for lr in RATES],
    "k": [BASE | {"decay": decay} for decay in DECAYS],
}
NAMES = {"lambda": "lambda", "SGD": "learning rate", "Adam": "learning rate of Adam", "k": "k"}
FIXED = {"SGD 0.3": BASE, "k 0.1": BASE | {"decay": 0.1}}
EQUATION_1 = BASE | {"strength": 0.01 / 64}
LONGER = BASE | {"decay": 0.05}  # over 40 epochs: the learning rate falls as far as with k = 0.1 over 20
SHAPES = {
    "1 hidden layer": {"layers": 1, "width": 100, "decay": 0.1},
    "3 hidden layers": {"layers": 3, "width": 100, "decay": 0.1},
    "width 50": {"layers": 2, "width": 50, "decay": 0.1},
    "width 200": {"layers": 2, "width": 200, "decay": 0.1},
}


def train(
    order: str, optimizer: str, lr: float, strength: float, decay: float, *, seed: int, epochs: int, rows: int
) -> dict[str, Any]:
    """One network: test loss and accuracy after every epoch; `order` is "file", "fixed" or "shuffled"."""
    training, test = cifar10_pixels(rows)
    one_order = np.random.default_rng(seed).permutation(len(training))
    model = Sequential(
        Linear(3072, 100, weight_init=he_normal),
        Sigmoid(),
        Linear(100, 100, weight_init=he_normal),
        Sigmoid(),
        Linear(100, 10, weight_init=he_normal),
    ).build(seed=seed)
    rate = ExponentialDecay(
        lr, exponent=decay, every=steps_per_epoch(training, 64)
    )  # lr exp(-k t), t = 0, 1, ... epochs
    trainer = Trainer(
        model,
        SoftmaxCrossEntropy(),
        SGD(rate) if optimizer == "SGD" else Adam(rate),
        regularizers=[L2(strength / 2)],  # equation 8 of the report: w <- w - lr (gradient + lambda w)
        metrics=[accuracy],
    )
    history = trainer.fit(
        training,
        {"test": test},
        epochs=epochs,
        batch_size=64,
        shuffle=(lambda epoch: one_order) if order == "fixed" else order == "shuffled",
        seed=seed,
        restore_best=False,
        raise_divergence=False,
        progress=False,
    )
    names = ("train_loss", "test_loss", "test_accuracy")
    return {name: np.array(history.evaluations[name]) for name in names} | {"ended": history.stopped_because}


def train_shape(layers: int, width: int, decay: float, *, seed: int, epochs: int, rows: int) -> dict[str, Any]:
    """So many hidden layers of that width, in file order with learning rate 0.3: test loss and accuracy likewise."""
    training, test = cifar10_pixels(rows)
    sizes = [3072, *[width] * layers, 10]
    parts: list[Layer] = []
    for inputs, outputs in pairwise(sizes):
        parts += [Linear(inputs, outputs, weight_init=he_normal), Sigmoid()]
    rate = ExponentialDecay(0.3, exponent=decay, every=steps_per_epoch(training, 64))
    model = Sequential(*parts[:-1]).build(seed=seed)
    history = Trainer(model, SoftmaxCrossEntropy(), SGD(rate), metrics=[accuracy]).fit(
        training,
        {"test": test},
        epochs=epochs,
        batch_size=64,
        shuffle=False,
        restore_best=False,
        raise_divergence=False,
        progress=False,
    )
    return {name: np.array(history.evaluations[name]) for name in ("train_loss", "test_loss", "test_accuracy")}


def runs(options: Namespace) -> list[PlannedRun]:
    """The sweeps in file order and shuffled, two settings in fixed orders; seed by seed, so a stopped job has all.

    Then the penalty of equation 1, other shapes of the network, and twice the epochs, in file order.
    """
    size = {"epochs": 2, "rows": 640} if options.quick else {"epochs": 20, "rows": 50_000}
    longer = size | {"epochs": 2 * size["epochs"]}
    settings = [setting for sweep in SWEEPS.values() for setting in sweep]
    planned = plan(train, settings, seeds(options, 10), order="file", **size)
    planned += plan(train, FIXED.values(), seeds(options, 10), order="fixed", **size)
    planned += plan(train, settings, seeds(options, 5), order="shuffled", **size)
    planned += plan(train, [EQUATION_1], seeds(options, 3), order="file", **size)
    planned += plan(train, [LONGER], seeds(options, 2), order="file", **longer)
    planned += plan(train_shape, SHAPES.values(), seeds(options, 2), **size)
    return sorted(planned, key=lambda run: run.seed)


def parameter(sweep: str, setting: dict[str, object]) -> object:
    """The value that a sweep varies."""
    return setting[{"lambda": "strength", "k": "decay"}.get(sweep, "lr")]


def final(group: Results, name: str, **setting: object) -> np.ndarray:
    """The value after the last epoch, for each repetition; accuracy in %."""
    scale = 100 if name == "test_accuracy" else 1
    values: np.ndarray = scale * ends(group.where(**setting), name)
    return values

"""The runs of the report on softmax regression, and what is read off every one of them."""

from argparse import Namespace
from dataclasses import replace
from typing import Any

import numpy as np
from images import cifar10_standardized
from report import ends, seeds

from minidl import L2, SGD, BinaryCrossEntropy, Linear, Sequential, SoftmaxCrossEntropy, Trainer, accuracy
from minidl.data import one_hot
from minidl.experiments import PlannedRun, Results, plan
from minidl.initializers import normal

SETS = ("training", "validation", "test")
CASES = {
    "eta 0.1, lambda 0": {"eta": 0.1, "strength": 0.0},
    "eta 0.001, lambda 0": {"eta": 0.001, "strength": 0.0},
    "eta 0.001, lambda 0.1": {"eta": 0.001, "strength": 0.1},
    "eta 0.001, lambda 1": {"eta": 0.001, "strength": 1.0},
}
SLOW = {"eta": 0.00001, "strength": 0.0}  # "a rate that is too small": a hundredth


def train(
    head: str, eta: float, strength: float, fitted_on: str, *, seed: int, epochs: int, rows: int
) -> dict[str, Any]:
    """One linear classifier with either loss: curves over the epochs, weights, probabilities on the test set."""
    sets = dict(zip(SETS, cifar10_standardized(rows, rows), strict=True))
    labels = sets["test"].targets
    loss = SoftmaxCrossEntropy() if head == "softmax" else BinaryCrossEntropy()  # the mean of ten, so a factor 1/K
    if head == "BCE":
        sets = {name: replace(data, targets=one_hot(data.targets, 10)) for name, data in sets.items()}
    model = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=seed)
    trainer = Trainer(model, loss, SGD(eta), regularizers=[L2(strength)], metrics=[accuracy])
    history = trainer.fit(
        sets[fitted_on],
        sets,
        epochs=epochs,
        batch_size=100,
        drop_last=True,
        seed=seed,
        restore_best=False,  # the weights of the last epoch are reported
        raise_divergence=False,
        progress=False,
    )
    probabilities = loss.probabilities(model.predict(sets["test"].x))
    return {name: np.array(column) for name, column in history.evaluations.items()} | {
        "weight": model[0].weight.value,
        "true_probability": probabilities[np.arange(len(labels)), labels],
        "right": probabilities.argmax(axis=1) == labels,
    }


def runs(options: Namespace) -> list[PlannedRun]:
    """Four settings, each once more fitted on the test set as the report did, and a rate far too small."""
    size = {"epochs": 2, "rows": 400} if options.quick else {"epochs": 40, "rows": 10_000}
    return [
        *plan(train, CASES.values(), seeds(options, 10), head="softmax", fitted_on="training", **size),
        *plan(train, CASES.values(), seeds(options, 3), head="softmax", fitted_on="test", **size),
        *plan(train, [SLOW], seeds(options, 3), head="softmax", fitted_on="training", **size),
    ]


def by_case(results: Results) -> dict[str, Results]:
    """The runs of each of the four settings."""
    return {label: results.where(**case) for label, case in CASES.items()}


def percent(results: Results, name: str, epoch: int = -1) -> np.ndarray:
    """A recorded accuracy after one epoch, in %, for each seed."""
    accuracies: np.ndarray = 100 * ends(results, f"{name}_accuracy", epoch)
    return accuracies

"""What the report on softmax and binary cross-entropies runs: the grid on all the data, transformations, both heads."""

from argparse import Namespace
from dataclasses import replace
from typing import Any

import numpy as np
from images import cifar10_standardized, cropped
from report import seeds
from softmax_runs import CASES
from softmax_runs import train as train_small

from minidl import L2, SGD, BinaryCrossEntropy, Linear, Sequential, SoftmaxCrossEntropy, Trainer, accuracy
from minidl.data import RandomCrop, RandomFlip, one_hot
from minidl.experiments import PlannedRun, grid, plan
from minidl.initializers import normal

ETAS, BATCHES, STRENGTHS = (0.001, 0.01, 0.1, 1.0), (50, 100, 200, 400), (0.0, 0.1, 1.0)
WINNER = {"eta": 0.01, "batch_size": 400, "strength": 0.1}
HEADS = {
    "softmax": {"head": "softmax", "eta": 0.01, "strength": 0.1},
    "BCE": {"head": "BCE", "eta": 0.01, "strength": 0.01},
}

VIEWS = {
    "softmax": HEADS["softmax"],
    "softmax, eta 0.001": HEADS["softmax"] | {"eta": 0.001},
    "BCE": HEADS["BCE"],
    "BCE, eta 0.1": HEADS["BCE"] | {"eta": 0.1},
    "BCE, eta 0.1, lambda 0.001": HEADS["BCE"] | {"eta": 0.1, "strength": 0.001},  # the sum of ten at the rate 0.01
}
MOVES = ("shifts", "crops")
SAME = {"eta": 0.001, "batch_size": 100, "strength": 0.0}  # the second setting of table 1, on all the data


def train(
    eta: float, batch_size: int, strength: float, flips: bool, *, seed: int, epochs: int, rows: int, held_out: int
) -> dict[str, Any]:
    """One classifier on all the data: losses and accuracies after every epoch, and its weights."""
    training, validation, test = cifar10_standardized(rows, held_out)
    model = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=seed)
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(eta), regularizers=[L2(strength)], metrics=[accuracy])
    history = trainer.fit(
        training,
        {"validation": validation, "test": test},
        epochs=epochs,
        batch_size=batch_size,
        drop_last=True,
        augment=RandomFlip((3, 32, 32)) if flips else None,
        seed=seed,
        restore_best=False,
        raise_divergence=False,
        progress=False,
    )
    names = ("train_loss", "validation_loss", "validation_accuracy", "test_accuracy")
    return {name: np.array(history.evaluations[name]) for name in names} | {
        "training_accuracy": [trainer.evaluate(training)["accuracy"]],
        "weight": model[0].weight.value,
    }


def train_heads(head: str, eta: float, strength: float, *, seed: int, epochs: int, rows: int) -> dict[str, Any]:
    """A classifier of table 2: curves over the epochs, and all its probabilities on the test set."""
    training, validation, test = cifar10_standardized(rows, rows)
    own: SoftmaxCrossEntropy | BinaryCrossEntropy = SoftmaxCrossEntropy() if head == "softmax" else BinaryCrossEntropy()
    sets = {"training": training, "validation": validation, "test": test}
    if head == "BCE":
        sets = {name: replace(data, targets=one_hot(data.targets, 10)) for name, data in sets.items()}
    model = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=seed)
    trainer = Trainer(model, own, SGD(eta), regularizers=[L2(strength)], metrics=[accuracy])
    history = trainer.fit(
        sets["training"],
        sets,
        epochs=epochs,
        batch_size=100,
        drop_last=True,
        seed=seed,
        restore_best=False,
        raise_divergence=False,
        progress=False,
    )
    return {name: np.array(column) for name, column in history.evaluations.items()} | {
        "probabilities": own.probabilities(model.predict(test.x)),
        "labels": test.targets,
    }


def train_transformed(
    eta: float, batch_size: int, strength: float, moved: str, *, seed: int, epochs: int, rows: int, held_out: int
) -> dict[str, Any]:
    """A classifier on all the data, each image of a batch mirrored or not and then shifted or cropped."""
    training, validation, test = cifar10_standardized(rows, held_out)
    flip, shift = RandomFlip((3, 32, 32)), RandomCrop((3, 32, 32), 4)
    model = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=seed)
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(eta), regularizers=[L2(strength)], metrics=[accuracy])
    trainer.fit(
        training,
        epochs=epochs,
        batch_size=batch_size,
        drop_last=True,
        augment=lambda x, rng: (shift if moved == "shifts" else cropped)(flip(x, rng), rng),
        seed=seed,
        restore_best=False,
        progress=False,
    )
    sets = {"training": training, "validation": validation, "test": test}
    ends = {name: trainer.evaluate(data) for name, data in sets.items()}
    return {f"{name}_{what}": [end[what]] for name, end in ends.items() for what in ("loss", "accuracy")} | {
        "weight": model[0].weight.value
    }


def train_batches(eta: float, batch_size: int, strength: float, *, seed: int, epochs: int, rows: int) -> dict[str, Any]:
    """A softmax classifier on the 10 000 images with another batch: its accuracies in the end."""
    training, validation, test = cifar10_standardized(rows, rows)
    model = Sequential(Linear(3072, 10, weight_init=normal(0.01))).build(seed=seed)
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(eta), regularizers=[L2(strength)], metrics=[accuracy])
    trainer.fit(
        training,
        epochs=epochs,
        batch_size=batch_size,
        drop_last=True,
        seed=seed,
        restore_best=False,
        progress=False,
    )
    sets = {"training": training, "validation": validation, "test": test}
    return {f"{name}_accuracy": [trainer.evaluate(data)["accuracy"]] for name, data in sets.items()}


def runs(options: Namespace) -> list[PlannedRun]:
    """Table 1, the grid, the best of the report with and without flips, more data alone, and the two heads."""
    small, large = {"epochs": 40, "rows": 10_000}, {"epochs": 40, "rows": 49_000, "held_out": 1_000}
    if options.quick:
        small, large = {"epochs": 2, "rows": 400}, {"epochs": 2, "rows": 800, "held_out": 200}
    searched = grid(strength=STRENGTHS, eta=ETAS, batch_size=BATCHES)
    flipped_or_not = [WINNER | {"flips": flips} for flips in (True, False)]
    return [
        *plan(train_small, CASES.values(), seeds(options, 10), head="softmax", fitted_on="training", **small),
        *plan(train_small, HEADS.values(), seeds(options, 10), fitted_on="training", **small),
        *plan(train, searched, [options.seed], flips=True, **large),
        *plan(train, flipped_or_not, seeds(options, 3), **large),
        *plan(train, [SAME | {"flips": False}], seeds(options, 3), **large),
        *plan(train_batches, [WINNER], seeds(options, 10), **small),
        *plan(train_heads, VIEWS.values(), seeds(options, 3), **small),
        *plan(train_transformed, [WINNER | {"moved": moved} for moved in MOVES], seeds(options, 3), **large),
    ]

"""The runs of the MNIST report: logistic and softmax regression, five strengths of L2, and a hidden layer."""

from argparse import Namespace
from typing import Any

import numpy as np
from images import mnist_signed
from report import seeds

from minidl import (
    L2,
    SGD,
    BinaryCrossEntropy,
    Dataset,
    EarlyStopping,
    Linear,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    binary_accuracy,
)
from minidl.experiments import PlannedRun, grid, plan
from minidl.initializers import he_normal, zeros

STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0)
HIDDEN_STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0001, 0.0)
CURVES = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")


def train(task: str, order: str, patience: int, *, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """One classifier; `order` is "file" or "shuffled", a patience of 0 means no early stopping."""
    return fit(
        task, np.random.RandomState(seed) if order == "shuffled" else None, 0.0, patience, epochs, rows, held_out
    )


def train_strengths(*, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """Ten classes with each strength of L2, one run after the other on one random stream, as the report has it."""
    stream, found = np.random.RandomState(seed), dict[str, Any]()
    for strength in STRENGTHS:
        run = fit("softmax", stream, strength, 10, epochs, rows, held_out)
        found |= {f"{name} {strength:g}": values for name, values in run.items()}
    return found


def fit(
    task: str,
    stream: np.random.RandomState | None,
    strength: float,
    patience: int,
    epochs: int,
    rows: int,
    held_out: int,
) -> dict[str, Any]:
    """Train one classifier; every name of what is returned says what it is over the course of the run."""
    training, validation = mnist_signed(rows, held_out)
    binary = task == "logistic"
    if binary:
        training, validation = two_or_three(training), two_or_three(validation)
    model = Sequential(Linear(784, 1 if binary else 10, weight_init=zeros)).build(dtype=np.float64)
    trainer = Trainer(
        model,
        BinaryCrossEntropy() if binary else SoftmaxCrossEntropy(),
        SGD(0.05 if binary else 0.01),
        regularizers=[L2(strength, names="*")],
        metrics={"accuracy": binary_accuracy if binary else accuracy},
        callbacks=[EarlyStopping(patience=patience)] if patience else [],
    )
    every = len(training) // 128 // 5
    history = trainer.fit(
        training,
        {"validation": validation, "training": training},
        epochs=epochs,
        batch_size=128,
        validate_every=lambda step: (step - 1) % every == 0,
        shuffle=False if stream is None else lambda epoch: stream.permutation(len(training)),
        drop_last=True,
        restore_best=False,
        progress=False,
    )
    names = ("validation_loss", "validation_accuracy", "training_loss", "training_accuracy")
    return {name: np.array(history.evaluations[name]) for name in names} | {
        "step": np.array(history.evaluations["step"]) - 1,
        "batch_loss": np.array(history.steps["loss"]),
        "stop_step": len(history.steps["step"]) - 1,
        "stop_epoch": (len(history.steps["step"]) - 1) // (len(training) // 128),
        "norm": float(np.linalg.norm(model.parameters.value)),
        "weight": model[0].weight.value,
    }


def two_or_three(data: Dataset) -> Dataset:
    """The rows with a 2 or a 3, in file order; the target is 1 for a 2, in a column of its own."""
    kept = data.where((data.targets == 2) | (data.targets == 3))
    return Dataset(kept.x, (kept.targets == 2).astype(np.float64)[:, None])


def train_hidden(strength: float, *, seed: int, epochs: int, rows: int, held_out: int) -> dict[str, Any]:
    """Ten classes by a network with one hidden layer of 64 ReLU; L2 on weights and biases, no early stopping."""
    training, validation = mnist_signed(rows, held_out)
    model = Sequential(Linear(784, 64, weight_init=he_normal), ReLU(), Linear(64, 10, weight_init=he_normal))
    trainer = Trainer(
        model.build(seed=seed, dtype=np.float64),
        SoftmaxCrossEntropy(),
        SGD(0.1),
        regularizers=[L2(strength, names="*")],
        metrics=[accuracy],
    )
    history = trainer.fit(
        training,
        {"validation": validation, "training": training},
        epochs=epochs,
        batch_size=128,
        seed=seed,
        drop_last=True,
        restore_best=False,
        progress=False,
    )
    found = {name: np.array(history.evaluations[name]) for name in CURVES}
    return found | {"norm": float(np.linalg.norm(model.parameters.value))}


def runs(options: Namespace) -> list[PlannedRun]:
    """2 against 3 in file order and shuffled, with and without early stopping; ten classes; five strengths.

    And what the report asks next: ten classes for 300 epochs, and L2 on a network with a hidden layer.
    """
    size, longest, whole, long, hidden = {"rows": 20_000, "held_out": 10_000}, 500, 50, 300, 40
    if options.quick:
        size, longest, whole, long, hidden = {"rows": 8_000, "held_out": 500}, 9, 9, 10, 2
    stopped, not_stopped = {"patience": 10, "epochs": longest}, {"patience": 0, "epochs": whole}
    logistic = [{"task": "logistic"} | stopped, {"task": "logistic"} | not_stopped]
    return [
        *plan(train, logistic, [0], order="file", **size),
        *plan(train, logistic, seeds(options, 10), order="shuffled", **size),
        *plan(train, [{"task": "softmax"} | stopped], seeds(options, 5), order="shuffled", **size),
        *plan(train_strengths, [{}], seeds(options, 5), epochs=longest, **size),
        *plan(train, [{"task": "softmax", "patience": 0, "epochs": long}], seeds(options, 2), order="shuffled", **size),
        *plan(train_hidden, grid(strength=HIDDEN_STRENGTHS), seeds(options, 3), epochs=hidden, **size),
    ]

"""What people write to train, under `mypy --strict`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minidl import (
    L1,
    L2,
    SGD,
    Adam,
    AverageWeights,
    Callback,
    Checkpoint,
    ClipNorm,
    Dataset,
    EarlyStopping,
    History,
    Linear,
    Optimizer,
    Parameters,
    ReduceOnPlateau,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    top_k_accuracy,
)
from minidl.data import batches, digits, standardize
from minidl.optim import CosineDecay, Joined, LinearWarmup, Schedule
from minidl.parameters import Array


class Watch(Callback):
    """Hooks as they are documented, with the types of what they are given."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0.0

    def on_fit_begin(self, trainer: Trainer) -> None:
        self.seen = 0.0

    def on_step_end(self, trainer: Trainer) -> None:
        self.seen += trainer.step_loss
        if trainer.optimizer.steps == self.at:
            trainer.stop("enough")

    def on_evaluation_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        print(row["train_loss"], trainer.history.evaluations.row(-1), trainer.model.parameters.value.sum())

    def on_safe_point(self, trainer: Trainer) -> None:
        if trainer.run is not None and trainer.run.over:
            print(len(trainer.run.packed()))

    def state(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.seen = state["seen"]


class SignDescent(Optimizer):
    """w <- w - lr sign(g)."""

    def update(self, value: Array, grad: Array, lr: float) -> None:
        value -= lr * np.sign(grad)


def towards_one(parameters: Parameters) -> float:
    away = parameters.value - 1
    parameters.grad += 2 * away
    return float(away @ away)


def hits(scores: Array, targets: Array) -> float:
    return float((scores.argmax(axis=1) == targets).mean())


def noisy(x: Array, rng: np.random.Generator) -> Array:
    return x + rng.normal(0, 0.1, x.shape)


def passes(folder: Path) -> History:
    train, validation, test = standardize(*digits().split(0.7, 0.15, 0.15))
    model = Sequential(Linear(64, 10)).build(seed=0)
    rate: Schedule = Joined([LinearWarmup(0.1, 10), CosineDecay(0.1, 90)], boundaries=[10])
    stopping = EarlyStopping("validation_accuracy", mode="max", patience=3)
    penalties = [L2(1e-4), L1(1e-5, names="*.weight")]
    callbacks = [stopping, ReduceOnPlateau(patience=2), Checkpoint(folder / "run.npz", every_steps=5), Watch(20)]
    trainer = Trainer(
        model,
        SoftmaxCrossEntropy(),
        SGD(rate, momentum=0.9, clip=ClipNorm(1.0)),
        regularizers=penalties,
        metrics=[accuracy, top_k_accuracy(3), hits],
        callbacks=callbacks,
    )
    history = trainer.fit(
        train, {"validation": validation, "test": test.arrays}, epochs=1, augment=noisy, progress=False
    )
    more = trainer.fit(train, validation, epochs=1, validate_every=0.5, resume=None, shuffle=False, progress=False)
    loss: list[float] = history.steps["loss"]
    value: float = trainer.evaluate((test.x, test.targets))["accuracy"]
    best: int | None = more.best_step
    print(loss[-1], value, best, history.monitor.upper(), trainer.optimizer.learning_rate)
    Trainer(model, SoftmaxCrossEntropy(), SGD(0.1), regularizers=[L2(1e-4), towards_one])
    Trainer(model, SoftmaxCrossEntropy(), Adam(lambda step: 0.1 / (1 + step)), metrics={"right": accuracy})
    Trainer(model, SoftmaxCrossEntropy(), SignDescent(0.1), callbacks=(AverageWeights(0.5), Watch(at=3)))
    for x, targets in batches(train, 32, seed=0, epoch=1, dtype="float32"):
        trainer.step(x, targets)
        break
    return history


def fails(trainer: Trainer, data: Dataset) -> None:
    trainer.fit(data)  # type: ignore[call-arg]
    trainer.fit((data.x,), epochs=1)  # type: ignore[arg-type]
    trainer.fit(data, epochs="3")  # type: ignore[arg-type]
    trainer.fit(data, epochs=3, batchsize=32)  # type: ignore[call-arg]
    trainer.evaluate("test")  # type: ignore[arg-type]
    trainer.optimzer  # type: ignore[attr-defined]
    trainer.stop()  # type: ignore[call-arg]
    Adam("fast")  # type: ignore[arg-type]
    Adam(0.1, 0.9)  # type: ignore[call-arg]
    EarlyStopping(mode="best")  # type: ignore[arg-type]
    Trainer(trainer.model, SoftmaxCrossEntropy, SGD(0.1))  # type: ignore[arg-type]
    Trainer(trainer.model, trainer.loss, trainer.optimizer, metrics=["accuracy"])  # type: ignore[list-item]
    Trainer(trainer.model, trainer.loss, trainer.optimizer, callbacks=[EarlyStopping])  # type: ignore[list-item]
    Trainer(trainer.model, trainer.loss, trainer.optimizer, regularizers=L2(0.1))  # type: ignore[arg-type]
    Dataset([[1.0]], [0])  # type: ignore[arg-type]


def fails_as_a_class() -> None:
    class WithoutItsRow(Callback):
        def on_evaluation_end(self, trainer: Trainer) -> None: ...  # type: ignore[override]

    class LogsOfKeras(Callback):
        def on_epoch_end(self, trainer: Trainer, logs: dict[str, float]) -> None: ...  # type: ignore[override]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        print(passes(Path(name)))

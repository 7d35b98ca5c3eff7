"""Data, training, evaluation and history as their users call them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    ReduceOnPlateau,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
    accuracy,
    confusion_matrix,
    top_k_accuracy,
)
from minidl.data import RandomFlip, batches, digits, one_hot, standardize, steps_per_epoch
from minidl.optim import CosineDecay
from tests.typing import refused

X, Y = np.eye(6, 3, dtype=np.float32), np.arange(6) % 3
DATA = Dataset(X, Y, classes=("a", "b", "c"))


def share_of_zeros(scores: NDArray[Any], targets: NDArray[Any]) -> float:
    return float((scores == 0).mean())


def make(**arguments: Any) -> Trainer:
    model = Sequential(Linear(3, 3)).build(seed=0)
    return Trainer(model, SoftmaxCrossEntropy(), SGD(0.1), **arguments)


def test_data_come_in_at_every_door() -> None:
    train, validation, test = standardize(*digits().split(0.7, 0.15, 0.15, seed=0))
    assert len(train) > len(validation) >= len(test)
    by_name, by_label = {"a": 2.0}, {0: 2.0}
    assert DATA.weighted(by_name).weights is not None
    assert DATA.weighted(by_label).balanced().weights is not None
    weighted = Dataset(X, one_hot(Y, 3), weights=np.ones(6), image_shape=(1, 3)).map(lambda x: x / 2).take([0, 2])
    assert weighted.where(weighted.x[:, 0] > 0).images().shape == (1, 1, 3)
    for x, targets in batches(DATA, 4, seed=1, shuffle=lambda epoch: np.arange(6), dtype="float32"):
        assert len(x) == len(targets)
    assert steps_per_epoch(DATA, 4) == steps_per_epoch(6, 4, drop_last=False)
    trainer = make()
    trainer.fit((X, Y), epochs=1, progress=False)
    trainer.fit((X, Y, np.ones(6)), (X, Y), epochs=1, progress=False)
    trainer.fit(DATA, {"validation": DATA, "other": (X, Y)}, epochs=1, progress=False)
    assert trainer.evaluate((X, Y)) == trainer.evaluate(DATA, batch_size=2)


def test_a_trainer_takes_lists_of_mixed_parts(tmp_path: Path) -> None:
    regularizers = [L1(1e-4), L2(1e-4)]
    callbacks: list[Callback] = [EarlyStopping("validation_accuracy", mode="max"), AverageWeights(0.5)]
    metrics = [accuracy, top_k_accuracy(2), share_of_zeros]
    model = Sequential(Linear(3, 3)).build(seed=0)
    trainer = Trainer(
        model,
        SoftmaxCrossEntropy(),
        Adam(lr=CosineDecay(0.1, 100), clip=ClipNorm(1.0)),
        regularizers=regularizers,
        metrics=metrics,
        callbacks=[*callbacks, ReduceOnPlateau(factor=0.5), Checkpoint(tmp_path / "run.npz", every_steps=10)],
    )
    history: History = trainer.fit(
        DATA,
        DATA,
        epochs=2,
        validate_every=lambda step: step % 2 == 0,
        shuffle=lambda epoch: np.roll(np.arange(6), epoch),
        augment=RandomFlip((1, 3)),
        restore_best=False,
        progress=False,
    )
    assert history.stopped_because
    named = make(metrics={"right": accuracy, "zeros": share_of_zeros}, regularizers=(L2(1e-4),), callbacks=())
    for every in (0.5, 1.0, 3):
        named.fit(DATA, DATA, epochs=1, validate_every=every, shuffle=False, progress=False)
    right: float = named.evaluate(DATA)["right"]
    assert right <= 1


def test_a_history_is_read_by_name(tmp_path: Path) -> None:
    history = make(metrics=[accuracy]).fit(DATA, DATA, epochs=2, progress=False)
    losses: list[float] = history.steps["loss"]
    best: float = max(history.evaluations["validation_accuracy"])
    newest: dict[str, float] = history.evaluations.row(-1)
    history.to_json(tmp_path / "history.json")
    again = History.from_json(tmp_path / "history.json")
    assert (again.steps["loss"], again.best_step) == (losses, history.best_step)
    assert newest["validation_accuracy"] <= best
    counts = confusion_matrix(X, Y)
    assert counts.sum() == 6


def test_the_five_statements_are_written_by_hand() -> None:
    model, loss, optimizer, penalty = Linear(3, 3).build(), SoftmaxCrossEntropy(), Adam(), L2(1e-4)
    cost = loss.forward(model.forward(X), Y)
    model.backward(loss.backward())
    cost += penalty(model.parameters)
    optimizer.step(model.parameters)
    assert isinstance(cost, float)


def test_what_is_no_data_is_refused() -> None:
    trainer = make()
    assert refused(lambda: Dataset("abc", [0]))
    assert refused(lambda: Dataset(X, Y, np.ones(6)))  # type: ignore[call-arg]
    assert refused(lambda: Dataset(X, Y, classes=["a", "b", "c"]))  # type: ignore[arg-type]
    assert refused(lambda: trainer.fit(X, Y, epochs=1))  # type: ignore[arg-type]
    assert refused(lambda: trainer.fit((X,), epochs=1))
    assert refused(lambda: trainer.fit([X, Y], epochs=1))
    assert refused(lambda: trainer.evaluate(X))  # type: ignore[arg-type]
    assert refused(lambda: DATA.split("0.5"))  # type: ignore[arg-type]
    assert refused(lambda: batches((X, Y), 2))  # type: ignore[arg-type]


def test_what_no_run_takes_is_refused() -> None:
    trainer, model, loss = make(), Linear(3, 3).build(), SoftmaxCrossEntropy()
    assert refused(lambda: Trainer(model, SoftmaxCrossEntropy, SGD(0.1)))  # type: ignore[arg-type]
    assert refused(lambda: Trainer(model, loss, "adam"))  # type: ignore[arg-type]
    assert refused(lambda: Trainer(model, loss, SGD(0.1), [L2(0.1)]))  # type: ignore[call-arg]
    assert refused(lambda: Trainer(model, loss, SGD(0.1), metrics=accuracy))  # type: ignore[arg-type]
    assert refused(lambda: Trainer(model, loss, SGD(0.1), metrics=["accuracy"]))  # type: ignore[list-item]
    assert refused(lambda: Trainer(model, loss, SGD(0.1), callbacks=EarlyStopping()))  # type: ignore[arg-type]
    assert refused(lambda: Trainer(model, loss, SGD(0.1), regularizers=[0.1]))  # type: ignore[list-item]
    assert refused(lambda: trainer.fit(DATA))
    assert refused(lambda: trainer.fit(DATA, epochs="3"))  # type: ignore[arg-type]
    assert refused(lambda: trainer.fit(DATA, epochs=1, shuffle="yes"))  # type: ignore[arg-type]
    assert refused(lambda: trainer.fit(DATA, DATA, epochs=1, validate_every="epoch"))  # type: ignore[arg-type]
    assert refused(lambda: trainer.fit(DATA, epochs=1, batchsize=3))  # type: ignore[call-arg]
    assert refused(lambda: EarlyStopping(mode="maximum"))  # type: ignore[arg-type]
    assert refused(lambda: Checkpoint("run.npz", every_steps="3"))  # type: ignore[arg-type]
    assert refused(lambda: History().losses)  # type: ignore[attr-defined]
    assert refused(lambda: History().steps.loss)  # type: ignore[attr-defined]
    assert refused(lambda: top_k_accuracy("2"))  # type: ignore[arg-type]

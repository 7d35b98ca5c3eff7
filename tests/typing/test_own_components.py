"""Layers, losses, optimizers, schedules, callbacks and functions that users write, annotated as they would be."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minidl import (
    L2,
    SGD,
    Callback,
    Dataset,
    EarlyStopping,
    Elementwise,
    Layer,
    Linear,
    Loss,
    Optimizer,
    Parameter,
    Parameters,
    Sequential,
    SoftmaxCrossEntropy,
    State,
    Trainer,
    accuracy,
)
from minidl.initializers import ones, zeros
from minidl.layers.shapes import SampleShape
from minidl.optim import Schedule
from minidl.training import Monitor
from tests.typing import refused

Floats = NDArray[np.floating]
X = np.ones((4, 3), np.float32)


class Scale(Layer):
    def __init__(self, features: int, *, start: float = 1.0) -> None:
        self.gain = Parameter((features,), ones, decay=False)
        self.seen = State((1,), zeros)
        self.start = start

    def forward(self, x: Floats) -> Floats:
        self.x = x
        if self.training:
            self.seen.value += len(x)
        return self.gain.value * x

    def backward(self, dy: Floats) -> Floats:
        np.sum(self.x * dy, axis=0, out=self.gain.grad)
        return dy * self.gain.value

    def output_shape(self, shape: SampleShape) -> SampleShape:
        return self.gain.shape


class Square(Elementwise):
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        y: np.ndarray = x * x
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        dx: np.ndarray = 2 * self.x * dy
        return dx


class Twice(Layer):
    def __init__(self, inner: Layer) -> None:
        self.inner = inner

    def forward(self, x: NDArray[np.float32]) -> NDArray[Any]:
        return 2 * self.inner.forward(x)

    def backward(self, dy: NDArray[np.float32]) -> NDArray[Any]:
        return self.inner.backward(2 * dy)


class AbsoluteError(Loss):
    def row_losses(self, scores: Floats, targets: Floats) -> Floats:
        self.difference = scores - targets
        losses: Floats = np.abs(self.difference).sum(axis=1)
        return losses

    def row_gradients(self) -> Floats:
        return np.sign(self.difference)


class Momentum(Optimizer):
    slot_names = ("velocity",)

    def __init__(self, lr: float, *, momentum: float = 0.9) -> None:
        super().__init__(lr)
        self.momentum = momentum

    def update(self, value: Floats, grad: Floats, lr: float) -> None:
        velocity = self.slots["velocity"]
        velocity *= self.momentum
        velocity += grad
        value -= lr * velocity


@dataclass(frozen=True)
class InverseRoot(Schedule):
    lr: float

    def at(self, step: int) -> float:
        return self.lr / math.sqrt(1 + step)


class StopAt(Callback):
    def __init__(self, step: int) -> None:
        self.step, self.rows = step, list[dict[str, float]]()

    def on_fit_begin(self, trainer: Trainer) -> None:
        self.rows.clear()

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.optimizer.steps == self.step and trainer.step_loss < 1e9:
            trainer.stop(f"{self.step} steps are enough, loss {trainer.history.steps['loss'][-1]}")

    def on_evaluation_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        self.rows.append(row)

    def on_fit_end(self, trainer: Trainer) -> None:
        assert trainer.model.parameters.grad.shape == trainer.model.parameters.value.shape
        assert trainer.model[0].weight.value.shape == (3, 2)

    def state(self) -> dict[str, Any]:
        return {"step": self.step}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.step = int(state["step"])


class Watching(Monitor, Callback):
    def on_evaluation_end(self, trainer: Any, row: dict[str, float]) -> None:
        self.improved(row)


def towards_one(parameters: Parameters) -> float:
    away = parameters.value - 1
    parameters.grad += 2 * away
    return float(away @ away)


def worst(scores: Floats, targets: NDArray[Any]) -> float:
    return float(np.abs(scores - targets).max())


def halves(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.choice([-0.5, 0.5], shape)


def noisy(x: Floats, rng: np.random.Generator) -> Floats:
    return x + rng.normal(0, 0.1, x.shape)


def test_what_a_user_writes_trains_together() -> None:
    model = Sequential(Linear(3, 2, weight_init=halves), Scale(2), Square(), Twice(Linear(2, 2))).build(seed=0)
    own = StopAt(3)
    trainer = Trainer(
        model,
        AbsoluteError(),
        Momentum(0.01),
        regularizers=[towards_one, L2(1e-4)],
        metrics=[worst],
        callbacks=[own, Watching("train_loss")],
    )
    data = Dataset(X, X[:, :2])
    history = trainer.fit(data, {"held_out": data}, epochs=5, batch_size=2, augment=noisy, progress=False)
    assert history.stopped_because.startswith("stopped: 3 steps")
    assert own.rows[0]["held_out_worst"] >= 0
    assert model[1].gain.value.shape == (2,)
    assert SGD(InverseRoot(0.1)).learning_rate == 0.1


def test_what_does_not_keep_a_contract_is_refused() -> None:
    def wrong_hook() -> None:
        class Typo(Callback):
            def on_evaluation_end(self, trainer: Trainer) -> None: ...  # type: ignore[override]

        data = Dataset(X, X[:, :2])
        model = Sequential(Linear(3, 2)).build()
        Trainer(model, AbsoluteError(), SGD(0.1), callbacks=[Typo()]).fit(data, data, epochs=1, progress=False)

    def wrong_slots() -> None:
        class Text(Optimizer):
            slot_names = "velocity"  # type: ignore[assignment]

    def wrong_forward() -> None:
        class TwoInputs(Layer):
            def forward(self, x: Floats, y: Floats) -> Floats:  # type: ignore[override]
                return x

        Sequential(TwoInputs()).build().forward(X)

    assert refused(wrong_hook)
    assert refused(wrong_slots)
    assert refused(wrong_forward)
    assert refused(lambda: Scale(3).gian)  # type: ignore[attr-defined]
    assert refused(lambda: accuracy(X))  # type: ignore[call-arg]


class Sending(Callback):
    """Packs what a checkpoint holds where nothing is pending."""

    sizes: list[int]

    def on_fit_begin(self, trainer: Trainer) -> None:
        self.sizes = []

    def on_safe_point(self, trainer: Trainer) -> None:
        if trainer.run.over:
            self.sizes.append(len(trainer.run.packed()))


class Louder(EarlyStopping):
    """A shipped callback with a hook of its own."""

    def on_evaluation_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        super().on_evaluation_end(trainer, row)


def test_a_callback_packs_a_run_and_derives_from_a_shipped_one() -> None:
    sending = Sending()
    model = Sequential(Linear(2, 2)).build(seed=0)
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1), callbacks=[sending, Louder()])
    data = (np.eye(2, dtype=np.float32), np.array([0, 1]))
    trainer.fit(data, data, epochs=1, progress=False)
    assert len(sending.sizes) == 2  # after the last step, and once more when no other will be taken

"""What people write with models, under `mypy --strict`; a line that must fail says so, and is reported if it passes."""

import numpy as np

from minidl import (
    Layer,
    Linear,
    MeanSquaredError,
    Parameter,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    State,
)
from minidl.initializers import he_normal, normal, zeros
from minidl.parameters import Array


def passes() -> Sequential:
    model = Sequential(Linear(4, 3, weight_init=he_normal), Sigmoid(), Linear(3, 2)).build(seed=0, dtype="float64")
    first: Array = model[0].weight.value
    model[0].weight.value[...] = 0.5
    model[-1].bias.grad = np.zeros(2)
    head: Sequential = model[:-1]
    for layer in head:
        print(layer.training, layer.output_shape((4,)))
    with model.train_mode() as same:
        same.forward(np.zeros((1, 4)))
    print(model.predict(np.zeros((2, 4), np.uint8), batch_size=1))
    scores = model.forward(np.zeros((2, 4)))
    loss = SoftmaxCrossEntropy(label_smoothing=0.1, class_weights=[1, 2])
    value: float = loss.forward(scores, np.array([0, 1]), weights=np.ones(2))
    dx: Array = model.backward(loss.backward())
    print(value, dx.sum(), first, loss.probabilities(scores), Linear(2, 2).build(dtype=np.float32).weight.shape)
    return Sequential(*model[:-1], Linear(3, 2, weight_init=normal(0.01), bias_init=zeros))


class Centre(Layer):
    """y = gain (x - centre), with a running mean: (n, features) -> (n, features)."""

    def __init__(self, features: int) -> None:
        self.gain = Parameter((features,), zeros, decay=False)
        self.centre = State((features,), zeros)

    def forward(self, x: Array) -> Array:
        if self.training:
            self.centre.value += (x.mean(axis=0) - self.centre.value) / 8
        self.x = x - self.centre.value
        return self.x * self.gain.value

    def backward(self, dy: Array) -> Array:
        self.gain.grad = (self.x * dy).sum(axis=0)
        return dy * self.gain.value


def fails() -> None:
    linear = Linear(4, 3)
    linear.wieght  # type: ignore[attr-defined]
    Linear("4", 3)  # type: ignore[arg-type]
    Linear(4)  # type: ignore[call-arg]
    Sigmoid(3)  # type: ignore[call-arg]
    Sequential([linear])  # type: ignore[arg-type]
    Sequential(linear, "sigmoid")  # type: ignore[arg-type]
    linear.weight.value = "he_normal"  # type: ignore[assignment]
    linear.summary()  # type: ignore[attr-defined]
    Parameter(3, zeros)  # type: ignore[arg-type]
    Parameter((3,), "zeros")  # type: ignore[arg-type]
    MeanSquaredError().forward(np.zeros(3))  # type: ignore[call-arg]
    SoftmaxCrossEntropy(0.1)  # type: ignore[call-arg]


class Wrong(Layer):
    """A layer whose backward takes something else than the upstream gradient."""

    def backward(self, dy: Array, scale: float) -> Array:  # type: ignore[override]
        return dy


if __name__ == "__main__":
    print(passes())

"""What a system under test must offer, and those that need nothing but numpy: minidl in two forms, and the floor."""

from collections.abc import Mapping
from itertools import count
from time import perf_counter
from typing import ClassVar

import numpy as np
from networks import Network
from workloads import Workload

from minidl import (
    L2,
    SGD,
    Adam,
    BinaryCrossEntropy,
    Callback,
    Dataset,
    Linear,
    Loss,
    MeanSquaredError,
    Optimizer,
    ReLU,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Trainer,
    WestonWatkinsHinge,
)
from minidl.data import batches

Weights = list[tuple[np.ndarray, np.ndarray]]


class System:
    """One way to train a workload.

    Attributes:
        label: the head of its column.
        package: what must be installed; the column shows its version.
        variants: ways to set it up; the fastest on the workload is taken.
        environment: variables of its process.
    """

    label: str
    package: str
    variants: tuple[str, ...] = ("",)
    environment: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def has(cls, workload: Workload | Network) -> bool:
        """Whether the system offers this model."""
        return True

    @classmethod
    def ways(cls, workload: Workload | Network) -> tuple[str, ...]:
        """The variants that make a difference on the workload."""
        return cls.variants

    def __init__(self, workload: Workload | Network, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        raise TypeError(f"{type(self).__name__} must define __init__ and train")

    def train(self, order: np.ndarray | None = None) -> None:
        """Go on training for one epoch, in a new order or the one given; return when its last step is done."""
        raise TypeError(f"{type(self).__name__} must define __init__ and train")

    def seconds(self) -> float:
        """Train an epoch and say how long it took."""
        start = perf_counter()
        self.train()
        return perf_counter() - start

    def weights(self) -> Weights | None:
        """(W, b) of each layer as they are now, W of shape (in, out); None for a system that learns nothing."""
        return None

    def cost(self, workload: Workload | Network, x: np.ndarray, targets: np.ndarray) -> float | None:
        """The loss of the rows at the weights as they are now, in training; None for a system that learns nothing."""
        weights = self.weights()
        if weights is None:
            return None
        return minidl_loss(workload).forward(minidl_model(workload, weights).predict(x), targets)


class MinidlLoop(System):
    """minidl as the five statements in a loop over batches."""

    label, package = "minidl loop", "minidl"
    environment: ClassVar[Mapping[str, str]] = {"MINIDL_KERNELS": "numpy"}

    def __init__(self, workload: Workload | Network, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        self.model, self.loss, self.optimizer = minidl_model(workload), minidl_loss(workload), minidl_rule(workload)
        self.regularizers = [L2(workload.l2)] if workload.l2 else []
        self.data, self.batch_size = Dataset(x, targets), workload.batch_size
        self.epoch = count()

    def train(self, order: np.ndarray | None = None) -> None:
        """The loop of the documentation."""
        shuffle = True if order is None else lambda epoch: order
        model, loss, optimizer = self.model, self.loss, self.optimizer
        model.needs_dx = False
        with model.train_mode():
            for x, targets in batches(self.data, self.batch_size, epoch=next(self.epoch), shuffle=shuffle):
                cost = loss.forward(model.forward(x), targets)
                model.backward(loss.backward())
                for regularize in self.regularizers:
                    cost += regularize(model.parameters)
                optimizer.step(model.parameters)

    def weights(self) -> Weights:
        """Copies of the layers' parameters."""
        return [(p.weight.value.copy(), p.bias.value.copy()) for p in self.model if isinstance(p, Linear)]

    def cost(self, workload: Workload | Network, x: np.ndarray, targets: np.ndarray) -> float | None:
        """By the model itself where it has more than linear layers."""
        if not isinstance(workload, Network):
            return super().cost(workload, x, targets)
        with self.model.train_mode():
            return minidl_loss(workload).forward(self.model.forward(x), targets)


class MinidlTrainer(MinidlLoop):
    """minidl's `Trainer.fit` without validation and without the bar."""

    label = "minidl Trainer.fit"

    def __init__(self, workload: Workload | Network, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        super().__init__(workload, variant, x, targets)
        self.clock = EpochClock()
        self.trainer = Trainer(
            self.model, self.loss, self.optimizer, regularizers=self.regularizers, callbacks=[self.clock]
        )

    def train(self, order: np.ndarray | None = None) -> None:
        """One call of fit."""
        self.fit(1, shuffle=True if order is None else lambda epoch: order)

    def fit(self, epochs: int, **settings: object) -> None:
        """`Trainer.fit` on the workload."""
        self.trainer.fit(self.data, epochs=epochs, batch_size=self.batch_size, **{"progress": False} | settings)

    def seconds(self) -> float:
        """The second of two epochs: the checks of the data, once a call of fit, are left out."""
        self.fit(2)
        return self.clock.ends[1] - self.clock.ends[0]


class FastLoop(MinidlLoop):
    """The same loop with compiled kernels."""

    label, package = "minidl[fast] loop", "numba"
    environment: ClassVar[Mapping[str, str]] = {"MINIDL_KERNELS": "compiled"}


class FastTrainer(MinidlTrainer):
    """`Trainer.fit` with compiled kernels."""

    label, package = "minidl[fast] Trainer.fit", "numba"
    environment: ClassVar[Mapping[str, str]] = {"MINIDL_KERNELS": "compiled"}


class EpochClock(Callback):
    """Notes when each epoch ended."""

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Forget the run before."""
        self.ends: list[float] = []

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Note the time."""
        self.ends.append(perf_counter())


class Floor(System):
    """No learning: gathering the rows and the bare matrix products of a step, every output preallocated."""

    label, package = "floor", "numpy"

    @classmethod
    def has(cls, workload: Workload | Network) -> bool:
        """Only where the products are most of the model."""
        return isinstance(workload, Workload)

    def __init__(self, workload: Workload, variant: str, x: np.ndarray, targets: np.ndarray) -> None:
        self.x, self.targets, self.batch_size = x, targets, workload.batch_size
        self.rng, draws = np.random.default_rng(2), np.random.default_rng(3)
        self.matrices = [W for W, _ in workload.weights()]
        self.gradients = [np.empty_like(W) for W in self.matrices]
        self.layers = list(enumerate(zip(self.matrices, self.gradients, strict=True)))
        self.inputs = [np.empty((self.batch_size, width), x.dtype) for width in workload.widths]
        self.deltas = [
            draws.standard_normal((self.batch_size, width), np.float32).astype(x.dtype) for width in workload.widths
        ]
        self.batch_targets = np.empty((self.batch_size, *targets.shape[1:]), targets.dtype)

    def train(self, order: np.ndarray | None = None) -> None:
        """y = x W forwards; dW = x^T dy and, above the first layer, dx = dy W^T backwards."""
        order = self.rng.permutation(len(self.x)) if order is None else order
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            self.x.take(rows, axis=0, out=self.inputs[0], mode="clip")  # "raise" would go through a buffer
            self.targets.take(rows, axis=0, out=self.batch_targets, mode="clip")
            self.multiply()

    def multiply(self) -> None:
        """The products of one step."""
        inputs, deltas = self.inputs, self.deltas
        for i, W in enumerate(self.matrices):
            np.matmul(inputs[i], W, out=inputs[i + 1])
        for i, (W, dW) in reversed(self.layers):
            np.matmul(inputs[i].T, deltas[i + 1], out=dW)
            if i > 0:
                np.matmul(deltas[i + 1], W.T, out=deltas[i])


def minidl_model(workload: Workload | Network, weights: Weights | None = None) -> Sequential:
    """The model of the workload, at the given weights or else those of the start."""
    if isinstance(workload, Network):
        return workload.model()
    activation = {"relu": ReLU, "sigmoid": Sigmoid}[workload.activation]
    layers: list[Linear | ReLU | Sigmoid] = []
    for W, _ in workload.weights():
        layers += [Linear(*W.shape), activation()]
    model = Sequential(*layers[:-1]).build(seed=0, dtype=workload.dtype)
    linear = [layer for layer in model if isinstance(layer, Linear)]
    for layer, (W, b) in zip(linear, weights or workload.weights(), strict=True):
        layer.weight.value, layer.bias.value = W, b
    return model


def minidl_loss(workload: Workload | Network) -> Loss:
    """The loss of the workload."""
    return {
        "softmax": SoftmaxCrossEntropy,
        "hinge": WestonWatkinsHinge,
        "logistic": BinaryCrossEntropy,
        "squares": MeanSquaredError,
    }[workload.loss]()


def minidl_rule(workload: Workload | Network) -> Optimizer:
    """The optimizer of the workload."""
    return Adam(workload.lr) if workload.optimizer == "adam" else SGD(workload.lr, momentum=workload.momentum)

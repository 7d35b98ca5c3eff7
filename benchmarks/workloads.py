"""The workloads: a model, a batch size, an optimizer, and synthetic data of the right shape."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

NUMBERS = 20_000_000  # in the training set, 80 MB of float32: no cache holds it, as none holds MNIST or CIFAR-10


class Product(NamedTuple):
    """Of a matrix (rows, m) of each sample of the batch and a matrix (m, n)."""

    rows: int
    m: int
    n: int


@dataclass(frozen=True)
class Workload:
    """One line of the table; every system builds the same model from it.

    Attributes:
        name: what the table calls it.
        widths: features, hidden units of each layer, scores.
        batch_size: rows a step.
        loss: "hinge" is Weston and Watkins' sum over rivals, which PyTorch has compiled; "squares" is the mean squared
            distance from the rows themselves.
        activation: after each hidden layer.
        optimizer: "sgd" is plain.
        lr: small enough that nothing diverges and no gradient dies.
        l2: strength * sum(w**2) joins the cost.
        numbers: entries of the training set, about.
        aims: how many times minidl's time PyTorch and JAX should take at least, and minidl the limit's at most.
        dtype: of data and weights.
    """

    name: str
    widths: tuple[int, ...]
    batch_size: int
    loss: Literal["softmax", "hinge", "logistic", "squares"] = "softmax"
    activation: Literal["sigmoid", "relu"] = "relu"
    optimizer: Literal["sgd", "adam"] = "sgd"
    lr: float = 1e-2
    l2: float = 0.0
    numbers: int = NUMBERS
    aims: tuple[float, float, float | None] | None = None
    dtype: str = "float32"
    momentum = 0.0

    @property
    def products(self) -> list[Product]:
        """Those of forward; the first needs no dx."""
        return [Product(1, m, n) for m, n in pairwise(self.widths)]

    @property
    def steps_per_epoch(self) -> int:
        """Batches in the set; all of them are full, so that every step costs the same."""
        return max(1, self.numbers // self.widths[0] // self.batch_size)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """(x, targets): a teacher's labels of random rows, blurred so that they are never learned to the end.

        x is (n, features). Targets are int64 labels (n,); zeros and ones (n, 1) for "logistic"; x for "squares".
        """
        rng = np.random.default_rng(0)
        x = rng.random((self.steps_per_epoch * self.batch_size, self.widths[0]), np.float32) - np.float32(0.5)
        if self.loss == "squares":
            return x, x
        teacher = rng.standard_normal((self.widths[0], self.widths[-1]), np.float32)
        scores = x @ teacher
        scores += rng.standard_normal(scores.shape, np.float32) * scores.std()
        x = x.astype(self.dtype, copy=False)
        return x, (scores > 0).astype(self.dtype) if self.loss == "logistic" else scores.argmax(axis=1)

    def weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(W, b) of each layer at the start, W of shape (in, out): Glorot's uniform draws, and zeros."""
        rng = np.random.default_rng(1)
        bounds = [(6 / (m + n)) ** 0.5 for m, n in pairwise(self.widths)]
        shapes = list(pairwise(self.widths))
        return [
            (rng.uniform(-bound, bound, shape).astype(self.dtype), np.zeros(shape[1], self.dtype))
            for bound, shape in zip(bounds, shapes, strict=True)
        ]


WORKLOADS = {
    "softmax-3072": Workload(
        "softmax regression 3072-10, batch 100, SGD + L2", (3072, 10), 100, l2=1e-4, aims=(1.2, 1.0, None)
    ),
    "hinge-3072": Workload(
        "hinge 3072-10, batch 400, SGD + L2", (3072, 10), 400, loss="hinge", lr=1e-3, l2=1e-4, aims=(1.2, 1.0, 1.6)
    ),
    "softmax-784": Workload("softmax 784-10, batch 128, SGD", (784, 10), 128, lr=3e-2, aims=(1.2, 1.0, None)),
    "logistic-784": Workload(
        "logistic 784-1, batch 128, SGD", (784, 1), 128, loss="logistic", lr=3e-2, aims=(1.2, 1.0, None)
    ),
    "sigmoid-mlp-sgd": Workload(
        "sigmoid MLP 3072-100-100-10, batch 64, SGD",
        (3072, 100, 100, 10),
        64,
        activation="sigmoid",
        aims=(1.0, 1.0, 1.6),
    ),
    "sigmoid-mlp-adam": Workload(
        "sigmoid MLP 3072-100-100-10, batch 64, Adam",
        (3072, 100, 100, 10),
        64,
        activation="sigmoid",
        optimizer="adam",
        lr=1e-3,
        aims=(1.15, 1.1, 1.6),
    ),
    "relu-mlp-small": Workload(
        "ReLU MLP 784-64-10, batch 32, Adam", (784, 64, 10), 32, optimizer="adam", lr=1e-3, aims=(1.15, 1.1, None)
    ),
    "relu-mlp-large": Workload(
        "ReLU MLP 3072-1024-1024-10, batch 256, Adam",
        (3072, 1024, 1024, 10),
        256,
        optimizer="adam",
        lr=1e-4,
        aims=(1.15, 1.1, 1.6),
    ),
    "softmax-784-float64": Workload(
        "softmax 784-10, batch 128, SGD, float64", (784, 10), 128, lr=3e-2, dtype="float64"
    ),
    "autoencoder": Workload(
        "autoencoder 784-128-32-128-784, batch 128, Adam",
        (784, 128, 32, 128, 784),
        128,
        loss="squares",
        optimizer="adam",
        lr=1e-3,
    ),
}


def _network(*, batch: int = 128, width: int = 256, depth: int = 1, rows: int = 12_800) -> Workload:
    widths = (784, *[width] * depth, 10)
    return Workload("", widths, batch, numbers=rows * 784)


# How the cost of a step of a ReLU network 784-256-10 (batch 128, SGD, 12 800 rows) grows with one of its sizes.
SCALING = {
    "batch": {f"batch-{n}": _network(batch=n) for n in (16, 64, 256, 1024)},
    "width": {f"width-{n}": _network(width=n) for n in (64, 256, 1024, 2048)},
    "hidden layers": {f"depth-{n}": _network(depth=n) for n in (1, 2, 4, 8)},
    "rows of data": {f"rows-{n}": _network(rows=n) for n in (1_280, 12_800, 128_000)},
}
EVERY = WORKLOADS | {name: workload for sizes in SCALING.values() for name, workload in sizes.items()}

"""The workloads that are more than linear layers: a convnet, an LSTM, attention, and batch normalization.

Each is a model of minidl; `torch_networks.py` and `jax_networks.py` have the same as people write it there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
from workloads import Product

from minidl import (
    LSTM,
    BatchNorm,
    Conv2D,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    MaxPool2D,
    ReLU,
    Residual,
    SelfAttention,
    Sequential,
)


@dataclass(frozen=True)
class Network:
    """One line of the table, like a `Workload`, with softmax and cross-entropy over ten classes.

    Attributes:
        name: what the table calls it.
        shape: of a row.
        batch_size: rows a step.
        steps_per_epoch: so many that an epoch takes some tenths of a second.
        make: the model, not built.
        products: those of forward; the first needs no dx.
        optimizer: "sgd" has momentum.
        lr: small enough that nothing diverges.
        momentum: of "sgd".
        aims: how many times minidl's time PyTorch and JAX should take at least, and minidl the limit's at most.
    """

    name: str
    shape: tuple[int, ...]
    batch_size: int
    steps_per_epoch: int
    make: Callable[[], Sequential]
    products: tuple[Product, ...]
    optimizer: Literal["sgd", "adam"] = "adam"
    lr: float = 1e-3
    momentum: float = 0.0
    aims: tuple[float | None, float | None, float | None] | None = None
    loss = "softmax"
    l2 = 0.0
    dtype = "float32"

    @property
    def widths(self) -> tuple[int, int]:
        """Numbers of a row, and scores."""
        return prod(self.shape), 10

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """(x, labels): a teacher's labels of random rows; x is float32 (n, *shape), labels are int64."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.steps_per_epoch * self.batch_size, *self.shape), np.float32)
        scores = x.reshape(len(x), -1) @ rng.standard_normal(self.widths, np.float32)
        return x, scores.argmax(axis=1)

    def model(self) -> Sequential:
        """Built, at the weights at which every system starts."""
        return self.make().build(seed=0)


def convnet() -> Sequential:
    """Two blocks of convolution, normalization, ReLU and pooling, and a linear layer."""
    blocks: list[Layer] = []
    for channels, out in ((3, 16), (16, 32)):
        blocks += [Conv2D(channels, out, 3, padding=1), BatchNorm(out), ReLU(), MaxPool2D(2)]
    return Sequential(*blocks, Flatten(), Linear(2048, 10))


def lstm() -> Sequential:
    """The last step of an LSTM, and a linear layer."""
    return Sequential(LSTM(32, 64, last=True), Linear(64, 10))


def attention() -> Sequential:
    """A block as in a transformer, and a linear layer over all steps."""
    block = Residual(LayerNorm(64), SelfAttention(64, 4))
    return Sequential(Linear(64, 64), block, LayerNorm(64), Flatten(), Linear(3200, 10))


def normalized_mlp() -> Sequential:
    """A hidden layer with batch normalization."""
    return Sequential(Linear(784, 256), BatchNorm(256), ReLU(), Linear(256, 10))


NETWORKS = {
    "convnet": Network(
        "convnet 3-16-32 with BatchNorm, 32x32, batch 64, SGD + momentum",
        (3, 32, 32),
        64,
        25,
        convnet,
        (Product(32 * 32, 27, 16), Product(16 * 16, 144, 32), Product(1, 2048, 10)),
        optimizer="sgd",
        lr=1e-3,
        momentum=0.9,
        aims=(round(1 / 1.4, 2), None, None),
    ),
    "lstm": Network(
        "LSTM 32 to 64, 50 steps, batch 64, Adam",
        (50, 32),
        64,
        50,
        lstm,
        (Product(50, 32, 256), Product(50, 64, 256), Product(1, 64, 10)),
        aims=(round(1 / 1.3, 2), None, None),
    ),
    "attention": Network(
        "attention with 4 heads, LayerNorm, 50 steps of 64, batch 32, Adam",
        (50, 64),
        32,
        80,
        attention,
        (
            Product(50, 64, 64),  # the first layer
            Product(50, 64, 3 * 64),  # queries, keys and values
            Product(50, 64, 50),  # the scores of all heads
            Product(50, 50, 64),  # their mixtures of values
            Product(50, 64, 64),
            Product(1, 3200, 10),
        ),
        aims=(1.0, None, None),
    ),
    "normalized-mlp": Network(
        "ReLU MLP 784-256-10 with BatchNorm, batch 128, Adam",
        (784,),
        128,
        150,
        normalized_mlp,
        (Product(1, 784, 256), Product(1, 256, 10)),
    ),
}

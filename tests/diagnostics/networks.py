"""Networks made sick on purpose, and healthy ones, on the embedded digits: small runs of a hundred steps."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from minidl import (
    GELU,
    L2,
    LSTM,
    SGD,
    Adam,
    AdamW,
    BatchNorm,
    BinaryCrossEntropy,
    ClipNorm,
    Conv2D,
    Dropout,
    GlobalAveragePool2D,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    MaxPool2D,
    MeanSquaredError,
    ReLU,
    Reshape,
    Residual,
    RMSprop,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    Trainer,
)
from minidl.data import Dataset, digits, standardize
from minidl.diagnostics import Recorder
from minidl.initializers import normal, zeros
from minidl.optim import CosineDecay


def constant(value):
    """An initializer: the same number everywhere."""
    return lambda rng, shape: np.full(shape, value)


TRAIN, REST = standardize(*digits().split(0.7, 0.3, seed=0))
RAW, _ = digits().split(0.7, 0.3, seed=0)


def scaled(factor):
    """The digits, that many times as large as they are in [0, 1]."""
    x = RAW.x.astype(np.float32)
    return Dataset(x / x.max() * factor, RAW.targets)


def dense(depth, activation, units=64, first=64, **options):
    """That many hidden layers, and one of scores."""
    sizes = [first] + [units] * depth
    layers = [part for a, b in pairwise(sizes) for part in (Linear(a, b, **options), activation())]
    return Sequential(*layers, Linear(units, 10, **options))


def recorded(model, optimizer, data=TRAIN, *, steps=100, every=5, seed=0, loss=None, batch_size=64, **options):
    """A run of a hundred steps with a recorder."""
    recorder = Recorder(every)
    trainer = Trainer(model.build(seed=seed), loss or SoftmaxCrossEntropy(), optimizer, callbacks=[recorder], **options)
    trainer.fit(data, steps=steps, batch_size=batch_size, raise_divergence=False, progress=False)
    return recorder


def uneven():
    """Digits with one feature a thousand times as large."""
    x = TRAIN.x.copy()
    x[:, 20] *= 1000
    return replace(TRAIN, x=x)


class Log(Layer):
    """y = log x, which is right for positive x."""

    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, dy):
        return dy / self.x


class Masked(Layer):
    """y = x with two of three features at 0, before everything that is trained."""

    def forward(self, x):
        return x * (np.arange(x.shape[-1]) % 3 == 0).astype(x.dtype)

    def backward(self, dy):
        return self.forward(dy)


def one_hot():
    """One of 12 000 categories, of which every second one is class 1."""
    category = np.random.default_rng(0).integers(0, 40, 400) * 299
    return Dataset(np.eye(12_000, dtype=np.float32)[category], category % 2)


def positive():
    """Positive features, but for a single one."""
    x = np.abs(TRAIN.x) + 1
    x[700, 3] = 0
    return replace(TRAIN, x=x)


def noisy():
    """Targets of which hardly anything can be known."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 6)).astype(np.float32)
    return Dataset(x, (0.2 * x[:, :2] + rng.normal(size=(1500, 2))).astype(np.float32))


SICK = {
    "dead ReLUs by their bias": (
        "dead units",
        lambda seed: recorded(dense(2, ReLU, bias_init=constant(-6.0)), SGD(0.1), seed=seed),
    ),
    "ten layers of sigmoids": ("vanishing gradients", lambda seed: recorded(dense(10, Sigmoid), SGD(0.1), seed=seed)),
    "ten layers of tiny weights": (
        "vanishing gradients",
        lambda seed: recorded(dense(10, ReLU, weight_init=normal(0.02)), Adam(1e-3), seed=seed),
    ),
    "ten layers of huge weights": (
        "exploding gradients",
        lambda seed: recorded(dense(10, ReLU, weight_init=normal(1.0)), SGD(1e-3, clip=ClipNorm(1.0)), seed=seed),
    ),
    "sigmoids with large weights": (
        "saturated units",
        lambda seed: recorded(dense(2, Sigmoid, weight_init=normal(2.0)), SGD(0.05), seed=seed),
    ),
    "tanh with large weights": (
        "saturated units",
        lambda seed: recorded(dense(1, Tanh, weight_init=normal(1.5)), Adam(1e-3), seed=seed),
    ),
    "SGD that diverges": ("rate too large", lambda seed: recorded(dense(2, ReLU), SGD(50.0, momentum=0.9), seed=seed)),
    "Adam that jumps": ("rate too large", lambda seed: recorded(dense(2, ReLU), Adam(1.0), seed=seed)),
    "SGD that crawls": ("rate too small", lambda seed: recorded(dense(2, ReLU), SGD(1e-5), seed=seed)),
    "Adam that crawls": ("rate too small", lambda seed: recorded(dense(2, Tanh), Adam(1e-7), seed=seed)),
    "weights of zero": ("symmetry", lambda seed: recorded(dense(2, ReLU, weight_init=zeros), Adam(1e-3), seed=seed)),
    "weights all the same": (
        "symmetry",
        lambda seed: recorded(dense(2, Tanh, weight_init=constant(0.05)), SGD(0.1), seed=seed),
    ),
    "bytes as they are": ("unscaled inputs", lambda seed: recorded(dense(2, ReLU), Adam(1e-3), scaled(255), seed=seed)),
    "one feature in other units": (
        "unscaled inputs",
        lambda seed: recorded(dense(1, Tanh), SGD(0.05), uneven(), seed=seed),
    ),
    "inputs divided twice": (
        "unscaled inputs",
        lambda seed: recorded(dense(2, ReLU), SGD(0.1), scaled(1 / 255), seed=seed),
    ),
    "dead ReLUs in batches of four": (
        "dead units",
        lambda seed: recorded(dense(2, ReLU, bias_init=constant(-12.0)), SGD(0.1), batch_size=4, seed=seed),
    ),
    "the logarithm of a single 0": (
        "not finite",
        lambda seed: recorded(Sequential(Log(), *dense(1, ReLU)), Adam(1e-3), positive(), every=1, seed=seed),
    ),
    "a logistic regression that crawls": (
        "rate too small",
        lambda seed: recorded(
            Sequential(Linear(64, 1)), SGD(1e-5), regression(), loss=BinaryCrossEntropy(), batch_size=32, seed=seed
        ),
    ),
    "weights of zero that crawl": (
        "rate too small",
        lambda seed: recorded(Sequential(Linear(64, 10, weight_init=zeros)), SGD(1e-5), seed=seed),
    ),
}  # fmt: skip


def convnet():
    """Two convolutions with batch normalization, and a mean over places."""
    return Sequential(
        Reshape(1, 8, 8), Conv2D(1, 8, 3, padding=1), BatchNorm(8), ReLU(), MaxPool2D(2), Conv2D(8, 16, 3, padding=1),
        ReLU(), GlobalAveragePool2D(), Linear(16, 10),
    )  # fmt: skip


def regression():
    """Whether a digit is even, as a number."""
    return Dataset(TRAIN.x, (TRAIN.targets % 2)[:, None].astype(np.float32))


def residual():
    """Four residual blocks, each of them the identity at first."""
    blocks = [Residual(LayerNorm(64), Linear(64, 64), GELU(), Linear(64, 64, weight_init=zeros)) for _ in range(4)]
    return Sequential(*blocks, Linear(64, 10))


HEALTHY = {
    "ReLU with Adam": lambda seed: recorded(dense(2, ReLU), Adam(3e-3), seed=seed),
    "tanh with SGD": lambda seed: recorded(dense(3, Tanh), SGD(0.1), seed=seed),
    "sigmoid with Adam": lambda seed: recorded(dense(2, Sigmoid), Adam(1e-2), seed=seed),
    "softmax regression from zero": lambda seed: recorded(
        Sequential(Linear(64, 10, weight_init=zeros)), SGD(0.5), every=1, seed=seed
    ),
    "a convolutional network": lambda seed: recorded(convnet(), Adam(3e-3), seed=seed),
    "eight layers with BatchNorm": lambda seed: recorded(
        Sequential(*[part for _ in range(8) for part in (Linear(64, 64), BatchNorm(64), ReLU())], Linear(64, 10)),
        SGD(0.05, momentum=0.9), seed=seed,
    ),
    "residual blocks from zero": lambda seed: recorded(residual(), AdamW(1e-3), seed=seed),
    "an LSTM over rows": lambda seed: recorded(
        Sequential(Reshape(8, 8), LSTM(8, 32, last=True), Linear(32, 10)), Adam(1e-2), seed=seed
    ),
    "eight layers of ReLU": lambda seed: recorded(dense(8, ReLU), SGD(0.02, momentum=0.9), seed=seed),
    "dropout and decay": lambda seed: recorded(
        Sequential(Linear(64, 100), ReLU(), Dropout(0.5), Linear(100, 10)), RMSprop(1e-3), regularizers=[L2(1e-3)],
        seed=seed,
    ),
    "a schedule that ends at zero": lambda seed: recorded(dense(2, LeakyReLU), Adam(CosineDecay(5e-3, 100)), seed=seed),
    "pixels from 0 to 1": lambda seed: recorded(dense(1, ReLU), SGD(0.2, momentum=0.9), scaled(1), seed=seed),
    "BatchNorm before bytes": lambda seed: recorded(
        Sequential(BatchNorm(64), Linear(64, 32), ReLU(), Linear(32, 10)), Adam(3e-3), scaled(255), seed=seed
    ),
    "a regression": lambda seed: recorded(
        Sequential(Linear(64, 32), ReLU(), Linear(32, 1)), Adam(3e-3), regression(), loss=MeanSquaredError(), seed=seed
    ),
    "single rows, few of them": lambda seed: recorded(
        dense(2, ReLU), SGD(0.01), batch_size=1, steps=300, every=100, seed=seed
    ),
    "one of many categories": lambda seed: recorded(
        Sequential(Linear(12_000, 8), ReLU(), Linear(8, 2)), Adam(1e-2), one_hot(), steps=40, seed=seed
    ),
    "as far as noise allows": lambda seed: recorded(
        Sequential(Linear(6, 2, weight_init=normal(0.1))), SGD(0.1), noisy(), loss=MeanSquaredError(),
        batch_size=1500, steps=300, seed=seed,
    ),
    "zeros of the data": lambda seed: recorded(Sequential(Masked(), *dense(1, ReLU)), Adam(3e-3), seed=seed),
}  # fmt: skip

ALSO = {  # what follows from a sickness, which is named after it
    "ten layers of tiny weights": ["dead units"],
    "Adam that jumps": ["dead units"],
    "one feature in other units": ["saturated units"],
    "inputs divided twice": ["dead units"],
}

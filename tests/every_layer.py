"""One example of every layer and of every loss, with something to give it, for what must hold of all of them."""

from dataclasses import dataclass

import numpy as np

from minidl import layers

ABSTRACT = {layers.Layer, layers.Loss, layers.ClassLoss, layers.Elementwise}

RECURRENT = (layers.RNN, layers.LSTM, layers.GRU)
ELEMENTWISE = (layers.ReLU, layers.LeakyReLU, layers.HardTanh, layers.Sigmoid, layers.Tanh, layers.Softmax)
ELEMENTWISE += (layers.LogSoftmax, layers.ELU, layers.SELU, layers.GELU, layers.SiLU, layers.Softplus)


@dataclass(frozen=True)
class Example:
    layer: layers.Layer
    shape: tuple[int, ...]  # of a row
    tokens: int = 0  # how many there are, where rows are of whole numbers

    def x(self, rows, seed=0, dtype=np.float32):
        rng = np.random.default_rng(seed)
        if self.tokens:
            return rng.integers(self.tokens, size=(rows, *self.shape))
        return rng.normal(size=(rows, *self.shape)).astype(dtype)


def examples():
    """New objects with each call."""
    image, sequence = (4, 9, 8), (7, 6)
    return [
        Example(layers.Linear(5, 3), (5,)),
        Example(layers.Linear(6, 3, bias=False), sequence),
        *(Example(kind(), (4, 5)) for kind in ELEMENTWISE),
        Example(layers.Maxout(5, 3, 2), (5,)),
        Example(layers.Dropout(0.3), (5,)),
        Example(layers.BatchNorm(5), (5,)),
        Example(layers.BatchNorm(4), image),
        Example(layers.LayerNorm(6), sequence),
        Example(layers.LayerNorm(image), image),
        Example(layers.GroupNorm(2, 4), image),
        Example(layers.Conv2D(4, 3, 3, stride=2, padding=1), image),
        Example(layers.Conv2D(4, 3, (2, 3), padding="same", bias=False), image),
        Example(layers.Conv1D(6, 3, 3), sequence),
        Example(layers.MaxPool2D(2), image),
        Example(layers.MaxPool2D(3, stride=2, padding=1), image),
        Example(layers.AveragePool2D(2), image),
        Example(layers.AveragePool2D(3, stride=2, padding=1), image),
        Example(layers.GlobalAveragePool2D(), image),
        Example(layers.Embedding(11, 4), (7,), tokens=11),
        Example(layers.PositionalEncoding(6), sequence),
        *(
            Example(kind(6, 4, last=last), sequence)
            for kind in (layers.RNN, layers.LSTM, layers.GRU)
            for last in (False, True)
        ),
        *(Example(layers.SelfAttention(6, 2, causal=causal), sequence) for causal in (False, True)),
        Example(layers.Flatten(), image),
        Example(layers.Reshape(8, -1), image),
        Example(layers.Residual(layers.Linear(5, 5), layers.Tanh()), (5,)),
        Example(
            layers.Parallel(
                layers.Linear(5, 3), layers.Sequential(layers.Linear(5, 2), layers.ReLU()), join="features"
            ),
            (5,),
        ),
        Example(layers.Parallel(layers.Linear(5, 3), layers.Linear(5, 3), join="sum"), (5,)),
        Example(layers.Parallel(layers.Conv2D(4, 2, 3), layers.Conv2D(4, 3, 3), join="channels"), image),
        Example(layers.Sequential(layers.Linear(5, 4), layers.Sequential(layers.ReLU(), layers.Linear(4, 2))), (5,)),
    ]


def named(kinds):
    return {
        kind for name in layers.__all__ if isinstance(kind := getattr(layers, name), type) and issubclass(kind, kinds)
    }


def test_there_is_an_example_of_every_layer():
    assert {type(example.layer) for example in examples()} == named(layers.Layer) - ABSTRACT

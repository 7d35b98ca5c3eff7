"""Layers and losses: every one states its own derivative."""

from minidl.layers.activations import Elementwise, ReLU, Sigmoid, Softmax, Tanh
from minidl.layers.attention import SelfAttention
from minidl.layers.base import Layer
from minidl.layers.branches import Parallel, Residual
from minidl.layers.convolution import Conv1D, Conv2D
from minidl.layers.embedding import Embedding, PositionalEncoding
from minidl.layers.gated import GRU, LSTM
from minidl.layers.linear import Linear
from minidl.layers.losses import (
    BinaryCrossEntropy,
    ClassLoss,
    Focal,
    Hinge,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    SquaredHinge,
    WestonWatkinsHinge,
)
from minidl.layers.pooling import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from minidl.layers.recurrence import RNN
from minidl.layers.sequential import Sequential
from minidl.layers.shapes import SampleShape, ShapeError
from minidl.layers.shaping import Flatten, Reshape

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AveragePool2D",
    "BinaryCrossEntropy",
    "ClassLoss",
    "Conv1D",
    "Conv2D",
    "Elementwise",
    "Embedding",
    "Flatten",
    "Focal",
    "GlobalAveragePool2D",
    "Hinge",
    "Huber",
    "Layer",
    "Linear",
    "Loss",
    "MaxPool2D",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Parallel",
    "PositionalEncoding",
    "ReLU",
    "Reshape",
    "Residual",
    "SampleShape",
    "SelfAttention",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "SquaredHinge",
    "Tanh",
    "WestonWatkinsHinge",
]

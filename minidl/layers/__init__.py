"""Layers and losses: every one states its own derivative."""

from minidl.layers.activations import Elementwise, ReLU, Sigmoid, Softmax, Tanh
from minidl.layers.attention import SelfAttention
from minidl.layers.base import Layer
from minidl.layers.branches import Parallel, Residual
from minidl.layers.embedding import Embedding, PositionalEncoding
from minidl.layers.gated import GRU, LSTM
from minidl.layers.linear import Linear
from minidl.layers.losses import (
    BinaryCrossEntropy,
    ClassLoss,
    Hinge,
    Loss,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    WestonWatkinsHinge,
)
from minidl.layers.recurrence import RNN
from minidl.layers.sequential import Sequential
from minidl.layers.shapes import SampleShape, ShapeError

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "BinaryCrossEntropy",
    "ClassLoss",
    "Elementwise",
    "Embedding",
    "Hinge",
    "Layer",
    "Linear",
    "Loss",
    "MeanSquaredError",
    "Parallel",
    "PositionalEncoding",
    "ReLU",
    "Residual",
    "SampleShape",
    "SelfAttention",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Tanh",
    "WestonWatkinsHinge",
]

"""Layers and losses: every one states its own derivative."""

from minidl.layers.activations import Elementwise, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from minidl.layers.attention import SelfAttention
from minidl.layers.base import Layer
from minidl.layers.branches import Parallel, Residual
from minidl.layers.convolution import Conv1D, Conv2D
from minidl.layers.dropout import Dropout
from minidl.layers.embedding import Embedding, PositionalEncoding
from minidl.layers.gated import GRU, LSTM
from minidl.layers.layer_normalization import LayerNorm
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
from minidl.layers.normalization import BatchNorm, GroupNorm
from minidl.layers.piecewise_linear import HardTanh, LeakyReLU, Maxout
from minidl.layers.pooling import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from minidl.layers.recurrence import RNN
from minidl.layers.sequential import Sequential
from minidl.layers.shapes import SampleShape, ShapeError
from minidl.layers.shaping import Flatten, Reshape
from minidl.layers.smooth_activations import ELU, GELU, SELU, SiLU, Softplus

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AveragePool2D",
    "BatchNorm",
    "BinaryCrossEntropy",
    "ClassLoss",
    "Conv1D",
    "Conv2D",
    "Dropout",
    "Elementwise",
    "Embedding",
    "Flatten",
    "Focal",
    "GlobalAveragePool2D",
    "GroupNorm",
    "HardTanh",
    "Hinge",
    "Huber",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Loss",
    "MaxPool2D",
    "Maxout",
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
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "SquaredHinge",
    "Tanh",
    "WestonWatkinsHinge",
]

"""Layers and losses: every one states its own derivative."""

from minidl.layers.activations import Elementwise, LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from minidl.layers.base import Layer
from minidl.layers.dropout import Dropout
from minidl.layers.layer_normalization import LayerNorm
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
from minidl.layers.normalization import BatchNorm, GroupNorm
from minidl.layers.piecewise_linear import HardTanh, LeakyReLU, Maxout
from minidl.layers.sequential import Sequential
from minidl.layers.shapes import SampleShape, ShapeError
from minidl.layers.smooth_activations import ELU, GELU, SELU, SiLU, Softplus

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "BatchNorm",
    "BinaryCrossEntropy",
    "ClassLoss",
    "Dropout",
    "Elementwise",
    "GroupNorm",
    "HardTanh",
    "Hinge",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Loss",
    "Maxout",
    "MeanSquaredError",
    "ReLU",
    "SampleShape",
    "Sequential",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "Tanh",
    "WestonWatkinsHinge",
]

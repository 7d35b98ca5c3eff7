"""Layers and losses: every one states its own derivative."""

from minidl.layers.activations import Elementwise, ReLU, Sigmoid, Softmax, Tanh
from minidl.layers.base import Layer
from minidl.layers.branches import Parallel, Residual
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
from minidl.layers.sequential import Sequential
from minidl.layers.shapes import SampleShape, ShapeError

__all__ = [
    "BinaryCrossEntropy",
    "ClassLoss",
    "Elementwise",
    "Hinge",
    "Layer",
    "Linear",
    "Loss",
    "MeanSquaredError",
    "Parallel",
    "ReLU",
    "Residual",
    "SampleShape",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Tanh",
    "WestonWatkinsHinge",
]

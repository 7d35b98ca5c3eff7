"""Layers and losses: every one states its own derivative."""

from minidl.layers.activations import Elementwise, ReLU, Sigmoid, Softmax, Tanh
from minidl.layers.base import Layer, ShapeError
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
from minidl.layers.sequential import Sequential

__all__ = [
    "BinaryCrossEntropy",
    "ClassLoss",
    "Elementwise",
    "Focal",
    "Hinge",
    "Huber",
    "Layer",
    "Linear",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "ReLU",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "SquaredHinge",
    "Tanh",
    "WestonWatkinsHinge",
]

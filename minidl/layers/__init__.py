"""Layers and losses: every one states its own derivative."""

from minidl.layers.activations import Elementwise, ReLU, Sigmoid, Softmax, Tanh
from minidl.layers.base import Layer, ShapeError
from minidl.layers.cross_entropy import BinaryCrossEntropy, SoftmaxCrossEntropy
from minidl.layers.hinge import Hinge, WestonWatkinsHinge
from minidl.layers.linear import Linear
from minidl.layers.loss import ClassLoss, Loss
from minidl.layers.sequential import Sequential
from minidl.layers.squared_error import MeanSquaredError

__all__ = [
    "BinaryCrossEntropy",
    "ClassLoss",
    "Elementwise",
    "Hinge",
    "Layer",
    "Linear",
    "Loss",
    "MeanSquaredError",
    "ReLU",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Tanh",
    "WestonWatkinsHinge",
]

"""Losses: what ends a network, from raw scores and targets to one number."""

from minidl.layers.losses.absolute_error import Huber, MeanAbsoluteError
from minidl.layers.losses.base import ClassLoss, Loss
from minidl.layers.losses.cross_entropy import BinaryCrossEntropy, SoftmaxCrossEntropy
from minidl.layers.losses.focal import Focal
from minidl.layers.losses.hinge import Hinge, SquaredHinge, WestonWatkinsHinge
from minidl.layers.losses.squared_error import MeanSquaredError

__all__ = [
    "BinaryCrossEntropy",
    "ClassLoss",
    "Focal",
    "Hinge",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SoftmaxCrossEntropy",
    "SquaredHinge",
    "WestonWatkinsHinge",
]

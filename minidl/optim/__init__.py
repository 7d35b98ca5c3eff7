"""Optimizers, clipping and learning-rate schedules: everything that moves the flat vector of a model's numbers.

An optimizer sees one vector of values and one of gradients, never a layer. Time in a training run is its count of
steps, and a schedule is a pure function of that.
"""

from minidl.optim.adam import Adam, AdamW
from minidl.optim.base import Optimizer, blocks
from minidl.optim.clipping import ClipNorm, ClipValue, global_norm
from minidl.optim.piecewise import Joined, MultiStepDecay
from minidl.optim.rmsprop import RMSprop
from minidl.optim.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    LearningRate,
    LinearWarmup,
    Schedule,
    StepDecay,
    TriangularCycle,
)
from minidl.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "ClipNorm",
    "ClipValue",
    "Constant",
    "CosineDecay",
    "ExponentialDecay",
    "Joined",
    "LearningRate",
    "LinearWarmup",
    "MultiStepDecay",
    "Optimizer",
    "RMSprop",
    "Schedule",
    "StepDecay",
    "TriangularCycle",
    "blocks",
    "global_norm",
]

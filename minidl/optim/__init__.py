"""Optimizers, clipping and learning-rate schedules: everything that moves the flat vector of a model's numbers.

An optimizer sees one vector of values and one of gradients, never a layer. Time in a training run is its count of
steps, and a schedule is a pure function of that.
"""

from minidl.optim.adagrad import Adadelta, Adagrad
from minidl.optim.adam import Adam, AdamW, Nadam
from minidl.optim.base import Optimizer
from minidl.optim.clipping import ClipNorm, ClipValue, global_norm
from minidl.optim.lbfgs import LBFGS
from minidl.optim.lion import Lion
from minidl.optim.piecewise import CosineRestarts, InverseSquareRoot, Joined, MultiStepDecay, OneCycle
from minidl.optim.rmsprop import RMSprop
from minidl.optim.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    LearningRate,
    LinearWarmup,
    PolynomialDecay,
    Schedule,
    StepDecay,
    TriangularCycle,
)
from minidl.optim.sgd import SGD
from minidl.optim.vectors import blocks

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "ClipNorm",
    "ClipValue",
    "Constant",
    "CosineDecay",
    "CosineRestarts",
    "ExponentialDecay",
    "InverseSquareRoot",
    "Joined",
    "LearningRate",
    "LinearWarmup",
    "Lion",
    "MultiStepDecay",
    "Nadam",
    "OneCycle",
    "Optimizer",
    "PolynomialDecay",
    "RMSprop",
    "Schedule",
    "StepDecay",
    "TriangularCycle",
    "blocks",
    "global_norm",
]

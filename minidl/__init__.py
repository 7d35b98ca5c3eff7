"""minidl: deep learning without autograd. Every layer states its own derivative, and every derivative is tested.

Also worth importing: `minidl.data`, `minidl.initializers`, `minidl.optim` (schedules and clipping), `minidl.plots`
(figures, loads matplotlib) and `minidl.testing` (checks for your own layers, loads hypothesis).
"""

from typing import TYPE_CHECKING

from minidl.data import Dataset
from minidl.habits import unknown as _unknown
from minidl.layers import (
    AveragePool2D,
    BinaryCrossEntropy,
    ClassLoss,
    Conv1D,
    Conv2D,
    Elementwise,
    Flatten,
    Focal,
    GlobalAveragePool2D,
    Hinge,
    Huber,
    Layer,
    Linear,
    Loss,
    MaxPool2D,
    MeanAbsoluteError,
    MeanSquaredError,
    ReLU,
    Reshape,
    Sequential,
    ShapeError,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    SquaredHinge,
    Tanh,
    WestonWatkinsHinge,
)
from minidl.metrics import (
    accuracy,
    binary_accuracy,
    confusion_matrix,
    f1_score,
    ignoring,
    label_counts,
    subset_accuracy,
    top_k_accuracy,
)
from minidl.optim import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    ClipNorm,
    ClipValue,
    Lion,
    Nadam,
    Optimizer,
    RMSprop,
)
from minidl.parameters import Parameter, State
from minidl.regularizers import L1, L2, ElasticNet
from minidl.storage import DataError
from minidl.store import Parameters
from minidl.training import (
    AverageWeights,
    Callback,
    Checkpoint,
    DivergenceError,
    EarlyStopping,
    ExponentialAverage,
    History,
    MaxNorm,
    ReduceOnPlateau,
    Trainer,
)
from minidl.version import __version__

__all__ = [
    "L1",
    "L2",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "AveragePool2D",
    "AverageWeights",
    "BinaryCrossEntropy",
    "Callback",
    "Checkpoint",
    "ClassLoss",
    "ClipNorm",
    "ClipValue",
    "Conv1D",
    "Conv2D",
    "DataError",
    "Dataset",
    "DivergenceError",
    "EarlyStopping",
    "ElasticNet",
    "Elementwise",
    "ExponentialAverage",
    "Flatten",
    "Focal",
    "GlobalAveragePool2D",
    "Hinge",
    "History",
    "Huber",
    "Layer",
    "Linear",
    "Lion",
    "Loss",
    "MaxNorm",
    "MaxPool2D",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Nadam",
    "Optimizer",
    "Parameter",
    "Parameters",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "Reshape",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "SquaredHinge",
    "State",
    "Tanh",
    "Trainer",
    "WestonWatkinsHinge",
    "__version__",
    "accuracy",
    "binary_accuracy",
    "confusion_matrix",
    "f1_score",
    "ignoring",
    "label_counts",
    "subset_accuracy",
    "top_k_accuracy",
]

if not TYPE_CHECKING:  # a checker should go on refusing unknown names

    def __getattr__(name: str) -> object:
        """Raise, with what a name of another library is called here."""
        raise _unknown(name)

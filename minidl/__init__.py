"""minidl: deep learning without autograd. Every layer states its own derivative, and every derivative is tested.

Also worth importing: `minidl.data`, `minidl.initializers`, `minidl.optim` (schedules and clipping), `minidl.plots`
(figures, loads matplotlib) and `minidl.testing` (checks for your own layers, loads hypothesis).
"""

from minidl.data import Dataset
from minidl.layers import (
    BinaryCrossEntropy,
    ClassLoss,
    Elementwise,
    Hinge,
    Layer,
    Linear,
    Loss,
    MeanSquaredError,
    Parallel,
    ReLU,
    Residual,
    Sequential,
    ShapeError,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
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
from minidl.optim import SGD, Adam, AdamW, ClipNorm, ClipValue, Optimizer, RMSprop
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
    History,
    ReduceOnPlateau,
    Trainer,
)
from minidl.version import __version__

__all__ = [
    "L1",
    "L2",
    "SGD",
    "Adam",
    "AdamW",
    "AverageWeights",
    "BinaryCrossEntropy",
    "Callback",
    "Checkpoint",
    "ClassLoss",
    "ClipNorm",
    "ClipValue",
    "DataError",
    "Dataset",
    "DivergenceError",
    "EarlyStopping",
    "ElasticNet",
    "Elementwise",
    "Hinge",
    "History",
    "Layer",
    "Linear",
    "Loss",
    "MeanSquaredError",
    "Optimizer",
    "Parallel",
    "Parameter",
    "Parameters",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "Residual",
    "Sequential",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
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

"""Training: the Trainer, its callbacks, and the history of a run."""

from minidl.training.averaging import AverageWeights, ExponentialAverage
from minidl.training.callbacks import Callback
from minidl.training.checkpoint import Checkpoint
from minidl.training.divergence import DivergenceError
from minidl.training.history import History
from minidl.training.max_norm import MaxNorm
from minidl.training.monitor import Monitor
from minidl.training.patience import EarlyStopping, ReduceOnPlateau
from minidl.training.trainer import Trainer

__all__ = [
    "AverageWeights",
    "Callback",
    "Checkpoint",
    "DivergenceError",
    "EarlyStopping",
    "ExponentialAverage",
    "History",
    "MaxNorm",
    "Monitor",
    "ReduceOnPlateau",
    "Trainer",
]

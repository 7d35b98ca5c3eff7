"""Training: the Trainer, its callbacks, and the history of a run."""

from minidl.training.callbacks import AverageWeights, Callback, EarlyStopping, ReduceOnPlateau
from minidl.training.checkpoint import Checkpoint
from minidl.training.divergence import DivergenceError
from minidl.training.history import History
from minidl.training.monitor import Monitor
from minidl.training.trainer import Trainer

__all__ = [
    "AverageWeights",
    "Callback",
    "Checkpoint",
    "DivergenceError",
    "EarlyStopping",
    "History",
    "Monitor",
    "ReduceOnPlateau",
    "Trainer",
]

"""Training: the Trainer, its callbacks, and the history of a run."""

from minidl.training.averaging import AverageWeights
from minidl.training.callbacks import Callback
from minidl.training.checkpoint import Checkpoint
from minidl.training.divergence import DivergenceError
from minidl.training.history import History
from minidl.training.monitor import Monitor
from minidl.training.patience import EarlyStopping, ReduceOnPlateau
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

"""Trying something out without touching the trainer: a copy of it, and the rows to try it on."""

from copy import deepcopy
from typing import Any

import numpy as np

from minidl.data.dataset import Dataset
from minidl.training.door import Data, as_dataset
from minidl.training.trainer import Trainer


def copy_of(trainer: Trainer, *, regularized: bool = True) -> Trainer:
    """A trainer with copies of model, loss and optimizer, the same regularizers or none, and no callbacks."""
    if not isinstance(trainer, Trainer):
        raise TypeError(f"expected a Trainer, received {type(trainer).__name__}: write Trainer(model, loss, optimizer)")
    model, loss, optimizer, hooks = deepcopy((trainer.model, trainer.loss, trainer.optimizer, trainer.regularizers))
    return Trainer(model, loss, optimizer, regularizers=hooks if regularized else ())


def first_rows(name: str, data: Data, count: int, dtype: Any) -> Dataset:
    """The first rows of a set, with floats in the dtype of the model."""
    given = as_dataset(name, data)
    rows = given.take(np.arange(min(count, len(given))))
    x = rows.x.astype(dtype) if rows.x.dtype.kind in "fbui" else rows.x
    return Dataset(x, rows.targets, weights=rows.weights)

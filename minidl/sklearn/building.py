"""From the parameters of an estimator to a model, an optimizer and a Trainer."""

import copy
from itertools import pairwise
from typing import Any

from minidl.arguments import short
from minidl.data.batching import steps_per_epoch
from minidl.data.dataset import Dataset
from minidl.layers.base import Layer
from minidl.layers.dropout import Dropout
from minidl.layers.linear import Linear
from minidl.layers.losses.base import Loss
from minidl.layers.sequential import Sequential
from minidl.optim.base import Optimizer
from minidl.sklearn.checking import made_of
from minidl.training.trainer import Trainer


def trainer_of(estimator: Any, data: Dataset, n_out: int, loss: Loss, seed: int) -> Trainer:
    """A trainer of a new model: what an estimator shares with others, such as callbacks, is copied."""
    n_in = data.x.shape[1]
    model = network(estimator, n_in, n_out).build(seed=seed, dtype=estimator.dtype, input_shape=(n_in,))
    _check_scores(estimator, model, data, n_out)
    steps = int(estimator.epochs) * steps_per_epoch(data, estimator.batch_size)
    callbacks, regularizers, metrics = copy.deepcopy(
        (estimator.callbacks, estimator.regularizers, estimator.metrics)
    )  # together, so that what they share is shared
    return Trainer(
        model,
        copy.deepcopy(loss),
        optimizer_of(estimator, steps),
        regularizers=regularizers,
        metrics=metrics,
        callbacks=callbacks,
    )


def network(estimator: Any, n_in: int, n_out: int) -> Layer:
    """The layers of an estimator, from its widths or its function."""
    if estimator.model is not None:
        made = estimator.model(n_in, n_out)
        if not isinstance(made, Layer):
            raise TypeError(
                f"expected model({n_in}, {n_out}) to return a Layer, received {short(made)}: such as "
                f"Sequential(Linear({n_in}, 50), ReLU(), Linear(50, {n_out}))"
            )
        if hasattr(made, "parameters"):
            raise ValueError(
                f"expected model({n_in}, {n_out}) to return new layers, received one that is built: fit would draw its "
                f"weights anew; Sequential(*layers) keeps those of the layers in it"
            )
        return copy.deepcopy(made)  # another fit may be given the same layers
    layers: list[Layer] = []
    for fan_in, width in pairwise([n_in, *map(int, estimator.hidden)]):
        layers += [Linear(fan_in, width), made_of("activation", estimator.activation, Layer, "ReLU")]
        layers += [Dropout(estimator.dropout)] if estimator.dropout else []
    last = int(estimator.hidden[-1]) if len(estimator.hidden) else n_in
    return Sequential(*layers, Linear(last, n_out))


def optimizer_of(estimator: Any, steps: int) -> Optimizer:
    """The optimizer, at its rate or the schedule of it over so many steps."""
    rate: Any = float(estimator.learning_rate)
    if estimator.schedule is not None:
        rate = estimator.schedule(rate, steps)
    made = estimator.optimizer(rate)
    if not isinstance(made, Optimizer):
        raise TypeError(f"expected optimizer({short(rate)}) to make an Optimizer, received {short(made)}: such as Adam")
    return made


def _check_scores(estimator: Any, model: Layer, data: Dataset, n_out: int) -> None:
    """Refuse a function whose layers give other scores than were asked for."""
    if estimator.model is None:
        return
    received = model.predict(data.x[:1]).shape
    if received != (1, n_out):
        raise ValueError(
            f"expected model({data.x.shape[1]}, {n_out}) to give scores of shape (1, {n_out}) for one row, received "
            f"{received}: its last layer is Linear(..., n_out)"
        )

"""What `fit` and `evaluate` check before the first step."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from minidl.data.dataset import Dataset
from minidl.layers.activations import Sigmoid, Softmax
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.layers.losses.cross_entropy import BinaryCrossEntropy, SoftmaxCrossEntropy
from minidl.layers.sequential import Sequential
from minidl.parameters import Array
from minidl.training.divergence import UNWARNED

Data: TypeAlias = Dataset | tuple[Array, ...]
CHUNK = 1 << 22  # numbers looked at together when searching for NaN


def check_functions(name: str, functions: Iterable[Any]) -> list[Any]:
    """The functions as a list, if it is a list of functions."""
    if callable(functions) or not isinstance(functions, Iterable):
        raise TypeError(f"expected {name} to be a list, received {name}={functions!r}: put it in [ ]")
    listed = list(functions)
    for function in listed:
        if isinstance(function, type) or not callable(function):
            raise TypeError(f"expected {name} to hold functions or callable objects, received {function!r} in it")
    return listed


def metrics_by_name(metrics: Iterable[Any] | Mapping[str, Any]) -> dict[str, Callable[[Array, Array], float]]:
    """Metrics by the name of their column: the mapping's, or their own."""
    functions = check_functions("metrics", metrics.values() if isinstance(metrics, Mapping) else metrics)
    names = list(metrics) if isinstance(metrics, Mapping) else [getattr(m, "__name__", "<lambda>") for m in functions]
    wrong = [name for name in names if names.count(name) > 1 or name in ("<lambda>", "loss", "penalty", "cost")]
    if wrong:
        raise ValueError(
            f"expected metrics with names of their own, received {wrong}: use metrics={{'name': function}}"
        )
    return dict(zip(names, functions, strict=True))


def as_dataset(name: str, data: Data) -> Dataset:
    """A Dataset, or the tuple (x, targets) or (x, targets, weights) as one."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, tuple) and len(data) in (2, 3):
        return Dataset(data[0], data[1], weights=data[2] if len(data) == 3 else None)
    raise TypeError(f"expected {name} to be a Dataset or a tuple (x, targets), received {type(data).__name__}")


def validation_sets(validation: Data | Mapping[str, Data] | None) -> dict[str, Dataset]:
    """The validation sets by name; a single one is called "validation"."""
    if validation is None:
        return {}
    named = validation if isinstance(validation, Mapping) else {"validation": validation}
    if "train" in named or not all(isinstance(name, str) and name for name in named):
        raise ValueError(
            f"expected names of validation sets other than 'train', which names the running means over training "
            f"batches, received {list(named)}: take 'training_set'"
        )
    return {name: as_dataset(f"validation set {name!r}", data) for name, data in named.items()}


def check_data(name: str, data: Dataset, model: Layer, loss: Loss) -> None:
    """Refuse data that the model or the loss cannot take, at the door instead of somewhere in the first epoch."""
    try:
        with np.errstate(**UNWARNED):
            row = model.predict(data.x[:1])
            scores = np.broadcast_to(row[:1], (len(data), *row.shape[1:]))
            loss.check_targets(scores, data.targets)
    except Exception as error:
        error.add_note(f"in the data given as {name!r}, {data!r}")
        raise
    if not isinstance(data.x, np.memmap):
        _check_finite(name, data.x, model.parameters.dtype)


def read_only(array: Array) -> Array:
    """A view that cannot be written into."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def check_model(model: Layer, loss: Loss, data: Dataset) -> None:
    """Refuse a model that would not learn: a part that left it, or a backward that sets no gradient.

    One row goes forward and back, at inference, with every gradient NaN before.
    """
    parameters = model.parameters
    parameters.check_whole(model.named_parameters())
    before = parameters.grad.copy()
    parameters.grad[...] = np.nan
    with np.errstate(**UNWARNED):
        value = loss.forward(model.predict(data.x[:1]), data.targets[:1])
        model.backward(loss.backward())
    unset = [name for name, parameter in parameters.named.items() if np.isnan(parameter.grad).all()]
    parameters.grad[...] = before
    if unset and math.isfinite(value):
        raise ValueError(f"expected backward to set the gradient of every parameter, received none for {unset}")


def check_scores_are_raw(model: Layer, loss: Loss) -> None:
    """Refuse a softmax or sigmoid at the end of a model whose loss applies it, which trains on nonsense."""
    last = model
    while isinstance(last, Sequential) and len(last):
        last = last[-1]
    doubled = isinstance(last, Softmax) and isinstance(loss, SoftmaxCrossEntropy)
    if doubled or (isinstance(last, Sigmoid) and isinstance(loss, BinaryCrossEntropy)):
        raise ValueError(
            f"expected raw scores for {loss!r}, received a model that ends in {last!r}: leave {last!r} out"
        )


def cast_once(data: Dataset, model: Layer) -> Dataset:
    """The set with `x` in the model's dtype; bytes and memory-mapped files stay and are cast batch by batch."""
    if data.x.dtype.kind != "f" or isinstance(data.x, np.memmap):
        return data
    return replace(data, x=data.x.astype(model.parameters.dtype, copy=False))


def _check_finite(name: str, x: Array, dtype: np.dtype[Any]) -> None:
    if x.dtype.kind != "f":
        return
    largest = min(float(np.finfo(x.dtype).max), float(np.finfo(dtype).max))
    step = max(1, CHUNK * len(x) // max(x.size, 1))
    for start in range(0, len(x), step):
        broken = ~(np.abs(x[start : start + step]) <= largest)
        if broken.any():
            row, *column = np.argwhere(broken)[0].tolist()
            where = ", ".join(map(str, [start + row, *column]))
            raise ValueError(
                f"expected numbers that are finite in {dtype}, received {name}.x[{where}]={x[(start + row, *column)]}: "
                f"drop such rows or fill them in"
            )

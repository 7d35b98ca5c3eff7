"""What `fit` and `evaluate` check before the first step."""

import copy
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from minidl.arguments import check_function, short
from minidl.data.dataset import Dataset
from minidl.inputs import check_columns, in_memory
from minidl.layers.activations import LogSoftmax, Sigmoid, Softmax
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.layers.losses.cross_entropy import BinaryCrossEntropy, SoftmaxCrossEntropy
from minidl.layers.losses.focal import Focal
from minidl.layers.modes import inference, without_dx
from minidl.layers.sequential import Sequential
from minidl.metrics import Metric, binary_accuracy, f1_score, subset_accuracy
from minidl.parameters import Array
from minidl.passing import trying
from minidl.quiet import quietly
from minidl.regularizers import Regularizer
from minidl.returned import CHUNK, as_number, check_finite
from minidl.store import Parameters
from minidl.training.batch_stream import Batches

Data: TypeAlias = Dataset | tuple[Any, Any] | tuple[Any, Any, Any]
Metrics: TypeAlias = Mapping[str, Metric]
NAMELESS = ""


def check_functions(name: str, functions: Iterable[Any], *arguments: str, advice: str) -> list[Any]:
    """The functions as a list, if it is a list of functions of such arguments."""
    if callable(functions) or not isinstance(functions, Iterable):
        raise TypeError(f"expected {name} to be a list, received {name}={functions!r}: put it in [ ]")
    if isinstance(functions, str):
        raise TypeError(f"expected {name} to be a list of functions, received {name}={functions!r}: {advice}")
    listed = list(functions)
    for place, function in enumerate(listed):
        check_function(f"{name}[{place}]", function, *arguments, advice=advice)
    return listed


def metrics_by_name(metrics: Iterable[Any] | Mapping[str, Any]) -> dict[str, Callable[[Array, Array], float]]:
    """Metrics by the name of their column: the mapping's, or their own."""
    advice = "pass a function such as accuracy, and call what makes one first, as in top_k_accuracy(5)"
    given = metrics.values() if isinstance(metrics, Mapping) else metrics
    functions = check_functions("metrics", given, "scores", "targets", advice=advice)
    names = list(metrics) if isinstance(metrics, Mapping) else [getattr(m, "__name__", NAMELESS) for m in functions]
    if NAMELESS in names:
        nameless = short(functions[names.index(NAMELESS)])
        raise ValueError(f"expected metrics with names, received {nameless}: use metrics={{'name': {nameless}}}")
    wrong = [name for name in names if names.count(name) > 1 or name in ("<lambda>", "loss", "penalty", "cost")]
    if wrong:
        raise ValueError(
            f"expected metrics with names of their own, received {wrong}: use metrics={{'name': function}}"
        )
    return dict(zip(names, functions, strict=True))


def check_kinds(**given: tuple[object, type]) -> None:
    """Refuse a part of a trainer that is no object of its class."""
    for name, (value, kind) in given.items():
        if not isinstance(value, kind):
            advice = f": write {value.__name__}(...)" if isinstance(value, type) else ""
            raise TypeError(f"expected {name} to be an object of {kind.__name__}, received {short(value)}{advice}")


def as_dataset(name: str, data: Data, columns: tuple[str, ...] = ()) -> Dataset:
    """A Dataset, or the tuple (x, targets) or (x, targets, weights) as one, if its columns are those of the fit."""
    if isinstance(data, tuple) and len(data) in (2, 3):
        data = Dataset(data[0], data[1], weights=data[2] if len(data) == 3 else None)
    if isinstance(data, Dataset):
        check_columns("x", data.columns, columns)
        return data
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


def admitted(
    model: Layer,
    loss: Loss,
    metrics: Metrics,
    train: Data | Batches,
    validation: Data | Mapping[str, Data] | None,
    epoch: int = 0,
) -> dict[str, Any]:
    """The sets by name, "train" first; what cannot be trained on or measured is refused here.

    Of a stream it is the first batch of the epoch that is looked at.
    """
    stream = train if isinstance(train, Batches) else None
    sets = {"train": as_dataset("train", stream.first(epoch) if stream else train), **validation_sets(validation)}  # type: ignore[arg-type]
    check_scores_are_counted(model, metrics)
    with trying(model.layers_inside(), Layer._passes):
        for name, data in sets.items():
            check_data(name, data, model, loss, metrics if name != "train" else {}, sets["train"].columns)
        check_backward(model, loss, sets["train"])
    if sets["train"].columns:
        model.columns = sets["train"].columns
    return sets if stream is None else {**sets, "train": stream}


def check_data(
    name: str, data: Dataset, model: Layer, loss: Loss, metrics: Metrics, columns: tuple[str, ...] = ()
) -> None:
    """Refuse data that the model, the loss or a metric cannot take, at the door instead of in the first epoch."""
    asked = ""
    try:
        check_columns("x", data.columns, tuple(model.columns) or columns)
        if in_memory(data.x):
            check_finite(f"{name}.x", data.x, model._compute_dtype(data.x), chunk=CHUNK)
        with quietly():
            row = model.predict(data.x[:1])
            scores = np.broadcast_to(row[:1], (len(data), *row.shape[1:]))
            targets = loss.check_targets(scores, data.targets)
            _check_weight(loss, loss.row_weights(targets, scores.shape[-1]), data.weights)
        with quietly(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of one row there is much to say that is not true of all
            for metric, function in metrics.items():
                asked = f", asked by metric {metric!r}"
                try:
                    measured(metric, _apart(function), row, data.targets[:1])
                except Exception:  # as one that needs two classes
                    measured(metric, _apart(function), model.predict(data.x), data.targets)
    except Exception as error:
        error.add_note(f"in the data given as {name!r}, {data!r}{asked}")
        raise


def measured(name: str, metric: Metric, scores: Array, targets: Array) -> float:
    """What a metric says of scores and targets that it cannot write into: one number."""
    return as_number(f"metric {name}", metric(read_only(scores), read_only(targets)))


def penalty_of(regularizer: Regularizer, parameters: Parameters) -> float:
    """What a regularizer says of parameters whose gradient it adds to: one number."""
    value = regularizer(parameters)
    return value if type(value) is float else as_number(f"regularizer {short(regularizer)}", value)


def _apart(function: Metric) -> Metric:
    """A copy of what may remember that it was asked; functions are themselves."""
    try:
        return copy.deepcopy(function)
    except Exception:
        return function


def _check_weight(loss: Loss, of_classes: Array | None, weights: Array | None) -> None:
    """Refuse a set whose rows weigh nothing together, whose loss would be a perfect 0."""
    weigh = None if of_classes is None else of_classes.reshape(len(of_classes), -1).any(axis=1)
    if weigh is not None and not (weigh if weights is None else weigh * weights).any():
        _refuse_weightless(loss)


def check_weighs(loss: Loss) -> None:
    """Refuse a set whose newest loss is a perfect 0 as none of its rows weighed anything."""
    if getattr(loss, "total_weight", 1.0) == 0:
        _refuse_weightless(loss)


def _refuse_weightless(loss: Loss) -> None:
    raise ValueError(
        f"expected rows that weigh something, received only rows to which {loss!r} gives weight 0: "
        f"leave the set out, or give their class a weight"
    )


def read_only(array: Array) -> Array:
    """A view that cannot be written into."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def check_backward(model: Layer, loss: Loss, data: Dataset) -> None:
    """Refuse a model that would not learn: a part that left it, or a backward that sets no gradient.

    One row goes forward and back, at inference, with every gradient NaN before.
    """
    parameters = model.parameters
    parameters.check_whole(model.named_parameters())
    if parameters.named and not parameters.size:
        raise ValueError(
            f"expected a model with something to train, received {len(parameters.named)} parameters, all of them "
            f"frozen: model.parameters.unfreeze(names) those that are to move"
        )
    layers = list(model.layers_inside())
    with model.train_mode(), inference(layers), quietly():  # no other thread may predict or train meanwhile
        before = parameters.grad.copy()
        parameters.grad[...] = np.nan
        value = loss.forward(model.predict(data.x[:1]), data.targets[:1])
        with without_dx(layers):  # below the first trainable layer nothing needs a backward, in training neither
            model.backward(loss.backward())
        moved = {name: parameter for name, parameter in parameters.named.items() if not parameter.frozen}
        unset = [name for name, parameter in moved.items() if np.isnan(parameter.grad).all()]
        parameters.grad[...] = before
    if unset and math.isfinite(value):
        raise ValueError(f"expected backward to set the gradient of every parameter, received none for {unset}")


def check_scores_are_raw(model: Layer, loss: Loss) -> None:
    """Refuse a softmax or sigmoid at the end of a model whose loss applies it, which trains on nonsense."""
    last = _last(model)
    doubled = isinstance(last, Softmax) and isinstance(loss, SoftmaxCrossEntropy | Focal)
    if doubled or (isinstance(last, Sigmoid) and isinstance(loss, BinaryCrossEntropy)):
        raise ValueError(
            f"expected raw scores for {loss!r}, received a model that ends in {last!r}: leave {last!r} out"
        )


def check_scores_are_counted(model: Layer, metrics: Metrics) -> None:
    """Refuse a metric of raw scores for a model that ends in probabilities: all of them would count as 1."""
    if not isinstance(last := _last(model), Sigmoid | Softmax | LogSoftmax):
        return
    for metric in (binary_accuracy, subset_accuracy, f1_score):
        if metric in metrics.values():
            raise ValueError(
                f"expected raw scores for {metric.__name__}, which are at least 0 for a probability of 1/2, received a "
                f"model that ends in {last!r}: leave {last!r} out, or count (probabilities >= 0.5) in a metric of your "
                f"own"
            )


def _last(model: Layer) -> Layer:
    while isinstance(model, Sequential) and len(model):
        model = model[-1]
    return model


def cast_once(data: Dataset, model: Layer) -> Dataset:
    """The set with `x` in the model's dtype; bytes and memory-mapped files stay and are cast batch by batch."""
    if data.x.dtype.kind != "f" or not in_memory(data.x):
        return data
    return replace(data, x=data.x.astype(model.parameters.dtype, copy=False))

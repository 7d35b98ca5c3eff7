"""What the estimators refuse of their parameters, at `fit`: scikit-learn wants constructors that only keep them."""

from copy import copy
from inspect import signature
from typing import Any

import numpy as np

from minidl.arguments import check_flag, check_function, check_integer, check_number, check_numbers, short
from minidl.layers.base import Layer
from minidl.layers.losses.base import Loss
from minidl.optim.base import Optimizer
from minidl.optim.schedules import Schedule

OF_LAYERS = ("hidden", "activation", "dropout")  # what `model` says itself
OF_ONE_CALL = ("batch_size", "shuffle", "verbose", "early_stopping", "validation_fraction")  # of each call by itself


def check_parameters(estimator: Any) -> None:
    """Refuse parameters that no model could be trained with."""
    given = estimator.get_params(deep=False)
    _check_layers(estimator, given)
    check_integer("epochs", given["epochs"], minimum=1)
    check_integer("batch_size", given["batch_size"], minimum=1)
    for name in ("shuffle", "verbose"):
        check_flag(name, given[name], np.bool_)
    check_number("learning_rate", given["learning_rate"], minimum=0)
    _check_optimizer(given["optimizer"], given["schedule"])
    if given["loss"] is not None and not isinstance(given["loss"], Loss):
        raise TypeError(
            f"expected loss to be None or an object of Loss, received {short(given['loss'])}: write Hinge() or the "
            f"call of another"
        )
    if given["early_stopping"] is not None:
        _check_patience(given["early_stopping"])
    if given["validation_fraction"] is not None:
        check_number("validation_fraction", given["validation_fraction"], minimum=0, maximum=1, exclusive=True)
    if np.dtype(given["dtype"]) not in (np.float32, np.float64):
        raise ValueError(f"expected dtype to be np.float32 or np.float64, received dtype={short(given['dtype'])}")


def _check_layers(estimator: Any, given: dict[str, Any]) -> None:
    if given["model"] is not None:
        advice = "write lambda n_in, n_out: Sequential(...)"
        if isinstance(given["model"], Layer):
            raise TypeError(
                f"expected model to be a function (n_in, n_out), received {short(given['model'])}: {advice}"
            )
        check_function("model", given["model"], "n_in", "n_out", advice=advice)
        defaults = signature(type(estimator)).parameters
        if extra := [name for name in OF_LAYERS if not _same(given[name], defaults[name].default)]:
            raise ValueError(
                f"expected model={short(given['model'])} alone, received {', '.join(extra)} too: the function says "
                f"all layers itself, so leave them out"
            )
    if not isinstance(given["hidden"], list | tuple | np.ndarray) or np.shape(given["hidden"]) == ():
        raise TypeError(
            f"expected hidden to be the widths of the hidden layers, such as (100,), received hidden="
            f"{short(given['hidden'])}: put it in ( , )"
        )
    for width in given["hidden"]:
        check_integer("each width of hidden", width, minimum=1)
    check_number("dropout", given["dropout"], minimum=0, maximum=1)
    made_of("activation", given["activation"], Layer, "ReLU")


def _check_optimizer(optimizer: Any, schedule: Any) -> None:
    if isinstance(optimizer, Optimizer) or not callable(optimizer):
        raise TypeError(
            f"expected optimizer to be a function of the learning rate, such as Adam or functools.partial(SGD, "
            f"momentum=0.9), received {short(optimizer)}: its rate is learning_rate=..."
        )
    if schedule is not None and (isinstance(schedule, Schedule) or not callable(schedule)):
        raise TypeError(
            f"expected schedule to be None or a function (learning_rate, steps), such as CosineDecay, received "
            f"{short(schedule)}: others are written as lambda lr, steps: StepDecay(lr, 0.5, every=steps // 4)"
        )


def _check_patience(patience: Any) -> None:
    if isinstance(patience, bool | np.bool_):
        raise TypeError(
            f"expected early_stopping to be None, or after how many epochs without improvement to stop, received "
            f"early_stopping={patience}: write early_stopping=10, or None"
        )
    check_integer("early_stopping", patience, minimum=1)


def made_of(name: str, function: Any, kind: type, example: str) -> Any:
    """What a parameter that is a function without arguments, such as a class, makes: an object of that kind."""
    if isinstance(function, kind) or not callable(function):
        raise TypeError(
            f"expected {name} to be a class or function that makes a {kind.__name__}, such as {example}, received "
            f"{name}={short(function)}: write {example} without ( ) and quotes"
        )
    made = function()
    if not isinstance(made, kind):
        raise TypeError(f"expected {name}() to make a {kind.__name__}, received {short(made)}: such as {example}")
    return made


def check_read(**given: Any) -> None:
    """Refuse what scikit-learn would read as something else: a masked array without its mask, a query not yet run."""
    for name, value in given.items():
        if isinstance(value, np.ma.MaskedArray) or hasattr(value, "collect"):
            check_numbers(name, value)


def kept(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters to compare with later, also where a list or mapping among them is written into."""
    return {name: copy(value) if isinstance(value, list | dict) else value for name, value in parameters.items()}


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """The names of parameters that are others than before, but for those that one call reads for itself."""
    return [name for name, value in now.items() if name not in OF_ONE_CALL and not _same(before[name], value)]


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        return bool(np.all(one == other))
    except (TypeError, ValueError):  # as of arrays of other lengths
        return False

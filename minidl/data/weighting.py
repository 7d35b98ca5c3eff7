"""Weights of rows by their class: as a mapping says, or so that all classes count the same."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.arguments import check_number, short, suggest
from minidl.parameters import Array


def weights_of_rows(
    weights: Mapping[str, float] | Mapping[int, float], targets: Array, classes: tuple[str, ...], before: Array | None
) -> Array:
    """(n,) float64: the weight of the class of each row, times the one it had."""
    _check_labels(targets)
    if not isinstance(weights, Mapping):
        raise TypeError(
            f'expected weights to be a mapping such as {{"cat": 2.0}}, received {short(weights)}: equal shares of all '
            f"classes are balanced()"
        )
    rows = np.ones(len(targets)) if before is None else before.astype(np.float64)
    named = dict[int, int | str]()
    for name, weight in weights.items():
        label = _label(name, targets, classes)
        if label in named:
            raise ValueError(f"expected each class once, received {named[label]!r} and {name!r}: leave one of them out")
        named[label] = name
        rows[targets == label] *= check_number(f"weights[{name!r}]", weight, minimum=0)
    return rows


def balanced_rows(targets: Array, before: Array | None) -> Array:
    """(n,) float64 of mean 1: each class that has any weight gets the same in all."""
    _check_labels(targets)
    _, places = np.unique(targets, return_inverse=True)
    rows = np.ones(len(targets)) if before is None else before.astype(np.float64)
    totals = np.bincount(places, weights=rows)
    shares = np.divide(len(rows) / np.count_nonzero(totals), totals, out=np.zeros_like(totals), where=totals > 0)
    balanced: Array = rows * shares[places]
    return balanced


def _check_labels(targets: Array) -> None:
    if targets.ndim != 1 or targets.dtype.kind not in "biu":
        raise ValueError(
            f"expected (n,) integer targets, received targets.shape={targets.shape}, dtype={targets.dtype}: only rows "
            f"that have a class are weighted by it; others take Dataset(..., weights=...)"
        )


def _label(name: Any, targets: Array, classes: tuple[str, ...]) -> int:
    """The label of a class that is named by it or by its name."""
    if isinstance(name, str):
        if name in classes:
            return classes.index(name)
        known = suggest(name, classes) if classes else "this set has no names of classes, so use labels"
        raise ValueError(f"expected a name of a class, received {name!r}: {known}")
    number = isinstance(name, int | np.integer) and not isinstance(name, bool)
    if number and (0 <= name < len(classes) or (targets == name).any()):
        return int(name)
    raise ValueError(f"expected a label of this set, received {short(name)}: it has {short(np.unique(targets))}")

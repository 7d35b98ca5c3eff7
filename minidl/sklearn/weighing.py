"""class_weight: what the rows of each class weigh."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from minidl.arguments import check_number, short
from minidl.data.dataset import Dataset
from minidl.parameters import Array


def factors_of_classes(class_weight: Any, classes: Array, data: Dataset) -> Array:
    """(classes,) the factor on the weights of the rows of each class.

    "balanced" gives each class that is there the same weight in all: n / (k n_c), with weights in the place of counts.
    """
    if isinstance(class_weight, str) and class_weight == "balanced":
        totals = np.bincount(data.targets, weights=data.weights, minlength=len(classes)).astype(np.float64)
        share = totals.sum() / np.count_nonzero(totals)
        balanced: Array = np.divide(share, totals, out=np.zeros_like(totals), where=totals > 0)
        return balanced
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f'expected class_weight to be None, "balanced" or a mapping {{label: weight}}, received class_weight='
            f"{short(class_weight)}: give one of them"
        )
    factors = np.ones(len(classes))
    for label, weight in class_weight.items():
        place = [index for index, known in enumerate(classes.tolist()) if known == label]
        if not place:
            raise ValueError(f"expected class_weight of the classes {classes.tolist()}, received one of {label!r}")
        factors[place] = check_number(f"class_weight[{label!r}]", weight, minimum=0)
    return factors


def weighted(data: Dataset, factors: Array) -> Dataset:
    """The rows with their weights times those of their classes."""
    rows: Array = factors[data.targets]
    return replace(data, weights=rows if data.weights is None else data.weights * rows)

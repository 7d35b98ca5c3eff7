"""Plan: what `fit` was asked for."""

from __future__ import annotations  # numpy.random is loaded when it is needed

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minidl.arguments import check_flag, check_function, check_integer, check_number
from minidl.parameters import Array
from minidl.storage import StrPath

OF_ONE_CALL = (
    "epochs",
    "steps",
    "max_growth",
    "raise_divergence",
    "progress",
    "resume",
    "steps_per_epoch",
)  # they may differ where a run goes on


class Plan(NamedTuple):
    """The arguments of `fit`, without the data."""

    epochs: float | None
    steps: int | None
    batch_size: int
    validate_every: float | Callable[[int], bool]
    validate_first: bool
    shuffle: bool | Callable[[int], Array]
    replacement: bool
    drop_last: bool
    augment: Callable[..., Any] | None
    seed: int
    restore_best: bool
    max_growth: float
    progress: bool
    raise_divergence: bool
    resume: StrPath | None
    steps_per_epoch: int | None = None  # of a stream

    def check(self) -> None:
        """Refuse what can be refused without the data."""
        check_integer("seed", self.seed, minimum=0)
        check_integer("batch_size", self.batch_size, minimum=1)
        self._check_length()
        if self.max_growth != math.inf:
            check_number("max_growth", self.max_growth, minimum=1)
        for name in ("validate_first", "replacement"):
            check_flag(name, getattr(self, name), np.bool_)
        for name in ("drop_last", "restore_best", "raise_divergence", "progress"):
            check_flag(name, getattr(self, name), np.bool_, int)  # 0 and 1 were always taken
        shuffled = isinstance(self.shuffle, bool | np.bool_) and self.shuffle
        if self.replacement and (not shuffled or self.drop_last):
            raise ValueError(
                f"expected replacement=True alone, which draws every batch at random and whole, received "
                f"shuffle={self.shuffle!r}, drop_last={self.drop_last!r} too: leave them out"
            )
        for name, function in (("shuffle", self.shuffle), ("validate_every", self.validate_every)):
            if callable(function):
                given = "epoch" if name == "shuffle" else "step"
                check_function(name, function, given, advice=f"write lambda {given}: ...")

    def _check_length(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise TypeError(
                f"expected the length of the run in epochs or in steps, received epochs={self.epochs!r}, "
                f"steps={self.steps!r}: write epochs=... or steps=..."
            )
        if self.steps is not None:
            check_integer("steps", self.steps, minimum=0)
        else:
            check_number("epochs", self.epochs, minimum=0)  # type: ignore[arg-type]  # one of the two is given

    @property
    def length(self) -> str:
        """The length of the run in words: "5 epochs", "1.5 epochs", "200 steps"."""
        if self.steps is not None:
            return f"{self.steps} steps"
        return f"{self.epochs:g} epochs" if isinstance(self.epochs, float) else f"{self.epochs} epochs"

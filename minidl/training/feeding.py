"""Feeding: what `fit` was asked for, and the batches of a run from any of its steps on."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import check_function, check_integer, short
from minidl.data.batching import batches, epoch_rows, steps_per_epoch
from minidl.data.dataset import Dataset
from minidl.parameters import Array
from minidl.returned import as_numbers, saying
from minidl.seeding import Stream, generator, position, put_at
from minidl.storage import StrPath


class Plan(NamedTuple):
    """What `fit` was asked for."""

    epochs: int | None
    steps: int | None
    batch_size: int
    validate_every: float | Callable[[int], bool]
    shuffle: bool | Callable[[int], Array]
    replacement: bool
    drop_last: bool
    augment: Callable[[Array, np.random.Generator], Array] | None
    seed: int
    restore_best: bool
    raise_divergence: bool
    resume: StrPath | None

    @property
    def limit(self) -> str:
        """What ends the run at the latest, in words."""
        return f"{self.epochs} epochs" if self.steps is None else f"{self.steps} steps"

    def length(self, per_epoch: int) -> int:
        """How many steps it is long, with so many in an epoch."""
        if (self.epochs is None) == (self.steps is None):
            raise ValueError(
                f"expected a length of the run in epochs or in steps, received epochs={short(self.epochs)} and "
                f"steps={short(self.steps)}: give one of the two"
            )
        if self.epochs is None:
            return check_integer("steps", cast(int, self.steps), minimum=0)
        return check_integer("epochs", self.epochs, minimum=0) * per_epoch


class Feed:
    """The batches of a run; every epoch has as many rows as its first.

    Attributes:
        first: the epoch the run began with.
        per_epoch: steps in an epoch.
        augmentation: the generator of the epoch that is under way.
    """

    def __init__(self, data: Dataset, plan: Plan, dtype: DTypeLike, first: int) -> None:
        check_integer("seed", plan.seed, minimum=0)
        if plan.augment is not None:
            check_function("augment", plan.augment, "x", "rng", advice="write lambda x, rng: ..., or RandomFlip()")
        for name, function in (("shuffle", plan.shuffle), ("validate_every", plan.validate_every)):
            if callable(function):
                given = "epoch" if name == "shuffle" else "step"
                check_function(name, function, given, advice=f"write lambda {given}: ...")
        self.data, self.plan, self.dtype, self.first = data, plan, dtype, first
        self.next = first, self._rows(first)  # looked at already
        self.rows = self.next[1]
        self.length = len(data) if self.rows is None else len(self.rows)
        self.per_epoch = steps_per_epoch(self.length, plan.batch_size, drop_last=plan.drop_last)
        self._enter(first)

    def _enter(self, epoch: int) -> None:
        self.epoch, self.augmentation = epoch, generator(self.plan.seed, Stream.AUGMENTATION, epoch)

    def state(self) -> dict[str, Any]:
        """Where the augmentation stands; the order of the rows can be computed again."""
        return {"first": self.first, "epoch": self.epoch, "augmentation": position(self.augmentation)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there, with epochs of as many rows as those planned now."""
        self.first = check_integer("first", state["first"], minimum=0)
        rows = self._rows(self.first)
        if rows is not None and len(rows) != self.length:
            raise ValueError(f"its first epoch had {len(rows)} rows, those planned now have {self.length}")
        self._enter(check_integer("epoch", state["epoch"], minimum=self.first))
        self.augmentation = put_at(self.augmentation, state["augmentation"])

    def batches(self, epoch: int, position: int) -> Iterator[tuple[Array, ...]]:
        """The batches of an epoch from a step in it on, augmented."""
        plan, done = self.plan, position * self.plan.batch_size
        if position == 0:
            self._enter(epoch)
        rows = self.rows = self.next[1] if self.next[0] == epoch else self._rows(epoch)
        if rows is not None and len(rows) != self.length:
            raise ValueError(
                f"expected shuffle({epoch}) to be {self.length} rows long, as in the first epoch, "
                f"received {len(rows)}: the steps of a run are planned before it begins"
            )
        if done:
            rows = (np.arange(len(self.data)) if rows is None else rows)[done:]
        order = (lambda epoch: rows) if rows is not None else False
        for x, *rest in batches(self.data, plan.batch_size, shuffle=order, drop_last=plan.drop_last, dtype=self.dtype):
            if plan.augment is not None:
                given = x.copy() if rows is None else x  # in file order x is a view of the caller's data
                x = self._augmented(plan.augment, given)
            yield (x, *rest)

    def _augmented(self, augment: Callable[[Array, np.random.Generator], Array], given: Array) -> Array:
        with saying("augment(x, rng)", augment):
            x = as_numbers("augment(x, rng)", augment(given, self.augmentation))
            if x.ndim == 0 or len(x) != len(given):
                received = len(x) if x.ndim else short(x[()])
                raise ValueError(f"expected augment to return {len(given)} rows as it was given, received {received}")
            return x.astype(self.dtype, copy=False)

    def rows_of_step(self, position: int, size: int) -> Array:
        """The row numbers of a batch of the epoch that is under way."""
        start = position * self.plan.batch_size
        return np.arange(start, start + size) if self.rows is None else self.rows[start : start + size]

    def _rows(self, epoch: int) -> Array | None:
        plan = self.plan
        rows = epoch_rows(len(self.data), plan.seed, epoch, plan.shuffle, plan.replacement)
        return rows.copy() if rows is not None and callable(plan.shuffle) else rows  # it may be used again

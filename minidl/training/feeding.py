"""Feeding: the batches of a run, pass after pass over its rows, from wherever it begins."""

from __future__ import annotations  # numpy.random is loaded when it is needed

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.data.batching import batches, draws, epoch_rows, part_of, steps_per_epoch
from minidl.data.dataset import Dataset
from minidl.parameters import Array
from minidl.remembered import check_state, count_in, number_in, text_in
from minidl.seeding import Stream, generator, position, put_at
from minidl.training.augmenting import augmentation
from minidl.training.plan import Plan

TOLERANCE = 1e-9  # of a step: 0.3 epochs of 10 steps are 3, and no rounding makes them 4


class Passes:
    """Where a run stands in its passes: `position` steps into number `epoch`, which has `per_epoch` of them."""

    epoch: int
    per_epoch: int
    position: int
    augmentation: np.random.Generator
    _place: tuple[str, ...]  # the attributes that say where the batches of a run stand

    @property
    def passes(self) -> float:
        """How many passes were made, over all runs of the trainer."""
        return (self.epoch * self.per_epoch + self.position) / self.per_epoch

    @property
    def between(self) -> bool:
        """Whether a pass has ended and none is under way."""
        return self.position == self.per_epoch

    def state(self) -> dict[str, Any]:
        """Where the run stands; the order of the rows can be computed again."""
        return {name: getattr(self, name) for name in self._place} | {"augmentation": position(self.augmentation)}

    @abstractmethod
    def _enter(self, epoch: int) -> None:
        """Begin a pass."""

    def _go_on(self, state: Mapping[str, Any], first: float) -> None:
        """Stand where a state says, in a run that began after `first` passes."""
        self._enter(count_in(state, "epoch", minimum=int(first)))
        self.position = count_in(state, "position")
        if self.position > self.per_epoch:
            raise ValueError(f"its epoch is at step {self.position}, and has {self.per_epoch}")
        self.augmentation = put_at(self.augmentation, text_in(state, "augmentation"))


class Feed(Passes):
    """The batches of a run.

    Args:
        data: the training set.
        plan: what `fit` was asked for.
        dtype: of the model.
        first: how many passes were made before this run; a fraction is gone on with.
        before: the generator that augmented the newest batch of the run before.
        share: which part of each batch is ours, and of how many.

    Attributes:
        epoch: the number of the pass that is under way, from 0.
        per_epoch: the steps in it.
        position: those of them that were taken; all of them between two passes.
        rows: its row numbers, None for file order.
        augmentation: its generator.
        length: how many rows the first pass of the run has.
    """

    _place = ("first", "length", "epoch", "position")

    def __init__(
        self,
        data: Dataset,
        plan: Plan,
        dtype: DTypeLike,
        first: float,
        before: np.random.Generator | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        if plan.replacement and plan.batch_size > len(data):
            raise ValueError(
                f"expected batch_size <= {len(data)}, the number of rows, with replacement=True, received "
                f"batch_size={plan.batch_size}: an epoch would be less than a step"
            )
        self.data, self.plan, self.dtype, self.first, self.share = data, plan, dtype, first, share
        self.augment = None if plan.augment is None else augmentation(plan.augment)
        self.length, self.augmentation = 0, generator(plan.seed, Stream.AUGMENTATION, int(first))
        self._enter(int(first))
        self.position = round((first - self.epoch) * self.per_epoch)
        if self.position and before is not None and _same_seed(before, self.augmentation):
            self.augmentation = before

    @property
    def planned_steps(self) -> int:
        """The length of the run in steps."""
        if self.plan.steps is not None:
            return int(self.plan.steps)
        begun, taken = int(self.first), self._taken_before
        end = begun + taken / self._steps(begun) + float(self.plan.epochs or 0)
        last = int(end + TOLERANCE)
        rest = math.ceil(max(end - last, 0) * self._steps(last) - TOLERANCE)
        return self._steps_before(last) + rest - self._steps_before(begun) - taken

    @property
    def taken(self) -> int | None:
        """How many steps the run has taken; None where its passes may have other lengths, so that it cannot be told."""
        if callable(self.plan.shuffle) and self.plan.steps is not None:
            return None
        return self._steps_before(self.epoch) + self.position - self._steps_before(int(self.first)) - self._taken_before

    @property
    def _taken_before(self) -> int:
        """The steps of the first pass that an earlier run took."""
        begun = int(self.first)
        return round((self.first - begun) * self._steps(begun))

    def _steps_before(self, epoch: int) -> int:
        """The steps before a pass, if each has the rows of the first one; with replacement every batch is whole."""
        if self.plan.replacement:
            return -(-epoch * self.length // self.plan.batch_size)
        return epoch * steps_per_epoch(self.length, self.plan.batch_size, drop_last=self.plan.drop_last)

    def _steps(self, epoch: int) -> int:
        return self._steps_before(epoch + 1) - self._steps_before(epoch)

    def _enter(self, epoch: int) -> None:
        """Begin a pass."""
        plan, n = self.plan, len(self.data)
        if plan.replacement:
            self.length = n
            self.rows: Array | None = draws(n, self._steps(epoch) * plan.batch_size, plan.seed, epoch)
            self.per_epoch = self._steps(epoch)
        else:
            rows = epoch_rows(n, plan.seed, epoch, plan.shuffle)
            self.rows = rows.copy() if rows is not None and callable(plan.shuffle) else rows  # it may be used again
            length = n if rows is None else len(rows)
            self.length = self.length or length
            if plan.steps is None and length != self.length:
                raise ValueError(
                    f"expected shuffle({epoch}) to be {self.length} rows long, as in the first epoch, received "
                    f"{length}: the steps of a run are planned before it begins, so give their number as steps=... "
                    f"instead of epochs"
                )
            self.per_epoch = steps_per_epoch(length, plan.batch_size, drop_last=plan.drop_last)
        self.epoch, self.position = epoch, 0
        self.augmentation = generator(plan.seed, Stream.AUGMENTATION, epoch)

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        check_state("the batches", state, (*self._place, "augmentation"))
        self.first, self.length = number_in(state, "first", minimum=0), count_in(state, "length", minimum=1)
        if self.length != len(self.data) and not callable(self.plan.shuffle):
            raise ValueError(f"its passes have {self.length} rows, its data {len(self.data)}")
        self._go_on(state, self.first)

    def batches(self) -> Iterator[tuple[Array, ...]]:
        """The batches from here on, without end; whoever trained on one counts it in `position`."""
        while True:
            if self.between:
                self._enter(self.epoch + 1)
            yield from self._rest_of_pass()

    def _rest_of_pass(self) -> Iterator[tuple[Array, ...]]:
        plan, rows, done = self.plan, self.rows, self.position * self.plan.batch_size
        if done:
            rows = (np.arange(len(self.data)) if rows is None else rows)[done:]
        order = (lambda epoch: rows) if rows is not None else False
        share = self.share if self.augment is None else (0, 1)  # what is drawn for a batch is drawn for all of it
        how: dict[str, Any] = {"shuffle": order, "drop_last": plan.drop_last, "share": share, "dtype": self.dtype}
        given = batches(self.data, plan.batch_size, **how)
        if self.augment is None:
            yield from given
            return
        for x, targets, *weights in given:
            if rows is None:  # in file order they are views of the caller's data
                x, targets = x.copy(), targets.copy()
            x, targets = self.augment(x, targets, self.augmentation, self.dtype)
            ours = part_of(slice(0, len(x)), *self.share)
            yield tuple(array[ours] for array in (x, targets, *weights))

    def rows_of_step(self) -> Array:
        """The row numbers of our part of the batch that comes after the steps taken."""
        rows = np.arange(len(self.data)) if self.rows is None else self.rows
        start = self.position * self.plan.batch_size
        return rows[part_of(slice(start, min(start + self.plan.batch_size, len(rows))), *self.share)]


def _same_seed(one: np.random.Generator, other: np.random.Generator) -> bool:
    seeds: list[Any] = [rng.bit_generator.seed_seq for rng in (one, other)]
    return len({(seed.entropy, seed.spawn_key) for seed in seeds}) == 1

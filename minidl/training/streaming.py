"""Streaming: the batches of a run that come from a stream."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import short
from minidl.data.batching import part_of
from minidl.data.dataset import Dataset
from minidl.inputs import check_columns
from minidl.parameters import Array
from minidl.remembered import check_state, number_in
from minidl.returned import as_finite
from minidl.seeding import Stream, generator
from minidl.training.augmenting import augmentation
from minidl.training.batch_stream import END, Batches, as_batch
from minidl.training.callbacks import Callback
from minidl.training.checkpoint import Checkpoint
from minidl.training.door import cast_once
from minidl.training.feeding import TOLERANCE, Feed, Passes
from minidl.training.plan import Plan


def as_stream(train: Any, plan: Plan, callbacks: Iterable[Callback]) -> Any:
    """`train` as it is, or as `Batches` where `steps_per_epoch` says that it is a stream."""
    if plan.steps_per_epoch is None:
        of_batches = hasattr(train, "__iter__") and not isinstance(train, Dataset | tuple)
        if of_batches or (callable(train) and not isinstance(train, type)):
            raise TypeError(
                f"expected train to be a Dataset or a tuple (x, targets), received {type(train).__name__}: a stream of "
                f"batches needs fit(stream, steps_per_epoch=...)"
            )
        return train
    if isinstance(train, Dataset | tuple):
        raise TypeError(
            f"expected a stream of batches with steps_per_epoch, received {type(train).__name__}: leave it out, as "
            f"batch_size says it"
        )
    defaults = {"batch_size": 64, "shuffle": True, "replacement": False, "drop_last": False}
    for name, default in defaults.items():
        if getattr(plan, name) is not default and getattr(plan, name) != default:
            raise ValueError(
                f"expected the batches as the stream gives them, received {name}={short(getattr(plan, name))}: leave "
                f"{name} out"
            )
    stream = Batches(train, plan.steps_per_epoch)
    if plan.resume is not None:
        stream.check_resumable("resume")
    if any(isinstance(callback, Checkpoint) for callback in callbacks):
        stream.check_resumable("a Checkpoint")
    return stream


def feed_of(data: Any, plan: Plan, trainer: Any) -> Any:
    """What gives the batches of a run."""
    dtype = trainer.model.parameters.dtype
    if isinstance(data, Batches):
        return StreamFeed(data, plan, dtype, trainer.epoch, trainer.share, trainer.model.columns)
    return Feed(cast_once(data, trainer.model), plan, dtype, trainer.epoch, trainer.augmentation, trainer.share)


class StreamFeed(Passes):
    """The batches of a run on a stream; see `Feed`, whose attributes these are."""

    _place = ("first", "epoch", "position")

    def __init__(
        self,
        data: Batches,
        plan: Plan,
        dtype: DTypeLike,
        first: float,
        share: tuple[int, int],
        columns: tuple[str, ...],
    ) -> None:
        self.data, self.plan, self.dtype, self.first, self.share = data, plan, np.dtype(dtype), first, share
        self.columns = columns
        self.augment = None if plan.augment is None else augmentation(plan.augment)
        self.per_epoch = data.steps
        self._enter(int(first))
        self.position = round((first - self.epoch) * self.per_epoch)

    @property
    def planned_steps(self) -> int:
        """The length of the run in steps."""
        if self.plan.steps is not None:
            return int(self.plan.steps)
        return int(np.ceil(float(self.plan.epochs or 0) * self.per_epoch - TOLERANCE))

    @property
    def taken(self) -> int:
        """How many steps the run has taken."""
        return self.epoch * self.per_epoch + self.position - round(self.first * self.per_epoch)

    def _enter(self, epoch: int) -> None:
        self.epoch, self.position = epoch, 0
        self.augmentation = generator(self.plan.seed, Stream.AUGMENTATION, epoch)

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        check_state("the batches", state, (*self._place, "augmentation"))
        self.first = number_in(state, "first", minimum=0)
        self._go_on(state, self.first)

    def batches(self) -> Iterator[tuple[Array, ...]]:
        """The batches from here on; of a pass that is under way, those that were trained on are read and left out."""
        while True:
            if self.between:
                self._enter(self.epoch + 1)
            given = self.data.opened(self.epoch)
            if not self.data.goes_on:
                for _ in range(self.position):
                    next(given, None)
            while not self.between:
                if (batch := next(given, END)) is END:
                    raise ValueError(
                        f"expected steps_per_epoch={self.per_epoch} batches in each pass, received "
                        f"{'no more' if self.data.goes_on else self.position} in pass {self.epoch}: give fewer"
                    )
                try:
                    taken = self._taken(as_batch(batch))
                except Exception as error:
                    error.add_note(f"in batch {self.position} of pass {self.epoch} of the stream")
                    raise
                yield taken

    def _taken(self, batch: Dataset) -> tuple[Array, ...]:
        check_columns("x", batch.columns, self.columns)
        x, targets, *weights = map(np.asarray, batch.arrays)
        x = as_finite("x", x, self.dtype)
        targets = targets.astype(self.dtype, copy=False) if targets.dtype.kind == "f" else targets
        if self.augment is not None:
            x, targets = self.augment(x.copy(), targets.copy(), self.augmentation, self.dtype)
        ours = part_of(slice(0, len(x)), *self.share)
        return tuple(array[ours] for array in (x, targets, *weights))

    def rows_of_step(self) -> None:
        """A stream has no numbers of rows."""
        return

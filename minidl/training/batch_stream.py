"""Streams of batches, as `fit` is given them: begun, looked at and described."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minidl.arguments import check_integer, short
from minidl.canonical import digest
from minidl.data.dataset import Dataset

END = object()  # of a stream; None may be a batch that went wrong


class Batches:
    """Batches (x, targets) or (x, targets, weights), so many a pass, as `fit(stream, steps_per_epoch=)` was given them.

    Args:
        source: a function epoch -> batches, begun anew in each pass; or what has batches, begun anew too; or an
            iterator such as a generator, which goes on from pass to pass.
        steps: the batches of a pass.
    """

    def __init__(self, source: Any, steps: int) -> None:
        self.source, self.steps = source, check_integer("steps_per_epoch", steps, minimum=1)
        self.goes_on = hasattr(source, "__next__")
        if not (callable(source) or hasattr(source, "__iter__")) or isinstance(source, type | str | bytes | dict):
            raise TypeError(
                f"expected a stream of batches: a function epoch -> batches, or what can be gone through, received "
                f"{short(source)}: write def stream(epoch): ... that yields them"
            )
        if callable(source) and not self.goes_on:
            _check_call(source)
        self.pending: list[Any] = []  # a batch of an iterator that was looked at

    def opened(self, epoch: int) -> Iterator[Any]:
        """The batches of a pass; of an iterator, those that are left."""
        if self.goes_on:
            return self._rest()
        made = self.source(epoch) if callable(self.source) else self.source
        if not hasattr(made, "__iter__"):
            raise TypeError(f"expected stream({epoch}) to return batches, received {short(made)}: yield them")
        return iter(made)

    def first(self, epoch: int) -> Dataset:
        """The first batch of a pass, which will come again."""
        batch = next(self.opened(epoch), END)
        if batch is END:
            raise ValueError("expected a stream of at least one batch, received none")
        if self.goes_on:
            self.pending = [batch]
        return as_batch(batch)

    def _rest(self) -> Iterator[Any]:
        while True:
            try:
                batch = self.pending.pop() if self.pending else next(self.source)
            except StopIteration:
                return
            yield batch

    def described(self) -> str:
        """What tells this stream from others: its first batch, if a function of the epoch makes it."""
        if not callable(self.source) or self.goes_on:
            return "a stream that cannot be begun at a pass"
        batch = self.first(0)
        return (
            f"{self.steps} batches a pass, the first {batch!r} {digest(np.asarray(a).tobytes() for a in batch.arrays)}"
        )

    def check_resumable(self, what: str) -> None:
        """Refuse a checkpoint of batches that nobody can begin again where they were."""
        if not callable(self.source) or self.goes_on:
            raise ValueError(
                f"expected a function epoch -> batches for {what}, received {short(self.source)}: nobody can begin it "
                f"again in the middle; write def stream(epoch): ..., a pure function of the epoch"
            )


def as_batch(batch: Any) -> Dataset:
    """One batch of a stream as a Dataset."""
    if isinstance(batch, Dataset):
        return batch
    if isinstance(batch, tuple | list) and len(batch) in (2, 3):
        return Dataset(batch[0], batch[1], weights=batch[2] if len(batch) == 3 else None)
    raise TypeError(
        f"expected batches (x, targets) or (x, targets, weights) of the stream, received {type(batch).__name__}: yield "
        f"x, targets"
    )


def _check_call(source: Any) -> None:
    """Refuse a function that does not take the number of the pass."""
    from inspect import signature

    try:
        takes = signature(source)
    except ValueError:  # built in, and nobody knows
        return
    try:
        takes.bind(0)
    except TypeError:
        raise TypeError(
            f"expected a stream to be called as stream(epoch), received {short(source)}, which takes {takes}: write "
            f"def stream(epoch): ... that yields batches"
        ) from None

"""What an estimator tells of its runs: one history over several of them, and which epoch was best."""

import math
from dataclasses import replace

from minidl.training.history import History, Table


def joined(before: History | None, now: History) -> History:
    """The record of the runs so far and of the newest, which says how they ended."""
    if before is None:
        return now
    steps, evaluations = _below(before.steps, now.steps), _below(before.evaluations, now.evaluations)
    return replace(now, steps=steps, evaluations=evaluations)


def best_epoch(history: History, epochs: int) -> int:
    """The epoch of the best evaluation, or the last of so many where nothing was called best."""
    if history.best_step is None:
        return epochs
    row = history.evaluations["step"].index(history.best_step)
    return math.ceil(history.evaluations["epoch"][row])


def _below(first: Table, second: Table) -> Table:
    """Both tables, one below the other; NaN where one has no such column."""
    lengths = [len(next(iter(table.values()), [])) for table in (first, second)]
    return Table(
        {
            name: [
                value
                for table, length in zip((first, second), lengths, strict=True)
                for value in (table[name] if name in table else [math.nan] * length)
            ]
            for name in {**first, **second}
        }
    )

"""History: what a run did, as plain columns, to and from JSON and CSV."""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, Self

import numpy as np

from minidl.arguments import short, suggest
from minidl.html import table
from minidl.parameters import Array
from minidl.remembered import check_state, listed
from minidl.storage import replacing

STEP_COLUMNS = ("step", "epoch", "loss", "penalty", "cost", "learning_rate")


class Table(dict[str, list[float]]):
    """Columns by name, all of one length; an unknown name is an error that lists the known ones.

    >>> table = Table.of(["step", "loss"])
    >>> table.append({"step": 1, "loss": 0.5})
    >>> table["loss"], len(table["step"])
    ([0.5], 1)
    """

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """An empty table with these columns, each given once."""
        names = list(names)
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected columns with names of their own, received {twice} more than once")
        return cls({name: [] for name in names})

    def append(self, row: Mapping[str, float]) -> None:
        """Add one row; its names must be those of the columns."""
        if row.keys() != self.keys():
            raise ValueError(f"expected a row with {list(self)}, received {list(row)}")
        for name, value in row.items():
            self[name].append(value)

    def cut(self) -> None:
        """Drop the last row where it is not whole."""
        rows = min((len(column) for column in self.values()), default=0)
        for column in self.values():
            del column[rows:]

    def state(self) -> dict[str, Array]:
        """Every column as an array."""
        return {name: np.array(column) for name, column in self.items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back the rows that `state` returned; the columns must be those of this table.

        Raises:
            ValueError, TypeError: it is not what `state` returned; nothing has changed.
        """
        check_state("a table", state, self)
        columns = {name: np.asarray(state[name]) for name in self}
        if strange := [name for name, column in columns.items() if not _is_column(column)]:
            raise ValueError(f"expected columns of numbers, received {listed(strange)} with others: is it another's?")
        if len({column.size for column in columns.values()}) > 1:
            lengths = {name: column.size for name, column in columns.items()}
            raise ValueError(f"expected columns of one length, received {lengths}: is it another's?")
        for name, column in self.items():
            column[:] = columns[name].tolist()

    def check_order(self, last: int) -> None:
        """Raise ValueError unless its steps are whole and grow up to `last`, and its epochs are finite and grow."""
        steps, epochs = np.array(self["step"] or [0]), np.array(self["epoch"] or [0.0])
        if steps.dtype.kind not in "iu" or steps[0] < 0 or (np.diff(steps) < 0).any() or steps[-1] > last:
            raise ValueError(f"expected whole steps in order up to {last}, received {short(steps)}")
        if not np.isfinite(epochs).all() or epochs[0] < 0 or (np.diff(epochs) < 0).any():
            raise ValueError(f"expected epochs in order, received {short(epochs)}")

    def row(self, index: int) -> dict[str, float]:
        """One row by its index; -1 is the newest."""
        return {name: column[index] for name, column in self.items()}

    def _repr_html_(self) -> str:
        """For notebooks."""
        return table(list(self), list(zip(*self.values(), strict=True)))

    def __repr__(self) -> str:
        return f"Table({len(next(iter(self.values()), []))} rows of {', '.join(self)})"

    def __missing__(self, name: str) -> list[float]:
        if not isinstance(name, str):
            raise KeyError(
                f"columns go by name, such as table[{next(iter(self), 'step')!r}]; row {name!r} is row({name!r})"
            )
        raise KeyError(f"no column {name!r}; {suggest(name, self)}")


@dataclass
class History:
    """The record of one call of `fit`.

    Attributes:
        steps: one row a step: step (counted by the optimizer, from 1), epoch (passes over the data, a fraction),
            loss, penalty, cost = loss + penalty, learning_rate.
        evaluations: one row an evaluation: step, epoch, the means train_loss, train_penalty and train_cost over the
            training batches since the evaluation before, weighted as the loss weighs rows, and for each validation
            set <name>_loss, <name>_penalty, <name>_cost and <name>_<metric>.
        stopped_because: how the run ended: "limit: ...", "early stopping: ...", "stopped: ...", "interrupted: ...",
            "diverged: ..." or "error: ...".
        monitor: the column by which weights were called best, "" where there was none.
        best_step: the step of the best evaluation, None where there was none.
        best_value: the value of the monitored column there.
        restored_best: whether the model was given back the weights of `best_step`.
    """

    steps: Table = field(default_factory=lambda: Table.of(STEP_COLUMNS))
    evaluations: Table = field(default_factory=Table)
    stopped_because: str = ""
    monitor: str = ""
    best_step: int | None = None
    best_value: float | None = None
    restored_best: bool = False

    def __repr__(self) -> str:
        best = (
            f", best {self.monitor} {self.best_value:.6g} at step {self.best_step}"
            if self.best_value is not None
            else ""
        )
        evaluations = len(self.evaluations.get("step", []))
        ended = f"; {self.stopped_because}" if self.stopped_because else ""
        return f"History({len(self.steps['step'])} steps, {evaluations} evaluations{best}{ended})"

    def _repr_html_(self) -> str:
        """For notebooks: the evaluations, or the steps where there are none."""
        shown = self.evaluations if self.evaluations.get("step") else self.steps
        return table(list(shown), list(zip(*shown.values(), strict=True)), title=repr(self))

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write everything as one JSON object; numbers that are not finite become the strings "nan", "inf", "-inf"."""
        import json  # slow to load, as is csv below

        with replacing(path) as file:
            file.write(f"{json.dumps(encode_json(vars(self)), indent=1)}\n".encode())

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the file is not such an object.
        """
        import json

        try:
            with open(path, encoding="utf-8") as file:
                content = json.load(file)
            content |= {name: _table(content[name]) for name in ("steps", "evaluations")}
            if tuple(content["steps"]) != STEP_COLUMNS:
                raise ValueError(f"its steps have the columns {list(content['steps'])}")
            if content["best_value"] is not None:
                content["best_value"] = float(content["best_value"])
            return cls(**content)
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise ValueError(f"expected a History written by to_json, received {path}: {error}") from error

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line a step, with the columns of the evaluation after it filled in where there was one.

        An evaluation before the first step, or a second one after a step, is a line without loss, penalty, cost and
        learning rate.
        How the run ended is not part of the columns: it stands in the JSON only.
        """
        import csv

        extra = [name for name in self.evaluations if name not in ("step", "epoch")]
        after: dict[float, list[list[Any]]] = {step: [] for step in self.steps["step"]}
        before: list[list[Any]] = []
        blank = [""] * (len(STEP_COLUMNS) - 2)
        rows = zip(*(self.evaluations[name] for name in ("step", "epoch", *extra) if extra), strict=True)
        for step, epoch, *values in rows:
            after.get(step, before).append([step, epoch, *blank, *values])
        text = StringIO(newline="")
        writer = csv.writer(text)
        writer.writerows([[*self.steps, *extra], *before])
        for row in zip(*self.steps.values(), strict=True):
            first, *others = after[row[0]] or [[*row, *([""] * len(extra))]]
            writer.writerows([[*row, *first[len(row) :]], *others])
        with replacing(path) as file:
            file.write(text.getvalue().encode())

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> Self:
        """Read the columns that `to_csv` wrote.

        Raises:
            ValueError: the file has no such columns, or something other than numbers in them.
        """
        import csv

        try:
            with open(path, newline="", encoding="utf-8") as file:
                names, *rows = csv.reader(file, strict=True)
            if tuple(names[: len(STEP_COLUMNS)]) != STEP_COLUMNS:
                raise ValueError(f"its columns are {names}")
            extra = names[len(STEP_COLUMNS) :]
            history = cls(evaluations=Table.of(["step", "epoch", *extra] if extra else []))
            for row in rows:
                cells = dict(zip(names, row, strict=True))
                if any(cells[name] for name in STEP_COLUMNS[2:]):
                    history.steps.append({name: _number(cells[name]) for name in STEP_COLUMNS})
                if any(row[len(STEP_COLUMNS) :]):
                    history.evaluations.append({name: _number(cells[name]) for name in history.evaluations})
            return history
        except (ValueError, csv.Error) as error:
            raise ValueError(
                f"expected the columns {', '.join(STEP_COLUMNS)}, ... as to_csv writes them, received {path}: {error}"
            ) from error


def _number(text: str | float) -> float:
    """An int where the text is one, else a float; "nan" and "inf" are floats."""
    if isinstance(text, int | float):
        return text
    try:
        return int(text)
    except ValueError:
        return float(text)


def _is_column(array: Array) -> bool:
    """Whether an array is one that numpy makes of a list of Python's numbers."""
    return array.ndim == 1 and array.dtype.kind in "if" and array.dtype.itemsize == 8


def _table(columns: Mapping[str, list[Any]]) -> Table:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"its columns have unequal lengths: {lengths}")
    return Table({name: [_number(value) for value in values] for name, values in columns.items()})


def encode_json(value: Any) -> Any:
    """The same for JSON, which knows no NaN and no infinity: they become the strings "nan", "inf", "-inf"."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: encode_json(item) for name, item in value.items()}
    return [encode_json(item) for item in value] if isinstance(value, list | tuple) else value

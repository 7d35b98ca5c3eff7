"""History: what a run did, as plain columns, to and from JSON and CSV."""

import csv
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from minidl.arguments import suggest

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
        """An empty table with these columns."""
        return cls({name: [] for name in names})

    def append(self, row: Mapping[str, float]) -> None:
        """Add one row; its names must be those of the columns."""
        if row.keys() != self.keys():
            raise ValueError(f"expected a row with {list(self)}, received {list(row)}")
        for name, value in row.items():
            self[name].append(value)

    def __missing__(self, name: str) -> list[float]:
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
        best = f", best {self.monitor} {self.best_value:.6g} at step {self.best_step}" if self.best_step else ""
        evaluations = len(self.evaluations.get("step", []))
        return f"History({len(self.steps['step'])} steps, {evaluations} evaluations{best}; {self.stopped_because})"

    def to_json(self, path: str | Path) -> None:
        """Write everything as one JSON object; numbers that are not finite become the strings "nan", "inf", "-inf"."""
        Path(path).write_text(json.dumps(_encode(vars(self)), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def from_json(cls, path: str | Path) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: the file is not such an object.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            content |= {name: _table(content[name]) for name in ("steps", "evaluations")}
            if content["best_value"] is not None:
                content["best_value"] = float(content["best_value"])
            return cls(**content)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"expected a History written by to_json, received {path}: {error}") from error

    def to_csv(self, path: str | Path) -> None:
        """Write one line a step, with the columns of the evaluation after it filled in where there was one.

        How the run ended is not part of the columns: it stands in the JSON only.
        """
        extra = [name for name in self.evaluations if name not in ("step", "epoch")]
        at = {step: row for row, step in enumerate(self.evaluations.get("step", []))}
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*self.steps, *extra])
            for step, *rest in zip(*self.steps.values(), strict=True):
                row = at.get(step)
                writer.writerow([step, *rest, *("" if row is None else self.evaluations[name][row] for name in extra)])

    @classmethod
    def from_csv(cls, path: str | Path) -> Self:
        """Read the columns that `to_csv` wrote.

        Raises:
            ValueError: the file has no such columns.
        """
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        names = list(rows[0]) if rows else list(STEP_COLUMNS)
        if tuple(names[: len(STEP_COLUMNS)]) != STEP_COLUMNS:
            raise ValueError(f"expected the columns {', '.join(STEP_COLUMNS)}, ..., received {names} in {path}")
        extra = names[len(STEP_COLUMNS) :]
        history = cls(evaluations=Table.of(["step", "epoch", *extra] if extra else []))
        for row in rows:
            history.steps.append({name: _number(row[name]) for name in STEP_COLUMNS})
            if extra and any(row[name] for name in extra):
                history.evaluations.append({name: _number(row[name]) for name in ("step", "epoch", *extra)})
        return history


def _number(text: str | float) -> float:
    """An int where the text is one, else a float; "nan" and "inf" are floats."""
    try:
        return int(text) if isinstance(text, str) else text
    except ValueError:
        return float(text)


def _table(columns: Mapping[str, list[Any]]) -> Table:
    return Table({name: [_number(value) for value in values] for name, values in columns.items()})


def _encode(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {name: _encode(item) for name, item in value.items()}
    return [_encode(item) for item in value] if isinstance(value, list) else value

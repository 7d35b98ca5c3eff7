"""Results: what runs returned, as a table that can be chosen from, averaged, printed and written."""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from minidl.arguments import short, suggest
from minidl.experiments.curves import last_values
from minidl.experiments.planning import Experiment
from minidl.experiments.result import Result
from minidl.html import table
from minidl.parameters import Array
from minidl.training.history import encode_json


class Results(Sequence[Result]):
    """The results of several runs, in the order of the plan. Averages leave out the runs that failed.

    >>> def train(lr, *, seed): ...
    >>> from minidl.experiments import grid, plan
    >>> runs = plan(train, grid(lr=[0.1, 0.5]), seeds=[0, 1])
    >>> results = Results([Result(run, {"loss": run.setting["lr"] + run.seed}, 1.0) for run in runs])
    >>> results.where(lr=0.5).mean("loss"), results.best("loss", mode="min")
    (1.0, {'lr': 0.1})
    >>> print(results.table(["loss"]))
    | lr | loss |
    |---|---|
    | 0.1 | 0.6000 ± 0.7071 |
    | 0.5 | 1.0000 ± 0.7071 |
    """

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = list(results)
        if other := [short(one) for one in self.results if not isinstance(one, Result)]:
            raise TypeError(f"expected a list of Result objects, received {other[0]} in it: see execute")

    def __len__(self) -> int:
        return len(self.results)

    @overload
    def __getitem__(self, index: int) -> Result: ...

    @overload
    def __getitem__(self, index: slice) -> "Results": ...

    def __getitem__(self, index: int | slice) -> "Result | Results":
        return Results(self.results[index]) if isinstance(index, slice) else self.results[index]

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"Results({len(self)} runs of {len(self.settings)} settings{failed})"

    @property
    def failed(self) -> "Results":
        """The runs that raised; `error` of each holds its traceback."""
        return Results([result for result in self if result.error])

    @property
    def finished(self) -> "Results":
        """The runs that did not raise."""
        return Results([result for result in self if not result.error])

    @property
    def settings(self) -> list[dict[str, Any]]:
        """The different settings, in the order of their first run."""
        return [dict(group[0].run.setting) for group in self.groups()]

    def groups(self) -> "list[Results]":
        """The runs of each function and setting, in the order of their first run."""
        found: dict[object, list[Result]] = {}
        for result in self:
            setting = frozenset(map(_told_apart, result.run.setting.items()))
            found.setdefault((result.run.function, setting), []).append(result)
        return [Results(group) for group in found.values()]

    @property
    def seconds(self) -> float:
        """How long the runs took together, as far as that is known."""
        return math.fsum(result.seconds for result in self if math.isfinite(result.seconds))

    @property
    def processor_seconds(self) -> float:
        """How long a processor worked on the runs together, as far as that is known."""
        return math.fsum(result.processor_seconds for result in self if math.isfinite(result.processor_seconds))

    def where(self, **setting: Any) -> "Results":
        """The runs with these arguments, `seed` among them; KeyError where there is none.

        >>> Results([]).where(lr=0.1)
        Traceback (most recent call last):
        KeyError: "no run with {'lr': 0.1} among 0"
        """
        for name, value in setting.items():
            if not isinstance(value, float | int | str | None):
                raise TypeError(f"expected one value of {name}, received {name}={value!r}: see by")
            if self and not any(name in result.run.arguments for result in self):
                raise KeyError(f"no argument {name!r}; {suggest(name, self[0].run.arguments)}")
        wanted = set(map(_told_apart, setting.items()))
        chosen = [result for result in self if wanted <= set(map(_told_apart, result.run.arguments.items()))]
        if not chosen:
            raise KeyError(f"no run with {setting} among {len(self)}")
        return Results(chosen)

    def of(self, function: Experiment) -> "Results":
        """The runs of one function."""
        return Results([result for result in self if result.run.function is function])

    def by(self, name: str) -> "dict[Any, Results]":
        """The runs for each value of one argument, in the order of their first run; runs without it are left out."""
        having = [result for result in self if name in result.run.arguments]
        if self and not having:
            raise KeyError(f"no argument {name!r}; {suggest(name, self[0].run.arguments)}")
        values = dict.fromkeys(_told_apart((name, result.run.arguments[name])) for result in having)
        if len({value for *_, value in values}) < len(values):
            raise ValueError(f"expected values of {name} that a dictionary tells apart, received True beside 1 or 0")
        return {value: self.where(**{name: value}) for *_, value in values}

    def column(self, name: str) -> list[Any]:
        """What each run that did not fail returned under a name, as a list."""
        found = [result.values for result in self.finished]
        for values in found:
            if name not in values:
                raise KeyError(f"no value {name!r}; {suggest(name, values)}")
        return [values[name] for values in found]

    def array(self, name: str) -> Array:
        """The values as one array, (runs, ...); ValueError where they differ in shape or all runs failed."""
        values = [np.asarray(value) for value in self.column(name)]
        if not values:
            raise ValueError(f"expected at least one run that did not fail, received {self!r}: see .failed[0].error")
        if not all(value.dtype.kind in "biuf" for value in values):
            raise TypeError(f"expected {name!r} to be numbers in every run, received {short(self.column(name)[:3])}")
        shapes = sorted({value.shape for value in values})
        if len(shapes) != 1:
            raise ValueError(f"expected {name!r} of one shape in every run, received shapes {shapes}: use column")
        return np.stack(values)

    def mean(self, name: str) -> Any:
        """The mean over the runs: a float for numbers, an array for arrays."""
        return _plain(self.array(name).mean(axis=0))

    def std(self, name: str) -> Any:
        """The sample standard deviation over the runs (n - 1 in the denominator); NaN for a single one."""
        values = self.array(name)
        wide = values.astype(np.float64)
        return _plain(wide.std(axis=0, ddof=1) if len(wide) > 1 else np.full(wide.shape[1:], math.nan))

    def best(self, name: str, *, mode: Literal["min", "max"]) -> dict[str, Any]:
        """The setting with the smallest or largest mean, of curves by their last value; never NaN or a failure."""
        if mode not in ("min", "max"):
            raise ValueError(f"expected mode to be 'min' or 'max', received mode={mode!r}")
        means: list[tuple[float, dict[str, Any]]] = []
        for group in self.groups():
            mean = float(last_values(name, group.column(name)).mean()) if len(group.failed) < len(group) else math.nan
            if math.isfinite(mean):
                means.append((mean, dict(group[0].run.setting)))
        if not means:
            raise ValueError(f"expected a finite mean of {name!r} for some setting, received none")
        return (min if mode == "min" else max)(means, key=lambda pair: pair[0])[1]

    def _repr_html_(self) -> str:
        """For notebooks: a line a run, its setting, its seed, and what it returned that is no array."""
        keys = list(dict.fromkeys(key for result in self for key in result.run.setting))
        names = list(dict.fromkeys(name for result in self for name in _scalars(result)))
        rows = [
            [*(r.run.setting.get(key, "") for key in keys), r.run.seed, *(_scalars(r).get(n, "") for n in names)]
            for r in self
        ]
        return table([*keys, "seed", *names], rows, title=f"{len(self)} runs, {len(self.failed)} of them failed")

    def table(self, names: Sequence[str], *, digits: int = 4) -> str:
        """A Markdown table: a line a setting with what differs between settings, then mean ± standard deviation."""
        if isinstance(names, str):
            raise TypeError(f"expected several names, received names={names!r}: put it in [ ]")
        groups, settings = self.groups(), self.settings
        keys = dict.fromkeys(key for setting in settings for key in setting)
        differing = [key for key in keys if len({repr(s.get(key, "")) + str(key in s) for s in settings}) > 1]
        several = len({group[0].run.function for group in groups}) > 1
        head = [*(["function"] if several else []), *differing, *names]
        lines = [_line(head), "|" + "---|" * len(head)]
        for group, setting in zip(groups, settings, strict=True):
            function = [group[0].run.function.__name__] if several else []
            chosen = [str(setting[key]) if key in setting else "" for key in differing]
            lines.append(_line([*function, *chosen, *(_cell(group, name, digits) for name in names)]))
        return "\n".join(lines)

    def to_json(self, path: str | Path) -> None:
        """Write one object a run: setting, seed, seconds, error, and every value that is no array.

        Numbers that are not finite become the strings "nan", "inf", "-inf".
        """
        rows = [
            {**r.run.setting, "seed": r.run.seed, "seconds": r.seconds, "error": r.error, **_scalars(r)} for r in self
        ]
        Path(path).write_text(json.dumps(encode_json(rows), indent=1, allow_nan=False) + "\n", encoding="utf-8")

    def to_csv(self, path: str | Path) -> None:
        """Write one line a run: setting, seed, seconds, why it failed, and every value that is no array."""
        settings = dict.fromkeys(key for result in self for key in result.run.setting)
        names = dict.fromkeys(key for result in self for key in _scalars(result))
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*settings, "seed", "seconds", "error", *names])
            writer.writeheader()
            for r in self:
                fixed = {"seed": r.run.seed, "seconds": r.seconds, "error": r.reason}
                writer.writerow({**r.run.setting, **fixed, **_scalars(r)})


def _told_apart(argument: tuple[str, Any]) -> tuple[str, bool, Any]:
    """An argument such that True is not 1; 1.0 is."""
    name, value = argument
    return name, isinstance(value, bool), value


def _plain(value: Array) -> Any:
    return float(value) if np.ndim(value) == 0 else value


def _scalars(result: Result) -> dict[str, Any]:
    """What is no array; a value that has the name of an argument is told apart from it."""
    arguments = result.run.arguments
    return {
        f"{name} returned" if name in arguments else name: value
        for name, value in result.values.items()
        if not isinstance(value, np.ndarray)
    }


def _cell(group: Results, name: str, digits: int) -> str:
    if len(group.failed) == len(group):
        return "failed"
    values = group.column(name)
    if not all(isinstance(value, float | int) for value in values):
        return ", ".join(dict.fromkeys(v if isinstance(v, str) else short(v) for v in values))
    numbers = [group.mean(name), group.std(name)][: len(values)]  # of one run there is no deviation
    whole = all(isinstance(value, int) for value in values)  # as numbers of steps
    written = (f"{number:.{0 if whole and number.is_integer() else digits}f}" for number in numbers)
    return " ± ".join(written) + (f" ({len(group.failed)} failed)" if group.failed else "")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '&#124;') for cell in cells)} |"

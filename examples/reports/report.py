"""What the reports share: the options, the execution of a plan, and a page of tables and figures that is written."""

import json
import math
import os
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from minidl.data import DataError
from minidl.experiments import Results, Run, execute


def options_parser(description: str) -> ArgumentParser:
    """--data, --seed, --repeats, --jobs, --quick and --out."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, help="folder with the data (default: MINIDL_DATA, else the cache, else a download)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--repeats", type=int, help="seeds for every setting (default: as many as the report needs)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes (default: one a core)")
    parser.add_argument("--quick", action="store_true", help="a few steps of each run, to see that everything works")
    parser.add_argument("--out", type=Path, default=Path("out/reports"), help="folder (default out/reports)")
    return parser


def use(options: Namespace) -> Namespace:
    """The options, after --data was made known to this process and its workers."""
    if options.data is not None:
        os.environ["MINIDL_DATA"] = str(options.data)
    return options


def seeds(options: Namespace, usual: int) -> range:
    """The seeds of a setting: as many as were asked for, else the usual number, else two of a quick look."""
    count = options.repeats or (2 if options.quick else usual)
    return range(options.seed, options.seed + count)


@dataclass(frozen=True)
class Row:
    """A number of the report beside what was measured.

    Attributes:
        quantity: what it is, with its unit.
        reported: the report's number, "" where it gives none.
        measured: what each seed came to; NaN counts.
        interval: where a correct implementation lands, None where nobody knows.
        digits: after the decimal point.
    """

    quantity: str
    reported: float | str
    measured: np.ndarray
    interval: tuple[float, float] | None = None
    digits: int = 1

    def as_dict(self) -> dict[str, object]:
        """Numbers for JSON."""
        values = np.atleast_1d(np.asarray(self.measured, float))
        spread = float(values.std(ddof=1)) if len(values) > 1 else None
        inside = None if self.interval is None else bool(self.interval[0] <= values.mean() <= self.interval[1])
        return {
            "quantity": self.quantity,
            "reported": self.reported,
            "mean": float(values.mean()),
            "std": spread,
            "runs": len(values),
            "interval": self.interval,
            "inside": inside,
        }

    def line(self) -> str:
        """The row of a Markdown table."""
        found, digits = self.as_dict(), self.digits
        reported = self.reported if isinstance(self.reported, str) else f"{self.reported:.{digits}f}"
        measured = f"{found['mean']:.{digits}f}"
        if found["std"] is not None:
            measured += f" ± {found['std']:.{digits}f} ({found['runs']})"
        interval, inside = "", ""
        if self.interval is not None:
            low, high = (f"{bound:.{digits}f}" if math.isfinite(bound) else "" for bound in self.interval)
            interval = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"
            inside = "yes" if found["inside"] else "**no**"
        return f"| {self.quantity} | {reported or '-'} | {measured} | {interval} | {inside} |"


HEAD = "| | reported | measured | interval | inside |\n|---|--:|--:|--:|:-:|"


class Page:
    """A page that is filled from top to bottom, and written as Markdown, JSON and figures."""

    def __init__(self, name: str, options: Namespace) -> None:
        self.name, self.folder, self.quick = name, options.out / name, options.quick
        self.folder.mkdir(parents=True, exist_ok=True)
        self.parts: list[str] = []
        self.rows: list[Row] = []
        if options.quick:
            self.say("*Quick mode: a few steps of each run. The numbers mean nothing.*")

    def say(self, text: str) -> None:
        """A paragraph, a heading or a table in Markdown."""
        self.parts.append(text)

    def compare(self, rows: Iterable[Row]) -> None:
        """A table of reported beside measured numbers."""
        listed = list(rows)
        self.rows += listed
        self.say("\n".join([HEAD, *(row.line() for row in listed)]))

    def figure(self, name: str, figure: Figure, caption: str) -> None:
        """Write a figure and show it under its caption."""
        figure.savefig(self.folder / f"{name}.png", dpi=130)
        self.say(f"![{caption}]({self.name}/{name}.png)\n\n*{caption}*")

    @property
    def text(self) -> str:
        """The whole page as Markdown."""
        return "\n\n".join(self.parts) + "\n"

    def write(self) -> None:
        """Write <name>.md beside the folder of the figures, and the rows of its tables to JSON."""
        (self.folder.parent / f"{self.name}.md").write_text(self.text, encoding="utf-8")
        rows = [row.as_dict() for row in self.rows]
        text = (
            json.dumps(rows, indent=1).replace("NaN", "null").replace("-Infinity", "null").replace("Infinity", "null")
        )
        (self.folder / "results.json").write_text(text + "\n", encoding="utf-8")


def run_all(runs: list[Run], options: Namespace, *needed: Callable[[], object]) -> Results:
    """Execute the runs, after every data set that is needed was read once; say what is missing where one cannot be."""
    for data_set in needed:
        try:
            data_set()
        except (DataError, OSError) as error:
            sys.exit(f"{type(error).__name__}: {error}")
    try:
        results = execute(runs, jobs=options.jobs, folder=options.out / "runs")
    except KeyboardInterrupt:
        sys.exit(130)
    for result in results.failed:
        print(f"{result.run!r} failed:\n{result.error}", file=sys.stderr)
    return results


def main(
    name: str,
    description: str,
    plan_runs: Callable[[Namespace], list[Run]],
    write_up: Callable[[Results, Page, Namespace], None],
    *needed: Callable[[], object],
) -> None:
    """The whole of one report, as a command."""
    options, began = use(options_parser(description).parse_args()), time.monotonic()
    results = run_all(plan_runs(options), options, *needed)
    page = Page(name, options)
    write_up(results, page, options)
    page.write()
    print(page.text)
    seconds = time.monotonic() - began
    print(f"{len(results)} runs of {results.seconds:.0f} s together; this command took {seconds:.0f} s")
    print(f"tables, numbers and figures in {options.out}: {name}.md, {name}/")
    if results.failed:
        sys.exit(f"{len(results.failed)} of {len(results)} runs failed; start again to try them again")

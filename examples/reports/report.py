"""What the reports share: the options, the execution of a plan, and a page of tables and figures that is written."""

import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from front import front, is_usual_data
from matplotlib.figure import Figure
from terminal import Cells, counts, text_table

from minidl import Dataset
from minidl.data import DataError
from minidl.experiments import Comparison, PlannedRun, Results, comparison_table, execute, fingerprint, markdown_table
from minidl.training.history import encode_json


def options_parser(description: str) -> ArgumentParser:
    """--data, --seed, --repeats, --jobs, --quick and --out."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    where = "folder with mnist/ and cifar-10-batches-bin/; missing files are downloaded (default: MINIDL_DATA, a cache)"
    parser.add_argument("--data", type=Path, help=where)
    parser.add_argument("--seed", type=whole_number, default=0, help="the first seed (default 0)")
    parser.add_argument("--repeats", type=positive, help="seeds for every setting (default: what the report needs)")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="worker processes (default: cores)")
    parser.add_argument("--quick", action="store_true", help="a few steps of each run, to see that everything works")
    parser.add_argument("--out", type=Path, help="folder (default out/reports, and out/reports/quick with --quick)")
    return parser


def whole_number(text: str) -> int:
    """An integer >= 0, for the options."""
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def positive(text: str) -> int:
    """An integer >= 1, for the options."""
    number = whole_number(text)
    if number == 0:
        raise ValueError(text)
    return number


def seeds(options: Namespace, usual: int) -> range:
    """The seeds of a setting: as many as were asked for, else the usual number, else two of a quick look."""
    return range(options.seed, options.seed + (options.repeats or (2 if options.quick else usual)))


def averaged(count: int) -> str:
    """What a curve or a point of so many runs shows, for captions: "mean and deviation of 10 seeds", or "one seed"."""
    return "one seed" if count == 1 else f"mean and deviation of {count} seeds"


def deviation(values: np.ndarray) -> float:
    """The sample standard deviation, 0 for a single run."""
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def with_spread(values: np.ndarray, form: str = ".1f") -> str:
    """Mean and deviation of several runs, the number of a single one."""
    return f"{values.mean():{form}}" + (f" ± {deviation(values):{form.lstrip('+')}}" if len(values) > 1 else "")


def ends(results: Results, name: str, place: int = -1) -> np.ndarray:
    """A curve after the last evaluation, or another one, for each run; runs may differ in length."""
    return np.array([curve[place] for curve in results.column(name)])


Row = Comparison  # a number of the report beside what was measured
QUICK = "*Quick mode: a few steps of each run. The numbers mean nothing.*"


class Page:
    """A page that is filled from top to bottom, and written as Markdown, JSON and figures."""

    def __init__(self, name: str, options: Namespace, *, front: str = "", usual_data: bool = True) -> None:
        self.name, self.folder, self.quick = name, options.out / name, options.quick
        self.folder.mkdir(parents=True, exist_ok=True)
        self.front = front
        self.usual = usual_data and not options.quick and (options.repeats, options.seed) == (None, 0)
        self.parts: list[str] = []
        self.rows: list[dict[str, object]] = []
        self.reported: list[Cells] = []
        self.tables: list[dict[str, object]] = []
        self.claims: list[dict[str, object]] = []
        self.title = ""
        if options.quick:
            self.say(QUICK)

    def section(self, title: str, text: str = "") -> None:
        """Begin a section."""
        self.title = title
        self.say(f"### {title}")
        if text:
            self.say(text)

    def say(self, text: str) -> None:
        """A paragraph."""
        self.parts.append(text)

    def conclude(self, text: str) -> None:
        """A paragraph about what the published runs show: this data, the usual seeds and repeats, nothing quick."""
        if self.usual:
            self.say(text)

    def claim(self, text: str, holds: bool | None, numbers: str = "") -> None:
        """A claim of the report with the verdict of these runs: confirmed, contradicted, or out of reach (None).

        Compute `holds` from the results and put what it was computed from into `numbers`, so that both are true for
        every seed and all data: `page.claim("A larger batch helps.", b > a, f"{b:.1f} above {a:.1f}")`. Let `text`
        be the claim alone, without a word about what was measured. Quick runs decide nothing.
        """
        verdict = "out of reach" if holds is None else "confirmed" if holds else "contradicted"
        self.claims.append(
            {"section": self.title, "claim": text, "verdict": None if self.quick else verdict, "numbers": numbers}
        )
        if not self.quick:
            self.say(f'The report: "{text}" **{verdict.capitalize()}**{f": {numbers}" if numbers else ""}.')

    def compare(self, rows: Iterable[Row], **beside: Sequence[str]) -> None:
        """A table of reported beside measured numbers; quick runs are held against nothing and explain nothing.

        `beside` are columns of other publications, such as `later_version=[...]`, one text for each row.
        """
        listed = [replace(row, interval=None, because="") if self.quick else row for row in rows]
        self.rows += [{"section": self.title, **row.as_dict()} for row in listed]
        self.reported += [
            (self.title, row.quantity, str(row.reported), with_spread(row.values, row.form))
            for row in listed
            if row.reported != ""
        ]
        columns = {name.replace("_", " "): cells for name, cells in beside.items()}
        self.say(comparison_table(listed, columns))
        if columns:
            cells = zip((row.quantity for row in listed), *columns.values(), strict=True)
            self.table(["quantity", *columns], list(cells), shown=False)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], *, shown: bool = True) -> None:
        """A table of another kind; one that a figure shows already goes to JSON only."""
        self.tables.append({"section": self.title, "head": list(head), "rows": [list(row) for row in rows]})
        if shown:
            self.say(markdown_table(head, rows))

    def figure(self, name: str, figure: Figure, caption: str) -> None:
        """Write a figure and show it above its caption."""
        figure.savefig(self.folder / f"{name}.png", dpi=130)
        self.say(f"![{caption}]({self.name}/{name}.png)\n\n*{caption}*")

    @property
    def text(self) -> str:
        """The whole page as Markdown."""
        return "\n\n".join(self.parts) + "\n"

    @property
    def summary(self) -> str:
        """What a terminal shows: the numbers that the report gives beside those measured, and what came of it all."""
        parts = [QUICK.strip("*")] if self.quick else []
        decided = counts([row["inside"] for row in self.rows], [claim["verdict"] for claim in self.claims])
        return "\n\n".join([*parts, text_table(self.reported), *([decided] if decided else [])])

    def write(self) -> None:
        """Write <name>.md beside the folder of the figures, and the tables to JSON in it."""
        whole = f"{self.front}\n\n{self.text}" if self.front else self.text
        (self.folder.parent / f"{self.name}.md").write_text(whole, encoding="utf-8")
        content = json.dumps(
            encode_json({"rows": self.rows, "tables": self.tables, "claims": self.claims}), indent=1, allow_nan=False
        )
        (self.folder / "results.json").write_text(content + "\n", encoding="utf-8")


def run_all(runs: list[PlannedRun], options: Namespace, *needed: Callable[[], tuple[Dataset, Dataset]]) -> Results:
    """Execute the runs, after every data set that is needed was read once; say what is missing where one cannot be."""
    if options.data is not None:
        os.environ["MINIDL_DATA"] = str(options.data)  # where the worker processes look too
    try:
        marks = {data_set.__name__: fingerprint(*data_set()) for data_set in needed}
    except (DataError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    try:
        return execute(runs, jobs=options.jobs, folder=options.out / "runs", data=marks)
    except ValueError as error:
        sys.exit(f"{error}, with --out")
    except KeyboardInterrupt:
        sys.exit(130)


def read_options(parser: ArgumentParser) -> Namespace:
    """The options; quick pages do not replace whole ones unless --out says so."""
    options = parser.parse_args()
    if options.out is None:
        options.out = Path("out/reports/quick") if options.quick else Path("out/reports")
    return options


def begin_page(name: str, description: str, options: Namespace) -> Page:
    """The page of a report, with what stands before its numbers."""
    return Page(name, options, front=front(name, description), usual_data=is_usual_data(name))


WriteUp = Callable[[Results, Page, Namespace], None]


def fill(page: Page, write_up: WriteUp, results: Results, options: Namespace) -> None:
    """Write a page from the runs that did not fail, as far as they reach."""
    try:
        write_up(results.finished, page, options)
    except (LookupError, ValueError):
        if not results.failed:
            raise
        page.say("*What follows on this page needs runs that failed.*")
    page.write()


def finish(results: Results, began: float, options: Namespace, what: str) -> None:
    """Say how long it took and where it is; with failed runs, exit with an error."""
    minutes = (time.monotonic() - began) / 60
    together = f"{len(results)} runs took {results.seconds / 60:.1f} minutes of one core together"
    print(f"{together}; this command took {minutes:.1f} minutes")
    print(f"all tables and figures: {options.out / what}")
    for result in results.failed:
        print(f"{result.run!r} failed:\n{result.error}", file=sys.stderr)
    if results.failed:
        sys.exit(f"{len(results.failed)} of {len(results)} runs failed; start again to try them again")


def main(
    name: str,
    description: str,
    plan_runs: Callable[[Namespace], list[PlannedRun]],
    write_up: WriteUp,
    *needed: Callable[[], tuple[Dataset, Dataset]],
) -> None:
    """The whole of one report, as a command."""
    options, began = read_options(options_parser(description)), time.monotonic()
    results = run_all(plan_runs(options), options, *needed)
    page = begin_page(name, description, options)
    fill(page, write_up, results, options)
    print(f"{page.summary}\n")
    finish(results, began, options, f"{name}.md")

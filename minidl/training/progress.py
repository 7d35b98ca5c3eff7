"""Progress of a run: lines, and below them a bar in a terminal; a bar in a notebook. The only use of tqdm."""

import os
import sys
import warnings
from contextlib import suppress
from time import time
from typing import Any

from minidl.kernels.forms import watching
from minidl.training.callbacks import Callback
from minidl.training.columns import Lines, named, number

LINES = 20  # about so many are printed in the course of the planned steps
COLUMNS, ROWS = 80, 24  # of a terminal that does not say how large it is
BESIDE = 3  # columns right of a bar, for the echo of Ctrl-C: what breaks the line of a bar leaves it there for ever
STEPS = "{desc}{percentage:3.0f}%|{bar}| {remaining} left{postfix}"
RUNS = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} runs [{remaining}]"


class Progress(Callback):
    """Shows a run on standard error; `fit(progress=False)` leaves it out.

    In a terminal evaluations appear as lines, and below them a bar says how far the run is and what is newer than the
    last line. In the end the bar is gone, and the same lines stay as in a file. A notebook has its bar alone, with
    the newest numbers beside it, as it shows a history as a table.
    """

    def on_fit_begin(self, trainer: Any) -> None:
        """Open a bar if somebody watches."""
        self.pending, self.lines, self.planned_steps = "", 0, max(trainer.planned_steps, 1)
        last = trainer.optimizer.steps + trainer.planned_steps
        self.table = Lines(trainer.history.evaluations, last_step=last, width=_room())
        self.head = list(self.table.head)
        self.notebook, self.newest = _in_notebook(), ""
        self.bar: Any = open_bar(trainer.planned_steps, STEPS, leave=self.notebook) if trainer.planned_steps else None
        watching.append(say)

    def on_step_end(self, trainer: Any) -> None:
        """Move the bar, past what an earlier part of the run has done already."""
        if self.bar is None:
            return
        before = len(trainer.history.steps["step"]) - 1
        if before > self.bar.n:
            self.bar.n = self.bar.initial = before
        if not self.pending and not self.notebook:
            now = f"epoch {trainer.epoch:.2f}  step {trainer.optimizer.steps}  loss {number(trainer.step_loss)}"
            self._beside(now)
        move(self.bar)

    def on_evaluation_end(self, trainer: Any, row: dict[str, float]) -> None:
        """Show the newest numbers."""
        if self.bar is None or not self.notebook:
            self._add_line(row, len(trainer.history.steps["step"]))
        if self.bar is not None:
            if self.notebook:
                self.newest = f"epoch {row['epoch']:.2f}, {named(row)}"
                self.bar.set_postfix_str(self.newest, refresh=False)
            if time() - self.bar.last_print_t >= self.bar.mininterval:
                self.bar.refresh()

    def on_fit_end(self, trainer: Any) -> None:
        """Close the bar, print the last line, and why the run ended."""
        if say in watching:
            watching.remove(say)
        reason = trainer.history.stopped_because
        if self.bar is not None:
            if self.notebook:
                self._say_how_far(failed=reason.startswith(("error", "diverged")))
            self.bar.close()
        self._print()
        if reason:
            say(reason)

    def _add_line(self, row: dict[str, float], steps: int) -> None:
        """Print an evaluation, or keep it beside the bar where enough were printed already."""
        self.pending, share = self.table.line(row), LINES * steps / self.planned_steps
        if share >= self.lines:
            self._print()
            self.lines = 1 + int(share)
        elif self.bar is not None:
            self._beside(self.pending)

    def _beside(self, text: str) -> None:
        """Show a text to the left of the bar, which stays where it is."""
        self.bar.set_description_str(f"{text.ljust(len(self.table.head[-1]))}  ", refresh=False)

    def _say_how_far(self, *, failed: bool) -> None:
        """Let the bar of a notebook, which stays, say how far the run came; red is for one that failed."""
        numbers = f", {self.newest}" if self.newest else ""
        self.bar.bar_format = "{bar}|{desc}"
        self.bar.set_description_str(f"{self.bar.n} of {self.bar.total} steps{numbers}", refresh=False)
        if not failed:
            self.bar.total = self.bar.n

    def _print(self) -> None:
        if self.pending:
            for line in (*self.head, self.pending):
                say(line)
            self.head, self.pending = [], ""


def say(line: str) -> None:
    """Print a line on standard error, above any bar of tqdm there is."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # a closed pipe or stream must not end a run
            if "tqdm" in sys.modules:
                from tqdm import tqdm

                tqdm.write(line, file=sys.stderr)
                sys.stderr.flush()
            else:
                print(line, file=sys.stderr, flush=True)


def open_bar(total: int, form: str, *, initial: int = 0, leave: bool = True) -> Any:
    """A bar of tqdm on standard error if somebody watches, in a terminal or notebook, else None."""
    with suppress(ValueError):  # of a closed stream
        return _tqdm(total, form, initial, leave) if _in_notebook() or _in_terminal() else None
    return None


def move(bar: Any) -> None:
    """Move a bar by one, and let it follow where a terminal is made wider or narrower."""
    if bar.update() and not bar.dynamic_ncols:
        bar.ncols = _for_a_bar()


def _tqdm(total: int, form: str, initial: int, leave: bool) -> Any:
    with warnings.catch_warnings():  # tqdm warns where a notebook lacks widgets, and falls back to text
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    size: dict[str, Any] = {"dynamic_ncols": True}
    if not _in_notebook():  # tqdm would show no bar where the size is unknown
        size = {"ncols": _for_a_bar(), "nrows": ROWS}
    return tqdm(total=total, initial=initial, leave=leave, bar_format=form, **size)


def _in_notebook() -> bool:
    """Whether this is the shell of a kernel; one that merely was imported, to run a notebook elsewhere, is none."""
    find: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return hasattr(find(), "kernel")


def _in_terminal() -> bool:
    """Whether standard error is a terminal that can write a line anew."""
    return getattr(sys.stderr, "isatty", bool)() and os.environ.get("TERM") not in ("dumb", "unknown")


def _for_a_bar() -> int:
    return max(_columns() - BESIDE, 1)


def _columns() -> int:
    """Those of the terminal, of the environment where it does not say them, or the usual number."""
    with suppress(OSError, ValueError, AttributeError):
        if known := os.get_terminal_size(sys.stderr.fileno()).columns:
            return known
    said = os.environ.get("COLUMNS", "")
    return int(said) if said.isdecimal() and int(said) > 0 else COLUMNS


def _room() -> int | None:
    """How many characters of a line stand side by side; None in a file or notebook, where any number does."""
    with suppress(ValueError):
        return _columns() - 1 if _in_terminal() and not _in_notebook() else None
    return None

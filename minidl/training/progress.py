"""Progress of a run: a bar in a terminal or notebook, plain lines where output is redirected. The only use of tqdm."""

import sys
import warnings
from contextlib import suppress
from typing import Any

from minidl.kernels.forms import watching
from minidl.training.callbacks import Callback

LINES = 20  # about so many are printed in the course of the planned steps


class Progress(Callback):
    """Shows steps, epochs and the newest numbers on standard error; `fit(progress=False)` leaves it out."""

    def on_fit_begin(self, trainer: Any) -> None:
        """Open a bar if somebody watches."""
        self.pending, self.lines, self.planned_steps = "", 0, max(trainer.planned_steps, 1)
        self.bar = open_bar(trainer.planned_steps, "step")
        watching.append(self._tell)

    def on_step_end(self, trainer: Any) -> None:
        """Move the bar, past what an earlier part of the run has done already."""
        if self.bar is not None:
            before = len(trainer.history.steps["step"]) - 1
            if before > self.bar.n:
                self.bar.n = self.bar.initial = before
            self.bar.update()

    def on_evaluation_end(self, trainer: Any, row: dict[str, float]) -> None:
        """Show the newest numbers."""
        if self.bar is not None:
            backwards = dict(reversed(row.items()))  # metrics, then losses: 80 columns end somewhere
            self.bar.set_postfix_str(_numbers(backwards), refresh=False)
            return
        self.pending = f"epoch {row['epoch']:6.2f}  step {row['step']:6.0f}  {_numbers(row)}"
        share = LINES * len(trainer.history.steps["step"]) / self.planned_steps
        if share >= self.lines:
            self._print()
            self.lines = 1 + int(share)

    def on_fit_end(self, trainer: Any) -> None:
        """Close the bar, or print the last line, and why the run ended."""
        if self._tell in watching:
            watching.remove(self._tell)
        if self.bar is not None:
            self.bar.close()
        self._print()
        self.pending = trainer.history.stopped_because
        self._print()

    def _tell(self, what: str) -> None:
        """Say what takes a while."""
        if self.bar is not None:
            self.bar.set_postfix_str(what)
        else:
            say(what)

    def _print(self) -> None:
        if self.pending:
            say(self.pending)
            self.pending = ""


def say(line: str, bar: Any = None) -> None:
    """Print a line on standard error, above the bar if there is one."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):  # a closed pipe or stream must not end a run
            if bar is not None:
                bar.write(line, file=sys.stderr)
            else:
                print(line, file=sys.stderr, flush=True)


def open_bar(total: int, unit: str, *, initial: int = 0) -> Any:
    """A bar of tqdm on standard error if somebody watches, in a terminal or notebook, else None."""
    with suppress(ValueError):  # of a closed stream
        watched = _in_notebook() or getattr(sys.stderr, "isatty", bool)()
        return _tqdm(total, unit, initial) if watched else None
    return None


def _tqdm(total: int, unit: str, initial: int) -> Any:
    with warnings.catch_warnings():  # tqdm warns where a notebook lacks widgets, and falls back to text
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    short = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} " + unit + "s [{remaining}{postfix}]"
    return tqdm(total=total, initial=initial, unit=unit, dynamic_ncols=True, leave=True, bar_format=short)


def _numbers(row: dict[str, float]) -> str:
    """The losses and metrics of a row, without the penalties and costs."""
    hidden = ("step", "epoch")
    shown = {name: v for name, v in row.items() if name not in hidden and not name.endswith(("_penalty", "_cost"))}
    return "  ".join(f"{name} {value:.4g}" for name, value in shown.items())


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules

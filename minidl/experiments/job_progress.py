"""One bar, or a few plain lines, for a whole job of runs."""

import time
from pathlib import Path
from typing import Any, Self

from minidl.experiments.result import Result
from minidl.training.progress import LINES, RUNS, move, open_bar, say


class JobProgress:
    """Counts finished runs on standard error, and says where an interrupted job left its results."""

    def __init__(self, total: int, *, done: int, show: bool, folder: Path | None) -> None:
        self.total, self.done, self.show, self.folder = total, done, show, folder
        self.failures, self.lines, self.bar = 0, 0, None
        self.begin, self.found = time.monotonic(), done

    def __enter__(self) -> Self:
        """Open the bar if somebody watches."""
        if self.show and self.done < self.total:
            self.bar = open_bar(self.total, RUNS, initial=self.done)
        if self.show and self.done:
            self._say(f"{self.done} of {self.total} runs are there already, in {self.folder}")
        return self

    def advance(self, result: Result) -> None:
        """One more run is finished."""
        self.done += 1
        if result.error:
            self.failures += 1
            self._say(f"failed: {result.run!r}: {result.reason}")
        if self.bar is not None:
            move(self.bar)
        elif LINES * (self.done - self.found) >= self.lines * (self.total - self.found):
            left = (time.monotonic() - self.begin) / (self.done - self.found) * (self.total - self.done)
            self._say(f"{self.done} of {self.total} runs, about {left / 60:.1f} minutes left")
            self.lines += 1

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Close the bar; after Ctrl-C say how to go on."""
        if self.bar is not None:
            self.bar.close()
        if kind is KeyboardInterrupt:
            kept = f"kept in {self.folder}: start again to go on" if self.folder is not None else "lost: give a folder"
            self._say(f"interrupted: {self.done - self.failures} of {self.total} runs are {kept}")

    def _say(self, line: str) -> None:
        if self.show:
            say(line)

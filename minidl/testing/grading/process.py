"""A submission in a process of its own, asked from here: what takes too long is ended, and all else goes on."""

import json
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Self

from minidl.testing.grading.grades import readable
from minidl.testing.grading.watching import CACHES

START = 120.0  # seconds for python and numpy to be there
ENVIRONMENT = {
    "MINIDL_KERNELS": "numpy",
    "PYTHONBREAKPOINT": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "MPLBACKEND": "Agg",
}
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
Answer = dict[str, Any]


class EndedError(Exception):
    """The process has ended by itself; the text says how."""


class Process:
    """One worker, from start to end.

    Args:
        order: what it is told of the assignment and the submission.
        work: the folder it runs in.
    """

    def __init__(self, order: Answer, work: Path) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 it is closed with the process
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-P", "-W", "ignore", "-m", "minidl.testing.grading.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd=work,
            env=_environment(work),
            text=True,
            encoding="utf-8",
            start_new_session=True,  # so that what it started ends with it; Windows has no such thing and ignores it
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        Thread(target=self._read, daemon=True).start()
        self.key = secrets.token_hex(8)  # stands in each answer: what a submission writes there is none
        self.write(order | {"key": self.key})

    def _read(self) -> None:
        with suppress(ValueError, OSError):  # closed meanwhile
            for line in self.process.stdout or ():
                self.lines.put(line)
        self.lines.put(None)

    def write(self, request: Answer) -> None:
        """One line; what nobody reads any more is found out by the one who waits for the answer."""
        with suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.write(json.dumps(request) + "\n")
                self.process.stdin.flush()

    def read(self, seconds: float) -> Answer:
        """The next line.

        Raises:
            TimeoutError: there is none within so many seconds.
            EndedError: there will be none.
        """
        try:
            line = self.lines.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise TimeoutError from None
        if line is None:
            code = self.process.wait()
            how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            raise EndedError(f"its process ended {how}, without an answer")
        with suppress(ValueError, TypeError):
            answer: Answer = dict(json.loads(line))
            if answer.pop("key", None) == self.key:
                return answer
        raise EndedError("something was written to where its answers go")

    def complaints(self) -> str:
        """What the worker wrote to its standard error before it was ready."""
        self.errors.seek(0)
        return self.errors.read().decode("utf-8", errors="replace").strip()

    def end(self) -> None:
        """End it, and what it has started."""
        with suppress(OSError):
            if sys.platform == "win32":
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with suppress(OSError, ValueError):
                if stream is not None:
                    stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _environment(work: Path) -> dict[str, str]:
    """That of this process, with minidl on the path, one thread for each library, and temporary files in `work`."""
    home = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work))
    places |= dict.fromkeys(("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(work / CACHES))
    return os.environ | ENVIRONMENT | dict.fromkeys(THREADS, "1") | places | {"PYTHONPATH": path}


@contextmanager
def unpacked(submission: Path, file: str) -> Iterator[tuple[Path, Path]]:
    """A copy of a submission and a folder to work in, both gone after the block: (its file, that folder).

    A single file gets the name `file`; of a folder, everything is copied but links, which may lead anywhere.
    """
    with tempfile.TemporaryDirectory(prefix="minidl-grading-", ignore_cleanup_errors=True) as made:
        home = Path(made).resolve()
        (home / "work" / CACHES).mkdir(parents=True)
        if submission.is_dir():
            shutil.copytree(submission, home / "submission", ignore=_left_out)
        else:
            (home / "submission").mkdir()
            shutil.copyfile(submission, home / "submission" / file)
        yield home / "submission" / file, home / "work"


def _left_out(folder: str, names: list[str]) -> list[str]:
    """What is not copied."""
    return [name for name in names if name.startswith((".", "__pycache__")) or Path(folder, name).is_symlink()]


def plain(text: str, folders: Sequence[Path]) -> str:
    """A readable text without the names of temporary folders, which differ each time."""
    for folder in folders:
        text = text.replace(f"{folder}{os.sep}", "").replace(str(folder), ".")
    return readable(text)

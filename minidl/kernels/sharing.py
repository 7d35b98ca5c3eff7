"""Threads for loops that let go of the interpreter: each takes a part of the rows, so that none changes a bit."""

import os
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

import numpy as np

R = TypeVar("R")
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")  # how many the matrix library uses
LONG = 1 << 17  # numbers; to wake a thread takes as long as a loop over half of these
EVEN = 1024  # parts begin at multiples of this many numbers

_helpers: list["_Helper"] = []


def threads() -> int:
    """How many threads a loop may use: as many as the matrix library is told to use, else one for each core.

    >>> threads() >= 1
    True
    """
    told = [value for name in VARIABLES if (value := os.environ.get(name, "")).isdigit() and int(value) > 0]
    return int(told[0]) if told else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def shared(loop: Callable[..., object], first: np.ndarray, *others: Any) -> None:
    """Call the loop on parts of the vectors in several threads, if they are long; other arguments go to each.

    The loop must treat every number by itself.
    """
    if first.size < LONG:
        loop(first, *others)
        return
    pieces = [
        [a[start:stop] if isinstance(a, np.ndarray) else a for a in (first, *others)]
        for start, stop in _parts(first.size, first.size // (LONG // 2), EVEN)
    ]
    _together(loop, pieces)


def _parts(size: int, most: int, even: int) -> list[tuple[int, int]]:
    """Ranges that begin at multiples of `even`, no more than `most`, one for each thread."""
    count = min(threads(), most) if most > 1 else 1
    length = max(-(-size // (count * even)), 1) * even
    return [(start, min(start + length, size)) for start in range(0, size, length)] or [(0, size)]


def _together(loop: Callable[..., object], pieces: list[list[Any]]) -> None:
    """Call the loop once for each list of arguments, each in a thread of its own, and return when all are done."""
    if len(pieces) == 1:
        loop(*pieces[0])
        return
    while len(_helpers) < len(pieces) - 1:
        _helpers.append(_Helper())
    jobs = [helper.ask(loop, piece) for helper, piece in zip(_helpers, pieces[1:], strict=False)]
    try:
        loop(*pieces[0])
    finally:
        for job in jobs:
            job.wait()


class Ahead(Generic[R]):
    """A call in another thread.

    >>> Ahead(max, 2, 3).result()
    3
    """

    def __init__(self, function: Callable[..., R], *arguments: Any) -> None:
        self._returned: list[R] = []
        if not _helpers:
            _helpers.append(_Helper())
        self._job = _helpers[0].ask(lambda *given: self._returned.append(function(*given)), list(arguments))

    def result(self) -> R:
        """Wait until it is there, and return it."""
        self._job.wait()
        return self._returned[0]


class _Job:
    """A part of a loop in another thread."""

    error: BaseException | None = None

    def __init__(self, loop: Callable[..., object], arguments: list[Any]) -> None:
        self.loop, self.arguments = loop, arguments
        self.done = Lock()
        self.done.acquire()

    def run(self) -> None:
        try:
            self.loop(*self.arguments)
        except BaseException as error:
            self.error = error
        finally:
            self.done.release()

    def wait(self) -> None:
        """Until it is done, also where Ctrl-C comes meanwhile: nobody may read what is still being written."""
        interrupted = None
        while True:
            try:
                self.done.acquire()
                break
            except KeyboardInterrupt as error:
                interrupted = error
        if (raised := interrupted or self.error) is not None:
            raise raised


class _Helper:
    """A thread that waits for jobs as long as the process lives."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        Thread(target=self._work, name="minidl kernels", daemon=True).start()

    def ask(self, loop: Callable[..., object], arguments: list[Any]) -> _Job:
        job = _Job(loop, arguments)
        self.jobs.put(job)
        return job

    def _work(self) -> None:
        while True:
            self.jobs.get().run()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.clear)  # a child has none of these threads

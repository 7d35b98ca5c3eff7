"""Threads for loops that let go of the interpreter: each takes a part of the rows, so that none changes a bit."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Any, TypeVar

import numpy as np

from minidl.quiet import quietly

R = TypeVar("R")
VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")  # how many the matrix library uses
LONG = 1 << 17  # numbers; to wake a thread takes as long as a loop over half of these
WORK = 1 << 23  # products of two numbers: the same for products of matrices
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
    _together(loop, pieces, len(pieces))


def shared_range(loop: Callable[..., object], size: int, work: int, even: int, *arguments: Any) -> None:
    """Call the loop with the arguments and a range within 0..size, in several threads if the work is long.

    What the loop does for a number of the range must not depend on the others. Parts begin at multiples of `even`.
    """
    if work < WORK:
        loop(*arguments, 0, size)
        return
    pieces = [[*arguments, *part] for part in _parts(size, work // (WORK // 2), even)]
    _together(loop, pieces, len(pieces))


def in_threads(calls: Sequence[Callable[[], R]], *, most: int | None = None) -> list[R]:
    """What the calls return, in their order; several are under way at a time, no more than `most`.

    >>> in_threads([lambda: 1, lambda: 2])
    [1, 2]
    """
    together = min(len(calls), threads() if most is None else most)
    if together <= 1:
        return [call() for call in calls]
    returned: list[Any] = [None] * len(calls)

    def call(number: int) -> None:
        returned[number] = calls[number]()

    _together(call, [[number] for number in range(len(calls))], together)
    return returned


def uninterrupted(wait: Callable[[], object]) -> None:
    """Call it until it returns; a Ctrl-C that came meanwhile is raised after that."""
    interrupted = None
    while True:
        try:
            wait()
            break
        except KeyboardInterrupt as error:
            interrupted = error
    if interrupted is not None:
        raise interrupted


def _parts(size: int, most: int, even: int) -> list[tuple[int, int]]:
    """Ranges that begin at multiples of `even`, no more than `most`, one for each thread."""
    count = min(threads(), most) if most > 1 else 1
    length = max(-(-size // (count * even)), 1) * even
    return [(start, min(start + length, size)) for start in range(0, size, length)] or [(0, size)]


def _together(loop: Callable[..., object], pieces: list[list[Any]], count: int) -> None:
    """Call the loop once for each list of arguments, in `count` threads, and return when all are done.

    Whoever is free takes the next piece, so that nobody waits for a helper that has something else to do.
    """
    left = deque(pieces)
    while len(_helpers) < count - 1:
        _helpers.append(_Helper())
    jobs = [helper.ask(_take_all, [loop, left]) for helper in _helpers[: count - 1]]
    try:
        _take_all(loop, left)
    finally:
        for job in jobs:
            job.wait_if_begun()


def _take_all(loop: Callable[..., object], left: deque[list[Any]]) -> None:
    while True:
        try:
            piece = left.popleft()
        except IndexError:
            return
        loop(*piece)


class _Job:
    """A part of a loop in another thread."""

    error: BaseException | None = None

    def __init__(self, loop: Callable[..., object], arguments: list[Any]) -> None:
        self.loop, self.arguments = loop, arguments
        self.begun, self.done = Lock(), Lock()
        self.done.acquire()

    def run(self) -> None:
        if not self.begun.acquire(blocking=False):
            return  # nobody waits for it any more
        try:
            self.loop(*self.arguments)
        except BaseException as error:
            self.error = error
        finally:
            self.done.release()

    def wait_if_begun(self) -> None:
        """Until it is done; one that has not begun never will."""
        if not self.begun.acquire(blocking=False):
            self.wait()

    def wait(self) -> None:
        """Until it is done, also where Ctrl-C comes meanwhile: nobody may read what is still being written."""
        uninterrupted(self.done.acquire)
        if self.error is not None:
            raise self.error


class _Helper:
    """A thread that waits for jobs as long as the process lives."""

    def __init__(self) -> None:
        from queue import SimpleQueue  # not needed by most who import minidl

        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        Thread(target=self._work, name="minidl kernels", daemon=True).start()

    def ask(self, loop: Callable[..., object], arguments: list[Any]) -> _Job:
        job = _Job(loop, arguments)
        self.jobs.put(job)
        return job

    def _work(self) -> None:
        with quietly():  # numpy's settings are those of a thread
            while True:
                self.jobs.get().run()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.clear)  # a child has none of these threads

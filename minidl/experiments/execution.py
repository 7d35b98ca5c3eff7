"""Executing a plan: worker processes with one thread each, results kept as they come, one bar for the whole job."""

import math
import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minidl.arguments import check_integer, short
from minidl.experiments.planning import Run, Scalar
from minidl.experiments.progress import JobProgress
from minidl.experiments.results import Result, Results
from minidl.experiments.store import Store
from minidl.parameters import Array

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

Outcome: TypeAlias = tuple[dict[str, Scalar | Array], float, str]

# Two workers of two threads each on two cores take longer than two of one; and sums of another number of threads
# have other last bits.
LIBRARIES = ("OPENBLAS_NUM", "MKL_NUM", "OMP_NUM", "BLIS_NUM", "VECLIB_MAXIMUM")
ONE_THREAD = {f"{library}_THREADS": "1" for library in LIBRARIES}


def execute(runs: Iterable[Run], *, jobs: int = 1, folder: str | Path | None = None, progress: bool = True) -> Results:
    """Execute every run once in `jobs` worker processes and return their results in the order of the plan.

    Each worker computes with one thread, so results do not depend on `jobs`. With a folder each result is kept there
    as soon as it is there, and a run whose result stands there is not executed again: a job that was stopped goes on
    when it is started again. A run is known by its function's name and text, its setting and its seed. Of what the
    function calls nothing is known: remove the folder when that changes.

    A run that raises, or whose process dies, costs no other run: see `Results.failed`. It is tried again next time.
    Functions written in a script or notebook are sent to the workers as they are; what they import must be
    importable there.

    Args:
        runs: what `plan` returned, or several such lists joined.
        jobs: worker processes, >= 1.
        folder: where results are kept; None keeps them in memory only.
        progress: a bar in a terminal or notebook, plain lines elsewhere, on standard error.

    Raises:
        KeyboardInterrupt: after Ctrl-C, when the workers are gone; what is finished is kept.

    >>> def area(width, *, seed):
    ...     return {"area": width * width}
    >>> from minidl.experiments import grid, plan
    >>> results = execute(plan(area, grid(width=[2, 3]), seeds=[0]), progress=False)
    >>> results.mean("area"), len(results.failed)
    (6.5, 0)
    """
    listed, jobs, store = list(runs), check_integer("jobs", jobs, minimum=1), Store(folder)
    for run in listed:
        if not isinstance(run, Run):
            raise TypeError(f"expected runs to be a list of Run objects, received {short(run)} in it: see plan")
    named = {run.name: run for run in listed}  # each once, also where two parts of a plan share it
    found = {name: result for name, run in named.items() if (result := store.read(run)) is not None}
    pending = [run for name, run in named.items() if name not in found]
    with (
        JobProgress(len(named), done=len(found), show=progress, folder=store.folder) as bar,
        closing(_finished(pending, min(jobs, max(len(pending), 1)))) as finished,
    ):
        for result in finished:
            store.write(result)
            found[result.run.name] = result
            bar.advance(result)
    return Results([found[name] for name in named])


def _finished(runs: list[Run], jobs: int) -> Generator[Result, None, None]:
    """The results as they come. When a worker dies, what was running then is run once more, each in a pool alone."""
    waiting = deque(runs)
    while waiting:
        running: dict[Future[Outcome], Run] = {}
        try:
            with _workers(jobs) as pool:
                while waiting or running:
                    while waiting and len(running) < jobs:
                        future = pool.submit(_call, waiting[0])
                        running[future] = waiting.popleft()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        outcome = future.result()
                        yield Result(running.pop(future), *outcome)
        except BrokenExecutor:
            for run in running.values():
                yield _alone(run)


def _alone(run: Run) -> Result:
    try:
        with _workers(1) as pool:
            return Result(run, *pool.submit(_call, run).result())
    except BrokenExecutor as error:
        return Result(run, {}, math.nan, f"the process of this run died, perhaps for want of memory: {error}")


@contextmanager
def _workers(jobs: int) -> "Iterator[ProcessPoolExecutor]":
    """A pool of processes with one thread each; they are killed where the block is left by an exception."""
    from loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(jobs, env=ONE_THREAD, initializer=_begin_worker, initargs=(os.getpid(),))
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=True, kill_workers=True)
        raise
    pool.shutdown(wait=True)


def _begin_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it ends, also where it was killed: nobody waits for the result then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _call(run: Run) -> Outcome:
    """In a worker: what a run returns, its seconds, and the traceback of what it raises."""
    start = time.perf_counter()
    try:
        values, error = _checked(run()), ""
    except Exception:
        values, error = {}, traceback.format_exc()
    return values, time.perf_counter() - start, error


def _checked(returned: object) -> dict[str, Scalar | Array]:
    """The returned mapping with Python numbers for numpy's, and arrays for lists."""
    if not isinstance(returned, Mapping):
        raise TypeError(f"expected a run to return a mapping of names to values, received {short(returned)}")
    values: dict[str, Scalar | Array] = {}
    for name, value in returned.items():
        if not isinstance(name, str):
            raise TypeError(f"expected a run to name its values by strings, received the name {name!r}")
        plain: Any = value
        if isinstance(value, np.ndarray | np.generic | list | tuple):
            plain = np.asarray(value)
            if plain.dtype.kind not in "biuf" and not (plain.ndim == 0 and plain.dtype.kind == "U"):
                raise TypeError(f"expected {name} to hold numbers, received {short(value)}")
            plain = plain.item() if plain.ndim == 0 else plain
        elif not isinstance(value, float | int | str | bool | None):
            raise TypeError(f"expected {name} to be a number, a string or an array, received {short(value)}")
        values[name] = plain
    return values

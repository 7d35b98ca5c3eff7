"""Executing a plan: worker processes with one thread each, results kept as they come, one bar for the whole job."""

import json
import math
import os
import pickle
import signal
import sys
import textwrap
import time
import traceback
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minidl.arguments import check_integer, short
from minidl.experiments.data_marks import keep_to_one_set_of_data
from minidl.experiments.function_digests import behaviour_digest
from minidl.experiments.job_progress import JobProgress
from minidl.experiments.packing import packed
from minidl.experiments.planning import PlannedRun
from minidl.experiments.results import Result, Results
from minidl.experiments.store import Store

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

RESERVED = ("seed", "seconds", "error", "function")  # the columns of an export that are no values
Outcome: TypeAlias = tuple[dict[str, Any], float, str, float]

# Two workers of two threads each on two cores take longer than two of one; and sums of another number of threads
# have other last bits.
LIBRARIES = ("OPENBLAS_NUM", "MKL_NUM", "OMP_NUM", "BLIS_NUM", "VECLIB_MAXIMUM")
ONE_THREAD = {f"{library}_THREADS": "1" for library in LIBRARIES}


def execute(
    runs: Iterable[PlannedRun],
    *,
    jobs: int = 1,
    folder: str | Path | None = None,
    data: Mapping[str, str] | None = None,
    progress: bool = True,
) -> Results:
    """Execute every run once in `jobs` worker processes and return their results in the order of the plan.

    Each worker computes with one thread, so results do not depend on `jobs`. With a folder each result is kept there
    as soon as it is there, and a run whose result stands there is not executed again: a job that was stopped goes on
    when it is started again. A run is known by its function's name and text, its setting and its seed. Of what the
    function uses of other modules and files nothing is known: give another folder when that changes.

    A run that raises, or whose process dies, costs no other run: see `Results.failed`. It is tried again next time.
    Functions written in a script or notebook are sent to the workers as they are; what they import must be
    importable there. A worker executes many runs, one after the other: a function that keeps state in a module, other
    than caches, sees what earlier runs left there.

    Args:
        runs: what `plan` returned, or several such lists joined.
        jobs: worker processes, >= 1.
        folder: where results are kept; None keeps them in memory only.
        data: `{"mnist": fingerprint(train, test)}` keeps a folder to one set of data of each name.
        progress: a bar in a terminal or notebook, plain lines elsewhere, on standard error.

    Raises:
        ValueError: the runs in the folder were made with other data of that name.
        KeyboardInterrupt: after Ctrl-C, when the workers are gone; what is finished is kept.

    >>> def area(width, *, seed):
    ...     return {"area": width * width}
    >>> from minidl.experiments import grid, plan
    >>> results = execute(plan(area, grid(width=[2, 3]), seeds=[0]), progress=False)
    >>> results.mean("area"), len(results.failed)
    (6.5, 0)
    """
    if isinstance(runs, PlannedRun):
        raise TypeError(f"expected a list of runs, received one: put {runs!r} in [ ]")
    listed, jobs, store = list(runs), check_integer("jobs", jobs, minimum=1), Store(folder)
    for run in listed:
        if not isinstance(run, PlannedRun):
            raise TypeError(f"expected runs to be a list of PlannedRun objects, received {short(run)} in it: see plan")
    keep_to_one_set_of_data(store.folder, {} if data is None else data)
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


def _finished(runs: list[PlannedRun], jobs: int) -> Generator[Result, None, None]:
    """The results as they come. When a worker dies, what was running then is run once more, each in a pool alone."""
    waiting = deque(runs)
    while waiting:
        running: dict[Future[Outcome], PlannedRun] = {}
        try:
            with _workers(jobs) as pool:
                while waiting or running:
                    while waiting and len(running) < jobs:
                        try:
                            sent = packed(waiting[0])
                        except Exception:  # what a function uses, such as an open file, may not be for others
                            error = f"{traceback.format_exc()}\nthis run cannot be sent to another process"
                            yield Result(waiting.popleft(), {}, math.nan, error)
                            continue
                        future = pool.submit(_call, *sent)
                        running[future] = waiting.popleft()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        outcome = future.result()
                        yield Result(running.pop(future), *outcome)
        except BrokenExecutor:
            for run in running.values():
                yield _alone(run)


def _alone(run: PlannedRun) -> Result:
    try:
        with _workers(1) as pool:
            return Result(run, *pool.submit(_call, *packed(run)).result())
    except BrokenExecutor as error:
        return Result(run, {}, math.nan, f"{error}\nthe process of this run died: {str(error).splitlines()[0]}")


@contextmanager
def _workers(jobs: int) -> "Iterator[ProcessPoolExecutor]":
    """A pool of processes with one thread each, which are killed at the end: a run may have left threads behind."""
    from loky import ProcessPoolExecutor

    with _some_stderr():
        pool = ProcessPoolExecutor(jobs, env=ONE_THREAD, initializer=_begin_worker, initargs=(os.getpid(),))
        try:
            yield pool
        finally:
            with _without_interrupts():
                pool.shutdown(wait=True, kill_workers=True)


@contextmanager
def _some_stderr() -> Iterator[None]:
    """loky and its workers write to standard error, which some programs have closed: lend them the null device."""
    with ExitStack() as stack:
        try:
            os.fstat(2)
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            if null != 2:
                os.dup2(null, 2)
                os.close(null)
            os.set_inheritable(2, True)
            stack.callback(os.close, 2)
        try:
            sys.stderr.flush()
        except (AttributeError, ValueError):
            stack.callback(setattr, sys, "stderr", sys.stderr)
            sys.stderr = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
        yield


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """A second Ctrl-C while workers are being ended would leave some."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end when it ends, also where it was killed: nobody waits for the result then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _call(packed: bytes, planned: str) -> Outcome:
    """In a worker: what a run returns, its seconds, the traceback of what it raises, and the processor's seconds."""
    start, busy = time.perf_counter(), time.process_time()
    try:
        run: PlannedRun = pickle.loads(packed)
        if behaviour_digest(run.function) != planned:  # the worker imported its module after somebody edited that
            raise RuntimeError(
                f"expected {run.function.__name__} and the constants it uses as they were planned, found others in its "
                f"module, which was edited or changed since: start the job again, and pass what changes as a setting"
            )
        values, error = _checked(run), ""
    except BaseException:  # sys.exit and the like end this run only
        values, error = {}, traceback.format_exc()
    return values, time.perf_counter() - start, error, time.process_time() - busy


def _checked(run: PlannedRun) -> dict[str, Any]:
    """What a run returns, with Python's own types for numbers and strings, and arrays for lists."""
    returned = run()
    if not isinstance(returned, Mapping):
        raise TypeError(f"expected a run to return a mapping of names to values, received {_shortened(returned)}")
    for name in returned:
        if not isinstance(name, str):
            raise TypeError(f"expected a run to name its values by strings, received the name {_shortened(name)}")
        if name in RESERVED:
            raise ValueError(
                f"expected other names than {RESERVED}, columns of an export, received {name!r}: rename it"
            )
    values = {str(name): _plain(str(name), value) for name, value in returned.items()}
    json.dumps({name: None if isinstance(value, np.ndarray) else value for name, value in values.items()})
    return values


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"expected {name} to be a plain array, received a masked one: fill it in, as with x.filled(0)")
    if isinstance(value, np.ndarray | np.generic | list | tuple):
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" and not (array.ndim == 0 and array.dtype.kind == "U"):
            raise TypeError(f"expected {name} to hold numbers, received {_shortened(value)}")
        if array.ndim:
            return array
        value = array.item()
        value = float(value) if isinstance(value, np.floating) else value  # longdouble stays numpy's own
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if value is None:
        return None
    raise TypeError(f"expected {name} to be a number, a string or an array, received {_shortened(value)}")


def _shortened(value: object) -> str:
    return textwrap.shorten(short(value), 200)

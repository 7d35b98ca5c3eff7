"""Executing a plan: worker processes with one thread each, results kept as they come, one bar for the whole job."""

import math
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING

from minidl.arguments import check_integer, short
from minidl.experiments.data_marks import keep_to_one_set_of_data
from minidl.experiments.job_progress import JobProgress
from minidl.experiments.packing import packed
from minidl.experiments.planning import PlannedRun
from minidl.experiments.result import Result
from minidl.experiments.results import Results
from minidl.experiments.store import Store
from minidl.experiments.worker import ONE_THREAD, Outcome, call, call_with_one_thread

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor


def execute(
    runs: Iterable[PlannedRun],
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
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
        jobs: worker processes, >= 1; None is one. With an executor: how many runs are given to it at a time; None is
            all of them.
        executor: what runs them instead of processes of our own: any executor of processes with the interface of
            `concurrent.futures`, such as `ProcessPoolExecutor`, a Dask client's `get_executor()` or
            `mpi4py.futures.MPIPoolExecutor`. It is left running. minidl must be installed where its workers are.
        folder: where results are kept; None keeps them in memory only.
        data: `{"mnist": fingerprint(train, test)}` keeps a folder to one set of data of each name.
        progress: a bar in a terminal or notebook, plain lines elsewhere, on standard error.

    Raises:
        ValueError: the runs in the folder were made with other data of that name.
        TypeError: the executor is none, or one of threads.
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
    listed, store = list(runs), Store(folder)
    at_once = len(listed) if executor is not None else 1
    at_once = max(at_once, 1) if jobs is None else check_integer("jobs", jobs, minimum=1)
    if executor is not None:
        _check_executor(executor)
    for run in listed:
        if not isinstance(run, PlannedRun):
            raise TypeError(f"expected runs to be a list of PlannedRun objects, received {short(run)} in it: see plan")
    keep_to_one_set_of_data(store.folder, {} if data is None else data)
    named = {run.name: run for run in listed}  # each once, also where two parts of a plan share it
    found = {name: result for name, run in named.items() if (result := store.read(run)) is not None}
    pending = [run for name, run in named.items() if name not in found]
    with (
        JobProgress(len(named), done=len(found), show=progress, folder=store.folder) as bar,
        closing(
            _finished(pending, min(at_once, max(len(pending), 1)))
            if executor is None
            else _given_to(executor, pending, at_once)
        ) as finished,
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
                        future = pool.submit(call, *sent)
                        running[future] = waiting.popleft()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        outcome = future.result()
                        yield Result(running.pop(future), *outcome)
        except BrokenExecutor:
            for run in running.values():
                yield _alone(run)


def _given_to(executor: Executor, runs: list[PlannedRun], at_once: int) -> Generator[Result, None, None]:
    """The results as they come from an executor of somebody else, which decides what to do when a worker dies."""
    waiting, running = deque(runs), dict[Future[Outcome], PlannedRun]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                run = waiting.popleft()
                try:
                    running[executor.submit(call_with_one_thread, *packed(run))] = run
                except Exception:  # it may have died with its worker
                    error = f"{traceback.format_exc()}\nthis run could not be given to the executor"
                    yield Result(run, {}, math.nan, error)
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                run = running.pop(future)
                try:
                    yield Result(run, *future.result())
                except (Exception, CancelledError) as error:
                    reason = f"{type(error).__name__}: {error}".splitlines()[0]
                    yield Result(run, {}, math.nan, f"{error}\nthe worker of this run died: {reason}")
    finally:
        for future in running:
            future.cancel()


def _check_executor(executor: object) -> None:
    """Refuse what cannot run two runs side by side without mixing their threads and their seeds."""
    if not callable(getattr(executor, "submit", None)) or hasattr(executor, "get_executor"):
        raise TypeError(
            f"expected executor to be one of concurrent.futures' kind, received {short(executor)}: of a Dask client, "
            f"give client.get_executor()"
        )
    if isinstance(executor, ThreadPoolExecutor):
        raise TypeError(
            "expected an executor of processes, received one of threads, in which runs would share one state of the "
            "matrix library: give ProcessPoolExecutor(...)"
        )


def _alone(run: PlannedRun) -> Result:
    try:
        with _workers(1) as pool:
            return Result(run, *pool.submit(call, *packed(run)).result())
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

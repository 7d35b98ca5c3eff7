"""Runs on executors of somebody else: the bits of our own workers, and one run less where a worker dies."""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from time import sleep

import numpy as np
import pytest

from minidl.experiments import execute, grid, plan
from minidl.experiments.packing import packed
from minidl.experiments.worker import ONE_THREAD, call_with_one_thread, one_thread
from tests.tools.mpi import mpiexec


def train(width, *, seed):
    from minidl import SGD, Linear, MeanSquaredError, Sequential, Trainer

    x = np.random.default_rng(seed).normal(size=(64, 300)).astype(np.float32)
    model = Sequential(Linear(300, width), Linear(width, 1)).build(seed=seed)
    history = Trainer(model, MeanSquaredError(), SGD(0.001)).fit((x, x[:, :1]), epochs=2, progress=False)
    return {"losses": history.steps["loss"], "weights": model.parameters.value}


def die(i, *, seed):
    if i == 1:
        os._exit(3)
    return {"i": i}


@pytest.fixture(scope="module")
def runs():
    return plan(train, grid(width=[50, 80]), seeds=[0, 1])


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


def bits(results):
    assert not results.failed, results.failed[0].error
    return [{name: np.asarray(value).tobytes() for name, value in result.values.items()} for result in results]


@pytest.fixture(scope="module")
def ours(runs):
    return bits(execute(runs, jobs=2, progress=False))


@pytest.mark.parametrize("at_once", [None, 1, 3])
def test_a_pool_of_processes_gives_the_bits_of_our_own_workers(runs, ours, processes, at_once):
    assert bits(execute(runs, executor=processes, jobs=at_once, progress=False)) == ours


def test_the_executor_is_left_running_and_the_folder_is_used(runs, processes, tmp_path):
    execute(runs[:1], executor=processes, folder=tmp_path, progress=False)
    (kept,) = tmp_path.iterdir()
    before = kept.stat().st_mtime_ns
    execute(runs[:1], executor=processes, folder=tmp_path, progress=False)
    assert kept.stat().st_mtime_ns == before
    assert processes.submit(abs, -1).result() == 1


def test_a_run_whose_worker_dies_is_reported_and_so_are_those_the_executor_takes_no_more():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        results = execute(plan(die, grid(i=[0, 1, 2]), [0]), executor=executor, jobs=1, progress=False)
    assert results[0].values == {"i": 0}
    assert "the worker of this run died: BrokenProcessPool" in results[1].error
    assert "this run could not be given to the executor" in results[2].error


class DaskClient:
    """It has a submit, but no futures of concurrent.futures."""

    def submit(self, *args): ...
    def get_executor(self): ...


@pytest.mark.parametrize(
    ("executor", "text"),
    [(ThreadPoolExecutor(1), "one of threads"), (object(), "get_executor"), (DaskClient(), "get_executor")],
)
def test_what_is_no_executor_of_processes_is_refused(runs, executor, text):
    with pytest.raises(TypeError, match=text):
        execute(runs, executor=executor)


busy = Lock()


def by_itself(i, *, seed):
    free = busy.acquire(blocking=False)
    sleep(0.02)
    if free:
        busy.release()
    return {"alone": free}


def test_runs_in_threads_of_one_worker_wait_for_one_another():
    sent = [packed(run) for run in plan(by_itself, grid(i=[0, 1, 2]), [0])]
    with ThreadPoolExecutor(3) as threads_of_a_worker:
        outcomes = list(threads_of_a_worker.map(call_with_one_thread, *zip(*sent, strict=True)))
    assert [values for values, *_ in outcomes] == 3 * [{"alone": True}]


def test_in_a_call_everything_uses_one_thread_and_afterwards_what_it_used():
    from threadpoolctl import threadpool_info

    from minidl.kernels.sharing import threads

    before = [pool["num_threads"] for pool in threadpool_info()]
    environment = {name: os.environ.get(name) for name in ONE_THREAD}
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} <= {1}
        assert threads() == 1
    assert [pool["num_threads"] for pool in threadpool_info()] == before
    assert {name: os.environ.get(name) for name in ONE_THREAD} == environment


@pytest.mark.needs_dask
def test_a_dask_cluster_gives_the_bits_of_our_own_workers_and_outlives_a_death(runs, ours):
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        executor = client.get_executor()
        assert bits(execute(runs, executor=executor, progress=False)) == ours
        results = execute(plan(die, grid(i=[0, 1, 2]), [0]), executor=client.get_executor(retries=0), progress=False)
        assert [result.values.get("i") for result in results] == [0, None, 2]
        assert "the worker of this run died: KilledWorker" in results[1].error


@pytest.mark.needs_mpi
def test_mpi_gives_the_bits_of_our_own_workers(ours, tmp_path):
    script = tmp_path / "grid.py"
    script.write_text(
        f"""
import pickle, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from mpi4py.futures import MPIPoolExecutor
from minidl.experiments import execute, grid, plan
from tests.experiments.test_executors import bits, train
if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        results = execute(plan(train, grid(width=[50, 80]), seeds=[0, 1]), executor=executor, progress=False)
    with open(sys.argv[1], "wb") as file:
        pickle.dump(bits(results), file)
"""
    )
    answer = tmp_path / "answer.pickle"
    command = [*mpiexec(), "-n", "3", sys.executable, "-m", "mpi4py.futures", str(script), str(answer)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert pickle.loads(answer.read_bytes()) == ours

"""Batches that are gathered one ahead are the same, whatever happens meanwhile."""

import os
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from minidl import kernels
from minidl.kernels import ahead, rows

X = np.random.default_rng(0).standard_normal((100, 300)).astype(np.float32)
ORDERS = [np.random.default_rng(i).integers(0, 100, 32) for i in range(5)] + [np.array([3])]


class Idle:
    """No other thread wants a core."""

    def __init__(self, thread):
        pass

    def busy(self):
        return False


@pytest.fixture(params=[ahead.PATIENCE, 0])
def pipelined(monkeypatch, request):
    """All batches are gathered ahead, by a thread that is awake, or by one that is woken."""
    monkeypatch.setattr(ahead, "PATIENCE", request.param)
    monkeypatch.setattr(rows, "LONG", 1)
    monkeypatch.setattr(rows, "threads", lambda: 2)
    monkeypatch.setattr(ahead, "Others", Idle)
    monkeypatch.setattr(ahead, "_gatherers", [])
    with kernels.using("compiled"):
        yield


@pytest.mark.needs_numba
@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_batches_gathered_ahead_are_those_asked_for(pipelined, count):
    given = list(rows.gathered(X, ORDERS[:count]))
    assert len(given) == count
    for got, order in zip(given, ORDERS, strict=False):
        np.testing.assert_array_equal(got, X[order])


@pytest.mark.needs_numba
def test_whoever_stops_early_leaves_nothing_under_way(pipelined):
    batches = rows.gathered(X, iter(ORDERS))
    next(batches)
    batches.close()
    thread, until = ahead.gatherer(), time.monotonic() + 20
    while thread.held and time.monotonic() < until:
        time.sleep(0.001)
    assert not thread.held


@pytest.mark.needs_numba
def test_a_batch_that_nobody_holds_is_gone_at_once(pipelined, no_collections):
    batches = rows.gathered(X, iter(ORDERS))
    held = weakref.ref(next(batches))
    next(batches)
    assert held() is None


@pytest.mark.needs_numba
def test_an_error_while_gathering_ahead_comes_where_its_batch_is_asked_for(pipelined):
    batches = rows.gathered(X, iter([ORDERS[0], np.array([100])]))
    np.testing.assert_array_equal(next(batches), X[ORDERS[0]])
    with pytest.raises(IndexError):
        list(batches)


@pytest.mark.needs_numba
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(256,), (257,), (3, 10, 11), (1, 1, 300)])
def test_rows_of_any_shape_and_either_dtype_are_gathered_ahead(pipelined, shape, dtype):
    array = np.random.default_rng(0).standard_normal((50, *shape)).astype(dtype)
    array.flags.writeable = False
    orders = [np.random.default_rng(i).integers(0, 50, 1 + i) for i in range(9)]
    for got, order in zip(rows.gathered(array, orders), orders, strict=True):
        np.testing.assert_array_equal(got, array[order])
        assert (got.dtype, got.flags.writeable, got.flags.c_contiguous) == (dtype, True, True)


@pytest.mark.needs_numba
def test_row_numbers_of_another_kind_are_taken_too(pipelined):
    orders = [ORDERS[0].astype(np.int32), np.repeat(ORDERS[1], 2)[::2], ORDERS[2][:0], ORDERS[3]]
    for got, order in zip(rows.gathered(X, orders), orders, strict=True):
        np.testing.assert_array_equal(got, X[order])


@pytest.mark.needs_numba
def test_more_requests_than_there_is_room_for_are_gathered_when_they_are_wanted(pipelined):
    sources = [rows.gathered(X, iter(ORDERS)) for _ in range(40)]
    for order in ORDERS:
        for source in sources:
            np.testing.assert_array_equal(next(source), X[order])


@pytest.mark.needs_numba
def test_several_threads_may_ask(pipelined):
    wrong = []

    def go_through(seed):
        orders = [np.random.default_rng((seed, i)).integers(0, 100, 40) for i in range(300)]
        for got, order in zip(rows.gathered(X, orders), orders, strict=True):
            if not np.array_equal(got, X[order]):
                wrong.append(seed)

    threads = [threading.Thread(target=go_through, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.needs_numba
def test_nothing_is_asked_for_while_another_thread_wants_the_core(pipelined, monkeypatch):
    thread = ahead.gatherer()
    monkeypatch.setattr(thread.others, "busy", lambda: True)
    for got, order in zip(rows.gathered(X, ORDERS), ORDERS, strict=True):
        np.testing.assert_array_equal(got, X[order])
    assert thread.box[thread.relay.ASKED] == 0


@pytest.mark.needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_gathers_what_its_parent_asked_for(pipelined):
    batches = rows.gathered(X, iter(ORDERS))
    next(batches)
    if (child := os.fork()) == 0:
        right = all(np.array_equal(got, X[order]) for got, order in zip(batches, ORDERS[1:], strict=True))
        right = right and all(map(np.array_equal, rows.gathered(X, ORDERS), (X[order] for order in ORDERS)))
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(batches)) == len(ORDERS) - 1


@pytest.mark.needs_numba
def test_row_numbers_and_rows_that_nobody_holds_are_kept_as_long_as_they_are_used(pipelined):
    orders = [order.copy() for order in ORDERS]
    batches = rows.gathered(X.copy(), orders)
    for number, got in enumerate(batches):
        np.testing.assert_array_equal(got, X[ORDERS[number]])
        for order in orders[: number + 2]:
            order[:] = 1 << 40


@pytest.mark.needs_numba
def test_what_nobody_waited_for_is_held_until_it_is_done(pipelined, no_collections):
    thread = ahead.gatherer()
    array = X.copy()
    held = weakref.ref(array)
    thread.ask(array, array.ctypes.data, ORDERS[0])
    del array
    assert held() is not None
    thread.finish()
    assert thread.ask(X, X.ctypes.data, ORDERS[1]).result().shape == (32, 300)
    assert held() is None
    assert not thread.held


@pytest.mark.needs_numba
def test_an_interrupt_while_waiting_comes_when_the_rows_are_there(pipelined, monkeypatch):
    thread = ahead.gatherer()
    one, relay, waited = thread.ask(X, X.ctypes.data, ORDERS[0]), thread.relay, []
    gathered = thread.held[one.number][2]

    def wait(*arguments):
        waited.append(arguments)
        if len(waited) == 1:
            raise KeyboardInterrupt
        return relay_wait(*arguments)

    relay_wait = relay.wait
    monkeypatch.setattr(relay, "wait", wait)
    with pytest.raises(KeyboardInterrupt):
        one.result()
    np.testing.assert_array_equal(gathered, X[ORDERS[0]])


@pytest.mark.needs_numba
def test_a_thread_that_nobody_woke_is_woken_by_whoever_waits(pipelined, monkeypatch):
    thread = ahead.gatherer()
    while not thread.box[thread.relay.ASLEEP]:
        time.sleep(0.001)
    thread.box[thread.relay.ASLEEP] = 0  # as where Ctrl-C comes before it is told
    one = thread.ask(X, X.ctypes.data, ORDERS[0])
    np.testing.assert_array_equal(one.result(), X[ORDERS[0]])


@pytest.mark.needs_numba
@pytest.mark.parametrize("name", ["ask", "serve", "wait"])
def test_where_the_thread_cannot_be_compiled_nothing_is_gathered_ahead(pipelined, monkeypatch, name):
    from minidl.kernels.compiled import relay

    def fail(*arguments):
        raise ValueError("an odd processor")

    monkeypatch.setattr(relay, name, fail)
    for got, order in zip(rows.gathered(X, ORDERS), ORDERS, strict=True):
        np.testing.assert_array_equal(got, X[order])
    assert ahead.gatherer() is None
    assert kernels.form() == "compiled"


@pytest.mark.needs_numba
def test_without_room_for_a_thread_nothing_is_gathered_ahead(pipelined, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert len(list(rows.gathered(X, ORDERS))) == len(ORDERS)
    assert ahead.gatherer() is None


@pytest.mark.needs_numba
def test_at_the_end_of_python_nothing_is_under_way(pipelined):
    batches = rows.gathered(X, iter(ORDERS))
    next(batches)
    thread = ahead.gatherer()
    ahead.finish()
    assert thread.box[thread.relay.ASKED] == thread.box[thread.relay.DONE] == 2
    assert [len(batch) for batch in batches] == [len(order) for order in ORDERS[1:]]


@pytest.mark.needs_numba
def test_python_ends_well_in_the_middle_of_an_epoch():
    script = """
import numpy as np
from minidl.kernels import ahead, rows
ahead.Others.busy = lambda others: False
batches = rows.gathered(np.zeros((10_000, 784), np.float32), (np.arange(i, i + 128) for i in range(99)))
for _ in range(3):
    next(batches)
assert ahead.gatherer().held
"""
    settings = os.environ | {"MINIDL_KERNELS": "compiled", "OPENBLAS_NUM_THREADS": "2"}
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=settings)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.needs_numba
def test_several_threads_may_begin_at_once():
    script = """
import threading
import numpy as np
from minidl import kernels
from minidl.data import Dataset, batches
x = np.random.default_rng(0).standard_normal((4096, 1024)).astype(np.float32)
seen = []
def go_through(seed):
    for _ in range(10):
        for taken, numbers in batches(Dataset(x, np.arange(4096)), 128, seed=seed):
            seen.append(np.array_equal(taken, x[numbers]))
threads = [threading.Thread(target=go_through, args=(seed,)) for seed in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(seen) == 1280 and all(seen), seen
assert kernels.form() == "compiled"
"""
    settings = os.environ | {"MINIDL_KERNELS": "compiled", "OPENBLAS_NUM_THREADS": "2"}
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=settings)
    assert (ended.returncode, ended.stderr) == (0, "")


class Clocks:
    """In place of `time`: 10 seconds more at each look, in which this thread and the gatherer work 3 each."""

    def __init__(self, others):
        self.looks, self.others = 0, others

    def perf_counter(self):
        self.looks += 1
        return 10.0 * self.looks

    def process_time(self):
        return (6 + self.others) * self.looks

    def thread_time(self):
        return 3 * self.looks

    def pthread_getcpuclockid(self, identity):
        return "the gatherer's"

    def clock_gettime(self, clock):
        assert clock == "the gatherer's"
        return 3 * self.looks


@pytest.mark.parametrize(("others", "busy"), [(0, False), (0.9, False), (1.1, True), (10, True)])
def test_others_are_busy_where_they_work_a_tenth_of_the_time(monkeypatch, others, busy):
    monkeypatch.setattr(ahead, "time", Clocks(others))
    look = ahead.Others(threading.current_thread())
    assert [look.busy() for _ in range(3)] == [True, busy, busy]  # nothing is known at first
    other = threading.Thread(target=lambda: asked.append(look.busy()))
    asked = []
    other.start()
    other.join()
    assert asked == [True]  # of another thread nothing is known either


def test_where_threads_have_no_clocks_others_are_taken_as_busy(monkeypatch):
    monkeypatch.delattr(ahead.time, "pthread_getcpuclockid", raising=False)
    assert ahead.Others(threading.current_thread()).busy()


def test_in_numpy_nothing_is_gathered_ahead(monkeypatch):
    monkeypatch.setattr(rows, "LONG", 1)
    monkeypatch.setattr(rows, "gatherer", None)
    with kernels.using("numpy"):
        assert len(list(rows.gathered(X, ORDERS))) == len(ORDERS)

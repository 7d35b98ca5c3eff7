"""Batches that are gathered one ahead are the same, whatever happens meanwhile."""

import os
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


class Busy(Idle):
    """The matrix library waits for work."""

    def busy(self):
        return True


@pytest.fixture(params=[Idle, Busy])
def pipelined(monkeypatch, request):
    """All batches are gathered ahead, by a thread that is awake, or by one that is woken."""
    monkeypatch.setattr(rows, "SHORT", 1)
    monkeypatch.setattr(rows, "LONG", 1)
    monkeypatch.setattr(rows, "threads", lambda: 2)
    monkeypatch.setattr(ahead, "Others", request.param)
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
    box, relay = ahead.gatherer().box, ahead.gatherer().relay
    assert box[relay.ASKED] == box[relay.DONE] == 2


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
def test_a_thread_that_fell_asleep_is_woken(pipelined, monkeypatch):
    monkeypatch.setattr(ahead, "PATIENCE", 1)
    for number, got in enumerate(rows.gathered(X, iter(ORDERS))):
        np.testing.assert_array_equal(got, X[ORDERS[number]])
        time.sleep(0.002)


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
def test_an_interrupt_while_waiting_comes_when_the_rows_are_there(pipelined, monkeypatch):
    thread = ahead.gatherer()
    one = ahead.Ahead(thread, X, X.ctypes.data, ORDERS[0], awake=False)
    waited = []

    class Interrupting:
        """Ctrl-C comes at the first look."""

        ASKED = thread.relay.ASKED

        @staticmethod
        def wait(*arguments):
            waited.append(arguments)
            if len(waited) == 1:
                raise KeyboardInterrupt
            return relay.wait(*arguments)

    relay = thread.relay
    monkeypatch.setattr(thread, "relay", Interrupting)
    with pytest.raises(KeyboardInterrupt):
        one.result()
    assert one.done
    np.testing.assert_array_equal(one.gathered, X[ORDERS[0]])


@pytest.mark.needs_numba
def test_a_system_without_a_way_to_offer_a_core_gathers_nothing_ahead(pipelined, monkeypatch):
    from minidl.kernels.compiled import relay

    monkeypatch.setattr(relay, "can_offer", False)
    assert ahead.gatherer() is None
    assert len(list(rows.gathered(X, ORDERS))) == len(ORDERS)


@pytest.mark.needs_numba
def test_a_compiler_that_fails_leaves_everything_in_numpy(pipelined, monkeypatch, capsys):
    def fail():
        raise ValueError("an odd processor")

    monkeypatch.setattr(rows, "gatherer", fail)
    assert len(list(rows.gathered(X, ORDERS))) == len(ORDERS)
    assert kernels.form() == "numpy"
    assert "an odd processor" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(time, "pthread_getcpuclockid"), reason="no clocks of threads on this system")
def test_others_are_busy_while_a_thread_of_this_process_works(monkeypatch):
    monkeypatch.setattr(ahead, "INTERVAL", 0.05)
    ended = threading.Event()
    idle = threading.Thread(target=ended.wait)
    idle.start()
    others = ahead.Others(idle)
    try:
        assert others.busy()  # nothing is known yet
        assert not _in_time(others, busy=True)
        worker = threading.Thread(target=_work_until, args=(ended,))
        worker.start()
        assert _in_time(others, busy=False)
    finally:
        ended.set()


def _work_until(ended):
    while not ended.is_set():
        sum(range(1000))


def _in_time(others, *, busy):
    """What it says at last, where it says the opposite at first."""
    until = time.monotonic() + 20
    while others.busy() == busy and time.monotonic() < until:
        time.sleep(0.01)
    return others.busy()


def test_in_numpy_nothing_is_gathered_ahead(monkeypatch):
    monkeypatch.setattr(rows, "SHORT", 1)
    monkeypatch.setattr(rows, "Ahead", None)
    with kernels.using("numpy"):
        assert len(list(rows.gathered(X, ORDERS))) == len(ORDERS)

"""Rows that a second thread gathers while this one goes on, where a core is free for it."""

import atexit
import os
import time
from importlib import import_module
from threading import Lock, Thread, get_ident
from typing import Any

import numpy as np

from minidl.kernels.forms import loading
from minidl.kernels.sharing import uninterrupted
from minidl.parameters import Array

PATIENCE = 2000  # looks for the next request, of half a microsecond each, before the thread falls asleep
LOOKS = 20_000  # for the end of a request, before the thread is woken again, in case an interrupt came between
PAUSE = 0.001  # seconds from one look to the next after these
INTERVAL, SHARE = 0.02, 0.1  # seconds from one look at other threads to the next, and of them how much is busy

_gatherers: list["Gatherer | None"] = []  # the one of this process; None where there can be none


def gatherer() -> "Gatherer | None":
    """The thread of this process; None where no thread can offer its core while it waits, or none can be had.

    It changes no bit of a run, so where it cannot be made, nothing is said and rows are gathered when they are wanted.
    """
    with loading:
        if not _gatherers:
            try:
                _gatherers.append(Gatherer(import_module(f"{__package__}.compiled.relay")))
            except Exception:  # of the compiler, or of a system without such functions or room for a thread
                _gatherers.append(None)
        return _gatherers[0]


def finish() -> None:
    """Wait for what was asked for: after this, at the end of Python, memory may go at any time."""
    for thread in _gatherers:
        if thread is not None:
            thread.finish()
    _gatherers[:] = [None]


class Gatherer:
    """A thread that copies rows in the order in which they are asked for, and waits for the next request awake.

    Args:
        relay: the compiled loops that both threads are in.

    Attributes:
        others: what else keeps a core busy.
        held: what is read and written for each request under way: nobody may free it before.
    """

    def __init__(self, relay: Any) -> None:
        from queue import SimpleQueue  # not needed by most who import minidl

        relay.try_out()  # compiled here, where nothing is under way
        self.relay, self.box, self.wakes, self.asking = relay, relay.new_box(), SimpleQueue[None](), Lock()
        self.held: dict[int, tuple[Array, Array, Array]] = {}
        self._thread = Thread(target=self._work, name="minidl gathers", daemon=True)
        self._thread.start()
        self.others = Others(self._thread)

    def _work(self) -> None:
        serve = self.relay.serve
        while True:
            self.wakes.get()
            serve(self.box, PATIENCE)
            self._let_go()

    def works(self) -> bool:
        """Whether it ever does what it is asked for: not in a fork of the process that has it, nor at the end."""
        return self in _gatherers and self._thread.is_alive()

    def is_free(self) -> bool:
        """Whether it works, and no other thread wants its core."""
        return self.works() and not self.others.busy()

    def ask(self, array: Array, address: int, rows: Array) -> "Ahead | None":
        """array[rows] of an array that must not change until they are there; None where too much is under way.

        Args:
            array: in C order, of 4 or 8 bytes a number.
            address: where it begins.
            rows: int64, at least one; None is returned where one of them is not there.
        """
        rows = rows.copy()  # the caller may write into them
        gathered = np.empty((len(rows), *array.shape[1:]), array.dtype)
        words = gathered.reshape(-1).view(np.uint32)
        with self.asking:
            self._let_go()
            number = int(self.box[self.relay.ASKED])
            self.held[number] = array, rows, gathered
            accepted, asleep = self.relay.ask(self.box, address, len(array), rows, words)
            if not accepted:
                del self.held[number]
                return None
        if asleep:
            self.wakes.put(None)
        return Ahead(self, number, array, rows, gathered)

    def _let_go(self) -> None:
        """Of what is done and nobody waited for."""
        done = int(self.box[self.relay.DONE])
        for number in [number for number in tuple(self.held) if number < done]:
            self.held.pop(number, None)

    def finish(self) -> None:
        """Wait until all that was asked for is done."""
        while self.works() and not self.relay.wait(self.box, self.box[self.relay.ASKED] - 1, LOOKS):
            self.wakes.put(None)


class Ahead:
    """gathered = array[rows], of which the thread was asked by a request with this number."""

    def __init__(self, thread: Gatherer, number: int, array: Array, rows: Array, gathered: Array) -> None:
        self.thread, self.number, self.array, self.rows, self.gathered = thread, number, array, rows, gathered

    def result(self) -> Array:
        """Wait until it is there, also where Ctrl-C comes meanwhile: nobody may read what is still being written."""
        uninterrupted(self._wait)
        self.thread.held.pop(self.number, None)
        return self.gathered

    def _wait(self) -> None:
        """A fork of the process gathers them itself."""
        thread, wait = self.thread, self.thread.relay.wait
        if wait(thread.box, self.number, LOOKS):
            return
        thread.wakes.put(None)
        while not wait(thread.box, self.number, 1):
            if not thread.works():
                self.array.take(self.rows, axis=0, out=self.gathered)
                return
            time.sleep(PAUSE)


class Others:
    """How busy the threads of this process are, other than the one that asks and the one that gathers.

    Those of a matrix library go on waiting for work, awake, for some time after each product they had a part in: a
    third thread would take a core from the first.
    """

    def __init__(self, gathering: Thread) -> None:
        clock_of = getattr(time, "pthread_getcpuclockid", None)
        self.clock = None if clock_of is None else clock_of(gathering.ident)
        self.asking, self.since, self.worked, self.were_busy = -1, 0.0, 0.0, True

    def busy(self) -> bool:
        """Whether they were a moment ago, as far as is known."""
        now = time.perf_counter()
        if now - self.since < INTERVAL or self.clock is None:
            return self.were_busy
        worked = time.process_time() - time.thread_time() - time.clock_gettime(self.clock)
        known = self.asking == get_ident()
        self.were_busy = not known or worked - self.worked > SHARE * (now - self.since)
        self.asking, self.since, self.worked = get_ident(), now, worked
        return self.were_busy


atexit.register(finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _gatherers.clear())  # a child has no such thread

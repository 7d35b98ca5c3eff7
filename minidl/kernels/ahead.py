"""Rows that a second thread gathers while this one goes on, where a core is free for it."""

import os
import time
from importlib import import_module
from threading import Lock, Thread, get_ident
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.parameters import Array

if TYPE_CHECKING:
    pass

PATIENCE = 2000  # looks for the next request, of half a microsecond each, before the thread falls asleep
LOOKS = 20_000  # for the end of a request, before the thread is woken again, in case an interrupt came between
INTERVAL, SHARE = 0.02, 0.1  # seconds from one look at other threads to the next, and of them how much is busy

_gatherers: list["Gatherer"] = []


def gatherer() -> "Gatherer | None":
    """The thread of this process, None where threads cannot offer their core while they wait.

    Raises what the compiler raises.
    """
    relay = import_module(f"{__package__}.compiled.relay")
    if not _gatherers and relay.can_offer:
        _gatherers.append(Gatherer(relay))
    return _gatherers[0] if _gatherers else None


class Gatherer:
    """A thread that copies rows in the order in which they are asked for, and waits for the next request awake.

    Args:
        relay: the compiled loops that both threads are in.

    Attributes:
        others: what else keeps a core busy.
    """

    def __init__(self, relay: Any) -> None:
        from queue import SimpleQueue  # not needed by most who import minidl

        self.relay, self.box = relay, relay.new_box()
        relay.serve(relay.new_box(), 0)  # compiled here, where somebody hears of an error
        self.wakes: SimpleQueue[None] = SimpleQueue()
        self.asking = Lock()
        self._thread = Thread(target=self._work, name="minidl gathers", daemon=True)
        self._thread.start()
        self.others = Others(self._thread)

    def _work(self) -> None:
        serve = self.relay.serve
        while True:
            self.wakes.get()
            serve(self.box, 0)

    def works(self) -> bool:
        """Whether it ever does what it is asked for: not in a fork of the process that has it."""
        return self in _gatherers and self._thread.is_alive()


class Ahead:
    """array[rows], asked of the thread; the array must not change until they are there.

    Args:
        thread: of whom it is asked.
        array: in C order, of 4 or 8 bytes a number.
        address: where it begins.
        rows: int64, one after the other.
        awake: whether the thread waits for the next request awake, for a while.

    Raises:
        LookupError: there are no such rows, or the thread has too much to do already.
    """

    done = False
    number = -1  # of the request, as long as it is not known

    def __init__(self, thread: Gatherer, array: Array, address: int, rows: Array, *, awake: bool) -> None:
        self.thread, self.array, self.rows = thread, array, rows
        self.gathered = gathered = np.empty((len(rows), *array.shape[1:]), array.dtype)
        to = gathered if gathered.ndim == 2 else gathered.reshape(len(rows), -1)
        with thread.asking:
            number, asleep = thread.relay.ask(thread.box, address, len(array), rows, to, PATIENCE if awake else 0)
        if number < 0:
            self.done = True
            raise LookupError(f"expected rows of {len(array)}, and room for a request")
        self.number = number
        if asleep:
            thread.wakes.put(None)

    def result(self) -> Array:
        """Wait until it is there, also where Ctrl-C comes meanwhile: nobody may read what is still being written."""
        interrupted = None
        while not self.done:
            try:
                self.done = self._wait()
            except KeyboardInterrupt as error:
                interrupted = error
        if interrupted is not None:
            raise interrupted
        return self.gathered

    def _wait(self) -> bool:
        thread = self.thread
        number = self.number if self.number >= 0 else thread.box[thread.relay.ASKED] - 1
        if thread.relay.wait(thread.box, number, LOOKS):
            return True
        if thread.works():
            thread.wakes.put(None)
            return False
        self.array.take(self.rows, axis=0, out=self.gathered)
        return True

    def __del__(self) -> None:
        """Memory that is being written must not be used for something else."""
        if not self.done and self.thread.works():
            self.result()


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


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _gatherers.clear())  # a child has no such thread

"""Objects that keep something from one call to the next belong to one run at a time, among the runs of all threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident

from minidl.arguments import Recorded

_lock = Lock()
_thread_of: dict[int, int] = {}  # id of an object -> the thread whose run uses it


@contextmanager
def exclusively(*things: object) -> Iterator[None]:
    """A block in which no run of another thread may use these things: it would mix its batches with ours.

    >>> with exclusively([]):
    ...     pass  # the run
    """
    mine, me = [], get_ident()
    with _lock:
        refuse_used_elsewhere(*things)
        for thing in things:
            if id(thing) not in _thread_of:  # else a run around this one uses it
                _thread_of[id(thing)] = me
                mine.append(id(thing))
    try:
        with forgetting(*(thing for thing in things if id(thing) in mine)):
            yield
    finally:
        with _lock:
            for identity in mine:
                del _thread_of[identity]


@contextmanager
def forgetting(*things: object) -> Iterator[None]:
    """A block after which things drop what their newest pass kept, so that they keep no data alive."""
    try:
        yield
    finally:
        for thing in things:
            if isinstance(thing, Recorded):
                thing._forget()


def refuse_used_elsewhere(*things: object) -> None:
    """Raise RuntimeError where a run of another thread uses one of these things now."""
    me = get_ident()
    for thing in things:
        if _thread_of.get(id(thing), me) != me:
            raise RuntimeError(
                f"expected {thing!r} in one run at a time, received it for a second in another thread: give each "
                f"run its own, or copy.deepcopy(...) of it"
            )


def refuse_second_fit(run: object) -> None:
    """Refuse a fit while another of the same trainer is under way."""
    if run is not None:
        raise RuntimeError(
            "expected one fit at a time, received a second while the first runs, from inside it or from another "
            "thread: use another Trainer, with a model of its own"
        )

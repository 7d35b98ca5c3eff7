"""Ctrl-C while training: the run ends after the step; pressed again, it ends at once, and nothing is left half done."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """What each Ctrl-C does: the first asks for the end, the second is raised at once, a third waits for the end.

    Attributes:
        asked: whether somebody waits for the run to end after this step.
    """

    def __init__(self) -> None:
        self.asked, self.open, self.kept = False, False, 0

    def __call__(self, number: int, frame: Any) -> None:
        """Python calls this between two instructions of the main thread when somebody presses Ctrl-C."""
        if not self.asked:
            self.asked = True
            return
        self.kept += 1
        if self.open or self.kept > 2:  # more than two: somebody insists, perhaps because what should end does not
            self.kept = 0
            raise KeyboardInterrupt

    @contextmanager
    def raised(self) -> Iterator[None]:
        """The block that the second Ctrl-C ends at once."""
        self.open = True
        try:
            yield
        finally:
            self.open = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """A block inside `raised` that is finished all the same, such as the writing of a file."""
        before, self.open = self.open, False
        try:
            yield
        finally:
            self.open = before


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """A block that Ctrl-C cannot cut into pieces, except inside `raised`; what was kept is raised at its end.

    Only Python's own handler is replaced, for the time of the block, and only in the main thread: elsewhere nothing
    changes.

    >>> with interrupts() as ctrl_c:
    ...     with ctrl_c.raised():
    ...         pass  # the long part
    """
    import signal

    ours = Interrupts()
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield ours
        return
    signal.signal(signal.SIGINT, ours)
    try:
        yield ours
    finally:
        if signal.getsignal(signal.SIGINT) is ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if ours.asked or ours.kept:
        raise KeyboardInterrupt

"""Ctrl-C while training: raised where it can be handled, kept where it would leave something half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """Decides for each Ctrl-C whether it is raised now, which happens once and inside `raised` only, or later."""

    def __init__(self) -> None:
        self.open, self.kept = False, 0

    def __call__(self, number: int, frame: Any) -> None:
        """Python calls this between two instructions of the main thread when somebody presses Ctrl-C."""
        self.kept += 1
        if self.open or self.kept > 3:  # more than three: somebody insists, perhaps because what should end does not
            self.open, self.kept = False, 0
            raise KeyboardInterrupt

    @contextmanager
    def raised(self) -> Iterator[None]:
        """A block that Ctrl-C ends at once, also one that came before the block began."""
        self.open = True
        try:
            if self.kept:
                self(signal.SIGINT, None)
            yield
        finally:
            self.open = False


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """A block that Ctrl-C cannot cut into pieces, except inside `raised`; one that was kept is raised at its end.

    Only Python's own handler is replaced, for the time of the block, and only in the main thread: elsewhere nothing
    changes.

    >>> with interrupts() as ctrl_c:
    ...     with ctrl_c.raised():
    ...         pass  # the long part
    """
    ours = Interrupts()
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield ours
        return
    signal.signal(signal.SIGINT, ours)
    try:
        yield ours
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if ours.kept:
        raise KeyboardInterrupt

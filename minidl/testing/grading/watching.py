"""What code of others does besides computing: files, processes, the network, printing, and changing what judges it.

This is for accidents and for short cuts. It is no wall against somebody who means harm: see docs/course.md.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from traceback import walk_stack
from types import FunctionType, ModuleType
from typing import Any

CACHES = ".caches"  # the folder in that of work where libraries keep theirs, which is nothing to tell
KEPT = 2000  # bytes of what is printed
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {
    **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.utime"), 1),
    **dict.fromkeys(("os.rename", "os.link", "os.symlink"), 2),
}  # event -> how many paths it has
LISTS = ("os.listdir", "os.scandir")
PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
SIGNALS = ("os.kill", "os.killpg", "os.startfile", "pty.spawn")
OURS = ("minidl", "__main__")  # the second is the worker
NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto")


class Watch:
    """An audit hook: it refuses what a submission may not do, and says so. Only once it is `armed`.

    Args:
        submission: the folder with its code; what is done with a frame of it on the stack is its doing.
        work: the folder it may write to, besides its own.
        hidden: folders that it may not read.
        say: is told in words what was seen.
    """

    def __init__(self, submission: Path, work: Path, hidden: Sequence[Path], say: Callable[[str], None]) -> None:
        self.submission, self.say, self.armed = str(submission), say, False
        self.own, self.hidden = (f"{submission}{os.sep}", f"{work}{os.sep}"), [f"{path}{os.sep}" for path in hidden]
        ours = Path(__file__).parents[2]
        self.installed = tuple(f"{Path(path).resolve()}{os.sep}" for path in (sys.prefix, sys.base_prefix, ours))

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """What `sys.addaudithook` calls."""
        if not self.armed:
            return
        if event == "open":
            path, _, flags = args
            self._opened(path, bool(flags & WRITES))
        elif event in CHANGES:
            for path in args[: CHANGES[event]]:
                self._opened(path, True)
        elif event in LISTS:
            self._opened(args[0], False)
        elif event in PROCESSES or event in SIGNALS:
            self._refuse(f"it tried to start or end a process ({event})", packages=False)
        elif event in NETWORK:
            self._refuse(f"it tried to use the network ({event})", packages=False)

    def _opened(self, path: object, writes: bool) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a file that is open already
        name = os.fsdecode(path)
        there = os.path.realpath(name)
        if writes:
            if there.startswith(self.own):
                if CACHES not in Path(there).parts:
                    self._say(f"it wrote the file {os.path.basename(there)}, into a folder that is gone")
            elif there != os.path.realpath(os.devnull):
                self._refuse(f"it tried to write {name}")
        elif f"{there}{os.sep}".startswith(tuple(self.hidden)) and not there.startswith((*self.own, *self.installed)):
            self._refuse(f"it tried to read {name}")

    def _theirs(self) -> bool:
        """Whether code of the submission is running, also where it has called something else."""
        return any(frame.f_code.co_filename.startswith(self.submission) for frame, _ in walk_stack(sys._getframe()))

    def _say(self, text: str) -> None:
        if self._theirs():
            self.say(text)

    def _refuse(self, text: str, *, packages: bool = True) -> None:
        """Refuse it, and say so; what `packages` start of themselves, as to look for fonts, is refused in silence."""
        if self._theirs():
            if packages or not self._in_a_package():
                self.say(f"{text}: refused")
            raise PermissionError(f"{text}: a submission may not")

    def _in_a_package(self) -> bool:
        """Whether an installed package is nearer than the submission."""
        for frame, _ in walk_stack(sys._getframe()):
            name = frame.f_code.co_filename
            if name.startswith(self.submission) or "site-packages" in name:
                return not name.startswith(self.submission)
        return False


class Sink(io.RawIOBase):
    """Where printed text goes: the beginning is kept, the rest counted, and said once there is much of it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self.kept, self.count, self.say = bytearray(), 0, say

    def writable(self) -> bool:
        """It is written to."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes."""
        size, much = len(data), self.count > KEPT
        self.kept += bytes(data[: max(0, KEPT - len(self.kept))])
        self.count += size
        if self.count > KEPT and not much:
            self.say(f"it printed a lot: only the first {KEPT} bytes are kept")
        return size

    @property
    def text(self) -> str:
        """What was kept."""
        return self.kept.decode("utf-8", errors="replace").replace("\r\n", "\n")

    def stream(self) -> io.TextIOWrapper:
        """A text file in front of it, as `sys.stdout` is one."""
        return io.TextIOWrapper(io.BufferedWriter(self), "utf-8", errors="backslashreplace", write_through=True)


def forbid(thing: type, say: Callable[[str], None]) -> None:
    """Shut a class, and all that derive from it: it is what the submission has to write."""
    text = f"{thing.__name__} of minidl is what this assignment asks you to write"

    def refuse(*_: Any, **__: Any) -> Any:
        say(f"it used {thing.__name__} of minidl, which it was to write")
        raise PermissionError(f"{text}: do not use it")

    for name, value in list(vars(thing).items()):
        if isinstance(value, FunctionType):
            setattr(thing, name, refuse)
    made: Any = thing
    made.__new__ = staticmethod(refuse)


def judging() -> dict[str, object]:
    """Every function and class that the verdicts rest on, by its full name."""
    return dict(_callables())


def _callables() -> Iterator[tuple[str, object]]:
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        judges = top in (*OURS, "numpy", "hypothesis") or name in ("builtins", "copy", "json", "math")
        if judges and isinstance(module, ModuleType):
            for key, value in list(vars(module).items()):
                if callable(value):
                    yield f"{name}.{key}", value
                if isinstance(value, type) and value.__module__ == name and top in OURS:
                    yield from (
                        (f"{name}.{key}.{own}", made) for own, made in list(vars(value).items()) if callable(made)
                    )


def replaced(before: dict[str, object]) -> str:
    """The full name of one of them that is another now; empty if none is."""
    now = judging()
    return next((name for name, value in before.items() if now.get(name) is not value), "")

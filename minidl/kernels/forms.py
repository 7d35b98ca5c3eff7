"""Two forms of one function: NumPy, which says what is meant, and a compiled loop, where numba is installed."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from importlib import import_module
from importlib.util import find_spec
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

VARIABLE = "MINIDL_KERNELS"
CHOICES = ("auto", "compiled", "numpy")
INSTALL = 'pip install "minidl[fast]"'
KERNELS: dict[str, "Kernel[..., Any]"] = {}  # by name
loading = RLock()  # two threads that load numba at once would each meet half of it
watching: list[Callable[[str], object]] = []  # whoever wants to tell a person that something takes a while


class Kernel(Generic[P, R]):
    """A function in two forms, called like the one that it was made of.

    Arrays of float32 and float64 go to the compiled form where that is in use; everything else to `plain`. The first
    argument is an array, and its dtype is that of the others.

    Attributes:
        plain: the NumPy form: the meaning.
    """

    def __init__(self, plain: Callable[P, R]) -> None:
        self.plain = plain
        self._form: Callable[P, R] | None = None
        update_wrapper(self, plain)
        KERNELS[plain.__name__] = self

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What `plain` returns, to rounding."""
        dtype = args[0].dtype  # type: ignore[attr-defined]
        form = self._form or self._find()
        if form is self.plain or dtype.char not in "fd" or not dtype.isnative:
            return self.plain(*args, **kwargs)
        try:
            return form(*args, **kwargs)
        except (MemoryError, IndexError):  # too much, or rows that are not there: no failure of the compiler
            raise
        except Exception as error:  # of the compiler: a loop itself raises nothing
            _fall_back(error)
            return self.plain(*args, **kwargs)

    def _find(self) -> Callable[P, R]:
        if form() == "numpy":
            self._form = self.plain
            return self._form
        home, _, module = self.plain.__module__.rpartition(".")
        try:
            with loading:
                found: Callable[P, R] = getattr(import_module(f"{home}.compiled.{module}"), self.plain.__name__)
        except Exception as error:
            _fall_back(error)
            return self.plain
        self._form = found
        return found


class _Choice:
    """Which form is wanted, and why there may be another."""

    wanted: str | None = None  # None: what the environment says
    failure = ""


def form() -> str:
    """The form in use: "compiled" where numba is installed and nobody chose otherwise, else "numpy".

    >>> with using("numpy"):
    ...     form()
    'numpy'
    """
    if _Choice.failure or wanted() == "numpy":
        return "numpy"
    return "compiled" if find_spec("numba") else "numpy"


def wanted() -> str:
    """What was chosen: "auto", "compiled" or "numpy".

    Raises:
        ValueError: the environment variable holds something else.
    """
    if _Choice.wanted is None:
        _Choice.wanted = _checked(os.environ.get(VARIABLE) or "auto", VARIABLE)
    return _Choice.wanted


def use(choice: str) -> None:
    """Choose the form of all kernels in this process, from now on; "auto" is compiled where numba is installed.

    The environment variable MINIDL_KERNELS says the same before Python starts. The last bits of a run depend on it, so
    choose before a run and not in the middle of it.

    Raises:
        ValueError: another word.
        ImportError: "compiled" without numba.

    >>> use("fast")
    Traceback (most recent call last):
    ValueError: expected choice to be one of 'auto', 'compiled', 'numpy', received choice='fast'
    """
    _Choice.wanted, _Choice.failure = _checked(choice, "choice"), ""
    for kernel in KERNELS.values():
        kernel._form = None


@contextmanager
def using(choice: str) -> Iterator[None]:
    """A block in which that form is used, for comparing the two; see `use`."""
    before, failure = _Choice.wanted, _Choice.failure
    use(choice)
    try:
        yield
    finally:
        use(before or "auto")
        _Choice.wanted, _Choice.failure = before, failure


def reason() -> str:
    """Why `form` is what it is.

    >>> with using("numpy"):
    ...     reason()
    'chosen'
    """
    if _Choice.failure:
        return _Choice.failure
    if wanted() == "numpy":
        return "chosen"
    if not find_spec("numba"):
        return f"numba is not installed: {INSTALL}"
    from importlib.metadata import version  # slow to load

    return f"numba {version('numba')}"


def _checked(choice: str, name: str) -> str:
    if choice not in CHOICES:
        raise ValueError(f"expected {name} to be one of {', '.join(map(repr, CHOICES))}, received {name}={choice!r}")
    if choice == "compiled" and not find_spec("numba"):
        raise ImportError(f"expected numba for {name}='compiled', found none: {INSTALL}")
    return choice


def _fall_back(error: Exception) -> None:
    """From now on all kernels are plain: one form for all of them, and one line that says so."""
    _Choice.failure = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    for kernel in KERNELS.values():
        kernel._form = None
    if sys.stderr is not None:
        print(f"minidl: kernels go on in NumPy, as compiling them failed: {_Choice.failure}", file=sys.stderr)

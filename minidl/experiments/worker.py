"""What happens in a worker: one run, its values as Python's own types and arrays, its seconds, and what it raised."""

import json
import os
import pickle
import textwrap
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeAlias

import numpy as np

from minidl.arguments import short
from minidl.experiments.function_digests import behaviour_digest
from minidl.experiments.planning import PlannedRun

RESERVED = ("seed", "seconds", "error", "function")  # the columns of an export that are no values
Outcome: TypeAlias = tuple[dict[str, Any], float, str, float]

# Two workers of two threads each on two cores take longer than two of one; and sums of another number of threads
# have other last bits.
LIBRARIES = ("OPENBLAS_NUM", "MKL_NUM", "OMP_NUM", "BLIS_NUM", "VECLIB_MAXIMUM")
ONE_THREAD = {f"{library}_THREADS": "1" for library in LIBRARIES}

_one_at_a_time = Lock()


def call_with_one_thread(packed: bytes, planned: str) -> Outcome:
    """Like `call`, in a worker that somebody else started, whose matrix library may use several threads.

    Where it calls several at a time, in threads of its own, they wait for one another: the setting is the process's.
    """
    with _one_at_a_time, one_thread():
        return call(packed, planned)


@contextmanager
def one_thread() -> Iterator[None]:
    """A block in which the matrix library and the kernels use one thread."""
    from threadpoolctl import threadpool_limits

    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        with threadpool_limits(1):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def call(packed: bytes, planned: str) -> Outcome:
    """In a worker: what a run returns, its seconds, the traceback of what it raises, and the processor's seconds."""
    start, busy = time.perf_counter(), time.process_time()
    try:
        run: PlannedRun = pickle.loads(packed)
        if behaviour_digest(run.function) != planned:  # the worker imported its module after somebody edited that
            raise RuntimeError(
                f"expected {run.function.__name__} and the constants it uses as they were planned, found others in its "
                f"module, which was edited or changed since: start the job again, and pass what changes as a setting"
            )
        values, error = _checked(run), ""
    except BaseException:  # sys.exit and the like end this run only
        values, error = {}, traceback.format_exc()
    return values, time.perf_counter() - start, error, time.process_time() - busy


def _checked(run: PlannedRun) -> dict[str, Any]:
    """What a run returns, with Python's own types for numbers and strings, and arrays for lists."""
    returned = run()
    if not isinstance(returned, Mapping):
        raise TypeError(f"expected a run to return a mapping of names to values, received {_shortened(returned)}")
    for name in returned:
        if not isinstance(name, str):
            raise TypeError(f"expected a run to name its values by strings, received the name {_shortened(name)}")
        if name in RESERVED:
            raise ValueError(
                f"expected other names than {RESERVED}, columns of an export, received {name!r}: rename it"
            )
    values = {str(name): _plain(str(name), value) for name, value in returned.items()}
    json.dumps({name: None if isinstance(value, np.ndarray) else value for name, value in values.items()})
    return values


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"expected {name} to be a plain array, received a masked one: fill it in, as with x.filled(0)")
    if isinstance(value, np.ndarray | np.generic | list | tuple):
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" and not (array.ndim == 0 and array.dtype.kind == "U"):
            raise TypeError(f"expected {name} to hold numbers, received {_shortened(value)}")
        if array.ndim:
            return array
        value = array.item()
        value = float(value) if isinstance(value, np.floating) else value  # longdouble stays numpy's own
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if value is None:
        return None
    raise TypeError(f"expected {name} to be a number, a string or an array, received {_shortened(value)}")


def _shortened(value: object) -> str:
    return textwrap.shorten(short(value), 200)

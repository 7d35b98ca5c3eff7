"""How a run is sent to a worker process: functions of a script, and caches around them, as they are."""

from __future__ import annotations  # cloudpickle is loaded when it is needed

import functools
import io
import sys
from collections.abc import Callable
from typing import Any

from minidl.experiments.function_digests import behaviour_digest
from minidl.experiments.planning import PlannedRun

CACHE = type(functools.cache(lambda: None))
_caches: dict[str, Any] = {}  # of this process, by what the cached function does


def packed(run: PlannedRun) -> tuple[bytes, str]:
    """A run for a worker, and what its function does. Functions of a script, and of a module that is still being
    imported, are sent as they are: a worker that imported such a module would begin the job once more.

    Packed here and not in the thread of loky that would do it, which a module being imported would keep waiting.
    """
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, thing: Any) -> Any:
            """`functools.cache` would send the name of a function that no worker finds."""
            if isinstance(thing, CACHE) and (_has_no_module(thing) or unfinished):
                digest = behaviour_digest(thing.__wrapped__)
                return cache_again, (thing.__wrapped__, thing.cache_parameters(), digest)
            return super().reducer_override(thing)

    module = sys.modules.get(run.function.__module__)
    unfinished = getattr(getattr(module, "__spec__", None), "_initializing", False)
    if unfinished:
        cloudpickle.register_pickle_by_value(module)
    try:
        file = io.BytesIO()
        Pickler(file).dump(run)
        return file.getvalue(), behaviour_digest(run.function)
    finally:
        if unfinished:
            cloudpickle.unregister_pickle_by_value(module)


def cache_again(function: Callable[..., Any], parameters: dict[str, Any], digest: str) -> Any:
    """The cache of this process around a function that came with a run: one for all runs that bring the same."""
    return _caches.setdefault(digest, functools.lru_cache(**parameters)(function))


def _has_no_module(thing: Any) -> bool:
    """Whether a worker cannot import a function: it is of a script or a notebook, or inside another function."""
    return thing.__module__ == "__main__" or "<locals>" in thing.__qualname__

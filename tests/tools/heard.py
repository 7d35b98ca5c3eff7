"""What numpy would say of floats inside of calls that keep it silent."""

from contextlib import contextmanager

import numpy as np

from minidl import quiet


@contextmanager
def heard(**settings):
    """A block in which quiet functions let numpy raise, by default at everything but underflow."""
    before = quiet._inside.set(True)
    try:
        with np.errstate(**(settings or {"all": "raise", "under": "ignore"})):
            yield
    finally:
        quiet._inside.reset(before)

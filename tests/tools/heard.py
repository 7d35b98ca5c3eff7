"""What numpy would say of floats inside of calls that keep it silent."""

from contextlib import contextmanager

import numpy as np

from minidl import quiet


@contextmanager
def heard(**settings):
    """A block in which quiet functions let numpy raise, by default at everything but underflow."""
    with np.errstate(**(settings or {"all": "raise", "under": "ignore"})):
        before, quiet._SILENT = quiet._SILENT, quiet._settings.get(None)
        try:
            yield
        finally:
            quiet._SILENT = before

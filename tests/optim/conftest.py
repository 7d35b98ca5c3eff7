import numpy as np
import pytest

from minidl.initializers import zeros
from minidl.parameters import Parameter
from minidl.store import Parameters


def make_store(dtype=np.float64, **values):
    """A flat store with these values; a name that starts with "bias" is not decayed."""
    arrays = {name: np.asarray(value) for name, value in values.items()}
    named = {name: Parameter(a.shape, zeros, decay=not name.startswith("bias")) for name, a in arrays.items()}
    parameters = Parameters(named, np.random.default_rng(0), dtype=dtype)
    for name, array in arrays.items():
        parameters.named[name].value = array
    return parameters


@pytest.fixture(scope="session")
def store():
    return make_store

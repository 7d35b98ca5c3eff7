"""Memory: how what the owners of a run remember becomes the arrays of a file, and how it comes back."""

from __future__ import annotations  # json is loaded when it is needed

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeAlias

import numpy as np

from minidl.layers.base import Layer
from minidl.parameters import Array, Parameters
from minidl.seeding import position, put_at
from minidl.storage import RECORD, DataError, StrPath, differing, read_arrays
from minidl.training.identity import differences

OF_NUMPY = (np.ndarray, np.number, np.bool_)  # not its texts, which are texts
Remembered: TypeAlias = Mapping[str, Any]


class Owner(Protocol):
    """Whoever remembers something during a run; `Run.owners` lists all of them."""

    def state(self) -> dict[str, Any]:
        """A copy of what is remembered: numbers, strings, None and arrays by name."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Remember what `state` returned, or raise where it does not fit."""


class Weights:
    """The memory of a model: the value of every parameter and state."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def state(self) -> dict[str, Any]:
        """Every value by name."""
        return self.parameters.snapshot()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Put every value back; names, shapes and dtypes must be those of the model."""
        if wrong := differing(state, self.parameters.snapshot()):
            raise ValueError(f"expected the arrays of this model, found that {wrong}")
        self.parameters.restore(state)


class Streams:
    """The memory of the layers' random streams, by their position in the model."""

    def __init__(self, model: Layer) -> None:
        self.layers = list(model.layers_inside())

    def state(self) -> dict[str, Any]:
        """Where each stream stands."""
        return {str(place): position(layer.rng) for place, layer in enumerate(self.layers)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Put each stream where it stood."""
        for place, layer in enumerate(self.layers):
            layer.rng = put_at(layer.rng, state[str(place)])


def packed(owners: Mapping[str, Owner], identity: Mapping[str, str]) -> dict[str, Array]:
    """All that the owners remember as arrays by name, with what the run is known by."""
    import json

    arrays: dict[str, Array] = {}
    numbers: dict[str, Remembered] = {}
    scalars: list[str] = []  # those of numpy, which come back as such
    for name, owner in owners.items():
        state = _checked(owner)
        scalars += [f"{name}/{key}" for key, value in state.items() if isinstance(value, np.number | np.bool_)]
        numbers[name] = {key: value for key, value in state.items() if not isinstance(value, OF_NUMPY)}
        arrays |= {f"{name}/{key}": np.asarray(value) for key, value in state.items() if isinstance(value, OF_NUMPY)}
    record = json.dumps({"identity": identity, "numbers": numbers, "scalars": scalars})
    return {RECORD: np.frombuffer(record.encode(), np.uint8), **arrays}


def _checked(owner: Owner) -> Remembered:
    """The state of an owner, if a file can hold it."""
    state = owner.state()
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise TypeError(f"expected {owner!r}.state() to return a dict with names, received {state!r}")
    for name, value in state.items():
        array = isinstance(value, OF_NUMPY) and value.dtype.kind in "biufc"
        if not array and not (value is None or isinstance(value, bool | int | float | str)):
            text = isinstance(value, np.ndarray) and value.dtype.kind == "U"
            advice = "write json.dumps(array.tolist()), which is one text" if text else "make it an array of numbers"
            raise TypeError(
                f"expected {owner!r}.state() to hold numbers, strings, None and arrays of numbers, received "
                f"{name}={value!r}: {advice}"
            )
    return state


def unpacked(path: StrPath, identity: Mapping[str, str]) -> dict[str, Remembered]:
    """What each owner remembered, from a file that is a checkpoint of this run; nothing moves yet.

    Raises:
        DataError: the file is damaged, or of another model, data set, setting or version.
    """
    import json

    entries = read_arrays(path)
    if RECORD not in entries:
        raise DataError(f"{os.fspath(path)}: expected a checkpoint, found arrays without a run: a file of weights?")
    with _as_data_error(path):
        record = json.loads(entries.pop(RECORD).tobytes())
        if wrong := differences(record["identity"], identity):
            raise DataError(f"{os.fspath(path)}: expected a checkpoint of this run, found {'; '.join(wrong)}")
        states: dict[str, dict[str, Any]] = {name: dict(numbers) for name, numbers in record["numbers"].items()}
        for name, array in entries.items():
            owner, _, key = name.partition("/")
            # a copy is not read-only, so that callbacks can go on with theirs
            states[owner][key] = array[()] if name in record["scalars"] else array.copy()
        return dict(states)


def put_back(owners: Mapping[str, Owner], states: Mapping[str, Remembered], path: StrPath) -> None:
    """Give every owner what it remembered.

    Raises:
        DataError: something does not fit; owners before it have taken theirs, see `unchanged_on_error`.
    """
    with _as_data_error(path):
        for name, owner in owners.items():
            owner.load_state(states[name])


@contextmanager
def _as_data_error(path: StrPath) -> Iterator[None]:
    """Whatever a file made by hand does to its reader is an error that names the file."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{os.fspath(path)}: expected a checkpoint of this run, found one that does not fit it "
            f"({type(error).__name__}: {error})"
        ) from error


@contextmanager
def unchanged_on_error(owners: Mapping[str, Owner]) -> Iterator[None]:
    """A block that leaves every owner as it was if it ends with an error: its attributes, and what it remembers."""
    kept = [(owner, vars(owner).copy(), _remembered(owner)) for owner in owners.values()]
    try:
        yield
    except BaseException:
        for owner, attributes, state in kept:
            vars(owner).clear()
            vars(owner).update(attributes)
            with suppress(Exception):  # one that refuses its own memory has its attributes back all the same
                owner.load_state(state)
        raise


def _remembered(owner: Owner) -> Remembered:
    """The state of an owner; nothing where it cannot say it yet, as a callback that was in no run so far."""
    with suppress(Exception):
        return owner.state()
    return {}

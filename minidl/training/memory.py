"""Memory: how what the owners of a run remember becomes the arrays of a file, and how it comes back."""

from __future__ import annotations  # json is loaded when it is needed

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeAlias

import numpy as np

from minidl.arguments import short
from minidl.parameters import Array
from minidl.remembered import check_state, listed
from minidl.storage import NAME, RECORD, SHOWN, DataError, StrPath, check_path, differing, is_entry, read_arrays
from minidl.store import Parameters
from minidl.training.identity import differences

OF_NUMPY = (np.ndarray, np.number, np.bool_)  # not its texts, which are texts
DIGITS = 10_000  # binary ones of an int
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
        raise TypeError(f"expected {owner!r}.state() to return a dict with names, received {short(state)}")
    for name, value in state.items():
        if not is_entry(name):
            raise ValueError(
                f"expected {owner!r}.state() to have names of up to {NAME} characters that can be printed, received "
                f"{name[:SHOWN]!r}: call it something else"
            )
        if not can_be_written(value):
            raise TypeError(
                f"expected {owner!r}.state() to hold numbers, strings, None and arrays of numbers, received "
                f"{name}={short(value)}: {_advice(value)}"
            )
    return state


def can_be_written(value: Any) -> bool:
    """Whether a file gives it back: numbers, strings, None and arrays of numbers, but nothing of a derived class.

    >>> [can_be_written(value) for value in (1.5, np.int8(1), np.zeros(2), np.ma.masked_array([1]), [1, 2])]
    [True, True, True, False, False]
    """
    if type(value) in (np.ndarray, np.memmap) or isinstance(value, OF_NUMPY[1:]):
        return bool(value.dtype.kind in "biufc")
    if type(value) is int:
        return value.bit_length() <= DIGITS  # more of them python does not print
    return value is None or type(value) in (bool, float, str, np.str_)


def _advice(value: Any) -> str:
    if isinstance(value, np.ma.MaskedArray):
        return "give its .data and its .mask"
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return "write json.dumps(array.tolist()), which is one text"
    if isinstance(value, str):
        return "write str(...)"
    if type(value) is int:
        return "write it as a string"
    if isinstance(value, int | float):
        return f"write {'int' if isinstance(value, int) else 'float'}(...)"
    return "make it an array of numbers"


def unpacked(path: StrPath, identity: Mapping[str, str], owners: Collection[str]) -> dict[str, Remembered]:
    """What each owner remembered, from a file that is a checkpoint of this run; nothing moves yet.

    Raises:
        DataError: the file is damaged, or of another model, data set, setting or version.
    """
    import json

    if not os.path.lexists(check_path(path, "resume")):
        raise DataError(
            f"{os.fspath(path)}: expected a file, found nothing: give resume=None where no checkpoint was written yet"
        )
    entries = read_arrays(path)
    if RECORD not in entries:
        raise DataError(f"{os.fspath(path)}: expected a checkpoint, found arrays without a run: a file of weights?")
    with _as_data_error(path):
        record = json.loads(entries.pop(RECORD).tobytes())
        check_state("a record", record, ("identity", "numbers", "scalars"))
        if strays := [key for key in ("identity", "numbers") if not isinstance(record[key], dict)]:
            raise ValueError(f"expected {' and '.join(strays)} by name, received others")
        if wrong := differences(record["identity"], identity):
            there = record["identity"].get("kernels")
            other = there not in (None, identity["kernels"])
            advice = f" (minidl.kernels.use({there}) before going on gives its form)" if other else ""
            raise DataError(f"{os.fspath(path)}: expected a checkpoint of this run, found {'; '.join(wrong)}{advice}")
        states: dict[str, dict[str, Any]] = {name: dict(numbers) for name, numbers in record["numbers"].items()}
        check_state("a run", states, owners)
        strays = [f"{owner}/{n}" for owner, held in states.items() for n, v in held.items() if not can_be_written(v)]
        strays += [name for name in entries if name.partition("/")[0] not in states or "/" not in name]
        strays += [name for name in record["scalars"] if name not in entries or entries[name].ndim]
        strays += [name for name in entries if name.partition("/")[2] in states.get(name.partition("/")[0], ())]
        if strays:
            raise ValueError(f"expected entries that one of {listed(owners)} reads, received {listed(strays)}")
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
    kept = [(owner, *_kept(owner)) for owner in owners.values()]
    try:
        yield
    except BaseException:
        for owner, attributes, state in kept:
            vars(owner).clear()
            vars(owner).update(attributes)
            with suppress(Exception):  # one that refuses its own memory has its attributes back all the same
                owner.load_state(state)
        raise


def _kept(owner: Owner) -> tuple[dict[str, Any], Remembered]:
    """The attributes of an owner and its state; copies of the first where it cannot say the second yet.

    That is a callback that was in no run so far.
    """
    from copy import deepcopy

    attributes = vars(owner).copy()
    try:
        return attributes, owner.state()
    except Exception:
        with suppress(Exception):
            attributes = deepcopy(attributes)
        return attributes, {}

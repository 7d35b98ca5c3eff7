"""What a caller's functions return, and arrays that are given back: taken where they are numbers, refused where not."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import check_numbers, short

CHUNK = 1 << 22  # numbers looked at together when searching for NaN
Numbers: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def as_number(name: str, value: object) -> float:
    """What a function returned as a Python float: a real number of any type, or an array without axes that holds one.

    NaN and infinity are numbers here.

    >>> as_number("the loss", np.array(0.5))
    0.5
    >>> as_number("metric f1", None)
    Traceback (most recent call last):
    TypeError: expected metric f1 to return one number, received None: return a float
    """
    number = value[()] if type(value) is np.ndarray and value.ndim == 0 else value
    if not isinstance(number, str | bytes | complex | np.ma.core.MaskedConstant | np.complexfloating):
        with suppress(TypeError, ValueError, OverflowError):
            if np.ndim(number) == 0:  # type: ignore[arg-type]
                return float(number)  # type: ignore[arg-type]
    raise TypeError(f"expected {name} to return one number, received {short(value)}: return a float")


def as_numbers(name: str, value: object) -> Numbers:
    """`value` as a plain array of real numbers: an array of any dtype, a number, or lists of them.

    >>> as_numbers("x", [[1.0, 2.0]])
    array([[1., 2.]])
    """
    of_others = hasattr(value, "__array__") and not isinstance(value, np.ndarray)  # tensors, tables
    if isinstance(value, list | tuple | float | int) or of_others:
        try:
            value = np.asarray(value)
        except ValueError:
            of_arrays = isinstance(value, tuple) and any(isinstance(part, np.ndarray) for part in value)
            received = "a tuple of arrays: give one" if of_arrays else "rows of several lengths: pad them"
            raise ValueError(f"expected {name} to hold numbers, received {received}") from None
    if not (isinstance(value, np.ndarray) or hasattr(value, "toarray") or hasattr(value, "to_numpy")):
        raise TypeError(f"expected {name} to be an array of numbers, received {short(value)}: make it one")
    check_numbers(name, value)
    array: Numbers = value  # type: ignore[assignment]
    return array


def as_floats(name: str, value: object) -> Numbers:
    """`value` as a plain array of floats, for calls by hand: at once if it is one; whole numbers become float64."""
    if type(value) is np.ndarray and value.dtype.kind == "f":
        return value
    array = as_numbers(name, value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


@contextmanager
def saying(call: str, function: object) -> Iterator[None]:
    """A block in which an error is told of which function it is, and how that is called."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in {short(function)}, which is called as {call}")
        raise


def as_finite(name: str, x: Numbers, dtype: DTypeLike, *, start: int = 0) -> Numbers:
    """Some rows in a dtype, from row `start` of those named, if all of their numbers are finite there."""
    cast = np.asarray(x, dtype)
    if not np.isfinite(np.add.reduce(cast, axis=None)):  # a finite sum has finite parts, and takes one pass
        check_finite(name, x, np.dtype(dtype), start=start)
    return cast


def check_finite(name: str, x: Numbers, dtype: np.dtype[Any], *, start: int = 0, chunk: int = CHUNK) -> None:
    """Refuse numbers that are not finite in a dtype, with the place of the first; row 0 is row `start` of all."""
    if x.dtype.kind != "f":
        return
    largest = min(float(np.finfo(x.dtype).max), float(np.finfo(dtype).max))
    step = max(1, chunk * len(x) // max(x.size, 1))
    for first in range(0, len(x), step):
        broken = ~(np.abs(x[first : first + step]) <= largest)
        if broken.any():
            row, *column = np.argwhere(broken)[0].tolist()
            where = ", ".join(map(str, [start + first + row, *column]))
            raise ValueError(
                f"expected numbers that are finite in {dtype}, received {name}[{where}]={x[(first + row, *column)]}: "
                f"drop such rows or fill them in"
            )


def check_range(name: str, array: Numbers, dtype: np.dtype[Any], *, infinite: bool) -> None:
    """Refuse numbers that the dtype cannot hold, and NaN and infinity where a state may not have them."""
    if dtype.kind != "f":
        with np.errstate(invalid="ignore"):  # what NaN becomes is not equal to it
            changed = array.astype(dtype) != array
        if changed.any():
            raise ValueError(f"expected {name} to hold numbers that {dtype} has, received {array[changed][0]} in it")
        return
    lost = np.abs(array) > np.finfo(dtype).max
    lost &= np.isfinite(array)
    if lost.any():
        raise ValueError(f"expected {name} in the range of {dtype}, received {array[lost][0]}: build in float64")
    if not infinite and not np.isfinite(array).all():
        raise ValueError(
            f"expected {name} to be finite, received {array[~np.isfinite(array)][0]} in it: no step mends that"
        )


def check_parameters(who: str, parameters: object) -> None:
    """Refuse what does not hold the values and gradients of a model, such as the model itself."""
    if not (hasattr(parameters, "value") and hasattr(parameters, "grad")):
        advice = "give its .parameters" if hasattr(parameters, "parameters") else "give model.parameters"
        raise TypeError(f"expected the parameters of a model for {who}, received {short(parameters)}: {advice}")


def check_snapshot(snapshot: object, names: Collection[str]) -> None:
    """Refuse what is no mapping with exactly these names."""
    advice = "give what snapshot() returned"
    if not isinstance(snapshot, Mapping):
        raise TypeError(f"expected names with arrays, received {short(snapshot)}: {advice}")
    missing, extra = (sorted(map(str, some)) for some in ({*names} - {*snapshot}, {*snapshot} - {*names}))
    if missing or extra:
        raise ValueError(
            f"expected a snapshot of this model, received one with missing={missing}, extra={extra}: {advice}"
        )


def as_restored(found: Mapping[str, Numbers], wanted: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """What was found, in the dtypes of what is wanted where `check_restored` allows it; the rest as it is."""
    return {name: _as_restored(name, array, wanted[name]) if name in wanted else array for name, array in found.items()}


def _as_restored(name: str, array: Numbers, wanted: Numbers) -> Numbers:
    try:
        check_restored(name, wanted.shape, array, wanted.dtype)
    except (TypeError, ValueError):
        return array
    return array.astype(wanted.dtype, copy=False)


def check_restored(name: str, shape: tuple[int, ...], array: Numbers, dtype: np.dtype[Any]) -> None:
    """Refuse what is no array of that shape and kind of numbers, or has finite ones that the dtype cannot hold."""
    array = np.asarray(array) if isinstance(array, np.generic) else array
    check_numbers(name, array)
    if array.shape != shape:
        raise ValueError(f"expected {name} of shape {shape}, received {array.shape}: another model's?")
    whole = dtype.kind != "f"
    if array.dtype.kind not in ("biu" if whole else "f"):
        kind = "whole numbers" if whole else "floats"
        raise ValueError(f"expected {name} to hold {kind}, received {name}.dtype={array.dtype}: cast with .astype")
    check_range(name, array, dtype, infinite=True)

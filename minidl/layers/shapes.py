"""Shapes of rows: what a layer is given and returns, known wholly, in part or not at all, and the door of `forward`."""

from types import EllipsisType
from typing import Any, NoReturn, TypeAlias

import numpy as np

from minidl.arguments import check_integer, short
from minidl.parameters import Array

SampleShape: TypeAlias = tuple[int | None, ...] | None
Wanted: TypeAlias = tuple[int | EllipsisType | None, ...]


class ShapeError(ValueError):
    """An array whose shape or dtype a layer cannot take: the message says what was expected and what to do."""


class Open(tuple[int | None, ...]):
    """The last axes of a row, before which there may be more: what a Linear returns for rows nobody knows yet.

    Whoever does not ask takes it for the whole shape, which is what it is for rows of one axis.
    """

    __slots__ = ()


def rows_at_once(x: Array) -> int:
    """How many rows are predicted at once. Vectors make large products, which are fast; what layers make of images and
    sequences is soon more than caches hold, and gains nothing from more rows.
    """
    return 1024 if x.ndim <= 2 else 128


def check_sizes(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` if it is a tuple or list of whole numbers of at least 1, and not empty.

    >>> check_sizes("input_shape", 784)
    Traceback (most recent call last):
    TypeError: expected input_shape to be the shape of a row such as (3, 32, 32), received input_shape=784: write (784,)
    """
    if not isinstance(shape, tuple | list) or not shape:
        advice = f"write ({shape},)" if isinstance(shape, int) else "give its sizes, without the number of rows"
        raise TypeError(
            f"expected {name} to be the shape of a row such as (3, 32, 32), received {name}={short(shape)}: {advice}"
        )
    return tuple(check_integer(f"each entry of {name}", size, minimum=1) for size in shape)


def fitting(layer: object, shape: SampleShape, wanted: Wanted, *, advice: str = "") -> tuple[int | None, ...]:
    """The shape of the rows that come in, as far as both sides know it, or ShapeError where they do not fit.

    Args:
        layer: whose rows, for the error.
        shape: what is known of them.
        wanted: a size for each axis, None for any; `...` in the first place for any axes before the others.
        advice: what to do where they do not fit.

    >>> fitting("Conv2D(3, 8, 5)", (3, None, 32), (3, None, None))
    (3, None, 32)
    >>> fitting("Linear(4, 2)", Open((4,)), (..., 4))
    (4,)
    """
    sizes = tuple(size for size in wanted if not isinstance(size, EllipsisType))
    if shape is None:
        return sizes if len(sizes) == len(wanted) else Open(sizes)
    given = shape
    if isinstance(shape, Open) and len(given) < len(sizes):
        given = (*[None] * (len(sizes) - len(given)), *given)
    more = len(given) - len(sizes) if len(sizes) < len(wanted) else 0
    full = (*[None] * more, *sizes)
    fits = len(full) == len(given) and all(
        one is None or other is None or one == other for one, other in zip(full, given, strict=True)
    )
    if not fits:
        any_before = len(sizes) < len(wanted) and len(shape) != len(sizes)
        expected = f"(..., {', '.join(map(_size, sizes))})" if any_before else shown(sizes)
        raise ShapeError(
            f"expected input rows of shape {expected}, received rows of shape {shown(shape)}: "
            + (advice or f"change {layer!r} or the layer before it")
        )
    merged = tuple(one if other is None else other for one, other in zip(full, given, strict=True))
    return Open(merged) if isinstance(shape, Open) and len(sizes) < len(wanted) else merged


def shown(shape: tuple[int | str | None, ...]) -> str:
    """A shape of rows for an error, with a question mark for each size that nobody knows.

    >>> shown((3, None, None)), shown((4,))
    ('(3, ?, ?)', '(4,)')
    """
    return f"({', '.join(map(_size, shape))}{',' if len(shape) == 1 else ''})"


def _size(size: object) -> str:
    return "?" if size is None else "..." if size is ... else str(size)


def check_input(
    layer: object, x: Array, wanted: Wanted, dtype: np.dtype[Any] | None = None, *, advice: str = ""
) -> None:
    """The door of a `forward`: a numpy array of rows of the shape `wanted`, of the model's dtype; no rows are fine.

    Args:
        layer: whose input it is, for the error.
        x: (n, ...).
        wanted: a size for each axis of a row, None for any; `...` in the first place for any axes before the others.
        dtype: of the layer's parameters; None where it has none, and any floats will do.
        advice: what to do where the shape does not fit.

    Raises:
        TypeError: no numpy array.
        ShapeError: another shape or dtype.
    """
    if isinstance(x, np.ndarray) and (x.dtype == dtype if dtype is not None else x.dtype.kind == "f"):
        open_ended = wanted[:1] == (...,)
        sizes = wanted[1:] if open_ended else wanted
        row = x.shape[1:]
        if open_ended and len(row) > len(sizes):
            row = row[len(row) - len(sizes) :]
        if len(row) == len(sizes) and x.ndim:
            for size, found in zip(sizes, row, strict=True):
                if size is not None and size != found:
                    break
            else:
                return
    _refuse(layer, x, wanted, dtype, advice)


def _refuse(layer: object, x: Array, wanted: Wanted, dtype: np.dtype[Any] | None, advice: str) -> NoReturn:
    if not isinstance(x, np.ndarray):
        cast = f"np.asarray(x, np.{dtype})" if dtype is not None else "np.asarray(x, np.float32)"
        raise TypeError(f"expected x to be a numpy array, received {type(x).__name__}: use {cast}")
    axes = wanted[1:] if wanted[:1] == (...,) and x.ndim <= len(wanted) else wanted
    if not advice and x.ndim == len(wanted):
        advice = "a single sample is x[None]"
    if dtype is not None and x.dtype != dtype:
        advice = f"cast the data once with x.astype(np.{dtype}), or build with the dtype of the data"
    elif x.dtype.kind != "f":
        advice = "cast the data once with x.astype(np.float32)"
    kind, sizes = "floats" if dtype is None else f"dtype {dtype}", ", ".join(map(_size, axes))
    raise ShapeError(
        f"expected x of shape (n, {sizes}) and {kind}, received x.shape={x.shape} and x.dtype={x.dtype}: "
        + (advice or f"mind the sizes of {layer!r}")
    )


def whole_numbers(layer: object, x: Array, limit: int) -> Array:
    """`x` as indices from 0 to `limit` - 1: integers, or floats that are whole, as `fit` and `predict` cast them.

    Raises:
        TypeError: no numpy array of numbers.
        ValueError: fractions, NaN, or numbers out of range, of which it names the first.

    >>> whole_numbers("Embedding(5, 2)", np.float32([[0.0, 4.0]]), 5)
    array([[0, 4]])
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "iuf":
        received = f"x.dtype={x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"expected x to be an array of whole numbers, received {received}: use x.astype(np.int64)")
    if x.dtype.kind == "f" and limit > 2 ** (np.finfo(x.dtype).nmant + 1):
        raise ValueError(
            f"expected integers for {layer!r}, received x.dtype={x.dtype}, which skips whole numbers from "
            f"{2 ** (np.finfo(x.dtype).nmant + 1)} on: build(dtype=np.float64)"
        )
    wrong = ~((x >= 0) & (x < limit))
    if x.dtype.kind == "f":
        wrong |= x != np.floor(x)
    if wrong.any():
        place = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"expected whole numbers from 0 to {limit - 1}, received x{place}={short(x[tuple(place)].item())}: "
            f"number the tokens from 0, or raise the number of {layer!r}"
        )
    return x.astype(np.intp)

"""Batches whose order is a pure function of (seed, epoch), or the caller's own."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import check_integer, short
from minidl.data.dataset import Dataset
from minidl.data.door import check_rows
from minidl.inputs import Rows
from minidl.kernels.rows import gathered
from minidl.parameters import Array
from minidl.seeding import Stream, generator


def order(n: int, seed: int, epoch: int) -> Array:
    """The row numbers 0..n-1 in random order: a pure function of (n, seed, epoch).

    >>> sorted(order(5, seed=0, epoch=3).tolist())
    [0, 1, 2, 3, 4]
    """
    n = check_integer("n", n, minimum=1)
    epoch = check_integer("epoch", epoch, minimum=0)
    return generator(seed, Stream.ORDER, epoch).permutation(n)


def draws(n: int, size: int, seed: int, epoch: int) -> Array:
    """`size` row numbers below n, drawn with replacement: a pure function of its arguments.

    >>> draws(5, 7, seed=0, epoch=3).shape
    (7,)
    """
    return generator(seed, Stream.ORDER, epoch).integers(0, n, size)


def steps_per_epoch(data: Dataset | int, batch_size: int, *, drop_last: bool = False) -> int:
    """ceil(n / batch_size), or floor where the last short batch is dropped, for a dataset or its number of rows n.

    Raises ValueError where dropping the short batch would leave none.

    >>> steps_per_epoch(1000, 64), steps_per_epoch(1000, 64, drop_last=True)
    (16, 15)
    """
    n = check_integer("the number of rows", len(data) if isinstance(data, Dataset) else data, minimum=1)
    batch_size = check_integer("batch_size", batch_size, minimum=1)
    if drop_last and batch_size > n:
        raise ValueError(
            f"expected batch_size <= {n}, the number of rows, with drop_last=True, received batch_size={batch_size}: "
            f"no batch would be left"
        )
    return n // batch_size if drop_last else -(-n // batch_size)


def batches(
    dataset: Dataset,
    batch_size: int,
    *,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool | Callable[[int], Array] = True,
    drop_last: bool = False,
    share: tuple[int, int] = (0, 1),
    dtype: DTypeLike | None = None,
) -> Iterator[tuple[Array, ...]]:
    """One epoch of `dataset` as tuples (x, targets) or (x, targets, weights) of at most `batch_size` rows.

    Of a mapped file or a store only the rows of a batch are read. A batch larger than the set is one short batch. With
    compiled kernels a batch may be copied while the one before it is used: do not write into the arrays meanwhile.

    Args:
        dataset: what to go through.
        batch_size: rows per batch; the last one has the remainder.
        seed: with `epoch`, decides the order of the rows.
        epoch: counts from 0.
        shuffle: True for the order of (seed, epoch); False for file order, where batches are views of the dataset,
            not to be written into; or a function epoch -> 1-D integer array of row numbers, which may repeat rows
            or leave some out.
        drop_last: leave out a last batch that is short.
        share: (place, number) of the equal parts that each batch is cut into, for several processes that share the
            work; of a batch with fewer rows than parts some get none.
        dtype: cast `x`, and targets that are not integers, to this floating dtype, batch by batch. None leaves
            every array as it is.

    Raises:
        TypeError, ValueError: wrong arguments, at the call and not at the first batch.

    >>> data = Dataset(np.arange(10).reshape(5, 2), np.arange(5))
    >>> [targets.tolist() for x, targets in batches(data, 2, shuffle=False)]
    [[0, 1], [2, 3], [4]]
    >>> [targets.tolist() for x, targets in batches(data, 2, shuffle=lambda epoch: np.array([4, 4, 0]))]
    [[4, 4], [0]]
    """
    if not isinstance(dataset, Dataset):
        raise TypeError(f"expected a Dataset, received {type(dataset).__name__}: write Dataset(x, targets)")
    epoch = check_integer("epoch", epoch, minimum=0)
    rows = epoch_rows(len(dataset), seed, epoch, shuffle)
    n = len(dataset) if rows is None else len(rows)
    steps = steps_per_epoch(n, batch_size, drop_last=drop_last)
    places = [slice(start, min(start + int(batch_size), n)) for start in range(0, steps * int(batch_size), batch_size)]
    mine, parts = _share(share)
    if parts > 1:
        places = [part_of(place, mine, parts) for place in places]
    return _gathered(dataset.arrays, rows, places, _floating(dtype))


def part_of(rows: slice, place: int, number: int) -> slice:
    """One of so many parts of a range of rows, as equal as can be.

    >>> [part_of(slice(10, 15), place, 2) for place in (0, 1)]
    [slice(10, 12, None), slice(12, 15, None)]
    """
    size = rows.stop - rows.start
    return slice(rows.start + size * place // number, rows.start + size * (place + 1) // number)


def _share(share: tuple[int, int]) -> tuple[int, int]:
    place, number = (check_integer("each entry of share", entry, minimum=0) for entry in share)
    if place >= number:
        raise ValueError(f"expected share=(place, number) with place < number, received {share=}")
    return place, number


def epoch_rows(n: int, seed: int, epoch: int, shuffle: bool | Callable[[int], Array]) -> Array | None:
    """The row numbers of an epoch; None is file order."""
    if callable(shuffle):
        return check_rows("shuffle(epoch)", np.asarray(shuffle(epoch)), n)
    if not isinstance(shuffle, bool | np.bool_):
        raise TypeError(
            f"expected shuffle to be True, False or a function of the epoch, received "
            f"shuffle={short(shuffle)}: for rows of one's own write lambda epoch: rows"
        )
    return order(n, seed, epoch) if shuffle else None


def _floating(dtype: DTypeLike | None) -> np.dtype[Any] | None:
    if dtype is None:
        return None
    if np.dtype(dtype).kind != "f":
        raise ValueError(f"expected a floating dtype such as np.float32, received dtype={np.dtype(dtype)}")
    return np.dtype(dtype)


def _gathered(
    arrays: tuple[Array, ...], rows: Array | None, places: list[slice], dtype: np.dtype[Any] | None
) -> Iterator[tuple[Array, ...]]:
    plain = [array if isinstance(array, Rows) else np.asarray(array) for array in arrays]  # a memmap's, still unread
    casts = [dtype, dtype if plain[1].dtype.kind == "f" else None, None]
    parts = (_parts(array, rows, places, cast) for array, cast in zip(plain, casts, strict=False))
    return zip(*parts, strict=True)


def _parts(array: Array, rows: Array | None, places: list[slice], dtype: np.dtype[Any] | None) -> Iterator[Array]:
    """What each batch has of one array: views in file order, else copies."""
    if rows is None:
        given: Iterator[Array] = (array[place] for place in places)
    elif _can_be_gathered(array):
        given = gathered(array, (rows[place] for place in places))
    else:
        given = (array[rows[place]] for place in places)
    return given if dtype is None or dtype == array.dtype else (part.astype(dtype, copy=False) for part in given)


def _can_be_gathered(array: Array) -> bool:
    """`take` is faster than an index, but copies the whole of an array that is not contiguous in native order."""
    return not isinstance(array, Rows) and bool(
        array.flags.c_contiguous and array.flags.aligned and array.dtype.isnative
    )

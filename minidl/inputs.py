"""Inputs people have: lists, frames, series, tensors and stores on disk, as arrays or as rows read when needed.

None of their packages is imported: each object is known by what it can do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import check_dtype, check_numbers, short
from minidl.parameters import Array
from minidl.returned import as_numbers


class Rows:
    """Rows of a store that is not in memory, such as a dataset of h5py or an array of zarr: read when asked for.

    A store is whatever has `shape`, a `dtype` of NumPy and `__getitem__` for slices and increasing row numbers. Each
    row that is asked for is read once, in the order of the store; then the rows are put in the order they are wanted.

    Args:
        store: what holds the rows.
        index: the row numbers of the store that count, None for all.
        row_shape: of a row as it is given; None is that of the store.

    >>> rows = Rows(np.arange(6).reshape(3, 2))
    >>> rows[np.array([2, 0, 2])].tolist(), rows.part(slice(1, None))[:1].tolist()
    ([[4, 5], [0, 1], [4, 5]], [[2, 3]])
    """

    def __init__(self, store: Any, index: Array | None = None, row_shape: tuple[int, ...] | None = None) -> None:
        self._store, self._index = store, index
        self._row_shape = tuple(store.shape[1:]) if row_shape is None else row_shape
        n = int(store.shape[0]) if index is None else len(index)
        self.shape: tuple[int, ...] = (n, *self._row_shape)  # also of a store that grows meanwhile
        self.dtype: np.dtype[Any] = store.dtype

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes all of it has in memory."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<rows {self.shape} {self.dtype} of {type(self._store).__name__}>"

    def __getitem__(self, rows: Any) -> Array:
        """Read the rows of a slice or of an array of row numbers."""
        if isinstance(rows, slice) and self._index is None:
            start, stop, step = rows.indices(len(self))
            return self._read(slice(start, stop)) if step == 1 else self._picked(np.arange(start, stop, step))
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            if rows.ndim != 1 or rows.dtype.kind not in "iu":
                raise TypeError(
                    f"expected a slice or row numbers, received {short(rows)}: the row numbers of a mask are "
                    f"np.flatnonzero(mask), and np.asarray(x) reads all rows"
                )
        return self._picked(rows if self._index is None else self._index[rows])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype)

    def part(self, rows: Any) -> "Rows":
        """Some of the rows, still unread."""
        index = np.arange(len(self)) if self._index is None else self._index
        return Rows(self._store, index[rows], self._row_shape)

    def reshape(self, n: int, *row_shape: int) -> "Rows":
        """The same rows, each in another shape, still unread."""
        return Rows(self._store, self._index, row_shape)

    def _picked(self, rows: Array) -> Array:
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self._read(slice(int(rows[0]), int(rows[-1]) + 1))
        if (np.diff(rows) > 0).all():
            return self._read(rows)
        read, places = np.unique(rows, return_inverse=True)
        picked: Array = self._read(read)[places]
        return picked

    def _read(self, rows: Any) -> Array:
        n = len(range(rows.start, rows.stop)) if isinstance(rows, slice) else len(rows)
        with _open(self._store):
            wanted = (n, *self._store.shape[1:])
            read = np.asarray(self._store[rows]) if n else np.empty(wanted, self.dtype)
        if read.shape != wanted:
            raise ValueError(
                f"expected {n} rows of {type(self._store).__name__} as an array of shape {wanted}, received shape="
                f"{read.shape}: its __getitem__ is to take slices and increasing row numbers"
            )
        return read.reshape(n, *self._row_shape)


def in_memory(x: Any) -> bool:
    """Whether all of it can be looked at without reading a file."""
    return not isinstance(x, np.memmap | Rows)


def as_rows(name: str, value: Any, fitted: Sequence[str] = ()) -> Any:
    """`value` as an array, or as `Rows` where it is a store; the one door of `Dataset`, `predict`, `evaluate`, `fit`.

    `fitted` are the columns that a frame must have, () for any.

    Raises:
        TypeError, ValueError: what holds no real numbers; the message says what makes it such.

    >>> as_rows("x", [[1, 2], [3, 4]]).shape
    (2, 2)
    >>> as_rows("x", [["a"]])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: expected x to hold numbers, received x.dtype=<U1: encode strings as integer labels ...
    """
    if isinstance(value, Rows):
        return value
    check_columns(name, columns_of(value), fitted)
    if not _is_store(value):
        return as_array(name, value)
    check_dtype(name, value)
    return Rows(value)


def as_array(name: str, value: Any) -> Array:
    """`value` as an array in memory; an array is itself."""
    if isinstance(value, Rows) or _is_store(value):
        return np.asarray(as_rows(name, value))
    if isinstance(value, list | tuple):
        value = as_numbers(name, value)
    elif hasattr(value, "toarray") or isinstance(value, np.ndarray | np.generic):
        pass
    elif hasattr(value, "to_numpy"):
        value = _of_frame(name, value) if hasattr(value, "columns") else _of_series(name, value)
    elif not isinstance(value, type) and (hasattr(value, "__array__") or hasattr(value, "__dlpack__")):
        value = _of_tensor(name, value)
    check_numbers(name, value)
    array: Array = value
    return array


def columns_of(value: Any) -> tuple[str, ...]:
    """The names of the columns of a frame; () of anything else.

    >>> columns_of(np.zeros((2, 3)))
    ()
    """
    frame = hasattr(value, "columns") and hasattr(value, "to_numpy")
    return tuple(map(str, value.columns)) if frame else ()


def check_columns(name: str, columns: tuple[str, ...], fitted: Sequence[str]) -> None:
    """Refuse a frame whose columns are not those of the fit, in their order; arrays have no names to compare.

    >>> check_columns("x", ("b", "a"), ("a", "b"))
    Traceback (most recent call last):
    ValueError: expected x with the columns it was fitted on, in their order, ['a', 'b'], received ['b', 'a']: select
    them in that order, as with frame[list(model.columns)]
    """
    fitted = tuple(map(str, fitted)) if columns else ()  # that were assigned may be a list, or an index of pandas
    if not fitted or columns == fitted:
        return
    missing, extra = [c for c in fitted if c not in columns], [c for c in columns if c not in fitted]
    what = f"missing={missing}, extra={extra}" if missing or extra else f"{list(columns)}"
    raise ValueError(
        f"expected {name} with the columns it was fitted on, in their order, {list(fitted)}, received {what}: select "
        f"them in that order, as with frame[list(model.columns)]"
    )


@contextmanager
def _open(store: Any) -> Iterator[None]:
    """A block that reads a store; an error of it is told what it came from."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in {short(store)}: the file of a store is to stay open while it is used")
        raise


def _is_store(value: Any) -> bool:
    """Whether this is read by rows; series, tensors and sparse matrices are in memory."""
    if isinstance(value, np.ndarray | np.generic | type) or hasattr(value, "toarray") or hasattr(value, "__dlpack__"):
        return False
    if hasattr(value, "to_numpy") and not hasattr(value, "dims"):  # xarray has both
        return False
    with _open(value):
        shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    return isinstance(dtype, np.dtype) and isinstance(shape, tuple) and len(shape) > 0 and hasattr(value, "__getitem__")


def _of_frame(name: str, frame: Any) -> Any:
    """The columns side by side in C order, each looked at, so that an error names it."""
    columns = columns_of(frame)
    if not columns:
        raise ValueError(f"expected {name} with at least one column, received a frame without any")
    if len(set(columns)) < len(columns):
        raise ValueError(f"expected {name} with columns of different names, received {list(columns)}: rename them")
    at = [frame.iloc[:, place] if hasattr(frame, "iloc") else frame[:, place] for place in range(len(columns))]
    arrays = [_of_series(f"{name}[{column!r}]", series) for column, series in zip(columns, at, strict=True)]
    return np.ascontiguousarray(np.column_stack(arrays))


def _of_series(name: str, series: Any) -> Any:
    """A series as numbers; what is missing among them is NaN."""
    array = series.to_numpy()
    if array.dtype == object and getattr(getattr(series, "dtype", None), "kind", "O") in "biuf":  # pandas' own numbers
        array = series.to_numpy(dtype=np.float64, na_value=np.nan)
    check_numbers(name, array)
    return array


def _of_tensor(name: str, tensor: Any) -> Any:
    """A tensor as an array, without its place in a graph of derivatives."""
    tensor = tensor.detach() if hasattr(tensor, "detach") else tensor
    try:
        return np.asarray(tensor) if hasattr(tensor, "__array__") else np.from_dlpack(tensor)
    except Exception as error:
        raise TypeError(
            f"expected {name} to be an array of numbers, received {type(tensor).__name__}, which is none as it is "
            f"({error}): convert it, as a tensor by .cpu(), .float() or .to_dense()"
        ) from error

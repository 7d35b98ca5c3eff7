"""Dataset: rows of features with their targets, and the few things one does with a set as a whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.arguments import check_integer, check_numbers, short
from minidl.data.door import check_classes, check_image_shape, check_names, check_rows, check_weights
from minidl.data.labels import Labelled
from minidl.data.splitting import split_rows
from minidl.data.weighting import balanced_rows, weights_of_rows
from minidl.data.wrapping import watched, wraps_around
from minidl.inputs import Rows, as_array, as_rows, columns_of
from minidl.parameters import Array


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Labelled):
    """n rows of features `x` with one target each. Nothing is copied or cast: an `np.memmap` stays one.

    Takes arrays, lists, frames and series of pandas and polars, and tensors. What has `shape`, a dtype of NumPy and
    `__getitem__`, as arrays of h5py, zarr and xarray have, is read by rows, never whole; its targets are read at once.
    Values are not searched for NaN here, so that files larger than memory can be used.

    Attributes:
        x: (n, ...) numbers; rows are samples.
        targets: (n,) integer labels or numbers, or (n, ...) numbers, or labels of the positions of a row.
        weights: (n,) finite numbers >= 0, not all zero, or None for equal weights.
        classes: the name of each label, or () where there are none.
        image_shape: one row of `x` as an image, (height, width) or (channels, height, width), or ().
        columns: the name of each column of `x`, taken from a frame, or () where there are none.

    Raises:
        TypeError: something that is no array of numbers and cannot be read as one.
        ValueError: unequal lengths, no rows, a wrong rank, dtype, weight, label or image shape.

    >>> data = Dataset(np.zeros((4, 2)), np.array([0, 1, 1, 0]), classes=("cat", "dog"))
    >>> data
    Dataset(4 rows x 2 float64, 2 classes)
    >>> data.where(data.targets == 1)
    Dataset(2 rows x 2 float64, 2 classes)
    """

    x: Array
    targets: Array
    _: KW_ONLY
    weights: Array | None = None
    classes: tuple[str, ...] = ()
    image_shape: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()

    if TYPE_CHECKING:  # what is given need not be what is kept

        def __init__(
            self,
            x: Any,
            targets: Any,
            *,
            weights: Any = None,
            classes: tuple[str, ...] = (),
            image_shape: tuple[int, ...] = (),
            columns: tuple[str, ...] = (),
        ) -> None: ...

    def __post_init__(self) -> None:
        """Take what can be read as numbers, and refuse what no model could train on."""
        own = {"columns": self.columns or columns_of(self.x), "x": as_rows("x", self.x)}
        own["targets"] = as_array("targets", self.targets)
        if self.weights is not None:
            own["weights"] = as_array("weights", self.weights)
        for name, value in own.items():
            object.__setattr__(self, name, value)
        if self.x.ndim < 2 or 0 in self.x.shape:
            raise ValueError(
                f"expected x of shape (n, features) or (n, ...) with at least one row and one feature, "
                f"received x.shape={self.x.shape}: a single row is x[None], a single feature of many rows x[:, None]; "
                f"an empty set is refused"
            )
        if self.targets.ndim < 1 or 0 in self.targets.shape:
            raise ValueError(f"expected targets of shape (n,) or (n, ...), received targets.shape={self.targets.shape}")
        if self.weights is not None:
            check_weights(self.weights)
        lengths = {name: len(array) for name, array in zip(("x", "targets", "weights"), self.arrays, strict=False)}
        if len(set(lengths.values())) > 1:
            received = ", ".join(f"len({name})={length}" for name, length in lengths.items())
            raise ValueError(f"expected one target and one weight per row of x, received {received}")
        check_classes(self.classes, self.targets)
        check_image_shape(self.image_shape, self.x.shape[1:])
        check_names(self.columns, self.x.shape[1:])

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        row, target = (a.shape[1] if a.ndim == 2 else a.shape[1:] for a in (self.x, self.targets))
        targets = f"targets {f'x {target} ' if target else ''}{self.targets.dtype}"
        kind = f"{len(self.classes)} classes" if self.classes else targets
        weighted = "" if self.weights is None else ", weighted"
        return f"Dataset({len(self)} rows x {row} {self.x.dtype}, {kind}{weighted})"

    @property
    def arrays(self) -> tuple[Array, Array] | tuple[Array, Array, Array]:
        """(x, targets), or (x, targets, weights) where there are weights: what one batch looks like."""
        return (self.x, self.targets) if self.weights is None else (self.x, self.targets, self.weights)

    def images(self) -> Array:
        """`x` as images, (n, *image_shape); a view where numpy can make one."""
        if not self.image_shape:
            raise ValueError(
                f"expected a dataset of images, received image_shape=(): make it Dataset(..., image_shape=...) "
                f"with the shape of one row of {prod(self.x.shape[1:])} numbers"
            )
        return self.x.reshape(len(self), *self.image_shape)

    def as_images(self) -> "Dataset":
        """The same rows with x as (n, channels, height, width), as convolutions take them; a view where numpy can.

        Grey images have one channel. `map(lambda x: x.reshape(len(x), -1))` is the way back.

        >>> from minidl.data import digits
        >>> digits().as_images()
        Dataset(1797 rows x (1, 8, 8) uint8, 10 classes)
        """
        images = self.images()
        return replace(self, x=images.reshape(len(self), *(1, *images.shape[1:])[-3:]), columns=())

    def weighted(self, weights: Mapping[str, float] | Mapping[int, float]) -> "Dataset":
        """The same rows, each with its weight times that of its class: {"cat": 2.0} or {0: 2.0}.

        Classes that are not named count once. `class_weights` of a loss weigh every set it sees, these this one only.

        Raises:
            ValueError: targets that are no labels; a class that is not there, or named twice; a weight that is negative
                or not finite; nothing but zeros.

        >>> data = Dataset(np.zeros((4, 2)), np.array([0, 1, 1, 0]), classes=("cat", "dog"))
        >>> data.weighted({"dog": 3.0}).weights
        array([1., 3., 3., 1.])
        """
        return replace(self, weights=weights_of_rows(weights, self.targets, self.classes, self.weights))

    def balanced(self) -> "Dataset":
        """The same rows, weighted so that every class that is there weighs the same in all, and a row 1 on average.

        A row of class c weighs n / (classes n_c); rows that have weights keep their proportions within a class.

        >>> Dataset(np.zeros((4, 2)), np.array([0, 0, 0, 1])).balanced().weights.round(3)
        array([0.667, 0.667, 0.667, 2.   ])
        """
        return replace(self, weights=balanced_rows(self.targets, self.weights))

    def __getitem__(self, rows: slice) -> "Dataset":
        """The rows of a slice, as views: `data[:5]`, `data[::2]`.

        >>> Dataset(np.eye(3), np.arange(3))[1:].targets
        array([1, 2])
        """
        if not isinstance(rows, slice):
            raise TypeError(
                f"expected a slice such as data[:5], received {short(rows)}: numbers of rows go to take(rows), a mask "
                f"to where(mask); data.arrays are x and targets, and batches(data, ...) goes through them"
            )
        return self.take(rows)

    def take(self, rows: slice | Sequence[int] | Array) -> "Dataset":
        """The rows of a slice (as views), or those of an integer array in its order (as copies).

        >>> Dataset(np.eye(3), np.arange(3)).take([2, 0]).targets
        array([2, 0])
        """
        index = rows if isinstance(rows, slice) else check_rows("rows", np.asarray(rows), len(self))
        weights = None if self.weights is None else self.weights[index]
        x = self.x.part(index) if isinstance(self.x, Rows) else self.x[index]
        return replace(self, x=x, targets=self.targets[index], weights=weights)

    def where(self, mask: Array) -> "Dataset":
        """The rows where a boolean array (n,) is true, as copies."""
        mask = np.asarray(mask)
        if mask.dtype != np.bool_ or mask.shape != (len(self),):
            raise ValueError(
                f"expected a mask of {len(self)} booleans, received dtype={mask.dtype}, shape={mask.shape}: "
                f"row numbers go to take(rows)"
            )
        if not mask.any():
            raise ValueError("expected a mask that is true somewhere, received none: an empty set is refused")
        return self.take(np.flatnonzero(mask))

    def map(self, function: Callable[[Array], Array]) -> "Dataset":
        """The same rows with x = function(x), computed at once for the whole set, which is read for it.

        `image_shape` is kept where rows still have as many entries, and dropped where they have not. Bytes stay bytes
        in numpy, which counts modulo 256; a function that does so, as `x - 128`, is refused: cast in it.

        >>> Dataset(np.full((2, 3), 255, np.uint8), np.arange(2)).map(lambda x: x / np.float32(255)).x[0]
        array([1., 1., 1.], dtype=float32)
        """
        given = np.asarray(self.x) if isinstance(self.x, Rows) else self.x
        x, unsure = watched(function, given)
        check_numbers("function(x)", x)
        if unsure and x.dtype.kind in "iu" and wraps_around(function, given):
            raise ValueError(
                f"expected function(x) to be right for numbers of dtype {self.x.dtype}, received one that wraps "
                f"around: cast first, as in x.astype(np.float32)"
            )
        kept = prod(x.shape[1:]) == prod(self.x.shape[1:])
        columns = self.columns if x.shape[1:] == self.x.shape[1:] else ()
        return replace(self, x=x, image_shape=self.image_shape if kept else (), columns=columns)

    def split(self, *parts: float, seed: int = 0, stratify: bool | None = None) -> tuple["Dataset", ...]:
        """Random disjoint parts, as a pure function of the seed; rows stay in file order.

        Rows beyond the sum of the parts are left out, so a single part is asked for with two numbers and one name:
        `part, _ = data.split(0.8, 0.2)`. Every part gets at least one row, even where rounding would give it none.
        Parts are copies; for a memory-mapped file too large to copy, or to cut in file order, write `data[:40000]`.

        Args:
            parts: the share of each as a float, such as 0.7, 0.15, 0.15, or the exact number of its rows as an int,
                such as 40000, 10000.
            seed: the same seed gives the same parts.
            stratify: True keeps the proportion of each class to within rounding, which needs (n,) integer
                targets; False does not; None does it exactly where the targets are such.

        Raises:
            ValueError: fractions outside (0, 1] or summing to more than 1, counts that sum to more than there are rows,
                fewer rows than parts, or `stratify=True` for targets that are no labels.

        >>> data = Dataset(np.eye(8), np.repeat([0, 1], [2, 6]))
        >>> [part.targets.tolist() for part in data.split(0.5, 0.5)]
        [[0, 1, 1, 1], [0, 1, 1, 1]]
        """
        return tuple(self.take(rows) for rows in split_rows(self._strata(stratify), parts, seed))

    def folds(self, k: int, *, seed: int = 0, stratify: bool | None = None) -> Iterator[tuple["Dataset", "Dataset"]]:
        """k-fold cross-validation: k pairs (training rows, held-out rows), in which each row is held out once.

        Sizes of the held-out parts differ by one at most; `seed` and `stratify` are those of `split`. Pairs are made
        one after another, as copies.

        >>> [held_out.targets.tolist() for _, held_out in Dataset(np.eye(6), np.repeat([0, 1], 3)).folds(3)]
        [[0, 1], [0, 1], [0, 1]]
        """
        n = len(self)
        if check_integer("k", k, minimum=2) > n:
            raise ValueError(f"expected k <= {n}, the number of rows, received k={k}: an empty fold is refused")
        sizes = [n // k + (number < n % k) for number in range(k)]
        parts = split_rows(self._strata(stratify), sizes, seed)
        return ((self.take(np.setdiff1d(np.arange(n), part)), self.take(part)) for part in parts)

    def _strata(self, stratify: bool | None) -> Array:
        """(n,) labels whose proportions parts keep."""
        labelled = self.targets.ndim == 1 and self.targets.dtype.kind in "biu"
        if stratify and not labelled:
            raise ValueError(
                f"expected (n,) integer targets for stratify=True, received targets.shape={self.targets.shape}, "
                f"dtype={self.targets.dtype}: leave stratify out"
            )
        return self.targets if labelled and stratify is not False else np.zeros(len(self), np.int8)

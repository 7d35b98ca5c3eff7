"""CIFAR-10, from the binary version its authors publish."""

from __future__ import annotations  # pathlib is loaded when it is needed

import os
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from minidl.data.dataset import Dataset
from minidl.data.download import Remote, download_archive, obtain
from minidl.data.files import check_labels, data_folder, find, read_exactly
from minidl.parameters import Array
from minidl.storage import DataError, check_file

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVE = Remote("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", ("https://www.cs.toronto.edu/~kriz/",))
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = ("test_batch.bin",)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGE_SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32
MOST = 10_000  # records in one file


def cifar10(folder: str | os.PathLike[str] | None = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """(train, test): 50 000 and 10 000 colour photographs, x (n, 3072) uint8 of 0..255, targets (n,) int64.

    A row is an image (3, 32, 32), channels first, flattened; `as_images()` undoes that. Targets are int64 although the
    file has bytes, so that `targets - 1` or `2 * targets` cannot wrap around. A. Krizhevsky, Learning multiple layers
    of features from tiny images, 2009.

    Args:
        folder: has data_batch_1.bin to data_batch_5.bin and test_batch.bin, directly or in `cifar-10-batches-bin/`.
            None: the environment variable MINIDL_DATA, else the user's cache folder.
        download: fetch and unpack the archive where files are absent; False raises instead.

    Raises:
        DataError: a file is missing and cannot be downloaded (the message says which files to put where), or not
            what it should be.
    """
    root = data_folder(folder)
    place = root / FOLDER
    missing = [name for name in TRAIN + TEST if _find(root, name) is None]
    if missing:
        source = f"{' or '.join(ARCHIVE.urls)}, unpacked"
        fetch = partial(download_archive, ARCHIVE, place, TRAIN + TEST)
        obtain({place / name: source for name in missing}, fetch, allowed=download)
    paths = {name: _find(root, name) or place / name for name in TRAIN + TEST}
    return _read([paths[name] for name in TRAIN]), _read([paths[name] for name in TEST])


def read_records(path: Path) -> Array:
    """The (n, 3073) uint8 records of one file: a label, then the red, green and blue pixels row by row."""
    size = check_file(path)
    if size == 0 or size % RECORD or size > MOST * RECORD:
        raise DataError(
            f"{path}: expected 1 to {MOST} whole records of {RECORD} bytes, found {size} bytes: it is truncated or "
            f"another file (the binary version is needed), get it again"
        )
    with path.open("rb") as file:
        records = read_exactly(path, file, size).reshape(-1, RECORD)
    check_labels(path, records[:, 0])
    return records


def _read(paths: list[Path]) -> Dataset:
    parts = [read_records(path) for path in paths]
    return Dataset(
        np.concatenate([part[:, 1:] for part in parts]),
        np.concatenate([part[:, 0] for part in parts]).astype(np.int64),
        classes=CLASSES,
        image_shape=IMAGE_SHAPE,
    )


def _find(root: Path, name: str) -> Path | None:
    return find((root / FOLDER, root), (name,))

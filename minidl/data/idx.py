"""MNIST, from the IDX files its authors publish."""

from __future__ import annotations  # pathlib is loaded when it is needed

import os
import zlib
from functools import partial
from math import prod
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from minidl.data.dataset import Dataset
from minidl.data.download import Remote, download_file, obtain
from minidl.data.files import check_labels, data_folder, find, read_exactly
from minidl.parameters import Array
from minidl.storage import DataError, check_file

if TYPE_CHECKING:
    from pathlib import Path

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
CHECKSUMS = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
UNSIGNED_BYTE = 0x08
GZIP = b"\x1f\x8b"
GZIP_RATIO = 1032  # no deflate stream is longer than this, for each of its bytes


def mnist(folder: str | os.PathLike[str] | None = None, *, download: bool = True) -> tuple[Dataset, Dataset]:
    """(train, test): 60 000 and 10 000 handwritten digits, x (n, 784) uint8 of values 0..255, targets (n,) int64.

    A row is an image (28, 28), flattened; of `as_images()`, x is (n, 1, 28, 28). Targets are int64 although the file
    has bytes, so that `targets - 1` or `2 * targets` cannot wrap around.
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document recognition, 1998.

    Args:
        folder: has the four files, gzipped or not, directly or in `mnist/`. None: the environment variable
            MINIDL_DATA, else the user's cache folder.
        download: fetch absent files into `mnist/` of that folder; False raises instead.

    Raises:
        DataError: a file is missing and cannot be downloaded (the message says which files to put where), damaged,
            or not what it should be.
    """
    root = data_folder(folder)
    place = root / "mnist"
    missing = [Remote(name, md5, MIRRORS) for name, md5 in CHECKSUMS.items() if _find(root, name) is None]
    if missing:
        wanted = {place / remote.name: " or ".join(remote.urls) for remote in missing}
        obtain(wanted, partial(_fetch, missing, place), allowed=download)
    images, labels, test_images, test_labels = (_find(root, name) or place / name for name in CHECKSUMS)
    return _read_pair(images, labels), _read_pair(test_images, test_labels)


def read_idx(path: Path, shape: tuple[int | None, ...]) -> Array:
    """The uint8 array of an IDX file, gzipped or not; `shape` is what it must have, None where any size will do.

    IDX: two zero bytes, a dtype code, the number of dimensions, each dimension as a big-endian 32-bit integer, data.
    """
    size = check_file(path)
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP
        file.seek(0)
        if not zipped:
            return _parse(path, file, shape, limit=size)
        import gzip

        try:
            with gzip.open(file) as unzipped:
                return _parse(path, unzipped, shape, limit=size * GZIP_RATIO)  # type: ignore[arg-type]
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{path}: expected a gzip file, found it damaged ({error}): get it again") from error


def _parse(path: Path, stream: BinaryIO, shape: tuple[int | None, ...], limit: int) -> Array:
    """Check the header, and that it announces no more than `limit` bytes, before any memory is taken for them."""
    magic = bytes([0, 0, UNSIGNED_BYTE, len(shape)])
    header = stream.read(len(magic) + 4 * len(shape))
    if header[:4] != magic or len(header) < len(magic) + 4 * len(shape):
        raise DataError(
            f"{path}: expected an IDX file of bytes in {len(shape)} dimensions, starting {magic.hex(' ')}, "
            f"found {header[:4].hex(' ') or 'nothing'} in a header of {len(header)} bytes: is it another file?"
        )
    found = tuple(np.frombuffer(header, ">u4", offset=4).tolist())
    if found[0] == 0 or any(want not in (None, have) for want, have in zip(shape, found, strict=True)):
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        raise DataError(f"{path}: expected dimensions ({wanted}) with n > 0, found {found}: is it another file?")
    if prod(found) > limit:
        raise DataError(f"{path}: expected {prod(found)} bytes of data, found at most {limit}: the file is truncated")
    return read_exactly(path, stream, prod(found)).reshape(found)


def _read_pair(image_path: Path, label_path: Path) -> Dataset:
    images, labels = read_idx(image_path, (None, 28, 28)), read_idx(label_path, (None,))
    if len(images) != len(labels):
        raise DataError(f"{label_path}: expected {len(images)} labels as {image_path} has images, found {len(labels)}")
    check_labels(label_path, labels)
    return Dataset(
        images.reshape(len(images), -1),
        labels.astype(np.int64),
        classes=tuple("0123456789"),
        image_shape=images.shape[1:],
    )


def _find(root: Path, name: str) -> Path | None:
    return find((root / "mnist", root), (name, name.removesuffix(".gz")))


def _fetch(remotes: list[Remote], place: Path) -> None:
    for remote in remotes:
        download_file(remote, place)

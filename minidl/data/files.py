"""Where data files are looked for, and how they are read without trusting them."""

from __future__ import annotations  # pathlib is loaded when it is needed

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from minidl.parameters import Array
from minidl.storage import DataError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "MINIDL_DATA"


def data_folder(folder: str | os.PathLike[str] | None) -> Path:
    """The folder given, else that of the environment variable MINIDL_DATA, else the user's cache folder."""
    from pathlib import Path

    chosen = (os.environ.get(VARIABLE) or None) if folder is None else folder
    if chosen is None:
        import pooch

        chosen = pooch.os_cache("minidl")
    path = Path(chosen).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise DataError(f"expected a folder, received folder={str(path)!r}: give the folder that holds the files")
    return path


def find(places: Sequence[Path], names: Iterable[str]) -> Path | None:
    """The first of the names that exists in the first of the places that has one."""
    names = tuple(names)
    return next((place / name for place in places for name in names if (place / name).exists()), None)


def read_exactly(path: Path, stream: BinaryIO, size: int) -> Array:
    """The remaining `size` bytes of `stream` as uint8, never reading more than one byte beyond them."""
    content = np.empty(size, np.uint8)
    found = stream.readinto(content.data)  # type: ignore[attr-defined]
    if found < size:
        raise DataError(f"{path}: expected {size} bytes of data, found {found}: the file is truncated, get it again")
    if stream.read(1):
        raise DataError(f"{path}: expected {size} bytes of data, found more: this is another file, get it again")
    return content


def check_labels(path: Path, labels: Array) -> None:
    """Refuse labels beyond 9, naming the first one."""
    wrong = np.flatnonzero(labels > 9)
    if len(wrong):
        raise DataError(f"{path}: expected labels 0..9, found {labels[wrong[0]]} at row {wrong[0]}: get the file again")

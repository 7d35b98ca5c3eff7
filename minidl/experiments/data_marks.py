"""Which data the runs of a folder were made with: their identity holds functions, settings and seeds, but no files."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minidl.arguments import short
from minidl.canonical import digest
from minidl.data import Dataset

FILE = "data.json"


def fingerprint(*data: Dataset) -> str:
    """Sixteen digits that differ for other rows, targets, weights or dtypes, and for another order of the rows.

    >>> data = Dataset(np.eye(3), np.array([0, 1, 2]))
    >>> fingerprint(data) == fingerprint(data.take([0, 1, 2])), fingerprint(data) == fingerprint(data.take([1, 0, 2]))
    (True, False)
    """
    parts: list[bytes] = []
    for one in data:
        if not isinstance(one, Dataset):
            raise TypeError(f"expected data sets, received {short(one)}: wrap arrays as Dataset(x, targets)")
        for array in one.arrays:
            parts += [f"{array.dtype.str} {array.shape}".encode(), np.ascontiguousarray(array).tobytes()]
        parts.append(b"next data set")
    return digest(parts)[:16]


def keep_to_one_set_of_data(folder: Path | None, marks: Mapping[str, str]) -> None:
    """Write down which data the runs in a folder are made with; ValueError if they were made with other data."""
    if not isinstance(marks, Mapping) or not all(isinstance(text, str) for pair in marks.items() for text in pair):
        raise TypeError(
            f"expected data to map names to fingerprints, received data={short(marks)}: write "
            f'data={{"mnist": fingerprint(train, test)}}'
        )
    if folder is None:
        return
    path = folder / FILE
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name, mark in marks.items():
        if known.get(name, mark) != mark:
            raise ValueError(
                f"expected the {name} that the runs in {folder} were made with, fingerprint {known[name]}, received "
                f"another {name}, fingerprint {mark}: give another folder"
            )
    if not marks.keys() <= known.keys():
        path.write_text(json.dumps(known | dict(marks)) + "\n", encoding="utf-8")

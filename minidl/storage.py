"""Files that appear whole or not at all, and archives of arrays that are read without being trusted."""

from __future__ import annotations  # pathlib is loaded when it is needed

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import prod
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from minidl.parameters import Array

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

StrPath: TypeAlias = "str | os.PathLike[str]"
UNKNOWN_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry, so that the same arrays give the same bytes
STALE = 60.0  # seconds after which nobody writes on a file any more that was not touched
SHOWN = 8  # entries named in an error, or characters of a name
NAME = 1000  # characters in the name of an entry
RECORD = "record"  # the entry of a checkpoint or result with everything but its arrays, as JSON
HEADER = 10_000  # bytes at most that describe one array


class DataError(ValueError):
    """A file that is missing, cannot be read, or is not what it should be; the message names the file."""


@contextmanager
def replacing(path: StrPath) -> Iterator[BinaryIO]:
    """A new file, open for writing bytes, that takes the place of `path` when the block ends without an error.

    It is written beside `path` under a name of its own, flushed to the disk and renamed. Whatever happens meanwhile, a
    full disk and a killed process included, `path` holds either all of the old content or all of the new.

    Raises:
        OSError: the folder cannot be written into, or the disk is full.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/numbers") as file:
    ...         _ = file.write(b"123")
    ...     os.path.getsize(f"{folder}/numbers"), os.listdir(folder)
    (3, ['numbers'])
    """
    target = check_target(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f"{_part(name)}{os.urandom(8).hex()}.part")
    try:
        with open(temporary, "xb") as file:
            if os.path.exists(target):
                os.chmod(temporary, os.stat(target).st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    with suppress(OSError):  # some systems cannot flush a folder
        folder_handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(folder_handle)
        finally:
            os.close(folder_handle)


def check_path(path: StrPath, name: str = "path") -> str:
    """`path` as a text, if it is the path of a file; a number would be taken for an open file, such as the terminal."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str) or not os.fspath(path):
        advice = ": its file is the .path of it" if hasattr(path, "path") else ""
        raise TypeError(f"expected {name} to be a text or a Path, received {name}={path!r}{advice}")
    return os.fspath(path)


def check_target(path: StrPath) -> str:
    """Where a file of that path is written, links followed, or an OSError if no file can be there."""
    target = os.path.realpath(check_path(path))
    message = f"expected path to be a file in a folder that is there, received path={os.fspath(path)!r}"
    if not os.path.isdir(os.path.dirname(target)):
        raise FileNotFoundError(message)
    if os.path.exists(target) and not os.path.isfile(target):
        raise FileExistsError(message)
    return target


def remove_parts(path: StrPath) -> None:
    """Remove what processes that were killed while they wrote `path` left beside it, at least a minute ago."""
    folder, name = os.path.split(os.path.realpath(path))
    remove_old(folder, rf"{re.escape(_part(name))}[0-9a-f]{{16}}\.part", STALE)


def remove_old(folder: StrPath, pattern: str, seconds: float) -> None:
    """Remove the files of a folder whose names match a regular expression and that were not touched for so long."""
    for entry in os.scandir(folder):
        if re.fullmatch(pattern, entry.name):
            with suppress(OSError):
                if time.time() - entry.stat().st_mtime > seconds:
                    os.unlink(entry.path)


def _part(name: str) -> str:
    """How the names of files begin that are to become the file of that name."""
    return f".{name[:50]}."


def write_arrays(path: StrPath, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name as an uncompressed `.npz` archive, which `np.load(path, allow_pickle=False)` reads too.

    The same arrays give the same bytes. The file appears whole or not at all, see `replacing`.

    Raises:
        OSError: the file cannot be written; what was there before is still there.
        ValueError: a name that an archive cannot hold.
    """
    from zipfile import ZipFile, ZipInfo

    if wrong := [name for name in arrays if not is_entry(name)]:
        raise ValueError(
            f"expected names of up to {NAME} characters that can be printed, received {wrong[0][:SHOWN]!r}: rename it"
        )
    with replacing(path) as file, ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(ZipInfo(f"{name}.npy", UNKNOWN_TIME), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)


def is_entry(name: str) -> bool:
    """Whether an archive can hold an entry of that name and give it back."""
    return len(name) <= NAME and name.isprintable()


def read_arrays(path: StrPath) -> dict[str, Array]:
    """The arrays of an uncompressed `.npz` archive, read-only.

    Nothing in the file is trusted: no pickle is opened, nothing is unpacked, no more memory is taken than the file is
    long, and checksums are compared.

    Raises:
        DataError: there is no such file, it cannot be read, or it is anything else than such an archive.
    """
    from zipfile import ZipFile

    check_file(path)
    try:
        with open(path, "rb") as file, ZipFile(file) as archive:
            _check_directory(archive.infolist(), os.fstat(file.fileno()).st_size)
            return {entry.filename.removesuffix(".npy"): _read_entry(archive, entry) for entry in archive.infolist()}
    except DataError as error:
        raise DataError(f"{os.fspath(path)}: {error}") from error
    except Exception as error:  # whatever a damaged file does to its reader
        raise DataError(
            f"{os.fspath(path)}: expected an uncompressed .npz archive, found a damaged or another file "
            f"({type(error).__name__}: {error})"
        ) from error


def check_file(path: StrPath) -> int:
    """The size in bytes of a regular file that can be read, or DataError."""
    path = check_path(path)
    if not os.path.isfile(path):
        kind = "a folder" if os.path.isdir(path) else "something else" if os.path.lexists(path) else "nothing"
        raise DataError(f"{path}: expected a file, found {kind}")
    try:
        with open(path, "rb") as file:
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be read, found: {error.strerror}") from error


def check_entries(path: StrPath, found: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    """Raise DataError naming every entry that is missing, is none of `wanted`, or has another shape or dtype."""
    if wrong := differing(found, wanted):
        raise DataError(f"{os.fspath(path)}: expected the arrays of this model, found that {wrong}")


def differing(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> str:
    """A clause for every entry that is missing, is none of `wanted`, or has another shape or dtype; "" for none."""
    wrong = [f"{name} is missing" for name in wanted if name not in found]
    wrong += [f"{name} belongs to nothing" for name in found if name not in wanted]
    for name, array in wanted.items():
        have = found.get(name, array)
        if (have.shape, have.dtype.newbyteorder("=")) != (array.shape, array.dtype):
            wrong.append(f"{name} is {have.dtype} {have.shape} where {array.dtype} {array.shape} belongs")
    return "; ".join(wrong[:SHOWN]) + (f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else "")


def _check_directory(entries: list[ZipInfo], size: int) -> None:
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names) or not all(name.endswith(".npy") for name in names):
        raise DataError("expected entries with names of their own that end in .npy, found others")
    if any(entry.compress_type or entry.flag_bits & 1 for entry in entries):
        raise DataError("expected an archive that is neither compressed nor encrypted, found one that is: use np.savez")
    if sum(entry.file_size for entry in entries) > size:
        raise DataError(f"expected no more than its {size} bytes of content, found more announced")


def _read_entry(archive: ZipFile, entry: ZipInfo) -> Array:
    with archive.open(entry) as stream:
        shape, order, dtype = _read_header(stream)
        count, left = prod(shape), entry.file_size - stream.tell()
        if dtype.hasobject or dtype.kind not in "biufcU" or min(shape, default=0) < 0 or count * dtype.itemsize != left:
            raise DataError(
                f"expected {entry.filename} to hold {left} bytes of numbers, found {dtype} {shape} announced"
            )
        content = stream.read(left)
        stream.read(1)  # the end, where the checksum is compared
    array: Array = np.frombuffer(content, dtype).reshape(shape, order=order) if count else np.empty(shape, dtype)
    return array


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], Any, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise DataError(f"expected arrays in format 1.0 or 2.0, found {version}")
    shape, in_columns, dtype = read(stream, max_header_size=HEADER)
    return shape, "F" if in_columns else "C", dtype

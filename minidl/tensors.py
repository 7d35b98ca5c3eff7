"""Arrays by name as safetensors files, which hold no code and which many libraries read."""

import os
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from minidl.parameters import Array
from minidl.storage import DataError, StrPath, check_file, replacing

SUFFIX = ".safetensors"
RESERVED = "__metadata__"
WORD = {"written_by": "minidl"}  # one entry: several would stand in any order
BFLOAT16 = "BF16"
DTYPES = {
    f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "FIU" for size in (1, 2, 4, 8) if kind + str(size) != "F1"
}
DTYPES["BOOL"] = "?"


def is_tensors(path: StrPath) -> bool:
    """Whether a path is of such a file, by its ending, in small letters or capitals."""
    return os.fspath(path).lower().endswith(SUFFIX)


def write_tensors(path: StrPath, arrays: Mapping[str, Array]) -> None:
    """Write arrays by name as a safetensors file, which appears whole or not at all.

    They are laid out row by row first: the writer of the format takes memory as it lies, and would scramble a
    transposed view in silence.

    Raises:
        ImportError: the package safetensors is missing.
        OSError: the file cannot be written; what was there before is still there.
        ValueError: a name that the format has reserved.
    """
    if RESERVED in arrays:
        raise ValueError(f"expected names other than {RESERVED}, which the format has for itself: rename it")
    rows = {name: np.array(array, order="C", copy=None) for name, array in arrays.items()}
    _library()
    from safetensors.numpy import save

    content = save(rows, metadata=WORD)
    with replacing(path) as file:
        file.write(content)


def read_tensors(path: StrPath) -> dict[str, Array]:
    """The arrays of a safetensors file, read-only; numbers of 16 bits that NumPy lacks (bfloat16) become float32.

    Raises:
        ImportError: the package safetensors is missing.
        DataError: there is no such file, it cannot be read, or it is another.
    """
    library = _library()
    check_file(path)
    try:
        with open(path, "rb") as file:
            arrays = {name: _array(entry) for name, entry in library.deserialize(file.read())}
    except Exception as error:  # whatever a damaged file does to its reader
        raise DataError(
            f"{os.fspath(path)}: expected a safetensors file, found a damaged or another one "
            f"({type(error).__name__}: {error})"
        ) from error
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def is_ours(path: StrPath) -> bool:
    """Whether minidl wrote a safetensors file that can be read, by its header."""
    with _library().safe_open(os.fspath(path), framework="np") as file:
        return bool((file.metadata() or {}).items() >= WORD.items())


def _array(entry: Mapping[str, Any]) -> Array:
    """An entry of a file as an array; its bytes are the lowest first."""
    kind, shape, data = entry["dtype"], entry["shape"], entry["data"]
    if kind == BFLOAT16:  # the upper half of a float32
        numbers: Array = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    else:
        numbers = np.frombuffer(data, DTYPES[kind])
    return numbers.reshape(shape)


def _library() -> ModuleType:
    try:
        import safetensors
    except ImportError as error:
        raise ImportError('files of safetensors need that package: pip install "minidl[safetensors]"') from error
    module: ModuleType = safetensors
    return module

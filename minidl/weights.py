"""Files of weights: arrays by name, in the format that the ending of the path says."""

from collections.abc import Mapping

from minidl.parameters import Array
from minidl.returned import as_restored
from minidl.storage import RECORD, DataError, StrPath, check_entries, read_arrays, write_arrays
from minidl.tensors import is_tensors, read_tensors, write_tensors


def write_weights(path: StrPath, weights: Mapping[str, Array]) -> None:
    """Write them, whole or not at all."""
    (write_tensors if is_tensors(path) else write_arrays)(path, weights)


def read_weights(path: StrPath, wanted: Mapping[str, Array], *, part: bool) -> dict[str, Array]:
    """What a file holds of what is wanted, in the shapes and dtypes of that; other entries only where it is a part.

    Raises:
        DataError: see `Layer.load`.
    """
    found = (read_tensors if is_tensors(path) else read_arrays)(path)
    if RECORD in found and RECORD not in wanted:
        raise DataError(
            f"{path}: expected weights written by save, found a checkpoint of a run: fit(..., resume=path) goes on "
            f"from it, and model.save(...) after that writes its weights"
        )
    if part:  # what else the file holds is left alone
        found = {name: array for name, array in found.items() if name in wanted}
    check_entries(path, found := as_restored(found, wanted), wanted)
    return found

"""Files of weights: arrays by name, in the format that the ending of the path says."""

import os
from collections.abc import Mapping

from minidl.parameters import Array
from minidl.returned import as_restored
from minidl.storage import RECORD, DataError, StrPath, check_entries, check_path, read_arrays, write_arrays
from minidl.tensors import is_ours, is_tensors, read_tensors, write_tensors

PICKLES = (".pt", ".pth", ".ckpt", ".pkl")


def write_weights(path: StrPath, weights: Mapping[str, Array]) -> None:
    """Write them, whole or not at all."""
    if check_path(path).lower().endswith(PICKLES):
        raise ValueError(
            f"expected a path such as weights.npz, received path={os.fspath(path)!r}: pickles of PyTorch end so, and "
            f"load opens none"
        )
    (write_tensors if is_tensors(path) else write_arrays)(path, weights)


def read_weights(path: StrPath, wanted: Mapping[str, Array], *, part: bool) -> dict[str, Array]:
    """What a file holds of what is wanted, in the shapes and dtypes of that; other entries only where it is a part.

    Raises:
        DataError: see `Layer.load`.
    """
    if check_path(path).lower().endswith(PICKLES):
        raise DataError(
            f"{os.fspath(path)}: expected .npz or .safetensors, found a file of PyTorch, which is a pickle and runs "
            f"code when it is read: write it there with safetensors.torch.save_file(module.state_dict(), path)"
        )
    found = (read_tensors if is_tensors(path) else read_arrays)(path)
    if RECORD in found and RECORD not in wanted:
        raise DataError(
            f"{path}: expected weights written by save, found a checkpoint of a run: fit(..., resume=path) goes on "
            f"from it, and model.save(...) after that writes its weights"
        )
    if part:  # what else the file holds is left alone
        found = {name: array for name, array in found.items() if name in wanted}
    check_entries(path, found := as_restored(found, wanted), wanted)
    if is_tensors(path) and not is_ours(path):
        _refuse_turnable(path, wanted)
    return found


def _refuse_turnable(path: StrPath, wanted: Mapping[str, Array]) -> None:
    """Raise where arrays of another library fit both ways round: PyTorch keeps weights turned."""
    both = [n for n, a in wanted.items() if a.ndim > 1 and a.shape == (*a.shape[:-3:-1], *a.shape[:-2])]
    if both:
        raise DataError(
            f"{path}: expected a file that minidl wrote, found one of another library, in which {both[0]} "
            f"{wanted[both[0]].shape} may stand turned: load_torch_state_dict(model, read_tensors(path)) of "
            f"minidl.interop takes weights of PyTorch, model.parameters.restore(read_tensors(path)) those that stand "
            f"as here"
        )

"""Weights from and for PyTorch, by name: what it stores turned or in another order is put right, layer by layer.

Neither function needs PyTorch; tensors are taken as they are. Files of PyTorch (`.pt`) are pickles, which run code
when they are read, so they are not opened here: in PyTorch, write `safetensors.torch.save_file(module.state_dict(),
path)` and read it with `minidl.interop.read_tensors`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minidl import layers as kinds
from minidl.arguments import short
from minidl.layers.base import Layer
from minidl.layers.recurrence import Recurrence
from minidl.parameters import Array
from minidl.tensors import read_tensors

__all__ = ["load_torch_state_dict", "read_tensors", "torch_state_dict"]
Turn = tuple[int, ...] | None
NORM: dict[str, tuple[str, Turn]] = {"gain": ("weight", None), "bias": ("bias", None)}
RENAMED: dict[
    type[Layer], dict[str, tuple[str, Turn]]
] = {  # ours -> theirs, and the axes of ours in the order of theirs
    kinds.Linear: {"weight": ("weight", (1, 0)), "bias": ("bias", None)},
    kinds.Conv1D: {"weight": ("weight", (2, 1, 0)), "bias": ("bias", None)},
    kinds.Conv2D: {"weight": ("weight", (3, 2, 0, 1)), "bias": ("bias", None)},
    kinds.Embedding: {"weight": ("weight", None)},
    kinds.LayerNorm: NORM,
    kinds.GroupNorm: NORM,
    kinds.BatchNorm: {**NORM, "mean": ("running_mean", None), "variance": ("running_var", None)},
    kinds.SelfAttention: {
        "projection.weight": ("in_proj_weight", (1, 0)),
        "projection.bias": ("in_proj_bias", None),
        "output.weight": ("out_proj.weight", (1, 0)),
        "output.bias": ("out_proj.bias", None),
    },
}
COUNTER = "num_batches_tracked"  # of their BatchNorm, which ours does not need
GATES = {kinds.LSTM: (0, 1, 3, 2), kinds.GRU: (0, 1, 2), kinds.RNN: (0,)}  # ours are [i f o g], theirs [i f g o]
IH, HH, BIAS_IH, BIAS_HH = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
OURS = {kind: frozenset(table) for kind, table in RENAMED.items()}  # what each kind has
OURS |= dict.fromkeys(GATES, frozenset({"weight", "recurrent", "bias", "reset_bias"}))


def load_torch_state_dict(model: Layer, state: Mapping[str, Any], *, names: Mapping[str, str] | None = None) -> None:
    """Put the weights of a PyTorch module into a built model.

    What belongs together follows from the kinds of the layers and not from shapes, so that a square matrix cannot be
    taken the wrong way round: `weight` of a Linear is (out_features, in_features) there, always. Gates of an LSTM are
    reordered and the two biases of recurrent layers added up; floats of another precision are cast.

    Args:
        model: of layers that PyTorch has, too: Linear, Conv1D and Conv2D, Embedding, BatchNorm, LayerNorm, GroupNorm,
            RNN, LSTM and GRU of one layer and direction, SelfAttention (as `nn.MultiheadAttention`).
        state: what `module.state_dict()` returns: tensors, or arrays with the shapes that they have there.
        names: paths of layers of the model -> paths of the modules, as {"0": "encoder.first"}. Only these layers are
            loaded then, and other entries of `state` left alone. None for all, under the same paths.

    Raises:
        TypeError: a layer that PyTorch has not; a module instead of its state.
        ValueError: entries are missing, left over, or have another shape; the message names all of them, and the model
            is as it was.

    >>> from minidl import Linear, ReLU, Sequential
    >>> model = Sequential(Linear(2, 2, bias=False), ReLU()).build(seed=0)
    >>> load_torch_state_dict(model, {"0.weight": np.float32([[1, 2], [3, 4]])})  # y = W x
    >>> model.forward(np.float32([[1, 0]]))
    array([[1., 3.]], dtype=float32)
    """
    if not isinstance(state, Mapping):
        advice = "write module.state_dict()" if hasattr(state, "state_dict") else "give what state_dict() returns"
        raise TypeError(f"expected state to be names with tensors, received {type(state).__name__}: {advice}")
    found: dict[str, Array] = {}
    used: set[str] = set()
    wrong: list[str] = []
    for path, layer, prefix in _chosen(model, names):
        wanted = {name: value for name, value in _entries(layer).items() if name != COUNTER}
        missing = [prefix + name for name in wanted if prefix + name not in state]
        theirs = {name: _array(state[prefix + name]) for name in wanted if prefix + name in state}
        used |= {prefix + name for name in (*wanted, COUNTER)}
        shapes = {name: np.shape(value) for name, value in wanted.items()}
        wrong += [f"{name} is missing" for name in missing]
        turned = [name for name, value in theirs.items() if value.shape != shapes[name]]
        wrong += [f"{prefix}{name} has shape {theirs[name].shape} instead of {shapes[name]}" for name in turned]
        if not missing and not turned:
            found |= {path + name: value for name, value in _ours(layer, theirs).items()}
    if names is None:
        wrong += [f"{name} is left over" for name in state if name not in used]
    if wrong:
        raise ValueError(
            f"expected the entries of a module with the layers of this model, received some of which "
            f"{'; '.join(wrong)}: where they are called otherwise, give names={{'path here': 'path there'}}"
        )
    model.parameters.restore(model.parameters.snapshot() | found)


def torch_state_dict(model: Layer, *, names: Mapping[str, str] | None = None) -> dict[str, Array]:
    """The weights of a built model as PyTorch would have them, as arrays: the way back.

    In PyTorch, `module.load_state_dict({name: torch.from_numpy(array) for name, array in ....items()})` takes them.
    Of the two biases of recurrent layers the second is 0, but for the part of a GRU that the reset gate acts on.

    Args:
        model: see `load_torch_state_dict`.
        names: see there.

    Raises:
        TypeError: a layer that PyTorch has not.

    >>> from minidl import Linear, Sequential
    >>> {name: array.shape for name, array in torch_state_dict(Sequential(Linear(3, 2)).build(seed=0)).items()}
    {'0.weight': (2, 3), '0.bias': (2,)}
    """
    return {
        prefix + name: array.copy()
        for _, layer, prefix in _chosen(model, names)
        for name, array in _entries(layer).items()
    }


def _chosen(model: Layer, names: Mapping[str, str] | None) -> list[tuple[str, Layer, str]]:
    """Our path, the layer, and their path, of all layers that have parameters; paths end with a dot, but for ""."""
    if not isinstance(model, Layer):
        raise TypeError(f"expected model to be a Layer, received {short(model)}: the model comes first")
    layers = dict(_with_parameters(model, ""))
    if names is None:
        return [(path, layer, path) for path, layer in layers.items()]
    if not isinstance(names, Mapping) or not names:
        raise TypeError(
            f"expected names to be {{'path here': 'path there'}}, received names={short(names)}: None is all layers"
        )
    asked = {_dotted(ours): _dotted(theirs) for ours, theirs in names.items()}
    if unknown := [path for path in asked if path not in layers]:
        raise ValueError(
            f"expected names of layers with parameters, which are {[path.rstrip('.') for path in layers]}, received "
            f"{[path.rstrip('.') for path in unknown]}: write them as the table of print(model) does"
        )
    return [(ours, layers[ours], theirs) for ours, theirs in asked.items()]


def _dotted(path: str) -> str:
    return f"{path}." if path and not path.endswith(".") else path


def _with_parameters(layer: Layer, path: str) -> Iterator[tuple[str, Layer]]:
    known = isinstance(layer, tuple(OURS))
    of_children = {f"{name}.{inner}" for name, child in layer.children().items() for inner in child.named_parameters()}
    if own := layer.named_parameters().keys() - (_of_kind(layer, OURS) if known else of_children):
        raise TypeError(f"expected layers that PyTorch has too, received {short(layer)} with its {sorted(own)}")
    if known:
        yield path, layer
        return
    for name, child in layer.children().items():
        yield from _with_parameters(child, f"{path}{name}.")


def _of_kind(layer: Layer, table: Mapping[type[Layer], Any]) -> Any:
    return next(value for kind, value in table.items() if isinstance(layer, kind))


def _values(layer: Layer) -> dict[str, Array]:
    return {name: owner.value for name, owner in {**layer.named_parameters(), **layer.named_states()}.items()}


def _entries(layer: Layer) -> dict[str, Array]:
    """Its numbers by their names and in their order."""
    values = _values(layer)
    if isinstance(layer, Recurrence):
        return _recurrent_entries(layer, values)
    table = _of_kind(layer, RENAMED)
    entries = {
        theirs: values[ours] if turn is None else values[ours].transpose(turn)
        for ours, (theirs, turn) in table.items()
        if ours in values
    }
    if isinstance(layer, kinds.BatchNorm):
        entries[COUNTER] = np.array(0)
    return entries


def _ours(layer: Layer, theirs: Mapping[str, Array]) -> dict[str, Array]:
    """Their numbers by our names and in our order."""
    if isinstance(layer, Recurrence):
        return _recurrent_values(layer, theirs)
    return {
        ours: theirs[name] if turn is None else theirs[name].transpose(np.argsort(turn))
        for ours, (name, turn) in _of_kind(layer, RENAMED).items()
        if name in theirs
    }


def _reordered(layer: Recurrence, array: Array) -> Array:
    """The gates along the first axis in the other order; each of the orders is the other's inverse."""
    gates = _of_kind(layer, GATES)
    return np.concatenate([np.split(array, len(gates))[gate] for gate in gates])


def _recurrent_entries(layer: Recurrence, values: Mapping[str, Array]) -> dict[str, Array]:
    bias = _reordered(layer, values["bias"])
    second = np.zeros_like(bias)
    if isinstance(layer, kinds.GRU):
        second[-layer.features :] = values["reset_bias"]
    weights = (_reordered(layer, values[name].T) for name in ("weight", "recurrent"))
    return dict(zip((IH, HH, BIAS_IH, BIAS_HH), (*weights, bias, second), strict=True))


def _recurrent_values(layer: Recurrence, theirs: Mapping[str, Array]) -> dict[str, Array]:
    weight, recurrent = (_reordered(layer, theirs[name]).T for name in (IH, HH))
    second = theirs[BIAS_HH].copy()
    values = {"weight": weight, "recurrent": recurrent}
    if isinstance(layer, kinds.GRU):
        values["reset_bias"] = second[-layer.features :].copy()
        second[-layer.features :] = 0
    both = np.add(theirs[BIAS_IH], second, dtype=np.float64)  # halves would lose digits, and restore casts
    return {**values, "bias": _reordered(layer, both)}


def _array(tensor: Any) -> Array:
    """A tensor or an array as an array."""
    for step in ("detach", "cpu"):
        tensor = getattr(tensor, step, lambda same=tensor: same)()
    if str(getattr(tensor, "dtype", "")) == "torch.bfloat16":  # which NumPy has not
        tensor = tensor.float()
    return np.asarray(tensor)

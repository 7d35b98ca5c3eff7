"""Models as ONNX files, which runtimes of other languages and of phones and browsers read.

pip install "minidl[onnx]"
"""

from minidl.arguments import short
from minidl.layers.attention import SelfAttention
from minidl.layers.base import Layer
from minidl.layers.branches import Parallel
from minidl.layers.container import Container
from minidl.layers.convolution import Conv1D, Conv2D
from minidl.layers.embedding import Embedding, PositionalEncoding
from minidl.layers.linear import Linear
from minidl.layers.piecewise_linear import Maxout
from minidl.layers.recurrence import Recurrence
from minidl.layers.shapes import SampleShape, check_sizes
from minidl.onnx import dense, images, sequences  # noqa: F401 register what they write
from minidl.onnx.graph import Graph
from minidl.onnx.writers import Shape, shape_after, write, writes
from minidl.storage import StrPath, check_target, replacing
from minidl.version import __version__

try:
    import onnx
except ImportError as error:  # pragma: no cover
    raise ImportError('minidl.onnx needs the package onnx: pip install "minidl[onnx]"') from error

__all__ = ["Graph", "export", "write", "writes"]
OPSET, FORMAT = 20, 9  # of May 2023: what runtimes of before do not read is not used


def export(model: Layer, path: StrPath, *, input_shape: SampleShape = None) -> None:
    """Write a built model, as it predicts, to an ONNX file: whole or not at all.

    The file has one input "x" and one output "y", with rows as their first axis, of which there may be any number. Its
    numbers have the dtype of the model, and tokens of an `Embedding` are int64. Dropout is left out, BatchNorm uses its
    running statistics. Where the runtime has an operator in float32 only, the model is written with others in float64.

    Args:
        model: of layers that ONNX can say, nested at will. Those of minidl are; a layer of one's own has a method
            `to_onnx(self, graph, x, shape)`, which adds nodes to a `Graph` and returns the name of its output.
        path: of the file.
        input_shape: of a row of x, in which None is any size, such as (None, 8) for sequences of 8 features; None for
            what the model was built with, or for as much as its first layer knows.

    Raises:
        TypeError: a layer that ONNX cannot say; the message names it.
        ShapeError: the shape does not fit.
        ValueError: the number of axes of x is not known, or a size that a padding "same" needs.

    >>> import tempfile
    >>> from minidl import Linear, ReLU, Sequential
    >>> model = Sequential(Linear(64, 32), ReLU(), Linear(32, 10)).build(seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(model, f"{folder}/model.onnx")
    """
    from onnx import helper

    if not isinstance(model, Layer):
        inside = next((f": give its .{name}" for name in ("model_", "model") if hasattr(model, name)), "")
        raise TypeError(f"expected model to be a Layer, received {short(model)}{inside}")
    check_target(path)
    shape = _row_shape(model, input_shape)
    built = next((p.value.dtype for p in model.named_parameters().values() if p.built), None)
    graph = Graph(model.parameters.dtype if built is None else built)  # layers of a built model do, as in model[:-1]
    graph("Identity", write(graph, model, "x", shape))
    kind = helper.np_dtype_to_tensor_dtype(graph.dtype)
    of_x = onnx.TensorProto.INT64 if _takes_tokens(model) else kind
    rows_of_x, rows_of_y = (_axes(sizes) for sizes in (shape, shape_after(model, shape)))
    given, returned = (
        helper.make_tensor_value_info(name, dtype, rows)
        for name, dtype, rows in (("x", of_x, rows_of_x), ("y", kind, rows_of_y))
    )
    graph.nodes[-1].output[0] = "y"
    whole = helper.make_graph(graph.nodes, "minidl", [given], [returned], graph.constants)
    file = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT)
    file.producer_name, file.producer_version = "minidl", __version__
    onnx.checker.check_model(file, full_check=True)
    with replacing(path) as stream:
        stream.write(file.SerializeToString())


def _axes(sizes: Shape) -> list[str | int]:
    return ["n", *(f"size_{axis}" if size is None else size for axis, size in enumerate(sizes, start=1))]


def _row_shape(model: Layer, given: SampleShape) -> Shape:
    """The shape of a row, as far as anybody says it."""
    shape = model._input_shape if given is None else _sizes(given)
    first = model
    while shape is None and isinstance(first, Container) and len(first):
        first = first[0]
    shape = _first_shape(first) if shape is None else shape
    if shape is None:
        raise ValueError(
            f"expected the shape of a row of x for a model that begins with {short(first)}, received input_shape=None: "
            f"give it, such as input_shape=(3, 32, 32)"
        )
    return tuple(shape)


def _sizes(given: Shape) -> Shape:
    """A shape in which None is any size, if the others are sizes."""
    checked = [1 if size is None else size for size in given] if isinstance(given, tuple | list) else given
    sizes = check_sizes("input_shape", checked)  # type: ignore[arg-type]
    return tuple(None if kept is None else size for kept, size in zip(given, sizes, strict=True))


def _first_shape(layer: Layer) -> SampleShape:
    """The shape of a row for a layer that says it, as far as it does."""
    match layer:
        case Embedding():
            return (None,)
        case Recurrence():
            return (None, layer.in_features)
        case SelfAttention() | PositionalEncoding():
            return (None, layer.features)
        case Conv1D():
            return (None, layer.in_channels)
        case Conv2D():
            return (layer.in_channels, None, None)
        case Linear() | Maxout():
            return (layer.in_features,)
    return None


def _takes_tokens(layer: Layer) -> bool:
    """Whether x is given to an Embedding, and to nothing else."""
    if isinstance(layer, Container) and len(layer):
        return all(map(_takes_tokens, layer)) if isinstance(layer, Parallel) else _takes_tokens(layer[0])
    return isinstance(layer, Embedding)

"""Layer: the contract every layer keeps, and everything a container or trainer may ask of one."""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Iterator
from contextlib import AbstractContextManager
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import FREEZING, Recorded, Refused, check_integer, short
from minidl.bytecode import reads
from minidl.inputs import as_rows
from minidl.kernels.freed import keep_freed_memory
from minidl.layers.habits import LAYER
from minidl.layers.modes import inference, training
from minidl.layers.names import check_names
from minidl.layers.owning import owned, refuse_shared
from minidl.layers.shapes import SampleShape, ShapeError, check_sizes, rows_at_once
from minidl.parameters import Array, Parameter, State
from minidl.quiet import quiet, quietly
from minidl.returned import as_finite
from minidl.seeding import Stream, generator
from minidl.storage import StrPath
from minidl.store import Parameters
from minidl.weights import read_weights, write_weights


class Layer(Recorded):
    """A differentiable function y = f(x; parameters) that knows its own derivative.

    To write a layer: create `Parameter`s (and inner layers) as attributes in `__init__`, and define `forward` and
    `backward`. Everything else here is given. Rows of `x` are samples.

    Attributes:
        training: False except inside `with layer.train_mode()`; read it where training and inference differ.
        needs_dx: a hint that may be ignored. False: the result of `backward` will not be used.
        rng: the layer's own random stream, given by `build`.
        parameters: the flat store of all trainable numbers, given by `build` to the outermost layer.
        columns: of the frame that `fit` trained on, or () for any.

    >>> class Square(Layer):
    ...     '''y = x * x, any shape.'''
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x * x
    ...     def backward(self, dy):  # dx = 2 x dy
    ...         return 2 * self.x * dy
    >>> square = Square().build()
    >>> square.forward(np.float32([[3.0]])), square.backward(np.float32([[1.0]]))
    (array([[9.]], dtype=float32), array([[6.]], dtype=float32))
    """

    training: bool = False
    needs_dx: bool = True
    columns: tuple[str, ...] = ()
    _input_shape: SampleShape = None  # of one row, as far as `build` was told
    _trains_in: Thread | None = None  # the thread that is inside train_mode; see `modes`
    _predicts_in: tuple[Thread, ...] = ()  # the threads that are inside predict
    rng: np.random.Generator
    parameters: Parameters
    _of_the_moment: tuple[str, ...] = ("training", "needs_dx", "_trains_in", "_predicts_in", "forward", "backward")
    _set_by = "forward"
    _passes = ("forward", "backward")
    _habits = LAYER
    if not TYPE_CHECKING:  # a checker refuses them as unknown
        trainable, requires_grad, frozen = Refused(FREEZING), Refused(FREEZING), Refused(FREEZING)

        def __call__(self, *args, **options):
            """Say what to write, since two things may be meant."""
            raise TypeError(f"expected one of its methods, received a call of {self!r}: {self._habits['call']}")

    def forward(self, x: Array) -> Array:
        """Return y for the rows of `x`, keeping on self what `backward` needs. Never write into `x`."""
        raise TypeError(f"{type(self).__name__} must define forward(self, x)")

    def backward(self, dy: Array) -> Array:
        """Given dL/dy of the newest forward, set every `Parameter.grad` and return dL/dx. Never write into `dy`."""
        raise TypeError(f"{type(self).__name__} must define backward(self, dy)")

    def check_dy(self, dy: Array, shape: tuple[int, ...]) -> None:
        """Raise ShapeError unless `dy` has the shape of the newest output: the first line of a `backward`."""
        if getattr(dy, "shape", None) != shape and np.shape(dy) != shape:  # lists are taken too
            raise ShapeError(
                f"expected dy of shape {shape}, that of the newest output of {self!r}, received "
                f"dy.shape={np.shape(dy)}: backward goes with the forward before it"
            )

    def output_shape(self, shape: SampleShape) -> SampleShape:
        """The shape of one output row for input rows of `shape`; None is a size, or all, that is unknown.

        A layer that knows its widths overrides this, with `minidl.layers.shapes.fitting`: containers then check
        neighbours at `build` and print them. Raises ShapeError where the shapes do not fit.
        """
        return None

    def input_shapes(self, shape: SampleShape) -> list[SampleShape]:
        """For input rows of `shape`, those of each of the `children()`: for containers that show them in the table."""
        return []

    def backward_of(self, child: Layer, dy: Array, *, needs_dx: bool = True) -> Array:
        """`child.backward(dy)` with its hint `needs_dx` for this call only: what a container calls."""
        child.needs_dx = needs_dx
        try:
            return child.backward(dy)
        finally:
            child.needs_dx = True  # for whoever calls the layer by hand

    def children(self) -> dict[str, Layer]:
        """The layers directly inside this one, by name."""
        return dict(owned(vars(self), Layer))

    def named_parameters(self) -> dict[str, Parameter]:
        """Every parameter in and below this layer by its path, such as "0.weight"."""
        return self._collect(Parameter)

    def named_states(self) -> dict[str, State]:
        """Every state in and below this layer by its path."""
        return self._collect(State)

    def _collect(self, kind: type[Any]) -> dict[str, Any]:
        own = dict(owned(vars(self), kind))
        inner = {
            f"{name}.{path}": item
            for name, child in self.children().items()
            for path, item in child._collect(kind).items()
        }
        return own | inner

    def layers_inside(self) -> Iterator[Layer]:
        """This layer and every layer below it, parents first."""
        yield self
        for child in self.children().values():
            yield from child.layers_inside()

    @quiet
    def build(
        self, seed: int = 0, dtype: DTypeLike = np.float32, *, input_shape: tuple[int, ...] | None = None
    ) -> Self:
        """Allocate and draw every initial value; call once, on the outermost layer. Returns self.

        Layers that were built before, as part of another model, bring their values along and leave that model.
        Building the same outermost layer again draws everything anew.

        Args:
            seed: the same seed gives the same bits, whatever layers without parameters stand between.
            dtype: float32, or float64 for checking derivatives.
            input_shape: the shape of a row of x, such as (3, 32, 32). Then the shapes of all layers are known, checked
                and printed; without it, those that follow from the layers themselves are.

        Raises:
            ShapeError: neighbouring layers do not fit, or the first does not fit `input_shape`.
            ValueError: a dtype other than the two, one object used in two places, or an attribute of a layer's own
                that has the name of one of `Layer`.
        """
        if dtype is None or np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"expected dtype to be float32 or float64, received dtype={short(dtype)}")
        check_names(self, Layer)
        keep_freed_memory()
        shape = None if input_shape is None else check_sizes("input_shape", input_shape)
        layers, parameters, states = list(self.layers_inside()), self.named_parameters(), self.named_states()
        again = isinstance(vars(self).get("parameters"), Parameters)
        owners: dict[str, Parameter | State] = {} if again else {**parameters, **states}
        known = {name: owner.value.copy() for name, owner in owners.items() if owner.built}
        refuse_shared("layer", layers)
        refuse_shared("parameter", list(parameters.values()))
        for layer in layers:  # the outermost first: it says where in it a width is wrong
            layer.output_shape(None)
        self.output_shape(shape)
        self._input_shape = shape
        for position, layer in enumerate(layers):
            layer.rng = generator(seed, Stream.LAYER, position)
            if isinstance(vars(layer).get("parameters"), Parameters):
                del layer.parameters  # of an earlier build of its own: only the outermost layer has a store
        start = generator(seed, Stream.INITIAL_VALUES)
        self.parameters = Parameters(parameters, start, states=states, known=known, dtype=dtype)
        return self

    def _advice(self, name: str) -> str:
        """What only `build` gives; the numbers of a whole model are with its outermost layer."""
        if name == "parameters" and "rng" in vars(self):
            return "the outermost layer of its model has them, its own are named_parameters()"
        if name in ("parameters", "rng"):
            return "call build(seed=...) on the outermost layer first"
        advice = super()._advice(name)
        if advice == "call forward first" and reads(type(self), "forward", "training"):
            return f"{advice}; where it sets {name} in training only, call it in `with model.train_mode():`"
        return advice

    def save(self, path: StrPath) -> None:
        """Write every parameter and state by name to an uncompressed `.npz` file, whole or not at all.

        A path that ends in ".safetensors" makes a file of that format, for which see docs/formats.md.

        Raises:
            ImportError: the package safetensors is missing, for such a path.
            OSError: the file cannot be written; what was there before is still there.
            ValueError: a path with the ending of a pickle, such as ".pt", which `load` refuses.

        >>> import tempfile
        >>> from minidl import Linear
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Linear(3, 2).build(seed=0).save(f"{folder}/weights.npz")
        ...     same = Linear(3, 2).build(seed=1).load(f"{folder}/weights.npz")
        """
        write_weights(path, self.parameters.snapshot())

    def load(self, path: StrPath, *, names: str | None = None) -> Self:
        """Put back what `save` wrote, in a built model with the same names and shapes. Returns self.

        Floats of another precision are cast, as by `parameters.restore`.

        Args:
            path: the file, `.npz` or `.safetensors`. It is not trusted: see `minidl.storage.read_arrays`.
            names: None for everything, exactly; or a shell pattern such as "0.*" for the entries of this model that
                match it, and no others.

        Raises:
            DataError: the file cannot be read, or entries are missing, extra, or have another shape or kind; the
                message names all of them, and the model is as it was.
            ValueError: no entry of this model matches the pattern.
        """
        if names is not None and not isinstance(names, str):
            raise TypeError(f'expected names to be None or one pattern such as "0.*", received names={names!r}')
        found = read_weights(path, self.parameters.snapshot(names), part=names is not None)
        self.parameters.restore(self.parameters.snapshot() | found)
        return self

    def train_mode(self) -> AbstractContextManager[Self]:
        """A `with` block inside which this layer and all below it are training; inference is the default.

        It belongs to the thread that entered it: a layer keeps what backward needs, so `predict` in another thread is
        refused meanwhile. Predictions that are under way there are waited for, and those that come later wait in turn.

        Raises:
            RuntimeError: another thread trains it, or none of those predictions ended for a minute: they may be
                waiting for this thread.
        """
        return training(self, list(self.layers_inside()))

    def predict(self, x: Any, *, batch_size: int | None = None) -> Array:
        """Inference on all rows of `x`, in batches: the outputs as one array the caller owns.

        None is 1024 rows that are vectors, or 128 of others. Takes and refuses what `Dataset` and `fit` do.
        """
        x = as_rows("x", x, self.columns)
        batch_size = rows_at_once(x) if batch_size is None else check_integer("batch_size", batch_size, minimum=1)
        dtype = self._compute_dtype(x)
        with inference(list(self.layers_inside())), quietly():
            starts = range(0, max(len(x), 1), batch_size)
            parts = (as_finite("x", x[start : start + batch_size], dtype, start=start) for start in starts)
            return np.concatenate([*map(self.forward, parts)])

    def _compute_dtype(self, x: Array) -> np.dtype[Any]:
        """The dtype of the first parameter; without any, that of `x` if it is one of the two, else float32."""
        for parameter in self.named_parameters().values():
            return parameter.value.dtype
        return x.dtype if x.dtype in (np.float32, np.float64) else np.dtype(np.float32)

"""Functions and modules of PyTorch, brought to NumPy."""

import copy
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from minidl.arguments import short
from minidl.parameters import Array
from minidl.testing.functions import name_of
from minidl.testing.handwritten.called import EXPANDED, Arrays, Back, Called, How

try:
    import torch
except ImportError as error:  # pragma: no cover
    raise ImportError('minidl.testing.torch needs PyTorch: pip install "minidl[torch]"') from error

Function, Module = torch.autograd.Function, torch.nn.Module


class Tensors(Called):
    """A function of tensors, by their names."""

    layouts = ("a view with gaps", "an array in Fortran order", EXPANDED)
    hints = True

    def __init__(self, call: Callable[[Mapping[str, Any], How], Any]) -> None:
        self.call = call
        self.kept: dict[bool, list[int]] = {}  # training -> which of the outputs are differentiated

    def outputs(self, given: Arrays, how: How) -> list[Array]:
        """The outputs that are differentiated."""
        if how.training not in self.kept:
            return self.start(given, how, [name for name, a in given.items() if a.dtype.kind == "f"])[0]
        with torch.no_grad(), one_thread(), seeded(how.seed):
            several = _several(self.call({name: _tensor(a) for name, a in given.items()}, how))
        return [_array(several[i]) for i in self.kept[how.training]]

    def start(self, given: Arrays, how: How, wanted: Collection[str]) -> tuple[list[Array], Back]:
        """The outputs that are differentiated, and `torch.autograd.grad` of them."""
        tensors = {name: _tensor(a) for name, a in given.items()}
        for name in wanted:
            tensors[name].requires_grad_()
        with torch.enable_grad(), one_thread(), seeded(how.seed):
            several = _several(self.call(tensors, how))
        kept = self.kept.setdefault(how.training, [i for i, one in enumerate(several) if one.requires_grad])
        if not kept:
            raise RuntimeError("no output requires a gradient: is the graph cut, by .detach(), .data or no_grad?")
        outputs = [several[i] for i in kept]

        def back(upstream: Sequence[Array]) -> dict[str, Array]:
            pairs = [(o, _tensor(dy)) for o, dy in zip(outputs, upstream, strict=True) if o.requires_grad]
            if not pairs:
                return {name: np.zeros_like(given[name]) for name in wanted}
            inputs = [tensors[name] for name in wanted]
            with one_thread():
                found = _gradients(pairs, inputs)
            return {n: np.zeros_like(given[n]) if g is None else _array(g) for n, g in zip(wanted, found, strict=True)}

        return [_array(one) for one in outputs], back

    def draws(self, given: Arrays, how: How) -> bool:
        """Whether the generator of PyTorch moves."""
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            before = torch.get_rng_state()
            self.call({name: _tensor(a) for name, a in given.items()}, how)
            return not torch.equal(before, torch.get_rng_state())


class Moduled(Tensors):
    """A module, with parameters and buffers that are given in every call: no call changes it."""

    modes = True

    def __init__(self, module: Any, names: Sequence[str]) -> None:
        super().__init__(self._called)
        self.names = names
        self.twins = {dtype: copy.deepcopy(module).to(dtype) for dtype in (torch.float64, torch.float32)}
        own = self.twins[torch.float64].named_parameters()
        self.parameters = {name: np.array(_array(p)) for name, p in own if p.requires_grad}
        self.composite = any(True for _ in module.children())
        if clash := set(names) & set(self.parameters):
            raise ValueError(
                f"expected inputs of other names than the parameters, received {sorted(clash)}: name them in shape={{}}"
            )

    def _called(self, tensors: Mapping[str, Any], how: How) -> Any:
        dtype = next(tensor.dtype for tensor in tensors.values() if tensor.is_floating_point())
        module = self.twins[dtype].train(how.training)
        state = {name: tensors[name] for name in self.parameters}
        state |= {name: buffer.clone() for name, buffer in module.named_buffers()}
        return torch.func.functional_call(module, state, tuple(tensors[name] for name in self.names))

    def copied(self) -> Self:
        """A deep copy of the module."""
        return type(self)(self.twins[torch.float64], self.names)


def _gradients(pairs: Sequence[tuple[Any, Any]], inputs: Sequence[Any]) -> Sequence[Any]:
    """The gradients of some inputs from (output, upstream gradient) pairs; None is PyTorch's word for 0."""
    outputs, upstream = zip(*pairs, strict=True)
    found: Sequence[Any] = torch.autograd.grad(outputs, inputs, upstream, retain_graph=True, allow_unused=True)
    return found


def _several(returned: Any) -> list[Any]:
    several = list(returned) if isinstance(returned, tuple | list) else [returned]
    tensors = [one for one in several if one is not None]
    if not tensors or not all(isinstance(one, torch.Tensor) for one in tensors):
        raise TypeError(f"expected a tensor or a tuple of tensors as output, received {short(returned)}")
    return tensors


def _tensor(array: Array) -> Any:
    """A tensor with the memory of an array, where PyTorch can use it."""
    if array.size > 1 and not any(array.strides):
        return torch.from_numpy(array.ravel()[:1].copy()).reshape(()).expand(array.shape)
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        array = array.copy()
    return torch.from_numpy(array)


def _array(tensor: Any) -> Array:
    """An array with the memory of a tensor."""
    if tensor.dtype not in (torch.float64, torch.float32, torch.float16):
        raise TypeError(f"expected outputs and gradients of float64 or float32, received {tensor.dtype}")
    array: Array = tensor.detach().numpy()
    return array


@contextmanager
def one_thread() -> Iterator[None]:
    """A block in which PyTorch has one thread: two that wait for each other cost more than such small arrays do."""
    before = torch.get_num_threads()
    if before > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if before > 1:
            torch.set_num_threads(before)


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """A block in which PyTorch draws from a seed, and which leaves its generator as it was."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def positional(function: Any, names: Sequence[str], given: Collection[str]) -> Callable[[Mapping[str, Any]], Any]:
    """`function.apply`, which takes nothing by name, as a function of inputs and further arguments by name."""
    own = list(inspect.signature(function.forward).parameters.values())
    own = own[1:] if function.setup_context is Function.setup_context else own  # without ctx
    inputs, places = list(names), dict[str, str]()
    for parameter in own:
        if parameter.name in given:
            places[parameter.name] = parameter.name
        elif inputs and parameter.kind is not parameter.VAR_POSITIONAL:
            places[parameter.name] = inputs.pop(0)
            if parameter.name in inputs:
                order = [p.name for p in own if p.name in names]
                raise TypeError(
                    f"expected shape in the order of {name_of(function)}.forward, {order}, received {names}"
                )
        elif parameter.default is parameter.empty and parameter.kind is not parameter.VAR_POSITIONAL:
            advice = "give it a shape, or a value as an argument"
            raise TypeError(f"expected {parameter.name} of {name_of(function)}, received {list(names)}: {advice}")
    starred = own and own[-1].kind is inspect.Parameter.VAR_POSITIONAL
    if (inputs and not starred) or set(given) - set(places):
        received = [*names, *given]
        raise TypeError(
            f"expected arguments of {name_of(function)}.forward, {[p.name for p in own]}, received {received}"
        )
    last = max(i for i, parameter in enumerate(own) if parameter.name in places) if places else -1

    def called(values: Mapping[str, Any]) -> Any:
        taken = [values[places[p.name]] if p.name in places else p.default for p in own[: last + 1]]
        return function.apply(*taken, *(values[name] for name in inputs))

    return called

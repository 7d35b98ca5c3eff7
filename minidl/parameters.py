"""Where a model's numbers live: one flat vector of values, one flat vector of gradients, and named views into them.

An optimizer, a regularizer or a snapshot then works on one contiguous array, whatever the model is made of.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from itertools import accumulate
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import NO_FREEZING, Refused, check_function, check_integer, suggest
from minidl.returned import as_numbers, check_range, check_restored, check_snapshot, saying

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Floats: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.floating[Any]]]
Initializer: TypeAlias = "Callable[[np.random.Generator, tuple[int, ...]], Array]"


def _checked_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not isinstance(shape, tuple):
        raise TypeError(f"expected shape to be a tuple such as (3, 4) or (3,), received shape={shape!r}")
    return tuple(check_integer("each entry of shape", size, minimum=1) for size in shape)


class _Stored:
    """One array that a layer owns: its shape, how it starts, and after `build` its value."""

    def __init__(self, shape: tuple[int, ...], init: Initializer) -> None:
        check_function(
            "init", init, "rng", "shape", advice="see minidl.initializers, such as he_normal or normal(0.01)"
        )
        self.shape = _checked_shape(shape)
        self.init = init
        self._value: Floats | None = None

    @property
    def value(self) -> Floats:
        """The current value, of shape `shape`; assigning copies into it and refuses another shape."""
        return self._built(self._value)

    @value.setter
    def value(self, new: Array) -> None:
        _copy_into(self.value, new, "value")

    @property
    def built(self) -> bool:
        """Whether there is a value yet."""
        return self._value is not None

    def _built(self, array: Floats | None) -> Floats:
        if array is None:
            raise RuntimeError(f"{self!r} has no storage yet: call build(seed=...) on the outermost layer first")
        return array

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape})"


class Parameter(_Stored):
    """One trainable array of a layer: its shape, how it starts, and whether weight decay applies to it.

    After `build` on the outermost layer, `value` and `grad` are views into that model's flat vectors. Assigning
    to either copies into the view, and refuses another shape, so `p.grad = a` and `np.sum(..., out=p.grad)` are
    both right and the second saves a copy.

    >>> from minidl.initializers import ones
    >>> gain = Parameter((2,), ones, decay=False)
    >>> _ = Parameters({"gain": gain}, np.random.default_rng(0))
    >>> gain.value += 1
    >>> gain.value
    array([2., 2.], dtype=float32)
    """

    def __init__(self, shape: tuple[int, ...], init: Initializer, *, decay: bool = True) -> None:
        super().__init__(shape, init)
        self.size = prod(self.shape)
        self.decay = decay
        self._grad: Floats | None = None

    if not TYPE_CHECKING:  # a checker refuses them as unknown
        trainable, requires_grad = Refused(NO_FREEZING), Refused(NO_FREEZING)
        data = Refused("its numbers are its value: assign to that")

    @property
    def grad(self) -> Floats:
        """The gradient of the last backward, a view of shape `shape`; backward sets all of it, once per batch."""
        return self._built(self._grad)

    @grad.setter
    def grad(self, new: Array) -> None:
        _copy_into(self.grad, new, "grad")

    def bind(self, value: Floats, grad: Floats) -> None:
        """Become a pair of views into the flat vectors of a model."""
        self._value, self._grad = value.reshape(self.shape), grad.reshape(self.shape)


class State(_Stored):
    """An array a layer owns but no optimizer trains, such as running statistics: kept and restored with the weights.

    >>> from minidl.initializers import zeros
    >>> State((3,), zeros).shape
    (3,)
    """

    def bind(self, value: Floats) -> None:
        """Take the array that holds the value from now on."""
        self._value = value


def _copy_into(view: Array, new: Array, what: str) -> None:
    if new is view:  # the second half of `p.value += a`
        return
    if type(new) is not np.ndarray or new.dtype != view.dtype:
        new = as_numbers(f"a {what}", np.asarray(new) if isinstance(new, np.generic) else new)
        if what == "value":
            check_range("a value", new, view.dtype, infinite=True)
    if np.shape(new) != view.shape:
        raise ValueError(f"expected a {what} of shape {view.shape}, received shape {np.shape(new)}: reshape it")
    view[...] = new


def _started(name: str, owner: Parameter | State, rng: np.random.Generator, dtype: np.dtype[Any]) -> Array:
    """What an initializer draws, if it is an array of numbers that a model can start from."""
    with saying("init(rng, shape)", owner.init):
        start = as_numbers(f"the initial {name}", owner.init(rng, owner.shape))
    if start.shape != owner.shape:
        raise ValueError(
            f"expected the initializer of {name} to return an array of shape {owner.shape}, "
            f"received one of shape {start.shape}: draw the shape it is given"
        )
    check_range(f"the initial {name}", start, dtype, infinite=isinstance(owner, State))
    return start


def _matching(pattern: str, named: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: owner for name, owner in named.items() if fnmatchcase(name, pattern)}
    if not found:
        raise ValueError(f"no parameter matches names={pattern!r}; {suggest(pattern, named)}")
    return found


class Parameters:
    """Every trainable number of a model, as two contiguous vectors with named views.

    Parameters with `decay=True` come first, so what weight decay touches is the slice `decayed`.

    Attributes:
        value: (size,), the trainable numbers.
        grad: (size,), dL/dvalue as the last backward set it.
        named: name -> Parameter, in layer order, e.g. "0.weight".
        states: name -> State, in layer order.
        decayed: the slice of both vectors that weight decay applies to.

    >>> from minidl.initializers import ones, zeros
    >>> named = {"bias": Parameter((2,), zeros, decay=False), "weight": Parameter((3, 2), ones)}
    >>> p = Parameters(named, np.random.default_rng(0))
    >>> p.size, p.decayed, p.value
    (8, slice(0, 6, None), array([1., 1., 1., 1., 1., 1., 0., 0.], dtype=float32))
    """

    def __init__(
        self,
        named: Mapping[str, Parameter],
        rng: np.random.Generator,
        *,
        states: Mapping[str, State] | None = None,
        known: Mapping[str, Array] | None = None,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.named = dict(named)
        self.states = dict(states or {})
        self.size = sum(parameter.size for parameter in self.named.values())
        self._value: Floats = np.zeros(self.size, dtype)
        self._grad: Floats = np.zeros(self.size, dtype)
        self.decayed = slice(0, sum(p.size for p in self.named.values() if p.decay))
        self._bind()
        for state in self.states.values():
            state.bind(np.zeros(state.shape, dtype))
        for name, owner in self._owners().items():
            owner.value = known[name] if known and name in known else _started(name, owner, rng, self.dtype)

    def _bind(self) -> None:
        ordered = sorted(self.named.values(), key=lambda parameter: not parameter.decay)
        ends = list(accumulate(parameter.size for parameter in ordered))
        for parameter, end in zip(ordered, ends, strict=True):
            piece = slice(end - parameter.size, end)
            parameter.bind(self._value[piece], self._grad[piece])

    @property
    def value(self) -> Floats:
        """The trainable numbers, (size,); assigning copies into the vector and refuses another shape."""
        return self._value

    @value.setter
    def value(self, new: Array) -> None:
        _copy_into(self._value, new, "value")

    @property
    def grad(self) -> Floats:
        """The gradient, (size,); assigning copies into the vector and refuses another shape."""
        return self._grad

    @grad.setter
    def grad(self, new: Array) -> None:
        _copy_into(self._grad, new, "grad")

    def _owners(self) -> dict[str, Parameter | State]:
        return {**self.named, **self.states}

    @property
    def dtype(self) -> np.dtype[Any]:
        """The model's dtype: float32 unless built otherwise."""
        return self.value.dtype

    def matching(self, pattern: str) -> list[Parameter]:
        """The parameters whose name matches a shell pattern such as "*.weight"; none is an error naming all of them."""
        return list(_matching(pattern, self.named).values())

    def check_whole(self, named: Mapping[str, Parameter]) -> None:
        """Raise RuntimeError where the parameters a model has now are not those of this store, or left it."""
        strays = [
            name
            for name in self.named.keys() | named.keys()
            if named.get(name) is not self.named.get(name) or not np.shares_memory(named[name].value, self.value)
        ]
        if strays:
            raise RuntimeError(
                f"{sorted(strays)} came or left after the model was built, or belong to another model: "
                f"build the outermost layer again, or deep-copy layers before they go into a second model"
            )

    def snapshot(self, names: str | None = None) -> dict[str, Array]:
        """A copy of every value and state by name: what `restore` takes back; or of those that match a pattern."""
        owners = self._owners()
        chosen = owners if names is None else _matching(names, owners)
        return {name: owner.value.copy() for name, owner in chosen.items()}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        """Put back what `snapshot` returned; names and shapes must be exactly those of this model."""
        owners = self._owners()
        check_snapshot(snapshot, owners)
        for name, owner in owners.items():
            check_restored(name, owner.shape, snapshot[name], self.dtype)
        for name, owner in owners.items():
            owner.value = snapshot[name]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """After a copy or an unpickling, make the copied parameters views of the copied vectors again."""
        self.__dict__.update(state)
        self._bind()

    def __repr__(self) -> str:
        return f"Parameters({self.size:_} numbers, {self.dtype}: {', '.join(self.named)})"

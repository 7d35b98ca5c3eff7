"""Where a model's numbers live: one flat vector of values, one flat vector of gradients, and named views into them.

An optimizer, a regularizer or a snapshot then works on one contiguous array, whatever the model is made of.
"""

from __future__ import annotations  # numpy.random is loaded when it is needed

from collections.abc import Mapping
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import FREEZING, Refused, short, suggest
from minidl.parameters import Array, Floats, Parameter, State, copy_into
from minidl.returned import as_numbers, check_range, check_restored, check_snapshot, saying

VECTORS = ("_values", "_grads", "_value", "_grad")


def _started(name: str, owner: Parameter | State, rng: np.random.Generator) -> Array:
    """What an initializer draws, if it is an array of numbers that a model can start from."""
    with saying("init(rng, shape)", owner.init):
        start = as_numbers(f"the initial {name}", owner.init(rng, owner.shape))
    if start.shape != owner.shape:
        raise ValueError(
            f"expected the initializer of {name} to return an array of shape {owner.shape}, "
            f"received one of shape {start.shape}: draw the shape it is given"
        )
    check_range(f"the initial {name}", start, owner.value.dtype, infinite=isinstance(owner, State))
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
        size: how many numbers are trainable.
        value: (size,), the trainable numbers.
        grad: (size,), dL/dvalue as the last backward set it.
        named: name -> Parameter, in layer order, e.g. "0.weight".
        states: name -> State, in layer order.
        layout: another object after each change of which numbers stand where.
        decayed: the slice of both vectors that weight decay applies to.

    >>> from minidl.initializers import ones, zeros
    >>> named = {"bias": Parameter((2,), zeros, decay=False), "weight": Parameter((3, 2), ones)}
    >>> p = Parameters(named, np.random.default_rng(0))
    >>> p.size, p.decayed, p.value
    (8, slice(0, 6, None), array([1., 1., 1., 1., 1., 1., 0., 0.], dtype=float32))
    """

    if not TYPE_CHECKING:  # a checker refuses them as unknown
        trainable, requires_grad = Refused(FREEZING), Refused(FREEZING)

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
        numbers = sum(parameter.size for parameter in self.named.values())
        self.layout, self._dtype = object(), np.dtype(dtype)
        for parameter in self.named.values():
            parameter._frozen = False
        self._take(np.zeros(numbers, dtype), np.zeros(numbers, dtype))
        for state in self.states.values():
            state.bind(np.zeros(state.shape, state.dtype or dtype))
        for name, owner in self._owners().items():
            owner.value = known[name] if known and name in known else _started(name, owner, rng)

    def _take(self, values: Floats, grads: Floats) -> None:
        """Lay all numbers out in two vectors, which hold them in this order: decayed, others, frozen."""
        ordered = sorted(self.named.values(), key=lambda parameter: (parameter.frozen, not parameter.decay))
        ends = list(accumulate(parameter.size for parameter in ordered))
        for parameter, end in zip(ordered, ends, strict=True):
            piece = slice(end - parameter.size, end)
            parameter.bind(values[piece], grads[piece])
        trained = [parameter for parameter in ordered if not parameter.frozen]
        self.size = sum(parameter.size for parameter in trained)
        self.decayed = slice(0, sum(parameter.size for parameter in trained if parameter.decay))
        self._values, self._grads = values, grads
        whole = self.size == values.size
        self._value, self._grad = (values, grads) if whole else (values[: self.size], grads[: self.size])

    def freeze(self, names: str) -> None:
        """Set parameters aside, so that no optimizer, decay, clip or penalty moves them until `unfreeze`.

        They stand behind the trainable numbers, outside of `value` and `grad`. Saved, loaded, copied and checkpointed
        they are like the others; `print(model)` says which they are, and layers below the first trainable one need no
        backward. An optimizer that has made a step remembers the numbers of before, so it refuses the next one: freeze
        first, or make a new optimizer. Building anew freezes nothing. States move all the same, in training.

        Args:
            names: a shell pattern such as "0.*"; "*" for everything.

        Raises:
            ValueError: no parameter matches.

        >>> from minidl import Linear, Sequential
        >>> model = Sequential(Linear(3, 2), Linear(2, 1)).build(seed=0)
        >>> model.parameters.freeze("0.*")
        >>> model.parameters.size, model.parameters.frozen
        (3, ['0.weight', '0.bias'])
        """
        self._set_frozen(names, True)

    def unfreeze(self, names: str = "*") -> None:
        """Undo `freeze` for the parameters that match a shell pattern; each stands where it stood before."""
        self._set_frozen(names, False)

    def _set_frozen(self, names: str, frozen: bool) -> None:
        if not isinstance(names, str):
            raise TypeError(f'expected names to be a pattern such as "0.*", received names={short(names)}')
        for parameter in _matching(names, self.named).values():
            parameter._frozen = frozen
        self.layout = object()
        self._take_again(np.empty_like(self._values), np.empty_like(self._grads))

    def _take_again(self, values: Floats, grads: Floats) -> None:
        """The same for numbers that are there: each parameter brings its own along."""
        owners = self.named.values()
        before = [(owner.value.copy(), owner.grad.copy()) for owner in owners]
        self._take(values, grads)
        for owner, (value, grad) in zip(owners, before, strict=True):
            owner.value, owner.grad = value, grad

    @property
    def frozen(self) -> list[str]:
        """The names of the parameters that are frozen."""
        return [name for name, parameter in self.named.items() if parameter.frozen]

    @property
    def value(self) -> Floats:
        """The trainable numbers, (size,); assigning copies into the vector and refuses another shape."""
        return self._value

    @value.setter
    def value(self, new: Array) -> None:
        copy_into(self._value, new, "value")

    @property
    def grad(self) -> Floats:
        """The gradient, (size,); assigning copies into the vector and refuses another shape."""
        return self._grad

    @grad.setter
    def grad(self, new: Array) -> None:
        copy_into(self._grad, new, "grad")

    def _owners(self) -> dict[str, Parameter | State]:
        return {**self.named, **self.states}

    @property
    def dtype(self) -> np.dtype[Any]:
        """The model's dtype: float32 unless built otherwise."""
        return self._dtype

    def matching(self, pattern: str) -> list[Parameter]:
        """The parameters whose name matches a shell pattern such as "*.weight", without those that are frozen.

        A pattern that matches no name at all is an error, which lists them; so is one that matches frozen ones only.
        """
        found = _matching(pattern, self.named)
        chosen = [parameter for parameter in found.values() if not parameter.frozen]
        if found and not chosen:
            raise ValueError(
                f"expected a parameter that trains for names={pattern!r}, received {list(found)}, all of them frozen: "
                f"leave out what has this pattern, or model.parameters.unfreeze(names)"
            )
        return chosen

    def check_whole(self, named: Mapping[str, Parameter]) -> None:
        """Raise RuntimeError where the parameters a model has now are not those of this store, or left it."""
        strays = [
            name
            for name in self.named.keys() | named.keys()
            if named.get(name) is not self.named.get(name) or not np.shares_memory(named[name].value, self._values)
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
            check_restored(name, owner.shape, snapshot[name], owner.value.dtype)
        _ = self._values  # which says what to do where they cannot be written
        for name, owner in owners.items():
            owner.value = snapshot[name]

    def __getstate__(self) -> dict[str, Any]:
        """Without the vectors: a copy makes its own, of the values that its parameters bring along."""
        return {name: value for name, value in vars(self).items() if name not in VECTORS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """After a copy or an unpickling, make the values of the parameters views of one vector again.

        Values that cannot be written, as in a file that joblib has mapped, stay where they are, for predictions.
        """
        self.__dict__.update(state)
        values = [parameter.value for parameter in self.named.values()]
        if all(value.flags.writeable for value in values):
            numbers = sum(value.size for value in values)
            self._take_again(np.empty(numbers, self.dtype), np.empty(numbers, self.dtype))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Say what to do with weights that cannot be written, which have no vectors."""
            if name in VECTORS and "named" in vars(self):
                raise RuntimeError(
                    "expected weights that can be written, received some that were mapped from a file for predictions "
                    "only: load the file without mmap_mode, or take copy.deepcopy(model)"
                )
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}", name=name)

    def __repr__(self) -> str:
        aside = f", {self._values.size - self.size:_} frozen" if self.frozen else ""
        return f"Parameters({self.size:_} numbers{aside}, {self.dtype}: {', '.join(self.named)})"

"""Parameter and State: one array of a layer, trainable or not. `minidl.store` keeps those of a whole model together."""

from __future__ import annotations  # numpy.random is loaded when it is needed

import sys
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from minidl.arguments import FREEZING, Refused, check_function, check_integer, short
from minidl.returned import as_numbers, check_range

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Floats: TypeAlias = np.ndarray[tuple[Any, ...], np.dtype[np.floating[Any]]]
Initializer: TypeAlias = "Callable[[np.random.Generator, tuple[int, ...]], Array]"


def __getattr__(name: str) -> Any:
    """`Parameters` stood here in 0.1.0, and is `minidl.Parameters`."""
    if name == "Parameters":
        return sys.modules["minidl"].Parameters
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
        copy_into(self.value, new, "value")

    @property
    def built(self) -> bool:
        """Whether there is a value yet."""
        return self._value is not None

    def _built(self, array: Floats | None) -> Floats:
        if array is None:
            raise RuntimeError(f"{self!r} has no storage yet: call build(seed=...) on the outermost layer first")
        return array

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._value is not None:  # a plain array, also where it lies in a mapped file
            self._value = np.asarray(self._value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape})"


class Parameter(_Stored):
    """One trainable array of a layer: its shape, how it starts, and whether weight decay applies to it.

    After `build` on the outermost layer, `value` and `grad` are views into that model's flat vectors. Assigning
    to either copies into the view, and refuses another shape, so `p.grad = a` and `np.sum(..., out=p.grad)` are
    both right and the second saves a copy.

    >>> from minidl.initializers import ones
    >>> from minidl.store import Parameters
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
        self._frozen = False
        self._grad: Floats | None = None

    if not TYPE_CHECKING:  # a checker refuses them as unknown
        trainable, requires_grad = Refused(FREEZING), Refused(FREEZING)
        data = Refused("its numbers are its value: assign to that")

    @property
    def frozen(self) -> bool:
        """Whether the store of its model has set it aside, so that nothing trains it; see `Parameters.freeze`."""
        return self._frozen

    if not TYPE_CHECKING:

        @frozen.setter
        def frozen(self, new: object) -> None:
            raise AttributeError(
                f"expected nothing to be assigned to frozen of a Parameter, received frozen={short(new)}: {FREEZING}"
            )

    @property
    def grad(self) -> Floats:
        """The gradient of the last backward, a view of shape `shape`; backward sets all of it, once per batch."""
        return self._built(self._grad)

    @grad.setter
    def grad(self, new: Array) -> None:
        copy_into(self.grad, new, "grad")

    def __getstate__(self) -> dict[str, Any]:
        """Without the gradient, which is of the newest backward only."""
        return {name: value for name, value in vars(self).items() if name != "_grad"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._grad = None if self._value is None else np.zeros(self._value.shape, self._value.dtype)

    def bind(self, value: Floats, grad: Floats) -> None:
        """Become a pair of views into the flat vectors of a model."""
        self._value, self._grad = value.reshape(self.shape), grad.reshape(self.shape)


class State(_Stored):
    """An array a layer owns but no optimizer trains, such as running statistics: kept and restored with the weights.

    Args:
        shape: of the array.
        init: how it starts.
        dtype: None for the model's; a dtype of its own for what that cannot count, as float32 ends at 2^24.

    >>> from minidl.initializers import zeros
    >>> State((3,), zeros).shape
    (3,)
    """

    def __init__(self, shape: tuple[int, ...], init: Initializer, *, dtype: DTypeLike | None = None) -> None:
        super().__init__(shape, init)
        self.dtype = None if dtype is None else np.dtype(dtype)
        if self.dtype is not None and self.dtype.kind not in "biuf":
            raise ValueError(
                f"expected a dtype of real numbers or None, received dtype={short(dtype)}: such as np.int64"
            )

    def bind(self, value: Floats) -> None:
        """Take the array that holds the value from now on."""
        self._value = value


def copy_into(view: Array, new: Array, what: str) -> None:
    """Assign `new` to all of `view`, of which it must have the shape."""
    if new is view:  # the second half of `p.value += a`
        return
    if type(new) is not np.ndarray or new.dtype != view.dtype:
        new = as_numbers(f"a {what}", np.asarray(new) if isinstance(new, np.generic) else new)
        if what == "value":
            check_range("a value", new, view.dtype, infinite=True)
    if np.shape(new) != view.shape:
        raise ValueError(f"expected a {what} of shape {view.shape}, received shape {np.shape(new)}: reshape it")
    view[...] = new

"""Optimizer: the contract every update rule keeps, with its count of steps and its state."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from minidl.arguments import Recorded, check_function, check_number, short
from minidl.optim.habits import OPTIMIZER
from minidl.optim.schedules import LearningRate
from minidl.optim.slots import Slots
from minidl.parameters import Array
from minidl.quiet import quiet
from minidl.remembered import check_state, count_in, floats_in, number_in
from minidl.returned import as_number, check_parameters
from minidl.store import Parameters

Clip: TypeAlias = Callable[[Array], object]

CLOCK = ("steps", "lr_scale")  # what every state holds besides the slots


class Optimizer(Recorded):
    """w <- w - (what the rule makes of g), on the flat vectors of a model and knowing nothing of its layers.

    To write a rule: define `update`, and name the vectors it remembers in `slot_names`.

    Args:
        lr: the learning rate, a number >= 0 or a function of the step such as `CosineDecay(0.1, 1000)`.
        clip: edits the flat gradient in place before each update, such as `ClipNorm(1.0)`.

    Attributes:
        lr: as given; no optimizer changes it.
        clip: as given.
        steps: how many steps were taken.
        lr_scale: a factor on every learning rate, for callbacks such as reduce-on-plateau.
        slots: the vectors the rule remembers, by name; zeros at the first step.

    Raises:
        ValueError: a bad argument.

    >>> from minidl.initializers import zeros
    >>> from minidl.parameters import Parameter
    >>> class SignDescent(Optimizer):
    ...     '''w <- w - lr * sign(g).'''
    ...     def update(self, value, grad, lr):
    ...         value -= lr * np.sign(grad)
    >>> parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0))
    >>> parameters.grad[:] = [3.0, -4.0]
    >>> optimizer = SignDescent(0.5)
    >>> optimizer.step(parameters)
    >>> optimizer, optimizer.steps, parameters.value
    (SignDescent(0.5), 1, array([-0.5,  0.5], dtype=float32))
    """

    slot_names: tuple[str, ...] = ()
    _squares: tuple[str, ...] = ()  # those of them that are never negative
    _model: weakref.ref[Parameters] | None = None  # that of the steps before; a copy may serve another
    _layout: object = None  # that of its numbers which the slots have
    _of_the_moment = ("_model", "_layout")
    _set_by = "step"
    _habits = OPTIMIZER

    def __init__(self, lr: LearningRate, *, clip: Clip | None = None) -> None:
        self.lr = lr
        if clip is not None:
            if not callable(clip):
                raise ValueError(f"expected clip to be a function of the gradient, received {clip=!r}: ClipNorm(1.0)?")
            check_function("clip", clip, "grad", advice="such as ClipNorm(1.0)")
        self.clip = clip
        self.steps = 0
        self.lr_scale = 1.0
        self.slots: dict[str, Array] = Slots()

    @property
    def lr(self) -> LearningRate:
        """The learning rate as given; assigning refuses what the constructor refuses."""
        return self._lr

    @lr.setter
    def lr(self, new: LearningRate) -> None:
        if callable(new):
            check_function("lr", new, "step", advice="write lambda step: ..., or CosineDecay(0.1, steps=1000)")
        self._lr = new if callable(new) else check_number("lr", new, minimum=0)

    @property
    def lr_scale(self) -> float:
        """A factor on every learning rate; assigning refuses what is not a finite number >= 0."""
        return self._lr_scale

    @lr_scale.setter
    def lr_scale(self, new: float) -> None:
        self._lr_scale = check_number("lr_scale", new, minimum=0)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step: `lr`, at `steps` if it is a function, times `lr_scale`."""
        if not callable(self._lr):
            return self._lr * self._lr_scale
        lr: Any = self._lr(self.steps)
        lr = lr[()] if isinstance(lr, np.ndarray) and lr.ndim == 0 else lr
        return check_number(f"lr({self.steps})", lr, minimum=0) * self._lr_scale

    @quiet
    def step(self, parameters: Parameters) -> None:
        """Clip the gradient if asked, move every value in place, count one step.

        Raises:
            ValueError: a schedule's value is negative or not finite, or `parameters` are of another model than those
                of the steps before.
        """
        lr = self.learning_rate
        self.meet(parameters)
        self.clip_gradient(parameters)
        self.apply(parameters, lr)
        self.steps += 1

    def minimize(self, cost: Callable[[], float], parameters: Parameters) -> float:
        """Take one step on a cost, and return what it was before the step.

        `cost()` sets the gradient at the values as they are and returns the cost there. It is called once and then
        `step`; a rule that looks at several points overrides this and may call it more often, such as `LBFGS`.

        Raises:
            TypeError: `cost()` returned no number.
        """
        before = cost_of(cost)
        self.step(parameters)
        return before

    def clip_gradient(self, parameters: Parameters) -> None:
        """Let `clip` edit the gradient, if there is one."""
        clipped = None if self.clip is None else self.clip(parameters.grad)
        if isinstance(clipped, np.ndarray | list | tuple) and clipped is not parameters.grad:
            _refuse_copy(self.clip, clipped, parameters.size)

    def apply(self, parameters: Parameters, lr: float) -> None:
        """Move every value; to override only where a rule must know more than the two flat vectors."""
        self.update(parameters.value, parameters.grad, lr)

    def update(self, value: Array, grad: Array, lr: float) -> None:
        """Change `value` (n,) in place given `grad` (n,) and the float `lr`; leave `grad` as it is.

        `self.steps` counts the steps before this one; `self.slots` holds a vector (n,) for each slot name, also to be
        changed in place. `blocks` makes long vectors faster.
        """
        raise TypeError(f"{type(self).__name__} must define update(self, value, grad, lr)")

    def state(self) -> dict[str, Any]:
        """A copy of all that changes from step to step: `steps`, `lr_scale`, and each slot by its name."""
        return {"steps": self.steps, "lr_scale": self.lr_scale, **{name: a.copy() for name, a in self.slots.items()}}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned, to the bit. Numbers may be 0-d arrays, as an npz file returns them.

        Raises:
            ValueError, TypeError: the entries are not those of this optimizer, or one of them is not what it must be;
                nothing has changed.
        """
        fresh = isinstance(state, Mapping) and set(state) == set(CLOCK) and not np.any(state["steps"])
        check_state(self, state, CLOCK if fresh else {*CLOCK, *self.slot_names})
        steps, lr_scale = count_in(state, "steps"), number_in(state, "lr_scale", minimum=0)
        slots = {name: np.array(state[name]) for name in state if name not in CLOCK}
        kinds = {(slot.shape, slot.dtype) for slot in slots.values()}
        if len(kinds) > 1 or any(len(shape) != 1 or dtype.kind != "f" for shape, dtype in kinds):
            raise ValueError(f"expected slots that are vectors of one length and floating dtype, received {kinds}")
        slots = Slots({name: floats_in(state, name, slot.shape) for name, slot in slots.items()})
        if below := [name for name in self._squares if name in slots and (slots[name] < 0).any()]:
            raise ValueError(f"expected sums of squares >= 0, received {below} with others: is it another's?")
        if (model := self._bound()) is not None:
            slots = self._fitting(slots, model.value)
        self.steps, self.lr_scale, self.slots = steps, lr_scale, slots

    def meet(self, parameters: Parameters) -> None:
        """Take the first model that is stepped as one's own, and refuse another."""
        known = self._bound()
        if known is parameters and known is not None and (self._layout is parameters.layout or not self.slots):
            return
        if known is parameters and self.steps:
            raise ValueError(
                f"expected the parameters that were trained in the {self.steps} steps before, received others after "
                f"freeze or unfreeze: {type(self).__name__} remembers {', '.join(self.slots)} of each number, so make "
                f"a new optimizer"
            )
        if known is not None and known is not parameters:
            raise ValueError(
                f"expected the model of the {self.steps} steps before, received another: its clock and memory are that "
                f"model's, so make a new optimizer for each, also after building a model again"
            )
        check_parameters("step", parameters)
        self.slots = self._fitting({} if known is parameters else self.slots, parameters.value)
        self._model, self._layout = weakref.ref(parameters), parameters.layout

    def _bound(self) -> Parameters | None:
        return self._model() if self._model is not None else None

    def _fitting(self, slots: dict[str, Array], value: Array) -> dict[str, Array]:
        """The slots if they are those of a model with these values; zeros where there are none yet."""
        slots = slots or Slots({name: np.zeros_like(value) for name in self.slot_names})
        for slot in slots.values():
            if slot.shape != value.shape or slot.dtype != value.dtype:
                raise ValueError(
                    f"expected the {slot.size} {slot.dtype} numbers of the steps before, received {value.size} of "
                    f"{value.dtype}: use one optimizer per model"
                )
        return slots

    def _advice(self, name: str) -> str:
        """A slot is looked for where it is."""
        if name in self.slot_names:
            return f"it is slots[{name!r}], from the first step on"
        return super()._advice(name)

    def __init_subclass__(cls) -> None:
        """Refuse slot names that are no tuple, or that `state` needs for itself."""
        if isinstance(cls.slot_names, str):
            raise TypeError(f'expected slot_names to be a tuple, received {cls.slot_names!r}: ("{cls.slot_names}",)')
        if taken := set(CLOCK) & set(cls.slot_names):
            raise ValueError(f"expected slot_names other than {CLOCK}, received {sorted(taken)}: rename the slot")


def cost_of(cost: Callable[[], float]) -> float:
    """What a function says the cost is, as a Python float."""
    value = cost()
    return value if type(value) is float else as_number("cost()", value)


def _refuse_copy(clip: object, clipped: Array | Sequence[object], size: int) -> None:
    """Refuse a clipper that returns a gradient, which nobody would use."""
    if isinstance(clipped, np.ndarray) or len(clipped) == size:
        kind = "array" if isinstance(clipped, np.ndarray) else type(clipped).__name__
        raise TypeError(f"expected clip={short(clip)} to edit the gradient in place, received a new {kind}: use out=")

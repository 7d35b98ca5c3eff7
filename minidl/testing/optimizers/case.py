"""One drawn case of an optimizer."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from minidl.arguments import short
from minidl.frozen import frozen
from minidl.initializers import zeros
from minidl.optim.base import Optimizer
from minidl.parameters import Array, Parameter
from minidl.store import Parameters
from minidl.testing.report import Case, CheckError, raised
from minidl.testing.strategies import OWN_COPY, copied

Reference: TypeAlias = Callable[[Array, Sequence[Array]], Array]


class OptimizerCheckError(CheckError):
    """An optimizer broke one of its properties; the text holds the smallest case found."""


@frozen
class OptimizerCase(Case):
    """An optimizer that has taken no step, a start (n,) and gradients (steps, n), float64.

    Attributes:
        cut: the step after which a run is interrupted, saved and restored.
        other: another optimizer made by the same call, None where one object was given.
    """

    optimizer: Optimizer
    start: Array
    gradients: Array
    cut: int
    reference: Reference | None
    whole_vector: bool
    whole_parameters: bool
    spares_biases: bool = True
    other: Optimizer | None = None

    def __repr__(self) -> str:
        at = f"{{'start': {self.start.tolist()}, 'gradients': {self.gradients.tolist()}, 'cut': {self.cut}}}"
        declared = "".join(f", {name}=True" for name in ("whole_vector", "whole_parameters") if getattr(self, name))
        declared += f", reference={short(self.reference)}" if self.reference else ""
        declared += "" if self.spares_biases else ", spares_biases=False"
        return f"check_optimizer({self.optimizer!r}, at={at}{declared})"

    def failure(self, failed: str, details: str = "") -> OptimizerCheckError:
        """The error to raise, with the case and the call that repeats it."""
        lines = [details, f"  optimizer      {self.optimizer!r}", f"  start = {self.start.tolist()}"]
        lines += [f"  gradients = {self.gradients.tolist()}", f"  repeat with    {self!r}"]
        return OptimizerCheckError(type(self.optimizer).__name__, failed, *lines)

    def fresh(self) -> Optimizer:
        """A copy of the optimizer that has taken no step."""
        fresh: Optimizer = copied(self.optimizer, OWN_COPY)
        return fresh

    def run(self, optimizer: Optimizer, parameters: Parameters, gradients: Array) -> Array:
        """Take one step for each gradient, that of a linear cost; returns the values after the last."""
        for gradient in gradients:
            try:
                optimizer.minimize(linear(parameters, gradient), parameters)
            except Exception as error:
                raise self.failure("step must not raise", raised(error)).of_running() from error
        return parameters.value.copy()

    def asked(self, gradients: list[Array]) -> Array:
        """What the reference says the values are after all steps: one number for each of the start."""
        if self.reference is None:
            raise ValueError("expected a case with a reference, received reference=None")
        try:
            wanted = np.asarray(self.reference(self.start.copy(), gradients), np.float64)
        except Exception as error:
            raise self.failure("the reference must not raise", raised(error)) from error
        if wanted.shape != self.start.shape:
            details = f"  expected shape {self.start.shape}, the values after all steps, received {wanted.shape}"
            raise self.failure("the reference must return one value for each of the start", details)
        return wanted

    @cached_property
    def final(self) -> Array:
        """The values after all steps on one parameter."""
        return self.run(self.fresh(), store(self.start), self.gradients)


def linear(parameters: Parameters, gradient: Array) -> Callable[[], float]:
    """The cost gradient * values, as `minimize` takes it; whoever looks once sees nothing but the gradient."""

    def cost() -> float:
        parameters.grad[...] = gradient
        return float(gradient @ parameters.value)

    return cost


def store(start: Array, *, parts: int = 1, dtype: Any = np.float64, decay: bool = True) -> Parameters:
    """The values as `parts` parameters, one after the other."""
    pieces = [piece for piece in np.array_split(start, parts) if piece.size]
    named = {f"{i}.weight": Parameter((piece.size,), zeros, decay=decay) for i, piece in enumerate(pieces)}
    parameters = Parameters(named, np.random.default_rng(0), dtype=dtype)
    parameters.value[...] = start
    return parameters

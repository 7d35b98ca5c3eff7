"""One drawn case of a layer, and its runs: forward and backward from the same random streams and states every time."""

import copy
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from minidl.arguments import short
from minidl.frozen import frozen
from minidl.layers.base import Layer
from minidl.parameters import Array
from minidl.testing.functions import Domain, Rows, Subject, close, same_bits, shown, some_input, upstream_gradient
from minidl.testing.layers.advice import on_parameters, plain_arrays
from minidl.testing.report import Case, CheckError, raised


class LayerCheckError(CheckError):
    """A layer broke one of its properties; the text holds the smallest case found."""


@frozen
class Declared:
    """What the author of a layer declares about it; see `layer_test`."""

    rows_mix: bool | str = False
    stochastic: bool | str = False
    random_inference: bool = False
    domain: Domain | None = None
    integers: tuple[int, int] | None = None
    jumps: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, word in (("rows_mix", "training"), ("stochastic", "unbiased")):
            if (value := getattr(self, name)) not in (False, True, word):
                raise ValueError(f"expected {name} to be True, False or {word!r}, received {name}={short(value)}")

    @property
    def bounded(self) -> bool:
        """Whether x must not be as large as you like."""
        return self.domain is not None or self.integers is not None

    def another(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Some other input of the declared kind: whole numbers, or multiples of 1/8 (1/64 in a narrow domain)."""
        if self.integers is not None:
            return rng.integers(*self.integers, shape)
        return some_input(shape, self.domain, rng)

    def __str__(self) -> str:
        return "".join(f", {name}={value!r}" for name, value in vars(self).items() if value)


@frozen
class LayerCase(Case):
    """A layer built in float64 with parameters away from their initial values, and its input.

    Attributes:
        layer: the layer; where the seed is odd it has seen two batches in training before.
        fresh: a copy of it from before it was built.
        x: its input, float64 or whole numbers.
        seed: of everything random in the check.
        declared: what its author declares.
        advice: what to say where it does not run or has another shape.
        other: another one made by the same call, built; None where there is none that shares nothing on purpose.
    """

    layer: Layer
    fresh: Layer
    x: Array
    seed: int
    declared: Declared
    advice: str = ""
    other: Layer | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Those of the layer and below."""
        return tuple(self.layer.parameters.named)

    @property
    def arrays(self) -> tuple[str, ...]:
        """Those of the layer and below."""
        return plain_arrays(self.fresh)

    def __repr__(self) -> str:
        return f"check_layer({self.fresh!r}, at={{'x': {self.x.tolist()}, 'seed': {self.seed}}}{self.declared})"


class LayerRun:
    """A case in one mode. What is asked of it first is kept, for the properties to share.

    `unset` is what every gradient of a parameter is before backward sets it.
    """

    error: type[LayerCheckError] = LayerCheckError

    def __init__(self, case: LayerCase, unset: float = np.nan, inference: "LayerRun | None" = None) -> None:
        self.case, self.layer, self.declared, self.inference = case, case.layer, case.declared, inference
        self.rng, self.training, self.unset = np.random.default_rng(case.seed), case.layer.training, unset
        self.inside = list(case.layer.layers_inside())
        self.streams = self.streams_now()
        self.states = self.states_now()

    @property
    def rows_mix(self) -> bool:
        """Whether rows may depend on one another in this mode."""
        return bool(self.declared.rows_mix) and (self.training or self.declared.rows_mix is True)

    def streams_now(self) -> list[Any]:
        """The states of the random streams of all layers inside."""
        return [copy.deepcopy(inner.rng.bit_generator.state) for inner in self.inside]

    def states_now(self) -> dict[str, Array]:
        """A copy of every State."""
        return {name: state.value.copy() for name, state in self.layer.parameters.states.items()}

    def values(self) -> dict[str, Array]:
        """The values of the parameters, as they stand."""
        return {name: parameter.value for name, parameter in self.layer.parameters.named.items()}

    def arrays(self, x: Array) -> dict[str, Array]:
        """What is differentiated at `x`: x itself, unless it holds whole numbers, and the values of the parameters."""
        return self.values() if self.declared.integers else {"x": x, **self.values()}

    def rewind(self, layer: Layer) -> None:
        """Give the layer, or a copy of it, the random streams and states in which the case found it."""
        inside = self.inside if layer is self.layer else layer.layers_inside()
        for inner, stream in zip(inside, self.streams, strict=True):
            inner.rng.bit_generator.state = stream
            inner.training = self.training
        for name, value in self.states.items():
            layer.parameters.states[name].value = value

    def forward(self, x: Array, *, twin: Layer | None = None) -> Array:
        """The output for `x` of the layer, or of a copy of it, from the state in which the case found the layer."""
        layer = twin or self.layer
        self.rewind(layer)
        try:
            return layer.forward(x)
        except Exception as error:
            other = "" if np.array_equal(x, self.case.x) else f"\n  for x = {shown(x)}"
            details = f"{raised(error)}{on_parameters(error, layer)}{other}{self.case.advice}"
            raise self.failure("forward must not raise", details).of_running() from error

    def backward(self, dy: Array, *, twin: Layer | None = None) -> dict[str, Array]:
        """The gradients of x (as "x") and of every parameter; before, the latter are `unset`."""
        layer = twin or self.layer
        layer.parameters.grad[...] = self.unset
        try:
            dx = layer.backward(dy)
        except Exception as error:
            details = f"{raised(error)}{on_parameters(error, layer)}{self.case.advice}"
            raise self.failure("backward must not raise", details).of_running() from error
        gradients = {name: parameter.grad.copy() for name, parameter in layer.parameters.named.items()}
        return gradients if self.declared.integers else {"x": dx} | gradients

    def subject(self, x: Array) -> Subject:
        """The layer at `x` as something to differentiate; its parameters are the arrays themselves.

        Elements of `x` that stand at a declared jump are held there, and their gradients are not looked at.
        """
        held, there = np.isin(x, self.declared.jumps), x.copy()

        def seen() -> Array:
            return np.where(held, there, x) if held.any() else x

        def gradients(dy: Array) -> dict[str, Array]:
            of = self.gradients_at(seen(), dy)
            return of | {"x": np.where(held, 0.0, of["x"])} if "x" in of else of

        return Subject(self.arrays(x), lambda: self.forward(seen()).copy(), gradients, self._apart)

    def _apart(self, name: str) -> bool:
        return name == "x" and self.rows_apart

    def gradients_at(self, x: Array, dy: Array) -> dict[str, Array]:
        """The gradients after a forward of `x`."""
        self.forward(x)
        return self.backward(dy)

    @property
    def x(self) -> Array:
        """The input: a copy, as a layer may wrongly write into it."""
        return self.case.x.copy()

    @cached_property
    def y(self) -> Array:
        """The output of the first forward."""
        return self.forward(self.x)

    @cached_property
    def draws(self) -> bool:
        """Whether a forward draws from the random streams."""
        self.forward(self.x)
        return repr(self.streams_now()) != repr(self.streams)

    @property
    def dy(self) -> Array:
        """An upstream gradient without zeros, the same each time."""
        return upstream_gradient(np.random.default_rng(self.case.seed), np.shape(self.y))

    @cached_property
    def gradients(self) -> dict[str, Array]:
        """A copy of the gradients of the first backward."""
        gradients = self.gradients_at(self.x, self.dy)
        return {name: gradient.copy() for name, gradient in gradients.items()}

    @property
    def of_rows(self) -> Rows:
        """What the batch gives, and what some of its rows give."""
        dy = self.dy

        def passed(rows: Any) -> tuple[Array, Callable[[], dict[str, Array]]]:
            return self.forward(self.x[rows]), lambda: self.backward(dy[rows])

        return Rows(self.y, self.gradients, passed, ("x",), self.failure)

    @cached_property
    def rows_apart(self) -> bool:
        """Whether each row gives its own output and gradient, whatever stands below it."""
        if self.rows_mix or self.draws:
            return False
        n, x, dy = len(self.y), self.x, self.dy
        alone = {"y": self.forward(x).copy(), **self.gradients_at(x, dy)}
        both = np.concatenate([x, other_input(self)])
        beside = {"y": self.forward(both), **self.gradients_at(both, np.concatenate([dy, -dy]))}
        return all(close(alone[name].copy(), beside[name][:n]) for name in ("y", "x"))

    @cached_property
    def seen_before(self) -> bool:
        """Whether this is training and does just what inference does."""
        return self.as_at_inference(self.x)

    def as_at_inference(self, x: Array) -> bool:
        """Whether this is training and gives the same output and gradients for `x` as inference."""
        if self.inference is None:
            return False
        theirs, ours = ({"y": run.forward(x), **run.backward(self.dy)} for run in (self.inference, self))
        return same_bits(theirs, ours)

    def failure(self, failed: str, details: str = "", *, drawn: bool = True, closer: str = "") -> LayerCheckError:
        """The error to raise, with the numbers drawn, unless the details tell others, and the call that repeats it."""
        values = [f"  {name} = {value.tolist()}" for name, value in self.values().items() if value.size <= 64]
        states = [f"  {name} = {value.tolist()} (state)" for name, value in self.states.items() if value.size <= 64]
        mode = "training" if self.training else "inference"
        lines = [details, f"  layer          {self.case.fresh!r}, in {mode} mode"]
        lines += [f"  x = {shown(self.case.x)}", *values] if drawn else []
        lines += [*states, f"  look closer    {closer}" if closer else "", f"  repeat with    {self.case!r}"]
        return self.error(type(self.layer).__name__, failed, *lines)


def other_input(run: LayerRun) -> Array:
    """Another batch of the same shape."""
    return run.declared.another(run.case.x.shape, np.random.default_rng(run.case.seed + 1))

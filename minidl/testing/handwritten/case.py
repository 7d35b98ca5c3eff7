"""One drawn case of a function, and its runs: forward, and backward from any forward, as often as is asked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.testing.functions import Domain, Rows, Subject, close, same_bits, shown, some_input, upstream_gradient
from minidl.testing.handwritten.called import Arrays, Called, How, joined, parted
from minidl.testing.report import Case, CheckError, raised

T = TypeVar("T")


class FunctionCheckError(CheckError):
    """A function with a derivative written by hand broke one of its properties; the text holds the smallest case."""


@frozen
class Declared:
    """What is declared of a function; `rows` are the inputs of which each row gives a row of the output."""

    rows: tuple[str, ...]
    rows_mix: bool | str = False
    stochastic: bool = False
    domains: Mapping[str, Domain | None] = field(default_factory=dict)
    integers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    constants: tuple[str, ...] = ()
    jumps: tuple[float, ...] = ()


@frozen
class FunctionCase(Case):
    """A function and its inputs.

    Attributes:
        called: the function, brought to NumPy.
        given: name -> value of every input, float64 or whole numbers, and of its own parameters.
        seed: of everything random in the check.
        declared: what is declared of it.
        call: how a call that repeats it begins, and how it ends after `at`.
        subject: its name.
    """

    called: Called
    given: dict[str, Array]
    seed: int
    declared: Declared
    call: tuple[str, str]
    subject: str

    @property
    def parameters(self) -> tuple[str, ...] | None:
        """Those of a module; None for a function."""
        return tuple(self.called.parameters) if self.called.modes else None

    @property
    def inputs(self) -> dict[str, Array]:
        """What a call is given, without the function's own parameters."""
        return {name: value for name, value in self.given.items() if name not in self.called.parameters}

    @property
    def differentiated(self) -> list[str]:
        """The names of the inputs and parameters whose gradients are asked."""
        not_asked = {*self.declared.integers, *self.declared.constants}
        return [name for name in self.given if name not in not_asked]

    @property
    def moved(self) -> list[str]:
        """The inputs whose gradients are asked and which may be as large as you like."""
        return [n for n in self.inputs if n in self.differentiated and self.declared.domains.get(n) is None]

    def another(self, rng: np.random.Generator, rows: int | None = None) -> dict[str, Array]:
        """Other inputs of the declared kind, with so many rows; the same parameters, and weights of a row the same."""
        other = dict(self.given)
        for name, value in self.inputs.items():
            if rows is not None and name not in self.declared.rows:
                continue
            shape = value.shape if rows is None else (rows, *value.shape[1:])
            if name in self.declared.integers:
                other[name] = rng.integers(*self.declared.integers[name], shape)
            else:
                other[name] = some_input(shape, self.declared.domains.get(name), rng)
        return other

    def __repr__(self) -> str:
        at = {name: value.tolist() for name, value in self.inputs.items()} | {"seed": self.seed}
        return f"{self.call[0]}, at={at}{self.call[1]})"


@frozen
class Started:
    """One forward: the outputs, all of them joined to `y`, and `back` from an upstream gradient like `y`.

    `back` takes, too, a function to lay each output's upstream gradient out in memory.
    """

    outputs: list[Array]
    y: Array
    back: Callable[..., dict[str, Array]]


class FunctionRun:
    """A case in one mode; what is asked of it first is kept, for the properties to share."""

    def __init__(self, case: FunctionCase, inference: "FunctionRun | None" = None, *, training: bool = False) -> None:
        self.case, self.called, self.declared, self.inference = case, case.called, case.declared, inference
        self.rng, self.training = np.random.default_rng(case.seed), training

    @cached_property
    def how(self) -> How:
        """The mode, and the seed where something is drawn."""
        draws = self.called.draws(self.given, How(self.training))
        return How(self.training, self.case.seed if draws else None)

    @property
    def draws(self) -> bool:
        """Whether a forward draws random numbers."""
        return self.how.seed is not None

    @property
    def rows_mix(self) -> bool:
        """Whether rows may depend on one another in this mode."""
        return bool(self.declared.rows_mix) and (self.training or self.declared.rows_mix is True)

    @property
    def given(self) -> dict[str, Array]:
        """The inputs and parameters: copies, as a function may wrongly write into them."""
        return {name: value.copy() for name, value in self.case.given.items()}

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.case.given[self.declared.rows[0]])

    def with_rows(self, rows: Any, given: Arrays | None = None) -> dict[str, Array]:
        """The inputs with some of the rows only."""
        given = self.given if given is None else given
        return {name: value[rows] if name in self.declared.rows else value for name, value in given.items()}

    def forward(self, given: Arrays) -> Array:
        """All outputs joined, as a new array."""
        return self._tried("forward", given, lambda: joined(self.called.outputs(given, self.how)))

    def start(self, given: Arrays, *, called: Called | None = None, wanted: Collection[str] | None = None) -> Started:
        """A forward that backward can go back from."""
        names = self.case.differentiated if wanted is None else wanted
        thing = called or self.called
        outputs, back = self._tried("forward", given, lambda: thing.start(given, self.how, names))

        def gradients(dy: Array, layout: Callable[[Array], Array] = np.asarray) -> dict[str, Array]:
            upstream = [layout(part) for part in parted(dy, outputs)]
            return dict(self._tried("backward", given, lambda: back(upstream)))

        return Started(outputs, joined(outputs), gradients)

    def _tried(self, what: str, given: Arrays, call: Callable[[], T]) -> T:
        try:
            return call()
        except Exception as error:
            there = all(np.array_equal(given[name], value) for name, value in self.case.given.items())
            details = raised(error)
            if not there:
                at = "".join(f"\n  for {name} = {shown(given[name])}" for name in self.case.inputs)
                details += at + ("" if self.declared.rows_mix else "\n  if rows are meant to mix: rows_mix=True")
            raise self.failure(f"{what} must not raise", details).of_running() from error

    def gradients_at(self, given: Arrays, dy: Array) -> dict[str, Array]:
        """The gradients after a forward of `given`."""
        return self.start(given).back(dy)

    @cached_property
    def y(self) -> Array:
        """The joined outputs of the first forward."""
        return self.start(self.given).y

    @property
    def dy(self) -> Array:
        """An upstream gradient without zeros, the same each time."""
        return upstream_gradient(np.random.default_rng(self.case.seed), self.y.shape)

    @cached_property
    def gradients(self) -> dict[str, Array]:
        """A copy of the gradients of the first backward."""
        return {name: np.array(g) for name, g in self.gradients_at(self.given, self.dy).items()}

    @property
    def of_rows(self) -> Rows:
        """What the batch gives, and what some of its rows give."""
        dy = self.dy

        def passed(rows: Any) -> tuple[Array, Callable[[], dict[str, Array]]]:
            started = self.start(self.with_rows(rows))
            return started.y, lambda: started.back(dy[rows])

        return Rows(self.y, self.gradients, passed, self.declared.rows, self.failure)

    @cached_property
    def rows_apart(self) -> bool:
        """Whether each row gives its own output and gradient, whatever stands below it."""
        if self.rows_mix or self.draws:
            return False
        n, given, dy, rows = len(self.y), self.given, self.dy, self.declared.rows
        other = self.case.another(np.random.default_rng(self.case.seed + 1), n)
        both = {name: np.concatenate([a, other[name]]) if name in rows else a for name, a in given.items()}
        alone, beside = self.start(given), self.start(both)
        if not close(alone.y, beside.y[:n]):
            return False
        one, two = alone.back(dy), beside.back(np.concatenate([dy, -dy]))
        return all(close(one[name], two[name][:n]) for name in one if name in rows)

    @cached_property
    def seen_before(self) -> bool:
        """Whether this is training and does just what inference does."""
        return self.as_at_inference(self.given)

    def as_at_inference(self, given: Arrays) -> bool:
        """Whether this is training and gives the same output and gradients as inference."""
        if self.inference is None or self.draws or self.inference.y.shape != self.y.shape:
            return False
        theirs, ours = (run.start(given) for run in (self.inference, self))
        same = np.array_equal(theirs.y, ours.y, equal_nan=True)
        return same and same_bits(theirs.back(self.dy), ours.back(self.dy))

    def subject(self, given: dict[str, Array]) -> Subject:
        """The function at `given` as something to differentiate; elements that stand at a jump are held there."""
        asked = {name: given[name] for name in self.case.differentiated}
        inputs = set(self.case.inputs)
        held = {name: np.isin(a, self.declared.jumps) for name, a in asked.items() if name in inputs}
        held = {name: where for name, where in held.items() if where.any()}
        there = {name: asked[name].copy() for name in held}

        def seen() -> dict[str, Array]:
            return given | {name: np.where(where, there[name], given[name]) for name, where in held.items()}

        def gradients(dy: Array) -> dict[str, Array]:
            of = self.gradients_at(seen(), dy)
            return of | {name: np.where(where, 0.0, of[name]) for name, where in held.items()}

        apart = self.declared.rows
        return Subject(asked, lambda: self.forward(seen()), gradients, lambda name: name in apart and self.rows_apart)

    def failure(self, failed: str, details: str = "", *, drawn: bool = True) -> FunctionCheckError:
        """The error to raise, with the numbers drawn, unless the details tell others, and the call that repeats it."""
        mode = f"  mode           {'training' if self.training else 'inference'}" if self.called.modes else ""
        parameters = [n for n in self.called.parameters if self.case.given[n].size <= 64]
        names = [*self.case.inputs, *parameters] if drawn else []
        lines = [details, mode, *(f"  {name} = {shown(self.case.given[name])}" for name in names)]
        return FunctionCheckError(self.case.subject, failed, *lines, f"  repeat with    {self.case!r}")

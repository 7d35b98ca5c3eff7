"""One drawn case of a callback: a small run of a small network."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.frozen import frozen
from minidl.layers import Linear, Sequential, SoftmaxCrossEntropy, Tanh
from minidl.metrics import accuracy
from minidl.optim import SGD
from minidl.testing.functions import call_of, shown
from minidl.testing.report import Case, CheckError, raised
from minidl.testing.strategies import SEEDS
from minidl.training import Callback, Trainer

PLAN: dict[str, Any] = {
    "rows": st.integers(1, 6),
    "batch_size": st.integers(1, 3),
    "epochs": st.integers(1, 4),
    "validate_every": st.sampled_from([1, 2, 3, 1.0]),
    "seed": SEEDS,
}
HELD_OUT = 4  # rows of the validation set


class CallbackCheckError(CheckError):
    """A callback broke one of its properties; the text holds the smallest case found."""


class InterruptedRunError(Exception):
    """What ends a run that is to go on."""


def last_cut(plan: Mapping[str, Any]) -> int:
    """How many steps after its first a planned run can be interrupted at most, with one step left to take."""
    steps: int = plan["epochs"] * -(-plan["rows"] // plan["batch_size"])
    return max(0, steps - 2)


@frozen
class CallbackCase(Case):
    """A small run, as PLAN names it, with a callback.

    Attributes:
        make: gives one that has seen no run, a new one at every call.
        run: the plan, and how many steps after its first the run is interrupted, to go on.
        fit: the options of `Trainer.fit` that the callback asks for.
        arguments: what it is made with.
    """

    make: Callable[[], Callback]
    run: Mapping[str, Any]
    fit: Mapping[str, Any]
    arguments: Mapping[str, Any]

    @cached_property
    def callback(self) -> Callback:
        """One to look at, which no run is given."""
        return self.make()

    @property
    def shown(self) -> str:
        """The call that makes the callback."""
        return call_of(self.callback, self.arguments)

    def __repr__(self) -> str:
        declared = f", fit={dict(self.fit)}" if self.fit else ""
        return f"check_callback({self.shown}, at={dict(self.run)}{declared})"

    def failure(self, failed: str, details: str = "") -> CallbackCheckError:
        """The error to raise, with the case and the call that repeats it."""
        lines = f"  callback       {self.shown}", f"  repeat with    {self!r}"
        return CallbackCheckError(type(self.callback).__name__, failed, details, *lines)

    def trained(self, what: str, *callbacks: Callback, times: int = 1, **options: Any) -> Trainer:
        """A new trainer after so many runs with these callbacks; `what` says what kind of run it is."""
        trainer = small_trainer(self.run, *callbacks)
        try:
            with suppress(InterruptedRunError):
                for _ in range(times):
                    fit(trainer, self.run, **{**self.fit, **options})
        except Exception as error:
            advice = '\n  if it asks for an option of fit: fit={"restore_best": False}' if what == "a run" else ""
            raise self.failure(f"no hook may raise in {what}", raised(error) + advice) from error
        return trainer

    @cached_property
    def whole(self) -> "Whole":
        """A run that nothing interrupts."""
        return self._whole("a run", 1)

    @cached_property
    def second(self) -> "Whole":
        """A second run with the same objects, that nothing interrupts either."""
        return self._whole("a second run with the same object", 2)

    def _whole(self, what: str, times: int) -> "Whole":
        callback = self.make()
        trainer = self.trained(what, callback, times=times)
        taken = trainer.history.steps["step"]
        return Whole(trainer.optimizer.steps - len(taken), len(taken), self.outcome(trainer, callback))

    def outcome(self, trainer: Trainer, callback: Callback) -> dict[str, Any]:
        """All that a run comes to, by what a failure calls it."""
        history, weights = trainer.history, trainer.model.parameters.value.copy()
        known = {"weights": weights, "best step": history.best_step, "reason to stop": history.stopped_because}
        known |= {f"steps' {name}": np.array(column) for name, column in history.steps.items()}
        known |= {f"evaluations' {name}": np.array(column) for name, column in history.evaluations.items()}
        states = {"optimizer": trainer.optimizer.state(), "callback": self.state(callback)}
        return known | {f"{who}'s {name}": value for who, state in states.items() for name, value in state.items()}

    def state(self, callback: Callback) -> dict[str, Any]:
        """What the callback says it remembers; whether a file can hold it, Checkpoint says."""
        try:
            return dict(callback.state())
        except Exception as error:
            raise self.failure("state must return a dict", raised(error)) from error


@frozen
class Whole:
    """What a run that nothing interrupts comes to: the steps taken before it and in it, and all that it leaves."""

    before: int
    steps: int
    outcome: Mapping[str, Any]

    def differing(self, received: Mapping[str, Any]) -> str:
        """A line on the first thing that is another, or ""."""
        for name, wanted in self.outcome.items():
            if not same(wanted, received.get(name)):
                return f"  the {name}: expected {shown(wanted)}, received {shown(received.get(name))}"
        return ""


def small_trainer(plan: Mapping[str, Any], *callbacks: Callback) -> Trainer:
    """A trainer of a small network."""
    model = Sequential(Linear(2, 3), Tanh(), Linear(3, 2)).build(seed=plan["seed"])
    return Trainer(model, SoftmaxCrossEntropy(), SGD(0.5, momentum=0.9), metrics=[accuracy], callbacks=callbacks)


def fit(trainer: Trainer, plan: Mapping[str, Any], **options: Any) -> None:
    """Train as planned, with further options or others."""
    rng, rows = np.random.default_rng(plan["seed"]), plan["rows"] + HELD_OUT
    x, labels = rng.standard_normal((rows, 2)), rng.integers(0, 2, rows)
    train, validation = (x[HELD_OUT:], labels[HELD_OUT:]), (x[:HELD_OUT], labels[:HELD_OUT])
    planned = {name: plan[name] for name in ("batch_size", "epochs", "validate_every", "seed")}
    trainer.fit(train, validation, progress=False, **{**planned, **options})


def same(a: Any, b: Any) -> bool:
    """Whether two numbers, arrays, strings or None are the same, to the bit; NaN is the same as NaN."""
    numbers = all(isinstance(value, np.ndarray | np.generic | int | float) for value in (a, b))
    return np.array_equal(a, b, equal_nan=True) if numbers else a == b

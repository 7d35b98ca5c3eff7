"""check_callback and callback_test: hooks that stand every documented run, and a run that goes on to the same bits."""

import copy
import inspect
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.arguments import check_integer, short, suggest
from minidl.layers import Linear, Sequential, SoftmaxCrossEntropy, Tanh
from minidl.metrics import accuracy
from minidl.optim import SGD
from minidl.testing.functions import shown
from minidl.testing.report import NOT_TRIED, Case, CheckError, Outcome, Properties, call_of, name_of, raised
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case
from minidl.testing.strategies import SEEDS, check_kind, draw_object, make_object
from minidl.training import Callback, Checkpoint, Trainer

CALLBACKS = Properties()
RUNS: dict[str, Any] = {
    "rows": st.integers(1, 6),
    "batch_size": st.integers(1, 3),
    "epochs": st.integers(1, 4),
    "validate_every": st.sampled_from([1, 2, 3, 1.0]),
    "cut": st.integers(0, 23),
    "seed": SEEDS,
}
HELD_OUT = 4  # rows of the validation set


class CallbackCheckError(CheckError):
    """A callback broke one of its properties; the text holds the smallest case found."""


class _InterruptedError(Exception):
    """What ends a run that is to go on."""


def _told(**hooks: Callable[..., None]) -> Callback:
    """A callback with these hooks."""
    callback = Callback()
    vars(callback).update(hooks)
    return callback


@dataclass(frozen=True)
class CallbackCase(Case):
    """A callback that has seen no run, a small run as RUNS names it, and the options of `fit` that it asks for."""

    callback: Callback
    run: Mapping[str, Any]
    fit: Mapping[str, Any]
    arguments: Mapping[str, Any]

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
        rng, rows = np.random.default_rng(self.run["seed"]), self.run["rows"] + HELD_OUT
        x, labels = rng.standard_normal((rows, 2)), rng.integers(0, 2, rows)
        train, validation = (x[HELD_OUT:], labels[HELD_OUT:]), (x[:HELD_OUT], labels[:HELD_OUT])
        model = Sequential(Linear(2, 3), Tanh(), Linear(3, 2)).build(seed=self.run["seed"])
        rule = SGD(0.5, momentum=0.9)
        trainer = Trainer(model, SoftmaxCrossEntropy(), rule, metrics=[accuracy], callbacks=callbacks)
        plan = {name: self.run[name] for name in ("batch_size", "epochs", "validate_every", "seed")}
        try:
            with suppress(_InterruptedError):
                for _ in range(times):
                    trainer.fit(train, validation, progress=False, **{**plan, **self.fit, **options})
        except Exception as error:
            advice = '\n  if it asks for an option of fit: fit={"restore_best": False}' if what == "a run" else ""
            raise self.failure(f"no hook may raise in {what}", raised(error) + advice) from error
        return trainer

    @cached_property
    def whole(self) -> tuple[int, dict[str, Any]]:
        """The steps of a run that nothing interrupts, and all that it comes to."""
        callback = copy.deepcopy(self.callback)
        trainer = self.trained("a run", callback)
        return len(trainer.history.steps["step"]), self.outcome(trainer, callback)

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

    def differing(self, received: dict[str, Any]) -> str:
        """A line on the first thing that is another than in the whole run, or ""."""
        for name, wanted in self.whole[1].items():
            if not _same(wanted, received.get(name)):
                return f"  the {name}: expected {shown(wanted)}, received {shown(received.get(name))}"
        return ""


def _same(a: Any, b: Any) -> bool:
    """Whether two numbers, arrays, strings or None are the same, to the bit; NaN is the same as NaN."""
    numbers = all(isinstance(value, np.ndarray | np.generic | int | float) for value in (a, b))
    return np.array_equal(a, b, equal_nan=True) if numbers else a == b


@CALLBACKS.property("runs", first=True)
def runs(case: CallbackCase) -> None:
    """A run with it comes to its end."""
    case.trained("a run", copy.deepcopy(case.callback))


@CALLBACKS.property("every documented run")
def documented(case: CallbackCase) -> None:
    """No hook raises in a run without steps, in one that ends early, or in a second one with the same object."""
    case.trained("a run without steps", copy.deepcopy(case.callback), epochs=0)
    stop = _told(on_step_end=lambda trainer: trainer.stop("one step is enough"))
    case.trained("a run that ends after one step", copy.deepcopy(case.callback), stop)
    case.trained("a second run with the same object", copy.deepcopy(case.callback), times=2)


@CALLBACKS.property("repeatable")
def repeatable(case: CallbackCase) -> None:
    """A copy that has seen no run does the same in the same run: no memory outside the object, no other randomness."""
    callback = copy.deepcopy(case.callback)
    if difference := case.differing(case.outcome(case.trained("a run", callback), callback)):
        raise case.failure("the same run twice must come to the same", difference)


@CALLBACKS.property("state is a copy")
def state_is_a_copy(case: CallbackCase) -> Outcome:
    """What `state` returned can be held by a file, and later steps do not change it."""
    callback = copy.deepcopy(case.callback)
    if type(callback).state is Callback.state:
        return NOT_TRIED
    states = list[tuple[dict[str, Any], dict[str, Any]]]()  # as they were given, and copies
    taking = _told(on_step_end=lambda trainer: states.append(((now := case.state(callback)), copy.deepcopy(now))))
    case.trained("a run", callback, taking)
    for live, kept in states:
        for name, value in kept.items():
            if not _same(value, live[name]):
                raise case.failure("a state must stay as it is", f"  later steps wrote into its {name}: copy it")
    return None


@CALLBACKS.property("resumed at any step")
def resumed(case: CallbackCase) -> Outcome:
    """A run that was interrupted after any step goes on, with fresh objects, to the bits of one that was not."""
    steps, _ = case.whole
    if steps < 2:
        return NOT_TRIED
    cut, callback = 1 + case.run["cut"] % (steps - 1), copy.deepcopy(case.callback)

    def interrupt(trainer: Trainer) -> None:
        if trainer.optimizer.steps > cut:
            raise _InterruptedError

    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.npz")
        until = _told(on_step_end=interrupt), Checkpoint(path, every_steps=cut)
        case.trained("a run", copy.deepcopy(case.callback), *until)
        trainer = case.trained(f"a run that goes on at step {cut}", callback, resume=path)
    if found := case.differing(case.outcome(trainer, callback)):
        found += f"\n  interrupted after step {cut} of {steps}: is all that the hooks remember in state and load_state?"
        raise case.failure("a run that goes on must end in the same bits", found)
    return None


def _check_fit(fit: Mapping[str, Any]) -> None:
    """Refuse options of `fit` that it does not have, or that the check chooses itself."""
    own = {"self", "train", "validation", "progress", "resume", *RUNS}
    known = set(inspect.signature(Trainer.fit).parameters) - own
    if not isinstance(fit, Mapping):
        raise TypeError(f'expected fit={{...}} as in fit={{"restore_best": False}}, received fit={short(fit)}')
    for name in fit:
        if name not in known:
            why = "the check chooses it" if name in own else suggest(str(name), sorted(known))
            raise ValueError(f"expected fit to hold options of Trainer.fit, received fit={short(fit)}: {name!r}, {why}")


CALLBACK = Kind(tuple(CALLBACKS), runs, CallbackCheckError)


def callback_cases(
    callback: Callback | Callable[..., Callback], *, fit: Mapping[str, Any] | None = None, **arguments: Any
) -> Cases:
    """The cases of a callback: its object, and a small run."""
    _check_fit({} if fit is None else fit)

    @st.composite
    def drawn(draw: st.DrawFn) -> CallbackCase:
        made, _, chosen = draw_object(draw, callback, (), arguments)
        check_kind(made, Callback)
        return CallbackCase(made, {name: draw(values) for name, values in RUNS.items()}, fit or {}, chosen)

    def given(at: Mapping[str, Any]) -> CallbackCase:
        check_kind(made := make_object(callback, arguments), Callback)
        run = given_case(at, *RUNS)
        for name in set(RUNS) - {"validate_every"}:
            check_integer(name, run[name], minimum=int(name in ("rows", "batch_size", "epochs")))
        return CallbackCase(made, run, fit or {}, arguments)

    return Cases(name_of(callback), drawn(), given)


@as_test(CALLBACK, callback_cases)
def callback_test() -> None:
    """A ready hypothesis test of a callback: a class with constructor arguments (values or strategies), or an object.

    Args:
        callback: what is tested; a fresh one, or a fresh copy, for every run.
        fit: options of `Trainer.fit` that it asks for, as `{"restore_best": False}` for `AverageWeights`.
        settings: hypothesis settings instead of those of the loaded profile.
        arguments: constructor arguments, each a value or a strategy.

    Each case is a small run of a small network; a metric `accuracy` and a validation set give columns to monitor.
    `docs/testing.md` lists the properties; `Report` names them.

    >>> from minidl import EarlyStopping
    >>> test_early_stopping = callback_test(EarlyStopping, patience=st.integers(1, 3))
    >>> test_early_stopping()
    """


@at_once(CALLBACK, callback_cases)
def check_callback() -> None:
    """Run `callback_test` at once; `at`, `max_examples`, `raises` as in `check_layer`.

    Raises:
        CallbackCheckError: a property does not hold. The text shows the smallest case found; `error.report` is the
            report.

    >>> from minidl import ReduceOnPlateau
    >>> check_callback(ReduceOnPlateau(patience=1), max_examples=20).passed
    True
    """

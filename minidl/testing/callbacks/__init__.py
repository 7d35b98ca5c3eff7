"""check_callback and callback_test: hooks that stand every documented run, and a run that goes on to the same bits."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from minidl.arguments import check_integer, short, suggest
from minidl.testing.callbacks.case import PLAN, CallbackCase, CallbackCheckError, last_cut, small_trainer
from minidl.testing.callbacks.case import fit as fit_as_planned
from minidl.testing.callbacks.properties import CALLBACKS, runs
from minidl.testing.functions import name_of
from minidl.testing.running import Cases, Kind, as_test, at_once, given_case
from minidl.testing.strategies import check_kind, copied, draw_arguments, make_object
from minidl.training import Callback, Trainer


def _check_fit(fit: Mapping[str, Any]) -> None:
    """Refuse options of `fit` that it does not have, or that the check chooses itself."""
    own = {"self", "train", "validation", "progress", "resume", *PLAN}
    options = inspect.signature(Trainer.fit).parameters
    known = set(options) - own
    if not isinstance(fit, Mapping):
        raise TypeError(f'expected fit={{...}} as in fit={{"restore_best": False}}, received fit={short(fit)}')
    for name, value in fit.items():
        if name not in known:
            why = "the check chooses it" if name in own else suggest(str(name), sorted(known))
            raise ValueError(f"expected fit to hold options of Trainer.fit, received fit={short(fit)}: {name!r}, {why}")
        if options[name].annotation in (bool, "bool") and not isinstance(value, bool):
            raise TypeError(f"expected {name} to be True or False, received fit={short(fit)}")
    plan = {"rows": 2, "batch_size": 1, "epochs": 1, "validate_every": 1, "seed": 0}
    fit_as_planned(small_trainer(plan), plan, **fit)  # which says what it thinks of their values


CALLBACK = Kind(tuple(CALLBACKS), runs, CallbackCheckError)


def callback_cases(
    callback: Callback | Callable[..., Callback], *, fit: Mapping[str, Any] | None = None, **arguments: Any
) -> Cases:
    """The cases of a callback: its object, and a small run."""
    _check_fit({} if fit is None else fit)

    def case(run: Mapping[str, Any], chosen: Mapping[str, Any]) -> CallbackCase:
        made = CallbackCase(lambda: make_object(callback, copied(chosen)), run, fit or {}, chosen)
        check_kind(made.callback, Callback)
        return made

    @st.composite
    def drawn(draw: st.DrawFn) -> CallbackCase:
        chosen = draw_arguments(draw, arguments)
        plan = {name: draw(values) for name, values in PLAN.items()}
        return case({**plan, "cut": draw(st.integers(0, last_cut(plan)))}, chosen)

    def given(at: Mapping[str, Any]) -> CallbackCase:
        run = given_case(at, *PLAN, "cut")
        for name in set(run) - {"validate_every"}:
            check_integer(name, run[name], minimum=int(name in ("rows", "batch_size", "epochs")))
        if run["cut"] > (last := last_cut(run)):
            advice = "the run is interrupted so many steps after its first, with one step left to take"
            raise ValueError(f"expected cut from 0 to {last} in this run, received cut={run['cut']}: {advice}")
        return case(run, arguments)

    return Cases(name_of(callback), drawn(), given)


@as_test(CALLBACK, callback_cases)
def callback_test() -> None:
    """A ready hypothesis test of a callback: a class with constructor arguments (values or strategies), or an object.

    Args:
        callback: what is tested. A class or factory is called for every run, an object is copied for it; one that
            holds what cannot be copied, such as a lock or an open file, needs a factory.
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

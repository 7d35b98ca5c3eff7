"""Callback: what may happen during a run besides training."""

from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any

from minidl.arguments import Recorded, check_function, suggest

HOOKS = {  # and what they are given
    "on_fit_begin": ("trainer",),
    "on_step_end": ("trainer",),
    "on_evaluation_end": ("trainer", "row"),
    "on_epoch_end": ("trainer",),
    "on_safe_point": ("trainer",),
    "on_fit_end": ("trainer",),
}
OF_OTHERS = ("epoch", "batch", "step", "logs", "row")  # what the hooks of other libraries are given first

HABITS = {  # what people of other libraries look for, and what to use here
    "model params optimizer history set_model set_params": "every hook is given the trainer, and it has them",
    "on_train_begin on_train_end on_epoch_begin on_batch_begin on_batch_end on_train_batch_begin on_train_batch_end "
    "on_test_begin on_test_end on_validation_end": f"the hooks are {', '.join(HOOKS)}",
    "stop_training": "a hook calls trainer.stop(reason)",
    "best_epoch best_weights stopped_epoch": "see best_step and stopped_because of trainer.history",
    "state_dict": "state() returns what it remembers",
    "load_state_dict": "load_state(state) takes back what state() returned",
}


class Callback(Recorded):
    """Something that is told how a run goes. Override the hooks you need; a misspelt one is an error at once.

    A hook is given the `Trainer` (annotate it so) and may read everything that holds (`trainer.model`, `.optimizer`,
    `.history`), and call `trainer.stop(reason)`. Hooks are called in the order in which the callbacks were given.

    >>> class StopAt(Callback):
    ...     def on_step_end(self, trainer):
    ...         if trainer.optimizer.steps == 100:
    ...             trainer.stop("100 steps are enough")
    >>> class Typo(Callback):  # doctest: +ELLIPSIS
    ...     def on_epoch_ends(self, trainer): ...
    Traceback (most recent call last):
    TypeError: Typo.on_epoch_ends is no hook; did you mean 'on_epoch_end'? known: on_fit_begin, on_step_end, ...
    """

    _habits = HABITS

    def __init_subclass__(cls) -> None:
        """Refuse names that look like hooks and are none."""
        check_hooks(cls.__name__, dir(cls))
        for hook in HOOKS:
            if isinstance(function := vars(cls).get(hook), FunctionType):
                check_arguments(cls.__name__, hook, function, "self")
        if (cls.state is Callback.state) != (cls.load_state is Callback.load_state):
            raise TypeError(f"expected {cls.__name__} to define both state and load_state, or neither of them")

    def on_fit_begin(self, trainer: Any) -> None:
        """Before the first step. Check here what can be checked; `trainer.history.evaluations` has its columns.

        Of a run that goes on, what it was is put back afterwards: weights, history, and what callbacks remember.
        """

    def on_step_end(self, trainer: Any) -> None:
        """After every update of the weights."""

    def on_evaluation_end(self, trainer: Any, row: dict[str, float]) -> None:
        """After every evaluation, with the row it added to `trainer.history.evaluations`."""

    def on_epoch_end(self, trainer: Any) -> None:
        """After every full pass over the data, evaluation included."""

    def on_safe_point(self, trainer: Any) -> None:
        """Where nothing is pending: after each step, its evaluation and what all callbacks made of both.

        Called once more when no further step will be taken (`trainer.run.over`), and finished before a second Ctrl-C is
        raised. Here `Checkpoint` writes `trainer.run.packed()`.
        """

    def on_fit_end(self, trainer: Any) -> None:
        """After the run, whatever ended it, and after the best weights came back."""

    def state(self) -> dict[str, Any]:
        """What a `Checkpoint` keeps: numbers, strings, None and arrays by name. To write where hooks remember any."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned; called after `on_fit_begin` of a run that goes on. To write with `state`."""


def by_hook(callbacks: Iterable[Callback]) -> dict[str, list[Callback]]:
    """The callbacks that override each hook, by its name."""
    listed = list(callbacks)
    return {
        hook: [c for c in listed if hook in vars(c) or getattr(type(c), hook) is not getattr(Callback, hook)]
        for hook in HOOKS
    }


def remembering(callbacks: Iterable[Callback]) -> list[Callback]:
    """Those callbacks that have a memory: the others may come and go."""
    return [c for c in callbacks if type(c).state is not Callback.state or "state" in vars(c)]


def check_hooks(owner: str, names: Iterable[str]) -> None:
    """Refuse names that look like hooks and are none."""
    for name in names:
        if name.startswith("on_") and name not in HOOKS:
            raise TypeError(
                f"{owner}.{name} is no hook; {suggest(name, HOOKS)}; for anything else take a name without on_"
            )


def check_arguments(owner: str, hook: str, function: Any, *bound: str) -> None:
    """Refuse a hook that cannot be called with what hooks are given, or that wants what other libraries give theirs."""
    wanted = ", ".join(HOOKS[hook])
    advice = f"write def {hook}(self, {wanted})"
    check_function(f"{owner}.{hook}", function, *bound, *HOOKS[hook], advice=advice)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    first = code.co_varnames[1:2] if code is not None and code.co_argcount > 1 else ()
    if first and first[0] in OF_OTHERS:
        raise TypeError(
            f"expected {owner}.{hook} to take ({wanted}), received one that begins with {first[0]}: {advice}"
        )


def check_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks as a list, if it is a list of callbacks."""
    if not isinstance(callbacks, Iterable):
        raise TypeError(f"expected callbacks to be a list, received callbacks={callbacks!r}: put it in [ ]")
    listed = list(callbacks)
    for callback in listed:
        if not isinstance(callback, Callback):
            advice = f": write {callback.__name__}(...)" if isinstance(callback, type) else ""
            raise TypeError(f"expected callbacks to be a list of Callback objects, received {callback!r} in it{advice}")
        check_hooks(type(callback).__name__, dir(callback))
        for hook in HOOKS:
            check_arguments(type(callback).__name__, hook, getattr(callback, hook))
    return listed

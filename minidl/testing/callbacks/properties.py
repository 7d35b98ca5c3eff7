"""What must hold of a callback: each property on one drawn case."""

import copy
import os
from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

from minidl.testing.callbacks.case import CallbackCase, InterruptedRunError, same
from minidl.testing.report import NOT_TRIED, Outcome, Properties
from minidl.training import Callback, Checkpoint, Trainer

CALLBACKS = Properties()


def _told(**hooks: Callable[..., None]) -> Callback:
    """A callback with these hooks."""
    callback = Callback()
    vars(callback).update(hooks)
    return callback


@CALLBACKS.property("runs", first=True)
def runs(case: CallbackCase) -> None:
    """A run with it comes to its end."""
    _ = case.whole


@CALLBACKS.property("every documented run")
def documented(case: CallbackCase) -> None:
    """No hook raises in a run without steps, in one that ends early, or in a second one with the same object."""
    case.trained("a run without steps", case.make(), epochs=0)
    stop = _told(on_step_end=lambda trainer: trainer.stop("one step is enough"))
    case.trained("a run that ends after one step", case.make(), stop)
    _ = case.second


@CALLBACKS.property("repeatable")
def repeatable(case: CallbackCase) -> None:
    """Another one that has seen no run does the same: no memory outside the object, no other randomness."""
    callback = case.make()
    if difference := case.whole.differing(case.outcome(case.trained("a run", callback), callback)):
        raise case.failure("the same run twice must come to the same", difference)


@CALLBACKS.property("state is a copy")
def state_is_a_copy(case: CallbackCase) -> Outcome:
    """What `state` returned can be held by a file, and later steps do not change it."""
    callback = case.make()
    if type(callback).state is Callback.state:
        return NOT_TRIED
    states = list[tuple[dict[str, Any], dict[str, Any]]]()  # as they were given, and copies
    taking = _told(on_step_end=lambda trainer: states.append(((now := case.state(callback)), copy.deepcopy(now))))
    case.trained("a run", callback, taking)
    for live, kept in states:
        for name, value in kept.items():
            if not same(value, live[name]):
                raise case.failure("a state must stay as it is", f"  later steps wrote into its {name}: copy it")
    return None


@CALLBACKS.property("resumed at any step")
def resumed(case: CallbackCase) -> Outcome:
    """A run that was interrupted after any step goes on, with fresh objects, to the bits of one that was not.

    So does the second run of a trainer, whose callbacks have seen the first.
    """
    tried = [_resumes(case, times) for times in (1, 2)]
    return None if any(tried) else NOT_TRIED


def _resumes(case: CallbackCase, times: int) -> bool:
    """Hold the last of so many runs to going on; False where it is too short to be interrupted."""
    whole = case.whole if times == 1 else case.second
    if whole.steps < 2:
        return False
    cut = 1 + min(case.run["cut"], whole.steps - 2)

    def interrupt(trainer: Trainer) -> None:
        if trainer.optimizer.steps > whole.before + cut:
            raise InterruptedRunError

    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.npz")
        until = _told(on_step_end=interrupt), Checkpoint(path, every_steps=whole.before + cut)
        case.trained("a run", case.make(), *until, times=times)
        which, callback = "a run" if times == 1 else "a second run", case.make()
        trainer = case.trained(f"{which} that goes on at step {whole.before + cut}", callback, resume=path)
    if found := whole.differing(case.outcome(trainer, callback)):
        found += f"\n  {which}, interrupted after step {cut} of {whole.steps}: is all that the hooks remember in state"
        found += " and load_state?"
        raise case.failure("a run that goes on must end in the same bits", found)
    return True

"""The door of the check of a callback, callbacks that cannot be copied, and a second run that goes on."""

import threading
from functools import partial

import numpy as np
import pytest

from minidl import AverageWeights, Callback, EarlyStopping, Linear
from minidl.testing import CheckError, callback_test, check_callback, check_layer

RUN = {"rows": 3, "batch_size": 1, "epochs": 2, "validate_every": 1, "cut": 0, "seed": 0}


@pytest.mark.parametrize(
    ("fit", "said"),
    [
        ({"restore_best": "no"}, "restore_best"),
        ({"max_growth": "large"}, "max_growth"),
        ({"shuffle": 3}, "shuffle"),
        ({"augment": 1}, "augment"),
    ],
)
@pytest.mark.parametrize("call", [check_callback, callback_test, partial(check_callback, raises=False)])
def test_a_value_that_fit_does_not_take_is_refused_in_the_words_of_fit(call, fit, said):
    with pytest.raises((TypeError, ValueError), match=f"expected {said}"):
        call(EarlyStopping, fit=fit)


def test_a_value_that_fit_takes_is_handed_on():
    assert check_callback(AverageWeights, fit={"restore_best": False}, max_examples=5).passed


@pytest.mark.parametrize(("cut", "fine"), [(0, True), (4, True), (5, False), (999, False)])
def test_a_cut_beyond_the_run_is_refused_with_its_range(cut, fine):
    if fine:
        assert check_callback(EarlyStopping, at=RUN | {"cut": cut}).passed
        return
    with pytest.raises(
        ValueError, match=f"expected cut from 0 to 4 in this run, received cut={cut}: .*after its first"
    ):
        check_callback(EarlyStopping, at=RUN | {"cut": cut})


class Locked(Callback):
    """Counts the steps it has seen under a lock."""

    def __init__(self, lock=None):
        self.seen, self.lock = 0, lock or threading.Lock()

    def on_step_end(self, trainer):
        with self.lock:
            self.seen += 1


@pytest.mark.parametrize("make", [Locked, lambda: Locked(), partial(Locked, None)])
def test_a_callback_with_a_lock_is_made_anew_for_every_run(make):
    assert check_callback(make, max_examples=5).passed


@pytest.mark.parametrize("given", [Locked(), (Locked, threading.Lock())])
def test_what_cannot_be_copied_is_told_what_to_write(given):
    thing, arguments = given if isinstance(given, tuple) else (given, None)
    options = {"lock": arguments} if arguments else {}
    with pytest.raises(TypeError, match=r"expected what can be copied.* received .*lock.*lambda: Mine"):
        check_callback(thing, max_examples=5, **options)


class LockedLinear(Linear):
    def __init__(self, features):
        super().__init__(features, 2)
        self.lock = threading.Lock()


def test_a_layer_that_cannot_be_copied_is_told_why_it_must():
    with pytest.raises(TypeError, match=r"received LockedLinear.*open file\? Then make it when it is first needed"):
        check_layer(LockedLinear)
    with pytest.raises(TypeError, match=r"received LockedLinear.*lambda: Mine"):
        check_layer(LockedLinear(2), ("n", 2))


def test_memory_that_two_callbacks_of_one_factory_share_is_found():
    seen = []

    class Shares(Callback):
        def on_step_end(self, trainer):
            seen.append(1)
            trainer.optimizer.lr_scale = 1 / len(seen)

    with pytest.raises(CheckError, match="the same run twice must come to the same"):
        check_callback(Shares)


class HalvesInEveryRun(Callback):
    """Halves the rate in every further run of a trainer."""

    def __init__(self):
        self.runs = 0

    def on_fit_begin(self, trainer):
        self.runs += 1

    def on_step_end(self, trainer):
        trainer.optimizer.lr_scale = 0.5**self.runs


class RemembersItsRuns(HalvesInEveryRun):
    def state(self):
        return {"runs": self.runs}

    def load_state(self, state):
        self.runs = state["runs"]


def test_a_second_run_goes_on_as_well():
    with pytest.raises(CheckError, match=r"a second run, interrupted after step 1 of .*: is all that") as caught:
        check_callback(HalvesInEveryRun)
    assert caught.value.property == "resumed at any step"
    assert check_callback(RemembersItsRuns, max_examples=30).passed


def test_a_cut_is_a_place_in_the_run_also_where_that_ends_early():
    assert check_callback(EarlyStopping(patience=1), at=RUN | {"epochs": 4, "cut": 10}).passed
    assert np.isfinite(check_callback(EarlyStopping(patience=1), max_examples=5).score)

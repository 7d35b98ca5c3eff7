"""What load_state and restore are given is refused where state did not return it, in three facts; nothing moves."""

import copy
import math

import numpy as np
import pytest

from minidl import (
    SGD,
    Adam,
    AverageWeights,
    EarlyStopping,
    Linear,
    ReduceOnPlateau,
    RMSprop,
    SoftmaxCrossEntropy,
    Trainer,
)
from minidl.training.evaluations import BatchMeans
from minidl.training.monitor import Monitor


def a_trainer():
    return Trainer(Linear(3, 2).build(), SoftmaxCrossEntropy(), SGD(0.1))


OWNERS = {
    "Trainer": a_trainer,
    "EarlyStopping": EarlyStopping,
    "ReduceOnPlateau": ReduceOnPlateau,
    "Monitor": Monitor,
    "AverageWeights": AverageWeights,
    "SGD": lambda: SGD(0.1, momentum=0.9),
    "Adam": Adam,
    "RMSprop": RMSprop,
    "steps": lambda: a_trainer().history.steps,
    "means": BatchMeans,
}
STRANGE = [{}, {"x": 1}, {1: 2, "steps": 0}, {"steps": 3}, None, 3, [1], "state"]


@pytest.mark.parametrize("state", STRANGE, ids=repr)
@pytest.mark.parametrize("name", OWNERS)
def test_a_state_with_other_entries_is_refused_with_those_expected_and_received(name, state):
    owner = OWNERS[name]()
    before = copy.deepcopy(owner.state())
    with pytest.raises((ValueError, TypeError), match=r"expected a state of .* with \[.*\], received .*: .*state\(\)"):
        owner.load_state(state)
    np.testing.assert_equal(owner.state(), before)


@pytest.mark.parametrize("snapshot", STRANGE, ids=repr)
def test_a_snapshot_with_other_entries_is_refused(snapshot):
    parameters = Linear(3, 2).build().parameters
    before = parameters.snapshot()
    with pytest.raises((ValueError, TypeError), match=r"expected .*, received .*: give what snapshot\(\) returned"):
        parameters.restore(snapshot)
    np.testing.assert_equal(parameters.snapshot(), before)


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("value", [math.nan, "0.5", None, [1], 1j, -1, True])
def test_an_entry_that_cannot_be_is_refused_and_changes_nothing(owner, value):
    one = OWNERS[owner]()
    state = one.state()
    for name in [name for name in state if name not in ("best", "loss", "penalty", "lr_scale")]:
        before = copy.deepcopy(one.state())
        with pytest.raises((ValueError, TypeError), match="expected"):
            one.load_state({**state, name: value})
        np.testing.assert_equal(one.state(), before)


@pytest.mark.parametrize("best", [math.nan, "0.5", None, [1.0], 1j])
def test_a_best_value_that_is_none_is_refused(best):
    watch = Monitor()
    with pytest.raises(ValueError, match="expected best to be a finite number, received best="):
        watch.load_state({"best": best, "waited": 0})
    assert watch.state() == {"best": math.inf, "waited": 0}


def test_numbers_may_be_those_of_numpy_and_of_a_file():
    watch = EarlyStopping()
    watch.load_state({"best": np.array(0.5), "waited": np.int64(3)})
    assert watch.state() == {"best": 0.5, "waited": 3}
    assert [type(value) for value in watch.state().values()] == [float, int]
    watch.load_state(EarlyStopping().state())
    assert watch.state() == {"best": math.inf, "waited": 0}


@pytest.mark.parametrize("reason", [3, None, b"enough", ["enough"], ValueError("enough")])
def test_a_reason_to_stop_is_a_text(reason):
    one = a_trainer()
    with pytest.raises(TypeError, match=r'expected reason to be a text, received reason=.*: write trainer\.stop\("'):
        one.stop(reason)
    assert one.stop_reason == ""


class WithACount(EarlyStopping):
    """Remembers a number more than its base, which is given all of it."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def state(self):
        return super().state() | {"count": self.count}

    def load_state(self, state):
        super().load_state(state)
        self.count = state["count"]


def test_a_subclass_hands_its_whole_state_to_its_base():
    one = WithACount()
    one.load_state({"best": 0.5, "waited": 3, "count": 7})
    assert one.state() == {"best": 0.5, "waited": 3, "count": 7}
    with pytest.raises(ValueError, match=r"received \['best', 'count'\]"):
        one.load_state({"best": 0.5, "count": 7})

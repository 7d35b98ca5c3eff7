"""Checkpoints that nobody's run wrote: each entry in turn is changed, left out or added, and refused; nothing moves."""

import json
import re

import numpy as np
import pytest

from minidl import SGD, Adam, AverageWeights, Callback, Checkpoint, EarlyStopping, Parameter, ReduceOnPlateau, accuracy
from minidl.optim import CosineDecay
from minidl.storage import DataError, read_arrays, write_arrays
from tests.tools.restless import Counting, Interrupt, noisy


class Assigning(Callback):
    """Makes settings and memory that a checkpoint has to hold."""

    def on_step_end(self, trainer):
        if trainer.optimizer.steps == 3:
            trainer.optimizer.beta1, trainer.optimizer.note = 0.8, "a note"
            trainer.callbacks[0].patience = 40


@pytest.fixture(scope="module")
def run(data, trainer, fit, tmp_path_factory):
    """A function that trains with everything that has a memory, and goes on from a file that it is given."""
    place = tmp_path_factory.mktemp("runs")

    def run(kind="best", resume=None, stop=0, into=None):
        memory = [EarlyStopping(patience=30), ReduceOnPlateau(patience=4), Counting(), Assigning()]
        optimizer = Adam(CosineDecay(1e-2, 60)) if kind == "best" else SGD(0.1, momentum=0.9)
        callbacks = memory if kind == "best" else [AverageWeights(last=0.9)]
        one = trainer(
            optimizer=optimizer,
            callbacks=[*callbacks, Checkpoint(place / f"{kind}.npz", every_steps=1), Interrupt(stop)],
            metrics=[accuracy],
        )
        if into is not None:
            into.append(one)
        options = {"epochs": 6, "validate_every": 3, "augment": noisy, "restore_best": kind == "best"}
        fit(one, data(weighted=True), data(seed=1), resume=resume, **options)
        return one

    return run


@pytest.fixture(scope="module")
def written(run, tmp_path_factory):
    """The arrays and the record of the checkpoint of each kind of run, stopped after its sixth step."""
    found = {}
    for kind in ("best", "mean"):
        one = run(kind, stop=7)
        arrays = read_arrays(next(c.path for c in one.callbacks if isinstance(c, Checkpoint)))
        found[kind] = arrays, json.loads(arrays["record"].tobytes())
    return found


@pytest.fixture
def refused(run, written, trainer, tmp_path):
    """A function that changes a checkpoint, and gives the sentence with which going on from it is refused."""

    def refused(change, kind="best"):
        arrays, record = written[kind]
        arrays, record = dict(arrays), json.loads(json.dumps(record))
        change(arrays, record)
        if "record" in arrays:
            arrays["record"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
        write_arrays(tmp_path / "hand.npz", arrays)
        tried = []
        with pytest.raises(DataError, match=r"hand\.npz: expected a checkpoint") as caught:
            run(kind, resume=tmp_path / "hand.npz", into=tried)
        fresh = trainer()
        np.testing.assert_equal(tried[0].model.parameters.snapshot(), fresh.model.parameters.snapshot())
        assert (tried[0].optimizer.steps, tried[0].epoch, tried[0].history.steps["step"]) == (0, 0, [])
        for callback in tried[0].callbacks:
            assert getattr(callback, "waited", 0) == 0
            assert getattr(callback, "patience", 30) in (30, 4)
        assert "KeyError" not in str(caught.value)
        return str(caught.value)

    return refused


def with_array(name, change):
    def edit(arrays, record):
        arrays[name] = change(arrays[name].copy())

    return edit


def with_number(owner, name, value):
    def edit(arrays, record):
        assert owner in record["numbers"]
        record["numbers"][owner][name] = value

    return edit


def without(name):
    def edit(arrays, record):
        owner, _, key = name.partition("/")
        arrays.pop(name, None) if name in arrays else record["numbers"][owner].pop(key)

    return edit


def in_rows(table, change):
    """The same change in each column of a table."""

    def edit(arrays, record):
        arrays.update({name: change(a) for name, a in arrays.items() if name.startswith(f"{table}/")})

    return edit


def first(value):
    def edit(array):
        array.flat[0] = value
        return array

    return edit


NAN, INF = float("nan"), float("inf")
OF_LIBRARY = (  # whose arrays somebody else than a callback of one's own reads
    "parameters/0.weight",
    "parameters/3.centre",
    "optimizer/gradient_sum",
    "optimizer/square_sum",
    "steps/step",
    "steps/epoch",
    "steps/loss",
    "steps/cost",
    "steps/learning_rate",
    "evaluations/step",
    "evaluations/epoch",
    "evaluations/train_loss",
    "evaluations/validation_loss",
    "evaluations/validation_accuracy",
    "best/weights/0.weight",
    "best/weights/3.centre",
)
OF_ARRAYS = {
    "words": lambda a: a.astype(str),
    "complex": lambda a: a.astype(complex),
    "flags": lambda a: a != 0,
    "bytes": lambda a: a.astype(np.int8),
    "half as exact": lambda a: a.astype(np.float16),
    "another axis": lambda a: a[None],
    "too short": lambda a: a.reshape(-1)[:-1],
    "nothing": lambda a: a.reshape(-1)[:0],
}


@pytest.mark.parametrize("kind", OF_ARRAYS)
@pytest.mark.parametrize("name", OF_LIBRARY)
def test_an_array_of_another_dtype_or_shape_is_refused(refused, name, kind):
    refused(with_array(name, OF_ARRAYS[kind]))


@pytest.mark.parametrize("name", [*OF_LIBRARY, "callback 0/best", "trainer/epoch", "feed/first", "means/weight"])
def test_an_entry_that_is_missing_is_refused(refused, name):
    refused(without(name))


NUMBERS = {
    "a text": "abc",
    "a number in a text": "3",
    "nothing": None,
    "a list": [1],
    "NaN": NAN,
    "below 0": -3,
    "a flag": True,
    "names": {},
}
ENTRIES = [
    ("optimizer", "steps"),
    ("optimizer", "lr_scale"),
    ("trainer", "epoch"),
    ("trainer", "loss"),
    ("feed", "first"),
    ("feed", "length"),
    ("feed", "epoch"),
    ("feed", "position"),
    ("best", "step"),
    ("best", "value"),
    ("callback 0", "waited"),
    ("callback 1", "waited"),
    ("settings", "value of optimizer.beta1"),
    ("settings", "value of callbacks[0].patience"),
    ("settings", "memory of optimizer.lr.lr"),
]


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("entry", ENTRIES, ids="/".join)
def test_a_number_of_another_kind_is_refused(refused, entry, kind):
    refused(with_number(*entry, NUMBERS[kind]))


BY_HAND = {
    "a weight that is NaN": (with_array("parameters/0.weight", first(NAN)), "parameter 0.weight"),
    "a best weight that is NaN": (with_array("best/weights/0.weight", first(NAN)), r"\['0.weight'\]"),
    "a best state that is infinite": (with_array("best/weights/3.centre", first(INF)), r"\['3.centre'\]"),
    "best weights of nobody": (lambda a, r: a.update({"best/weights/9.x": np.zeros(1)}), "best weights with"),
    "a best value of no evaluation": (with_number("best", "value", 0.25), "expected the best validation_loss"),
    "a best value that is none": (with_number("best", "value", -1e9), "expected the best validation_loss"),
    "a best step that was worse": (with_number("best", "step", 3), "expected the best validation_loss"),
    "a slot that is NaN": (with_array("optimizer/gradient_sum", first(NAN)), "gradient_sum"),
    "a sum of squares below 0": (with_array("optimizer/square_sum", first(-1.0)), "square_sum"),
    "a slot of nobody": (lambda a, r: a.update({"optimizer/velocity": np.zeros(3)}), "'velocity'"),
    "steps that go back": (with_array("steps/step", lambda a: a[[1, 0, *range(2, len(a))]]), "whole steps in order"),
    "steps below 0": (with_array("steps/step", first(-1)), "whole steps in order"),
    "steps with fractions": (with_array("steps/step", lambda a: a.astype(float)), "whole steps in order"),
    "rows in another order": (in_rows("steps", lambda a: a[[1, 0, *range(2, len(a))]]), "in order"),
    "a row too few": (in_rows("steps", lambda a: np.delete(a, 2)), "its history has 5"),
    "a cost that is NaN": (with_array("steps/cost", first(NAN)), "a finite cost"),
    "a cost that is no sum": (with_array("steps/cost", lambda a: -a), "cost that is loss"),
    "a cost of an evaluation that is no sum": (
        with_array("evaluations/validation_cost", lambda a: a + 1),
        "validation_cost that is loss",
    ),
    "a rate below 0": (with_array("steps/learning_rate", lambda a: -a), "rates >= 0"),
    "evaluations in another order": (in_rows("evaluations", lambda a: a[::-1]), "in order"),
    "an evaluation too few": (in_rows("evaluations", lambda a: a[1:]), "step 3 was not evaluated"),
    "an evaluation of no step": (with_array("evaluations/epoch", lambda a: a + 1e-3), "of none of its steps"),
    "a loss that is not the newest": (with_number("trainer", "loss", 0.5), "newest loss"),
    "an end that is none": (with_number("trainer", "ended", "stopped: enough"), "ended"),
    "an end that is a number": (with_number("trainer", "ended", 3), "ended=3"),
    "passes of other rows": (with_number("feed", "length", 31), "31 rows"),
    "an evaluation that was not there": (with_number("run", "evaluated", 1), "True or False"),
    "owners of nothing": (lambda a, r: r["numbers"].update({"nobody": {"k": 3}}), "'nobody'"),
    "arrays of nobody": (lambda a, r: a.update({"nobody/k": np.zeros(2)}), "nobody/k"),
    "arrays without an owner": (lambda a, r: a.update({"junk": np.zeros(2)}), "junk"),
    "a callback more": (lambda a, r: r["numbers"].update({"callback 3": {"best": 1.0}}), "callback 3"),
    "a callback less": (lambda a, r: r["numbers"].pop("callback 1"), "callback 1"),
    "more that a callback remembers": (with_number("callback 0", "patience", 3), "'patience'"),
    "an entry twice": (with_number("steps", "loss", 3.0), "steps/loss"),
    "a record with more": (lambda a, r: r.update({"code": "import os"}), "code"),
    "a record without a part": (lambda a, r: r.pop("scalars"), "scalars"),
    "names that are a list": (lambda a, r: r.update({"identity": []}), "identity"),
    "numbers that are a list": (lambda a, r: r.update({"numbers": []}), "numbers"),
    "a table as a number": (lambda a, r: r["scalars"].append("steps/loss"), "steps/loss"),
    "a setting of no kind": (with_number("settings", "evil", 3), "evil=3"),
    "a discount beyond 1": (with_number("settings", "value of optimizer.beta1", 1.5), "beta1"),
    "a rate in a text": (with_number("settings", "value of optimizer.lr", "0.1"), "optimizer.lr"),
    "a patience of nothing": (with_number("settings", "value of callbacks[0].patience", None), "patience=None"),
    "another schedule": (with_number("settings", "memory of optimizer.lr.steps", 7), "optimizer.lr.steps=7"),
    "a list as a memory": (with_number("settings", "memory of optimizer.note", [1]), "optimizer.note"),
    "a stream of no layer": (with_number("streams", "-1.rng", "{}"), "-1.rng"),
    "a stream where a parameter is": (with_number("streams", "0.weight.rng", "{}"), "0.weight.rng"),
    "no stream for a layer": (without("streams/1.rng"), "1.rng"),
    "a stream that is a number": (with_number("streams", "1.rng", 3), "1.rng"),
}
OF_MEANS = {
    "a mean that is infinite": (with_array("callback 0/mean", first(INF)), "finite mean"),
    "a mean that is NaN": (with_array("callback 0/mean", first(NAN)), "mean"),
    "a mean of another model": (with_array("callback 0/mean", lambda a: a[:-1]), "mean"),
    "a mean in another dtype": (with_array("callback 0/mean", lambda a: a.astype(np.float32)), "mean"),
    "a mean of more steps than there are": (with_number("callback 0", "count", 10**6), "count=1000000"),
    "a mean of fewer steps than none": (with_number("callback 0", "count", -1), "count=-1"),
    "a velocity that is NaN": (with_array("optimizer/velocity", first(NAN)), "velocity"),
}


@pytest.mark.parametrize("kind", BY_HAND)
def test_a_checkpoint_made_by_hand_is_refused_with_what_is_wrong(refused, kind):
    change, named = BY_HAND[kind]
    assert re.search(named, refused(change))


@pytest.mark.parametrize("kind", OF_MEANS)
def test_a_mean_made_by_hand_is_refused_with_what_is_wrong(refused, kind):
    change, named = OF_MEANS[kind]
    assert re.search(named, refused(change, "mean"))


def test_a_stream_never_takes_the_place_of_a_parameter(refused, written):
    stream = written["best"][1]["numbers"]["streams"]["0.rng"]
    assert "1.weight" in refused(with_number("streams", "1.weight", stream))


@pytest.mark.parametrize("kind", ["best", "mean"])
def test_what_was_written_goes_on(run, written, tmp_path, kind):
    write_arrays(tmp_path / "run.npz", written[kind][0])
    one, whole = run(kind, resume=tmp_path / "run.npz"), run(kind)
    np.testing.assert_equal(one.model.parameters.snapshot(), whole.model.parameters.snapshot())
    np.testing.assert_equal(vars(one.history), vars(whole.history))
    assert isinstance(one.model[0].weight, Parameter)

"""What is not for this run, or no checkpoint at all, is refused with the reason, and nothing moves."""

import json
import os
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

import minidl
from minidl import (
    L2,
    SGD,
    Adam,
    AverageWeights,
    Callback,
    Checkpoint,
    EarlyStopping,
    Linear,
    SoftmaxCrossEntropy,
)
from minidl.storage import DataError, read_arrays, write_arrays
from minidl.training import identity
from tests.tools.restless import Counting, Interrupt


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"batch_size": 7}, "batch_size: 8 there, 7 here"),
        ({"seed": 4}, "seed: 3 there, 4 here"),
        ({"optimizer": "momentum"}, r"optimizer: Adam\(.* there, SGD\(lr=0\.1, momentum=0\.9, .* here"),
        ({"augment": None}, "augment: noisy [0-9a-f]+ there, None here"),
        ({"shuffle": False}, "shuffle: True there, False here"),
        ({"more": [EarlyStopping("validation_accuracy", mode="max")]}, "callbacks with a memory: "),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_what_differs(job, tmp_path, changed, message):
    job(stop=5)
    with pytest.raises(DataError, match=message) as caught:
        job(resume=tmp_path / "run.npz", **changed)
    assert "run.npz" in str(caught.value)


def test_other_data_are_refused(job, data, tmp_path):
    job(stop=5)
    with pytest.raises(DataError, match="data 'train': Dataset"):
        job(resume=tmp_path / "run.npz", train=data(seed=9, weighted=True))


def test_another_version_is_refused(job, tmp_path, monkeypatch):
    job(stop=5)
    monkeypatch.setattr(identity, "__version__", "99.0")
    with pytest.raises(DataError, match=r"version of minidl: '0\.\d.*' there, '99\.0' here"):
        job(resume=tmp_path / "run.npz")


def test_another_model_is_refused_and_stays_as_it_was(data, trainer, fit, tmp_path):
    path = tmp_path / "run.npz"
    fit(trainer(callbacks=[Checkpoint(path)]), data(), data(seed=1))
    other = trainer(Linear(3, 3), callbacks=[Checkpoint(path)])
    before = other.model.parameters.value.copy()
    with pytest.raises(DataError, match=r"model: Sequential\(layers=\[Linear\(in_features=3, out_features=8"):
        fit(other, data(), data(seed=1), resume=path)
    np.testing.assert_array_equal(other.model.parameters.value, before)
    assert (other.optimizer.steps, other.epoch) == (0, 0)


@pytest.mark.parametrize(
    "wrong",
    ["missing", "column", "words", "number", "epoch", "clock", "best", "callback", "generator", "shape", "record"],
)
def test_a_file_made_by_hand_is_refused_and_nothing_moves(job, trainer, tmp_path, wrong):
    path = tmp_path / "run.npz"
    job(stop=5)
    arrays = read_arrays(path)
    record = json.loads(arrays["record"].tobytes())
    match wrong:
        case "missing":
            del arrays["parameters/0.weight"]
        case "column":
            arrays["steps/loss"] = arrays["steps/loss"][:-1]
        case "words":
            arrays["evaluations/train_loss"] = arrays["evaluations/train_loss"].astype(str)
        case "number":
            record["numbers"]["feed"]["first"] = -1
        case "epoch":
            record["numbers"]["trainer"]["epoch"] += 1
        case "clock":
            arrays["steps/step"] = arrays["steps/step"] + 1
        case "best":
            record["numbers"]["best"]["step"] = 4
        case "callback":
            del record["numbers"]["callback 0"]["waited"]
        case "generator":
            record["numbers"]["streams"]["0"] = "nonsense"
        case "shape":
            arrays["optimizer/square_sum"] = arrays["optimizer/square_sum"][:-1]
    arrays["record"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
    if wrong == "record":
        arrays["record"] = np.frombuffer(b"{not json", np.uint8)
    write_arrays(path, arrays)
    kept = []
    with pytest.raises(DataError, match=r"run\.npz"):
        job(resume=path, into=kept)
    fresh = trainer()
    np.testing.assert_equal(kept[0].model.parameters.snapshot(), fresh.model.parameters.snapshot())
    assert (kept[0].optimizer.steps, kept[0].epoch, kept[0].stop_reason) == (0, 0, "")
    assert kept[0].history.steps["step"] == []


def test_a_missing_checkpoint_is_an_error_that_names_it(job, tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.npz: expected a file, found nothing"):
        job(resume=tmp_path / "nowhere.npz")


def test_a_folder_that_is_not_there_is_refused_before_the_first_step(data, trainer, fit, tmp_path):
    one = trainer(callbacks=[Checkpoint(tmp_path / "no" / "run.npz")])
    with pytest.raises(ValueError, match="expected path to be a file in a folder that is there"):
        fit(one, data(), data(seed=1))
    assert one.optimizer.steps == 0


def test_a_callback_with_a_memory_must_say_how_to_put_it_back():
    with pytest.raises(TypeError, match="expected Half to define both state and load_state"):

        class Half(Callback):
            def state(self):
                return {}


@pytest.mark.parametrize("state", [{1: 2}, {"a": {1, 2}}, {"a": [np.zeros(2)]}, {"a": np.array([None])}, 7])
def test_a_memory_that_no_file_can_hold_names_its_callback(job, state):
    class Strange(Counting):
        def state(self):
            return state

    with pytest.raises(TypeError, match=r"expected Strange\(\)\.state\(\) to"):
        job(more=[Strange()])


def test_the_mean_of_the_last_part_of_another_plan_is_refused(data, trainer, fit, tmp_path):
    def train(epochs, resume=None):
        one = trainer(callbacks=[AverageWeights(), Checkpoint(tmp_path / "run.npz")])
        fit(one, data(), epochs=epochs, restore_best=False, resume=resume)

    train(3)
    with pytest.raises(DataError, match="expected the 12 steps planned before, received 24"):
        train(6, tmp_path / "run.npz")


@pytest.mark.parametrize("refusal", ["folder", "optimizer", "callback"])
def test_a_resume_that_is_refused_later_moves_nothing_either(data, trainer, fit, tmp_path, refusal):
    path = tmp_path / "run.npz"
    fit(trainer(callbacks=[Counting(), Checkpoint(path)]), data(), data(seed=1))

    class Refusing(Counting):
        def load_state(self, state):
            raise ValueError("not this")

    Refusing.__name__ = "Counting"
    optimizer = SGD(0.5)
    if refusal == "optimizer":
        other = trainer(optimizer=optimizer)
        fit(other, data())
    place = tmp_path / "no" / "run.npz" if refusal == "folder" else path
    counting = Refusing() if refusal == "callback" else Counting()
    one = trainer(optimizer=optimizer, callbacks=[counting, Checkpoint(place)])
    before, state = one.model.parameters.snapshot(), optimizer.state()
    with pytest.raises(ValueError, match="expected"):
        fit(one, data(), data(seed=1), resume=path)
    np.testing.assert_equal(one.model.parameters.snapshot(), before)
    np.testing.assert_equal(optimizer.state(), state)
    assert one.epoch == 0
    if refusal == "callback":
        one.callbacks = []
        fresh = trainer(optimizer=SGD(0.5))
        for trained in (one, fresh):
            fit(trained, data(), data(seed=1))
        np.testing.assert_equal(one.model.parameters.snapshot(), fresh.model.parameters.snapshot())


def test_validation_sets_in_another_order_are_another_run(data, trainer, fit, tmp_path):
    sets = {"a": data(seed=1), "b": data(seed=2)}
    fit(trainer(callbacks=[Checkpoint(tmp_path / "run.npz")]), data(), sets)
    with pytest.raises(DataError, match=r"validation sets: \['a', 'b'\] there, \['b', 'a'\] here"):
        fit(trainer(), data(), dict(reversed(sets.items())), resume=tmp_path / "run.npz")


@pytest.mark.parametrize("path", [True, 3, b"run.npz", "", None.__class__])
def test_what_is_no_path_is_refused_and_no_stream_is_closed(job, path):
    with pytest.raises(TypeError, match=f"expected resume to be a text or a Path, received resume={path!r}"):
        job(resume=path)
    with pytest.raises(TypeError, match="expected path to be a text or a Path"):
        Checkpoint(path)
    os.fstat(1)


def test_weights_are_no_checkpoint_and_the_other_way_round(job, tmp_path):
    one = job()
    one.model.save(tmp_path / "weights.npz")
    with pytest.raises(DataError, match=r"weights\.npz: expected a checkpoint, found arrays without a run"):
        job(resume=tmp_path / "weights.npz")
    with pytest.raises(
        DataError, match=r"run\.npz: expected weights written by save, found a checkpoint of a run: fit"
    ):
        one.model.load(tmp_path / "run.npz")


def decaying(lr):
    return lambda step: lr * 0.9**step


def louder(factor, x, rng):
    return factor * x


class Louder:
    """Holds itself, as objects in a graph do."""

    def __init__(self, factor):
        self.factor, self.own = factor, self

    def times(self, x, rng):
        return self.factor * x

    __call__ = times


def drawing(seed):
    rng = np.random.default_rng(seed)
    return lambda x, _: x + rng.normal()


def picking(orders):
    import math  # a module among the outer variables

    return lambda epoch: orders[math.floor(0)]


class Opt(SGD):
    def __init__(this, lr):  # noqa: N805
        super().__init__(lr)


def shifted(x, targets, rng, by=1):
    return x, np.roll(targets, by)


OF_FIT = ("validate_every", "validate_first", "shuffle", "replacement", "augment", "epochs", "steps", "max_growth")
ROWS = np.arange(30)
TEN = np.arange(1.0, 11)
SAME = [
    ({"optimizer": lambda: Adam(lr=0.1)}, {"optimizer": lambda: Adam(0.1, beta1=0.9)}),
    ({"callbacks": [EarlyStopping(patience=3)]}, {"callbacks": [EarlyStopping("validation_loss", patience=3)]}),
    ({"layers": (Linear(3, 4),)}, {"layers": (Linear(in_features=3, out_features=4),)}),
    ({"optimizer": lambda: SGD(lambda step: 0.1)}, {"optimizer": lambda: SGD(lambda step: 0.1)}),
    ({}, {"callbacks": [Interrupt(0)]}),
    ({"optimizer": lambda: Opt(0.1)}, {"optimizer": lambda: Opt(lr=0.1)}),
    ({"shuffle": picking({0: np.arange(30)})}, {"shuffle": picking({0: np.arange(30)})}),
    ({"augment": partial(louder, 0.1)}, {"augment": partial(louder, 0.1)}),
    ({"augment": Louder(0.1).times}, {"augment": Louder(0.1).times}),
    ({"augment": Louder(0.1)}, {"augment": Louder(0.1)}),
    ({"augment": partial(shifted, by=2)}, {"augment": partial(shifted, by=2)}),
    ({}, {"max_growth": 1e3}),
    ({"epochs": 1.5}, {"epochs": None, "steps": 7}),
    ({"replacement": True}, {"replacement": True}),
]
OTHER = [
    (
        {"loss": SoftmaxCrossEntropy(class_weights=TEN)},
        {"loss": SoftmaxCrossEntropy(class_weights=TEN + TEN[::-1] ** 2)},
    ),
    ({"optimizer": lambda: SGD(lambda step: 0.1)}, {"optimizer": lambda: SGD(lambda step: 0.5)}),
    ({"optimizer": lambda: SGD(decaying(0.1))}, {"optimizer": lambda: SGD(decaying(0.5))}),
    ({"validate_every": 1}, {"validate_every": 1.0}),
    ({"regularizers": [L2(0.1)]}, {"regularizers": [L2(0.2)]}),
    ({"regularizers": [L2(0.1)]}, {}),
    ({"shuffle": lambda epoch: np.arange(30)}, {"shuffle": lambda epoch: np.arange(30)[::-1]}),
    ({"augment": partial(louder, 0.1)}, {"augment": partial(louder, 0.2)}),
    ({"augment": Louder(0.1).times}, {"augment": Louder(0.2).times}),
    ({"augment": Louder(0.1)}, {"augment": Louder(0.2)}),
    ({"augment": partial(shifted, by=2)}, {"augment": partial(shifted, by=1)}),
    ({}, {"replacement": True}),
    ({}, {"validate_first": True}),
    ({"augment": drawing(0)}, {"augment": drawing(1)}),
    ({"shuffle": picking({0: np.arange(30)})}, {"shuffle": picking({0: np.arange(30)[::-1]})}),
    ({"shuffle": lambda epoch, rows=ROWS: rows}, {"shuffle": lambda epoch, rows=ROWS[::-1]: rows}),
    ({"metrics": {"right": minidl.accuracy}}, {"metrics": {"hits": minidl.accuracy}}),
]


def with_constant(source, value):
    """A function of a module of its own, in which K has that value."""
    module = {"K": value, "np": np, "dataclass": dataclass, "__name__": __name__}
    exec(source, module)
    return module["function"]


for source in (
    "def function(step):\n    return sum(0.1 * K for _ in range(1))",
    "def function(step):\n    return [0.1 * K for _ in range(1)][0]",
    "def function(step):\n    return (lambda: 0.1 * K)()",
    "def function(step):\n    def inner():\n        return 0.1 * K\n    return inner()",
    "def helper():\n    return 0.1 * K\ndef function(step):\n    return helper()",
    "def last():\n    return 0.1 * K\ndef helper():\n    return last()\ndef function(step):\n    return [helper()][0]",
    "def helper():\n    yield 0.1 * K\ndef function(step):\n    return next(helper())",
    "RATES = np.array([0.1, 0.1 * K])\ndef function(step):\n    return RATES[1]",
    "RATE = np.float32(0.1 * K)\ndef function(step):\n    return RATE",
    "class Rates:\n    now = 0.1 * K\ndef function(step):\n    return Rates.now",
    "class Rates:\n    def now(self):\n        return 0.1 * K\ndef function(step):\n    return Rates().now()",
    "class Rates:\n    def __call__(self, step):\n        return 0.1 * K\nfunction = Rates()",
    "class Rates:\n    def at(self, step):\n        return 0.1 * K\nfunction = Rates().at",
    "@dataclass\nclass Rates:\n    now: float\nRATES = Rates(0.1 * K)\ndef function(step):\n    return RATES.now",
    "def function(step, again=True):\n    return function(step, False) if again else 0.1 * K",
):
    one, same, other = (with_constant(source, value) for value in (1, 1, 2))
    SAME.append(({"optimizer": partial(SGD, one)}, {"optimizer": partial(SGD, same)}))
    OTHER.append(({"optimizer": partial(SGD, one)}, {"optimizer": partial(SGD, other)}))


PAIRS = [(*pair, True) for pair in SAME] + [(*pair, False) for pair in OTHER]


@pytest.mark.parametrize(("first", "second", "same"), PAIRS)
def test_what_trains_the_same_goes_on_and_nothing_else(data, trainer, fit, tmp_path, first, second, same):
    path = tmp_path / "run.npz"

    def train(changed, resume):
        parts = {name: value() if name == "optimizer" else value for name, value in changed.items()}
        of_fit = {name: parts.pop(name) for name in OF_FIT if name in parts}
        layers = parts.pop("layers", (Linear(3, 10),))
        one = trainer(*layers, **parts | {"callbacks": [*parts.get("callbacks", []), Checkpoint(path)]})
        fit(one, data(), data(seed=1), resume=resume, **of_fit)

    train(first, None)
    if same:
        train(second, path)
    else:
        with pytest.raises(DataError, match=r"expected a checkpoint of this run, found .* there, .* here"):
            train(second, path)

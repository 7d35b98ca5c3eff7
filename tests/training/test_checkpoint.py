import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from restless import Interrupt, noisy

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
    ReduceOnPlateau,
    RMSprop,
    SoftmaxCrossEntropy,
)
from minidl.optim import CosineDecay
from minidl.storage import DataError, read_arrays, write_arrays
from minidl.training import checkpoint

KILLED = Path(__file__).parents[1] / "killed.py"
OPTIMIZERS = {
    "adam": lambda: Adam(CosineDecay(1e-2, 60)),
    "momentum": lambda: SGD(0.1, momentum=0.9),
    "rmsprop": lambda: RMSprop(1e-3),
}


class Counting(Callback):
    """Remembers how many evaluations there were, and the sum of the weights at each."""

    def __init__(self):
        self.count, self.sums = 0, np.zeros(0)

    def on_evaluation_end(self, trainer, row):
        self.count += 1
        self.sums = np.append(self.sums, trainer.model.parameters.value.sum())

    def state(self):
        return {"count": self.count, "sums": self.sums}

    def load_state(self, state):
        self.count, self.sums = state["count"], state["sums"]


@pytest.fixture(scope="session")
def anywhere(data, trainer, fit):
    """A function that trains with everything that has a memory, and returns the trainer."""

    def job(path, *, stop=0, every_steps=1, optimizer="adam", more=(), train=None, into=None, **changed):
        memory = [EarlyStopping(patience=30), ReduceOnPlateau(patience=4, factor=0.5), Counting()]
        callbacks = [*memory, *more, Checkpoint(path, every_steps=every_steps), Interrupt(stop)]
        one = trainer(optimizer=OPTIMIZERS[optimizer](), callbacks=callbacks, metrics=[minidl.accuracy])
        if into is not None:
            into.append(one)
        arguments = {"epochs": 6, "validate_every": 3, "augment": noisy, "seed": 3} | changed
        fit(one, train or data(weighted=True), data(seed=1), **arguments)
        return one

    return job


@pytest.fixture
def job(anywhere, tmp_path):
    """The same, with its checkpoint in the folder of the test unless told otherwise."""
    return lambda **arguments: anywhere(**{"path": tmp_path / "run.npz"} | arguments)


def assert_same(one, other):
    np.testing.assert_equal(one.model.parameters.snapshot(), other.model.parameters.snapshot())
    np.testing.assert_equal(vars(one.history), vars(other.history))
    np.testing.assert_equal(one.optimizer.state(), other.optimizer.state())
    counted, again = (t.callbacks[2].state() for t in (one, other))
    np.testing.assert_equal(counted, again)


@given(
    stop=st.integers(1, 24),
    every=st.sampled_from([None, 1, 2, 5]),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    validate_every=st.sampled_from([1.0, 0.5, 1, 3, 7, 100]),
    drop_last=st.booleans(),
    shuffle=st.booleans(),
)
def test_a_run_goes_on_from_any_step_to_the_same_bits(anywhere, tmp_path_factory, stop, every, optimizer, **plan):
    folder = tmp_path_factory.mktemp("runs")
    path = folder / "run.npz"
    plan |= {"optimizer": optimizer, "every_steps": every}
    whole = anywhere(folder / "other.npz", **plan)
    anywhere(path, stop=stop, **plan)
    if path.exists():  # else it was stopped before the first was due
        assert_same(anywhere(path, resume=path, **plan), whole)


@settings(max_examples=8, deadline=None)
@given(stop=st.integers(3, 560))
def test_a_run_goes_on_in_a_fresh_process_to_the_same_bits(tmp_path_factory, stop):
    folder = tmp_path_factory.mktemp("runs")

    def process(name, stop):
        (folder / name).mkdir(exist_ok=True)
        command = [sys.executable, KILLED, "--train", folder / name, "15", str(stop)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    stopped = process("stopped", stop)
    assert stopped["ended"].startswith("interrupted")
    assert process("stopped", 0) == process("whole", 0)


def test_an_interrupt_between_two_checkpoints_costs_the_steps_since_the_last_only(job, tmp_path):
    job(stop=14, every_steps=5)
    assert len(read_arrays(tmp_path / "run.npz")["steps/step"]) == 10
    assert_same(job(resume=tmp_path / "run.npz", every_steps=5), job(path=tmp_path / "other.npz", every_steps=5))


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ({}, [3, 6, 9, 12, 15, 18, 21, 24]),
        ({"every_steps": 10}, [10, 20, 24]),
        ({"every_evaluations": 3}, [9, 18, 24]),
        ({"every_steps": 10, "every_evaluations": 3}, [9, 10, 18, 20, 24]),
    ],
)
def test_it_is_written_when_asked_for_and_at_the_end(data, trainer, fit, tmp_path, monkeypatch, arguments, steps):
    written = []
    monkeypatch.setattr(checkpoint, "write_arrays", lambda path, arrays: written.append(len(arrays["steps/step"])))
    one = trainer(callbacks=[Checkpoint(tmp_path / "run.npz", **arguments)])
    fit(one, data(), data(seed=1), epochs=6, validate_every=3)
    assert written == steps


class Press(Callback):
    """A real Ctrl-C, so many times, after a step."""

    def __init__(self, times, step):
        self.times, self.step = times, step

    def on_step_end(self, trainer):
        for _ in range(self.times * (trainer.optimizer.steps == self.step)):
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_ends_the_run_after_the_step_with_a_checkpoint_of_it(job, tmp_path):
    one = job(more=[Press(1, 7)], every_steps=1000)
    assert one.history.stopped_because == "interrupted: Ctrl-C after step 7"
    assert len(read_arrays(tmp_path / "run.npz")["steps/step"]) == 7
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert_same(job(resume=tmp_path / "run.npz"), job(path=tmp_path / "other.npz"))


def test_a_second_ctrl_c_ends_it_at_once(job, tmp_path):
    one = job(more=[Press(2, 7)], every_steps=2)
    assert one.history.stopped_because == "interrupted: Ctrl-C after step 7"
    assert len(read_arrays(tmp_path / "run.npz")["steps/step"]) == 6
    assert one.history.restored_best


@pytest.mark.parametrize("times", [0, 1, 2])
def test_one_ctrl_c_more_is_raised_when_everything_is_in_order(job, times):
    class Last(Callback):
        def on_fit_end(self, trainer):
            signal.raise_signal(signal.SIGINT)
            kept.append(trainer)

    kept = []
    with pytest.raises(KeyboardInterrupt):
        job(more=[Press(times, 7), Last()])
    assert kept[0].history.restored_best
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_handler_of_ctrl_c_stays(job):
    pressed = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        one = job(more=[Press(2, 7)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(pressed) == 2
    assert one.history.stopped_because == "limit: 6 epochs"


def test_a_finished_run_comes_back_whole(job, tmp_path):
    whole = job()
    assert_same(job(resume=tmp_path / "run.npz"), whole)


def test_a_finished_run_can_be_made_longer(job, tmp_path):
    job(epochs=3)
    longer = job(resume=tmp_path / "run.npz", epochs=6)
    assert_same(longer, job(path=tmp_path / "other.npz", epochs=6))


def test_early_stopping_is_the_end_also_when_resumed(data, trainer, fit, tmp_path):
    def train(resume):
        callbacks = [EarlyStopping(patience=2), Checkpoint(tmp_path / "run.npz")]
        one = trainer(lr=5.0, callbacks=callbacks)
        return fit(one, data(), data(seed=1), epochs=50, validate_every=1, resume=resume)

    first = train(None)
    assert first.stopped_because.startswith("early stopping")
    np.testing.assert_equal(vars(train(tmp_path / "run.npz")), vars(first))


def test_a_callback_that_stopped_a_run_does_not_stop_it_again(job, tmp_path):
    class Stop(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 7:
                trainer.stop("time is up")

    assert job(more=[Stop()]).history.stopped_because == "stopped: time is up"
    assert_same(job(resume=tmp_path / "run.npz"), job(path=tmp_path / "other.npz"))


def test_averaged_weights_go_on_too(data, trainer, fit, tmp_path):
    def train(path, resume, stop=0):
        one = trainer(callbacks=[AverageWeights(), Checkpoint(path, every_steps=1), Interrupt(stop)])
        fit(one, data(), epochs=6, restore_best=False, resume=resume)
        return one.model.parameters.value

    train(tmp_path / "run.npz", None, stop=20)
    resumed = train(tmp_path / "run.npz", tmp_path / "run.npz")
    np.testing.assert_array_equal(resumed, train(tmp_path / "other.npz", None))


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
    monkeypatch.setattr(minidl, "__version__", "99.0")
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
    "wrong", ["missing", "column", "number", "clock", "best", "callback", "generator", "shape", "record"]
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
        case "number":
            record["epochs_before"] = -1
        case "clock":
            arrays["steps/step"] = arrays["steps/step"] + 1
        case "best":
            record["best"][0] = 4
        case "callback":
            del record["numbers"]["callback 0"]["waited"]
        case "generator":
            record["generators"][0] = {"bit_generator": "PCG64", "state": "nonsense"}
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


def full_disk(monkeypatch, after):
    """From the given call on, nothing can be flushed to the disk."""
    calls, real = [], os.fsync

    def fsync(handle):
        calls.append(handle)
        if len(calls) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_full_disk_ends_the_run_cleanly_and_loses_nothing(job, tmp_path, monkeypatch):
    full_disk(monkeypatch, after=20)  # each checkpoint flushes the file and the folder
    one = job()
    assert one.history.stopped_because.startswith("stopped: the checkpoint")
    assert "No space left" in one.history.stopped_because
    assert one.optimizer.steps == 11
    assert one.history.restored_best
    assert os.listdir(tmp_path) == ["run.npz"]
    monkeypatch.undo()
    assert_same(job(resume=tmp_path / "run.npz"), job(path=tmp_path / "other.npz"))


def test_a_full_disk_is_survived_if_asked(data, trainer, fit, tmp_path, monkeypatch, capsys):
    full_disk(monkeypatch, after=20)
    checkpoint = Checkpoint(tmp_path / "run.npz", every_steps=1, keep_going=True)
    one = trainer(callbacks=[checkpoint])
    history = fit(one, data(), data(seed=1), epochs=6)
    assert history.stopped_because == "limit: 6 epochs"
    assert len(checkpoint.failures) == 24 - 10
    assert "No space left" in capsys.readouterr().err.splitlines()[0]
    assert len(read_arrays(tmp_path / "run.npz")["steps/step"]) == 10


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


def test_what_a_callback_remembers_is_its_own_again(job, tmp_path):
    class Adding(Counting):
        def on_evaluation_end(self, trainer, row):
            self.count += 1
            self.sums = np.resize(self.sums, 3)
            self.sums += 1

    job(more=[Adding()], stop=10)
    job(more=[Adding()], resume=tmp_path / "run.npz")


def test_the_mean_of_the_last_part_of_another_plan_is_refused(data, trainer, fit, tmp_path):
    def train(epochs, resume=None):
        one = trainer(callbacks=[AverageWeights(), Checkpoint(tmp_path / "run.npz")])
        fit(one, data(), epochs=epochs, restore_best=False, resume=resume)

    train(3)
    with pytest.raises(DataError, match="expected the 12 steps planned before, received 24"):
        train(6, tmp_path / "run.npz")


def test_leftovers_of_killed_runs_are_removed(job, tmp_path):
    (tmp_path / ".run.npz.0123.part").write_bytes(b"half")
    (tmp_path / ".other.npz.0123.part").write_bytes(b"half")
    job()
    assert sorted(os.listdir(tmp_path)) == [".other.npz.0123.part", "run.npz"]


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


def test_a_hook_that_moves_the_weights_at_the_beginning_does_not_move_those_that_came_back(job, tmp_path):
    class Pretrained(Callback):
        def on_fit_begin(self, trainer):
            trainer.model.parameters.value[...] = 0.25
            trainer.optimizer.lr_scale = 0.5

    job(more=[Pretrained()], stop=10)
    again = job(more=[Pretrained()], resume=tmp_path / "run.npz")
    assert_same(again, job(more=[Pretrained()], path=tmp_path / "other.npz"))


def test_rows_that_are_left_may_all_weigh_nothing(data, trainer, fit, tmp_path):
    weighted = data(weighted=True)
    weighted.weights[12:] = 0

    def train(path, stop=0, resume=None):
        one = trainer(callbacks=[Checkpoint(path, every_steps=1), Interrupt(stop)])
        fit(one, weighted, shuffle=False, resume=resume)
        return one.model.parameters.value

    train(tmp_path / "run.npz", stop=2)
    resumed = train(tmp_path / "run.npz", resume=tmp_path / "run.npz")
    np.testing.assert_array_equal(resumed, train(tmp_path / "other.npz"))


def test_generators_that_spawn_others_go_on_too(job, tmp_path):
    def spawning(x, rng):
        return x + rng.spawn(1)[0].normal(0, 0.1, x.shape)

    job(augment=spawning, stop=6)
    assert_same(job(augment=spawning, resume=tmp_path / "run.npz"), job(augment=spawning, path=tmp_path / "other.npz"))


def test_validation_sets_in_another_order_are_another_run(data, trainer, fit, tmp_path):
    sets = {"a": data(seed=1), "b": data(seed=2)}
    fit(trainer(callbacks=[Checkpoint(tmp_path / "run.npz")]), data(), sets)
    with pytest.raises(DataError, match=r"validation sets: \['a', 'b'\] there, \['b', 'a'\] here"):
        fit(trainer(), data(), dict(reversed(sets.items())), resume=tmp_path / "run.npz")


def test_a_rate_assigned_later_is_another_run(data, trainer, fit, tmp_path):
    fit(trainer(callbacks=[Checkpoint(tmp_path / "run.npz")]), data(), data(seed=1))
    one = trainer()
    one.optimizer.lr = 0.25
    with pytest.raises(DataError, match=r"learning rate: 0\.5 there, 0\.25 here"):
        fit(one, data(), data(seed=1), resume=tmp_path / "run.npz")


@pytest.mark.parametrize("path", [True, 3, b"run.npz", "", None.__class__])
def test_what_is_no_path_is_refused_and_no_stream_is_closed(job, path):
    with pytest.raises(TypeError, match="expected path to be a text or a Path"):
        job(resume=path)
    with pytest.raises(TypeError, match="expected path to be a text or a Path"):
        Checkpoint(path)
    os.fstat(1)


def test_weights_are_no_checkpoint_and_the_other_way_round(job, tmp_path):
    one = job()
    one.model.save(tmp_path / "weights.npz")
    with pytest.raises(DataError, match=r"weights\.npz: expected a checkpoint, found arrays without a run"):
        job(resume=tmp_path / "weights.npz")
    with pytest.raises(DataError, match=r"0\.weight is missing; .*; and \d+ more"):
        one.model.load(tmp_path / "run.npz")


def decaying(lr):
    return lambda step: lr * 0.9**step


TEN = np.arange(1.0, 11)
SAME = [
    ({"optimizer": lambda: Adam(lr=0.1)}, {"optimizer": lambda: Adam(0.1, beta1=0.9)}),
    ({"callbacks": [EarlyStopping(patience=3)]}, {"callbacks": [EarlyStopping("validation_loss", patience=3)]}),
    ({"layers": (Linear(3, 4),)}, {"layers": (Linear(in_features=3, out_features=4),)}),
    ({"optimizer": lambda: SGD(lambda step: 0.1)}, {"optimizer": lambda: SGD(lambda step: 0.1)}),
    ({}, {"callbacks": [Interrupt(0)]}),
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
    ({"metrics": {"right": minidl.accuracy}}, {"metrics": {"hits": minidl.accuracy}}),
]


PAIRS = [(*pair, True) for pair in SAME] + [(*pair, False) for pair in OTHER]


@pytest.mark.parametrize(("first", "second", "same"), PAIRS)
def test_what_trains_the_same_goes_on_and_nothing_else(data, trainer, fit, tmp_path, first, second, same):
    path = tmp_path / "run.npz"

    def train(changed, resume):
        parts = {name: value() if name == "optimizer" else value for name, value in changed.items()}
        of_fit = {name: parts.pop(name) for name in ("validate_every", "shuffle") if name in parts}
        layers = parts.pop("layers", (Linear(3, 10),))
        one = trainer(*layers, **parts | {"callbacks": [*parts.get("callbacks", []), Checkpoint(path)]})
        fit(one, data(), data(seed=1), resume=resume, **of_fit)

    train(first, None)
    if same:
        train(second, path)
    else:
        with pytest.raises(DataError, match=r"expected a checkpoint of this run, found .* there, .* here"):
            train(second, path)

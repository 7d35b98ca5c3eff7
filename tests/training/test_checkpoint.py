"""A run goes on from a checkpoint to the same bits, whatever it has in it and however it ended."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl import (
    AverageWeights,
    Callback,
    Checkpoint,
    EarlyStopping,
)
from minidl.storage import read_arrays
from minidl.training import checkpoint
from tests.tools.restless import OPTIMIZERS, Counting, Interrupt, assert_same

BUFFER = np.arange(30)
ROOT = Path(__file__).parents[2]


@given(
    stop=st.integers(1, 24),
    every=st.sampled_from([None, 1, 2, 5]),
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    validate_every=st.sampled_from([1.0, 0.5, 1, 3, 7, 100]),
    drop_last=st.booleans(),
    rows=st.sampled_from([{"shuffle": True}, {"shuffle": False}, {"replacement": True}]),
    length=st.sampled_from([{}, {"epochs": None, "steps": 21}]),
)
def test_a_run_goes_on_from_any_step_to_the_same_bits(
    anywhere, tmp_path_factory, stop, every, optimizer, rows, length, **plan
):
    folder = tmp_path_factory.mktemp("runs")
    path = folder / "run.npz"
    plan |= {"optimizer": optimizer, "every_steps": every} | rows | length
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
        command = [sys.executable, "-m", "tests.tools.killed", "--train", folder / name, "15", str(stop)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
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


def test_a_finished_run_comes_back_whole(job, tmp_path):
    whole = job()
    assert_same(job(resume=tmp_path / "run.npz"), whole)


def test_a_finished_run_can_be_made_longer(job, tmp_path):
    job(epochs=3)
    longer = job(resume=tmp_path / "run.npz", epochs=6)
    assert_same(longer, job(path=tmp_path / "other.npz", epochs=6))


@given(first=st.integers(1, 23), replacement=st.booleans())
def test_a_run_of_so_many_steps_can_be_made_longer(anywhere, tmp_path_factory, first, replacement):
    folder, length = tmp_path_factory.mktemp("runs"), {"epochs": None, "replacement": replacement}
    anywhere(folder / "run.npz", steps=first, **length)
    longer = anywhere(folder / "run.npz", resume=folder / "run.npz", steps=24, **length)
    assert_same(longer, anywhere(folder / "other.npz", steps=24, **length))
    in_epochs = anywhere(folder / "run.npz", resume=folder / "run.npz", epochs=7, replacement=replacement)
    assert_same(in_epochs, anywhere(folder / "other.npz", epochs=7, replacement=replacement))


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


def test_what_a_callback_remembers_is_its_own_again(job, tmp_path):
    class Adding(Counting):
        def on_evaluation_end(self, trainer, row):
            self.count += 1
            self.sums = np.resize(self.sums, 3)
            self.sums += 1

    job(more=[Adding()], stop=10)
    job(more=[Adding()], resume=tmp_path / "run.npz")


def test_leftovers_of_killed_runs_are_removed(job, tmp_path):
    old, new = f".run.npz.{'0' * 16}.part", f".run.npz.{'1' * 16}.part"
    others = [f".run.npz.bak.{'0' * 16}.part", ".run.npz.notes.part"]
    for name in (old, new, *others):
        (tmp_path / name).write_bytes(b"half")
        if name != new:
            os.utime(tmp_path / name, (0, 0))
    job()
    assert sorted(os.listdir(tmp_path)) == sorted([new, *others, "run.npz"])


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


def test_orders_in_a_buffer_of_their_own_are_taken_as_they_were(data, trainer, fit, tmp_path):
    def order(epoch):
        BUFFER[:] = np.random.default_rng(epoch).permutation(30)
        return BUFFER

    def train(one, **arguments):
        return fit(one, data(), epochs=4, shuffle=order, **arguments).steps["loss"]

    interrupt = Interrupt(5)
    one = trainer(callbacks=[Checkpoint(tmp_path / "run.npz", every_steps=1), interrupt])
    train(one)
    one.callbacks.remove(interrupt)
    assert train(one, resume=tmp_path / "run.npz") == train(trainer())


def test_a_stop_at_the_beginning_counts_also_when_resumed(job, tmp_path):
    class Budget(Callback):
        def on_fit_begin(self, trainer):
            trainer.stop("no time")

    job(stop=5)
    one = job(more=[Budget()], resume=tmp_path / "run.npz")
    assert (one.optimizer.steps, one.history.stopped_because) == (4, "stopped: no time")


def test_when_one_of_two_files_fails_the_other_holds_the_last_step(data, trainer, fit, tmp_path):
    (tmp_path / "sub").mkdir()

    class Vanish(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 7:
                shutil.rmtree(tmp_path / "sub")

    both = [Checkpoint(tmp_path / "a.npz", every_steps=5), Checkpoint(tmp_path / "sub" / "b.npz", every_steps=1)]
    history = fit(trainer(callbacks=[*both, Vanish()]), data(), data(seed=1), epochs=4)
    assert history.stopped_because.startswith("stopped: the checkpoint")
    assert len(read_arrays(tmp_path / "a.npz")["steps/step"]) == 7

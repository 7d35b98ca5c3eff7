"""Real Ctrl-C, pressed once, twice and more often."""

import os
import signal

import pytest

from minidl import (
    Callback,
)
from minidl.storage import read_arrays
from tests.tools.restless import assert_same

pytestmark = pytest.mark.usefixtures("python_handles_ctrl_c")


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


@pytest.mark.parametrize("times", [2, 3])
def test_a_checkpoint_that_is_being_written_is_finished_first(job, tmp_path, monkeypatch, times):
    real = os.fsync

    def pressing(handle):
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        real(handle)

    monkeypatch.setattr(os, "fsync", pressing)
    one = job(every_steps=5)
    monkeypatch.undo()
    assert one.history.stopped_because == "interrupted: Ctrl-C after step 5"
    assert len(read_arrays(tmp_path / "run.npz")["steps/step"]) == 5


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


def test_ctrl_c_in_the_last_evaluation_ends_the_run(data, trainer, fit):
    def pressing(scores, targets):
        if one.optimizer.steps == 8:
            signal.raise_signal(signal.SIGINT)
        return 0.0

    one = trainer(metrics=[pressing])
    history = fit(one, data(), data(seed=1), validate_every=7)
    assert history.stopped_because == "interrupted: Ctrl-C after step 8"


def test_another_handler_of_ctrl_c_stays(job):
    pressed = []
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        one = job(more=[Press(2, 7)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(pressed) == 2
    assert one.history.stopped_because == "limit: 6 epochs"

"""One run on several ranks: the same as one process, and one end for all, whatever happens to one of them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minidl import Trainer
from tests.tools import ranks
from tests.tools.mpi import mpiexec

pytestmark = pytest.mark.needs_mpi


def run(folder, size, *, fails=False, **options):
    """What each rank has written; None for one that did not come so far."""
    out = folder / "out"
    for file in folder.glob("out.*.npz"):
        file.unlink()
    command = [*mpiexec(), "-n", str(size), sys.executable, "-m", "tests.tools.ranks", str(out), json.dumps(options)]
    began = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[1], stdin=subprocess.DEVNULL
    )
    assert (done.returncode != 0) == fails, done.stderr
    assert time.monotonic() - began < 45
    files = [folder / f"out.{rank}.npz" for rank in range(size)]
    return [dict(np.load(file)) if file.exists() else None for file in files]


def alone(**options):
    trainer = ranks.make(Trainer)
    train = ranks.data()
    trainer.fit(train, train.take(slice(0, 20)), batch_size=27, progress=False, **options)
    return trainer


@pytest.mark.parametrize("size", [2, 3])
def test_a_hundred_steps_are_those_of_one_process(size, tmp_path):
    one, several = alone(steps=100), run(tmp_path, size, steps=100)  # the last batch of an epoch has two rows
    for rank in several:
        np.testing.assert_allclose(rank["weights"], one.model.parameters.value, rtol=0, atol=1e-14)
        np.testing.assert_allclose(rank["cost"], one.history.steps["cost"], rtol=0, atol=1e-14)
        assert rank["weights"].tobytes() == several[0]["weights"].tobytes()


@pytest.mark.parametrize(
    ("what", "said"), [("stop", "stopped: seen enough"), ("interrupt", "interrupted: Ctrl-C after")]
)
def test_a_decision_of_one_rank_to_end_is_one_of_all(what, said, tmp_path):
    several = run(tmp_path, 2, steps=50, mischief={"rank": 1, "step": 9, "what": what})
    for rank in several:
        assert str(rank["ended"]).startswith(said)
        assert len(rank["cost"]) == 9
        assert rank["weights"].tobytes() == several[0]["weights"].tobytes()


@pytest.mark.parametrize("what", ["raise", "raise at the end"])
def test_an_error_of_one_rank_ends_all_with_the_best_weights(what, tmp_path):
    first, second = run(tmp_path, 2, steps=30, mischief={"rank": 1, "step": 9, "what": what})
    assert str(second["error"]).startswith("ArithmeticError: a mistake")
    assert str(first["error"]).startswith(
        "RankError: rank 1 has failed, and the run has ended on all ranks: Arithmetic"
    )
    assert np.isfinite(first["weights"]).all()


def test_a_divergence_that_one_rank_alone_sees_ends_all(tmp_path):
    first, second = run(tmp_path, 2, steps=30, mischief={"rank": 1, "step": 12, "what": "diverge"})  # and is evaluated
    assert str(second["error"]).startswith("DivergenceError: at step 12: its update left")
    assert str(first["error"]).startswith(
        "RankError: rank 1 has failed, and the run has ended on all ranks: Divergence"
    )
    assert np.isfinite([first["weights"], second["weights"]]).all()


def test_ranks_with_other_data_or_weights_are_refused_on_all(tmp_path):
    for rank in run(tmp_path, 2, steps=30, seeds=[0, 1]):
        assert len(rank["cost"]) == 0
        error = str(rank["error"])
        assert error.startswith("ValueError: expected the same on every rank, received on rank 1 (here) other than on")
        assert "data 'train': Dataset(83 rows x 6" in error
        assert "weights at the start: <" in error


def test_a_divergence_of_one_rank_is_one_of_all(tmp_path):
    several = run(tmp_path, 2, steps=30, mischief={"rank": 1, "step": 9, "what": "diverge"})
    for rank in several:
        assert str(rank["error"]).startswith("DivergenceError")
        assert np.isfinite(rank["weights"]).all()


@pytest.mark.parametrize("dropout", [False, True])
def test_a_killed_rank_ends_all_and_the_run_goes_on_to_the_same_bits(dropout, tmp_path):
    path = str(tmp_path / "run.npz")
    whole = run(tmp_path, 2, steps=30, checkpoint=path, dropout=dropout)
    run(
        tmp_path,
        2,
        fails=True,
        steps=30,
        checkpoint=path,
        dropout=dropout,
        mischief={"rank": 1, "step": 13, "what": "kill"},
    )
    went_on = run(tmp_path, 2, steps=30, checkpoint=path, dropout=dropout, resume=path)
    for one, other in zip(whole, went_on, strict=True):
        assert one["weights"].tobytes() == other["weights"].tobytes()
        assert one["cost"].tobytes() == other["cost"].tobytes()


def test_a_model_with_statistics_of_its_rows_is_refused():
    from minidl import SGD, BatchNorm, Linear, MeanSquaredError, Sequential
    from minidl.distributed import Trainer

    trainer = Trainer(Sequential(Linear(2, 2), BatchNorm(2)).build(), MeanSquaredError(), SGD(0.1))
    with pytest.raises(ValueError, match=r"expected a model without states, received 1.mean, 1.variance: stat"):
        trainer.fit((np.ones((4, 2)), np.ones((4, 2))), epochs=1)


def alone_on_a_rank(callbacks=(), **options):
    """A run of a single rank, in this process."""
    from minidl.distributed import Trainer

    trainer = ranks.make(Trainer, callbacks=callbacks)
    train = ranks.data()
    trainer.fit(train, train.take(slice(0, 20)), batch_size=27, progress=False, **options)
    return trainer


def test_a_single_rank_trains_like_one_process():
    one, other = alone(steps=30), alone_on_a_rank(steps=30)
    np.testing.assert_allclose(other.model.parameters.value, one.model.parameters.value, rtol=0, atol=1e-14)


def test_a_single_rank_stops_and_fails_by_itself():
    stopped = alone_on_a_rank([ranks.Mischief(0, 5, "stop")], steps=30)
    assert stopped.history.stopped_because == "stopped: seen enough"
    with pytest.raises(ArithmeticError, match="a mistake of a callback"):
        alone_on_a_rank([ranks.Mischief(0, 5, "raise")], steps=30)


class Pressed:
    """All ranks, of which there is one, and Ctrl-C is pressed twice while some of their messages are on the way."""

    def __init__(self, when):
        self.when, self.messages = when, []

    def Get_rank(self):
        return 0

    def Get_size(self):
        return 1

    def allgather(self, one):
        return [one]

    def Barrier(self):
        self.messages.append("left")

    def Allreduce(self, place, message):
        self.messages.append(len(message))
        if self.when(self.messages, message):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("python_handles_ctrl_c")
@pytest.mark.parametrize("place", range(4))
def test_no_ctrl_c_comes_between_messages_that_belong_together(place):
    from minidl.distributed import Trainer

    comm = Pressed(lambda messages, _: len(messages) == 10 + place)
    trainer = ranks.make(lambda *args, **kwargs: Trainer(*args, comm=comm, **kwargs))
    history = trainer.fit(ranks.data(), steps=30, progress=False)
    assert history.stopped_because.startswith("interrupted: Ctrl-C after step ")
    of_gradients = trainer.model.parameters.grad.size + 2
    steps = len(history.steps["cost"])
    assert comm.messages in (
        [4] + steps * [4, of_gradients, 4] + rest for rest in ([4, "left"], [4, of_gradients, 4, "left"])
    )


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_a_ctrl_c_during_the_last_message_is_raised_behind_it():
    from minidl.distributed import Trainer

    comm = Pressed(lambda _, message: len(message) == 4 and message[1])
    trainer = ranks.make(lambda *args, **kwargs: Trainer(*args, comm=comm, **kwargs))
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(ranks.data(), steps=3, progress=False)
    assert trainer.history.stopped_because == "limit: 3 steps"
    assert comm.messages[-2:] == [4, "left"]
    assert comm.messages.count(4) == 1 + 2 * 3 + 1

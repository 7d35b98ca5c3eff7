"""The benchmark trains what it claims to and prints what it measured; nothing here looks at a clock."""

import json
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import training_step
from systems import Floor, MinidlLoop, MinidlTrainer
from table import Timing, aims_header, aims_row, header, row, spread
from tried import GatheredAhead
from workloads import EVERY, WORKLOADS

SMALL = {name: replace(workload, numbers=400_000) for name, workload in WORKLOADS.items() if name != "relu-mlp-large"}


@pytest.mark.parametrize("workload", SMALL.values(), ids=SMALL)
def test_loop_and_trainer_learn_the_same_in_one_epoch(workload):
    x, targets = workload.data()
    learned = [
        training_step.learn(kind(workload, "", x, targets), workload, x, targets)
        for kind in (MinidlLoop, MinidlTrainer)
    ]
    assert learned[0] == learned[1] > 0


@pytest.mark.parametrize("workload", SMALL.values(), ids=SMALL)
def test_floor_multiplies_the_gathered_rows(workload):
    x, targets = workload.data()
    floor = Floor(workload, "", x, targets)
    floor.train()
    assert (x == floor.inputs[0][0]).all(axis=1).any()
    np.testing.assert_allclose(floor.inputs[-1], _product(floor), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(floor.gradients[-1], floor.inputs[-2].T @ floor.deltas[-1], rtol=1e-3, atol=1e-3)


def _product(floor):
    y = floor.inputs[0]
    for W in floor.matrices:
        y = y @ W
    return y


def test_table_takes_each_system_at_its_better_thread_count():
    timings = {
        "ours": [Timing(1, "", [100.0, 90.0, 500.0]), Timing(2, "", [300.0] * 3)],
        "theirs": [Timing(1, "fused", [2000.0] * 3), Timing(2, "foreach", [1500.0] * 3)],
    }
    labels = ["ours", "theirs", "floor"]
    assert header(labels).splitlines() == ["| workload | ours | theirs | floor |", "| --- | ---: | ---: | ---: |"]
    line = row("tiny", labels, timings)
    assert line == "| tiny | 100 = 1.00x (1 thread) | 1 500 = 15.00x (2 threads, foreach) | - |"


def test_spread_is_the_distance_of_repetitions_from_their_median():
    assert spread([Timing(1, "", [90.0, 100.0, 110.0])]) == pytest.approx(0.1)


def test_aims_stand_beside_what_was_measured():
    taken = {"minidl loop": 100.0, "minidl Trainer.fit": 102.0, "PyTorch eager": 190.0, "JAX jit": 260.0}
    timings = {label: [Timing(1, "", [time])] for label, time in taken.items()}
    line = aims_row(WORKLOADS["softmax-3072"], timings)
    assert line.endswith("| 1.90x (>= 1.2x) | 2.60x (>= 1.0x) | 1.02x (<= 1.03x) |")
    assert aims_header().count("\n") == 1


def test_what_was_tried_learns_the_same_bits():
    workload = replace(SMALL["softmax-784"], numbers=4_000_000)
    x, targets = workload.data()
    assert training_step.learn(GatheredAhead(workload, "", x, targets), workload, x, targets) == training_step.learn(
        MinidlLoop(workload, "", x, targets), workload, x, targets
    )


def test_systems_that_learn_differently_are_not_compared():
    training_step.check_agreement({"ours": 0.5000, "theirs": 0.5004})
    for other in (0.3, 0.0, -0.1, float("nan")):
        with pytest.raises(SystemExit, match="learn the same"):
            training_step.check_agreement({"ours": 0.5, "theirs": other})


def test_worker_reports_once_and_then_for_every_line(monkeypatch, capsys):
    monkeypatch.setattr(training_step, "REPETITION", 1e-9)
    monkeypatch.setattr(sys, "stdin", StringIO("repeat\nrepeat\n"))
    training_step.serve(MinidlLoop, SMALL["softmax-784"])
    ready, *repetitions = map(json.loads, capsys.readouterr().out.splitlines())
    assert ready["learned"] > 0
    assert [list(repetition) for repetition in repetitions] == [["microseconds"]] * 2


def test_unknown_workload_is_refused(capsys):
    with pytest.raises(SystemExit):
        training_step.main(["--workloads", "softmax-785"])
    assert "softmax-784" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("layers.py", "| AveragePool2D 2x2, (64, 32, 32, 32) |"),
        ("limits.py", "GB/s of reading"),
        ("memory.py", "| softmax 784-10, batch 128, SGD |"),
        ("networks.py", "| MLP 784-256-10 with BatchNorm, batch 128, Adam |"),
        ("overhead.py", "| minidl Trainer.fit with the bar |"),
        ("step_parts.py", "| products |"),
        ("tried.py", "matrix products have other bits"),
    ],
)
def test_the_other_tables_are_printed(script, said):
    command = [
        sys.executable,
        str(Path(training_step.__file__).parent / script),
        *(["--quick"] if script != "limits.py" else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_every_size_of_the_growing_workloads_has_whole_batches():
    for workload in EVERY.values():
        x, targets = replace(workload, numbers=min(workload.numbers, 784 * 12_800)).data()
        assert len(x) == len(targets)
        assert len(x) % workload.batch_size == 0

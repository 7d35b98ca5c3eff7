"""The benchmark trains what it claims to and prints what it measured; nothing here looks at a clock."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import limits
import processors
import training_step
from networks import NETWORKS
from systems import Floor, MinidlLoop, MinidlTrainer
from table import Timing, aims_header, aims_row, header, row, spread
from tried import GatheredAhead
from workloads import EVERY, WORKLOADS

# not as "all", which the reports have, too
SPEC = spec_from_file_location("benchmarks_all", Path(training_step.__file__).with_name("all.py"))
everything = module_from_spec(SPEC)
SPEC.loader.exec_module(everything)
SMALL = {name: replace(workload, numbers=400_000) for name, workload in WORKLOADS.items() if name != "relu-mlp-large"}


SHORT = {name: replace(network, steps_per_epoch=2) for name, network in NETWORKS.items()}


@pytest.mark.parametrize("workload", [*SMALL.values(), *SHORT.values()], ids=[*SMALL, *SHORT])
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
        ("limits.py", "GFLOP/s in float32"),
        ("memory.py", "| softmax 784-10, batch 128, SGD |"),
        ("resident.py", "| softmax 784-10, batch 128, SGD |"),
        ("overhead.py", "| minidl Trainer.fit with the bar |"),
        ("recorder.py", "| 784-64-10, batch 32 |"),
        ("step_parts.py", "| products |"),
        ("tried.py", "matrix products have other bits"),
    ],
)
def test_the_other_tables_are_printed(script, said):
    command = [sys.executable, str(Path(training_step.__file__).parent / script), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_products_of_a_network_are_those_of_its_matrices(network):
    matrices = [p.value for p in network.model().parameters.named.values() if p.value.ndim > 1]
    multiplied = {(product.m, product.n) for product in network.products}
    assert {(matrix.size // matrix.shape[-1], matrix.shape[-1]) for matrix in matrices} <= multiplied


def test_limit_counts_bytes_and_operations_from_the_shapes(monkeypatch):
    softmax, large = WORKLOADS["softmax-784"], WORKLOADS["relu-mlp-large"]
    assert limits.cost(softmax) == (128 * 784 * 4, 0, 2 * 128 * 2 * 784 * 10)
    weights = (3072 * 1024 + 1024 * 1024 + 1024 * 10) * 4
    assert limits.cost(large)[:2] == (256 * 3072 * 4 + 3 * weights, 7 * weights)
    assert limits.cost(WORKLOADS["softmax-784-float64"]).read == 2 * limits.cost(softmax).read
    rates = {"reading": {1: 1e9, 2: 2e9}, "updating": {1: 1e9, 2: 1e9}, "float32": {1: 1e9, 2: 4e9}}
    monkeypatch.setattr(limits, "roofline", lambda: rates)
    assert limits.limit(softmax) == pytest.approx((128 * 784 * 4 / 2e3, 2 * 128 * 2 * 784 * 10 / 4e3))
    assert limits.sentence(softmax, ("minidl[fast] loop", 2406.0)).endswith("minidl[fast] loop takes 2.0 times that.")


CPUINFO = "processor : 0\nmodel name : {}\ncpu family : 6\nmodel : 143\n\nprocessor : 1\nmodel name : other\n"


def test_kind_of_processor_names_its_page(monkeypatch, tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text(CPUINFO.format("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"), encoding="utf-8")
    monkeypatch.setattr(processors, "Path", lambda _: path)
    assert processors.kind() == "Intel Xeon Platinum 8481C, family 6, model 143"
    assert processors.file_name(processors.kind()) == "intel-xeon-platinum-8481c-family-6-model-143.md"


def test_a_run_replaces_its_own_sections_on_the_page_of_its_processor(tmp_path):
    steps, layers = "Where the time goes", "Single layers beside PyTorch"
    everything.write({layers: "old layers", steps: "`x`\n\nsteps"}, tmp_path, "One", ["numpy: OpenBLAS"])
    everything.write({layers: "of two"}, tmp_path, "Two", ["numpy: MKL"])
    everything.write({layers: "new layers"}, tmp_path, "One", ["numpy: OpenBLAS 2"])
    first, second = ((tmp_path / "performance" / f"{name}.md").read_text(encoding="utf-8") for name in ("one", "two"))
    assert "OpenBLAS 2" in first
    assert first.endswith(f"## {steps}\n\n`x`\n\nsteps\n\n## {layers}\n\nnew layers\n")
    assert second.endswith(f"numpy: MKL.\n\n## {layers}\n\nof two\n")
    assert "- [One](performance/one.md)\n- [Two](performance/two.md)" in (tmp_path / "performance.md").read_text(
        "utf-8"
    )


def test_every_page_of_a_processor_is_linked():
    docs = Path(__file__).parents[2] / "docs"
    there = {f"performance/{page.name}" for page in (docs / "performance").glob("*.md")}
    linked = set(re.findall(r"\((performance/[\w-]+\.md)\)", (docs / "performance.md").read_text(encoding="utf-8")))
    assert linked == there


def test_every_size_of_the_growing_workloads_has_whole_batches():
    for workload in EVERY.values():
        x, targets = replace(workload, numbers=min(workload.numbers, 784 * 12_800)).data()
        assert len(x) == len(targets)
        assert len(x) % workload.batch_size == 0

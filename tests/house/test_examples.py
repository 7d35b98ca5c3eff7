"""The examples run in quick mode, write what they promise, and say what is missing."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHOUT_DATA = ["attention_sort", "custom_layer", "quickstart", "text_lstm"]
WITH_DATA = ["mnist_softmax", "cifar10_softmax", "convnet_mnist", "convnet_cifar10", "autoencoder_mnist"]


def run(name, *options, cwd, **environment):
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *options]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
        check=False,
    )


def test_every_example_is_run_by_these_tests():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"options", *WITHOUT_DATA, *WITH_DATA}


@pytest.mark.parametrize("name", WITHOUT_DATA + WITH_DATA)
def test_an_example_explains_itself(name, tmp_path):
    done = run(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "--seed" in done.stdout
    assert "--quick" in done.stdout


@pytest.mark.parametrize(("name", "check"), [("custom_layer", "test_swish"), ("autoencoder_mnist", "test_enlarge")])
def test_the_layer_of_an_example_passes_its_check(name, check, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    runpy.run_path(str(EXAMPLES / f"{name}.py"))[check]()


@pytest.mark.parametrize("name", WITHOUT_DATA)
def test_an_example_runs_in_quick_mode(name, tmp_path):
    done = run(name, "--quick", "--out", "made", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "test accuracy" in done.stdout


def test_the_quick_start_reaches_its_accuracy_stops_early_and_writes_its_figures(tmp_path):
    done = run("quickstart", "--out", "made", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("test accuracy")]
    assert float(line.split()[-1]) >= 0.96
    assert "early stopping" in done.stderr  # the last line of the table of the run
    assert len(list((tmp_path / "made").glob("*.png"))) == 6


def test_the_small_transformer_sorts_at_least_99_of_100_sequences(tmp_path):
    done = run("attention_sort", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("whole sequences right")]
    assert float(line.split()[-1]) >= 0.99
    assert len(list((tmp_path / "out").glob("attention_sort_*.png"))) == 2


def test_text_is_found_where_the_licence_is_not_installed(tmp_path):
    hide = f"import os, runpy, sys; os.__file__ = sys.base_prefix = {str(tmp_path / 'os.py')!r}"
    start = f"sys.path.insert(0, {str(EXAMPLES)!r}); sys.argv = ['text_lstm.py', '--quick']"
    script = f"{hide}; {start}; runpy.run_path({str(EXAMPLES / 'text_lstm.py')!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "14000 characters" in done.stdout


def written_data(folder):
    """Noise in the files of both sets, of as many images as quick mode takes: labels 0 to 9 in turn."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 1000), ("t10k", 500)):
        for kind, array in (
            ("images-idx3", rng.integers(0, 256, (n, 28, 28), np.uint8)),
            ("labels-idx1", np.arange(n, dtype=np.uint8) % 10),
        ):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
    for name, n in [*((f"data_batch_{number}.bin", 200) for number in range(1, 6)), ("test_batch.bin", 500)]:
        records = rng.integers(0, 256, (n, 3073), np.uint8)
        records[:, 0] = np.arange(n) % 10
        (folder / name).write_bytes(records.tobytes())
    return folder


def quickly_on(data, name, cwd):
    """Run an example in quick mode on the data in a folder, and see that it made what it promises."""
    done = run(name, "--quick", "--data", str(data), "--out", "made", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert "\ntest " in done.stdout
    assert len(list((cwd / "made").glob("*.png"))) >= 2


@pytest.mark.parametrize("name", WITH_DATA)
def test_an_example_on_files_of_the_same_format_runs_in_quick_mode(name, tmp_path):
    quickly_on(written_data(tmp_path), name, tmp_path)


@pytest.mark.real_data
@pytest.mark.parametrize("name", WITH_DATA)
def test_an_example_on_real_data_runs_in_quick_mode(name, tmp_path, real_data):
    quickly_on(real_data, name, tmp_path)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "least", "most"), [("mnist_softmax", 0.92, 0.94), ("cifar10_softmax", 0.378, 0.402)])
def test_an_example_on_real_data_reaches_its_accuracy(name, least, most, tmp_path, real_data):
    done = run(name, "--data", str(real_data), cwd=tmp_path)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("test accuracy")]
    assert least <= float(line.split()[-1]) <= most


@pytest.mark.parametrize("name", WITH_DATA)
def test_an_example_without_data_or_network_says_which_files_to_put_where(name, tmp_path):
    done = run(
        name,
        "--data",
        str(tmp_path / "empty"),
        cwd=tmp_path,
        http_proxy="http://127.0.0.1:9",
        https_proxy="http://127.0.0.1:9",
    )
    assert done.returncode != 0
    assert str(tmp_path / "empty") in done.stderr
    assert "MINIDL_DATA" in done.stderr

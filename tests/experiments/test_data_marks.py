"""A folder of runs belongs to one set of data."""

import subprocess
import sys

import numpy as np
import pytest

from minidl import Dataset
from minidl.experiments import execute, fingerprint, grid, plan

X, LABELS = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


def double(i, *, seed):
    return {"i": 2 * i}


def run(folder, data):
    return execute(plan(double, grid(i=[1]), [0]), folder=folder, data=data, progress=False)


@pytest.mark.parametrize(
    "other",
    [
        Dataset(X[::-1], LABELS),
        Dataset(X, LABELS[::-1]),
        Dataset(X[:5], LABELS[:5]),
        Dataset(X.astype(np.float32), LABELS),
        Dataset(X, LABELS, weights=np.arange(1.0, 7.0)),
    ],
)
def test_a_fingerprint_differs_for_other_data(other):
    assert fingerprint(other) != fingerprint(Dataset(X, LABELS))
    assert fingerprint(Dataset(X, LABELS), other) != fingerprint(other, Dataset(X, LABELS))


def test_a_fingerprint_is_of_the_values_and_not_of_where_they_lie():
    assert fingerprint(Dataset(np.asfortranarray(X), LABELS)) == fingerprint(Dataset(X, LABELS))


def test_a_folder_refuses_other_data_of_a_name_and_takes_new_names(tmp_path):
    one, two = fingerprint(Dataset(X, LABELS)), fingerprint(Dataset(X + 1, LABELS))
    run(tmp_path, None)
    run(tmp_path, {"a": one})
    run(tmp_path, {"b": two})
    assert run(tmp_path, {"a": one, "b": two}).mean("i") == 2
    with pytest.raises(
        ValueError, match=f"fingerprint {one}, received another a, fingerprint {two}: give another folder"
    ):
        run(tmp_path, {"a": two})
    assert run(None, {"a": two}).mean("i") == 2


def test_what_is_no_data_set_has_no_fingerprint():
    with pytest.raises(TypeError, match="wrap arrays as Dataset"):
        fingerprint(X)


@pytest.mark.parametrize("data", [Dataset(X, LABELS), {"a": Dataset(X, LABELS)}, [], "a"])
def test_data_without_names_or_fingerprints_is_refused_with_or_without_a_folder(tmp_path, data):
    for folder in (None, tmp_path):
        with pytest.raises(TypeError, match="expected data to map names to fingerprints"):
            run(folder, data)


SCRIPT = """
import functools
from minidl.experiments import execute, grid, plan

@functools.lru_cache
def load(rows):
    import numpy as np
    return np.arange(rows)

@functools.lru_cache(maxsize=1)
def load_twice(rows):
    return load(rows) + load(rows)

def train(rate, *, seed):
    return {"total": float(load_twice(4).sum() * rate)}

if __name__ == "__main__":
    results = execute(plan(train, grid(rate=[1.0, 2.0]), seeds=[0, 1]), jobs=JOBS, progress=False)
    for failed in results.failed:
        print(failed.error)
    print(results.array("total").tolist())
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_loader_cached_in_the_script_itself_works_in_every_run(tmp_path, jobs):
    script = tmp_path / "job.py"
    script.write_text(SCRIPT.replace("JOBS", str(jobs)))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.stdout, done.stderr) == ("[12.0, 12.0, 24.0, 24.0]\n", "")

"""Executing a plan: the same results whatever the number of workers, and nothing lost."""

import importlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minidl.experiments import execute, grid, plan

JOB = """
import signal, sys, time
from minidl.experiments import execute, grid, plan

signal.signal(signal.SIGINT, signal.default_int_handler)  # a process started in the background ignores it

def work(i, *, seed):
    import time
    time.sleep(0.2)
    return {"i": i}

results = execute(plan(work, grid(i=range(int(sys.argv[2]))), [0]), jobs=2, folder=sys.argv[1])
print(results.array("i").sum())
"""


def fits(folder=None, jobs=1, seeds=(0, 1)):
    def train(width, *, seed):
        from minidl import SGD, Linear, MeanSquaredError, Sequential, Trainer

        x = np.random.default_rng(seed).normal(size=(64, 300)).astype(np.float32)
        model = Sequential(Linear(300, width), Linear(width, 1)).build(seed=seed)
        history = Trainer(model, MeanSquaredError(), SGD(0.001)).fit((x, x[:, :1]), epochs=3, progress=False)
        return {"losses": history.steps["loss"], "weights": model.parameters.value, "width": np.int64(width)}

    return execute(plan(train, grid(width=[50, 80]), seeds), jobs=jobs, folder=folder, progress=False)


def assert_same(a, b):
    assert [r.run.name for r in a] == [r.run.name for r in b]
    for one, two in zip(a, b, strict=True):
        assert one.values.keys() == two.values.keys()
        for name, value in one.values.items():
            np.testing.assert_array_equal(value, two.values[name], strict=isinstance(value, np.ndarray))


def test_results_are_the_same_bits_with_one_worker_and_with_two_stored_or_not(tmp_path):
    one, two = fits(jobs=1), fits(jobs=2, folder=tmp_path)
    assert len(one.failed) == 0
    assert_same(one, two)
    assert_same(one, fits(folder=tmp_path))
    assert type(one[0].values["width"]) is int
    assert one[0].values["weights"].dtype == np.float32


def counted(folder, jobs=1):
    """Leaves a file for each time a run is really run."""
    marks = folder / "marks"
    marks.mkdir(exist_ok=True)
    where = str(marks)

    def work(i, *, seed):
        import pathlib
        import uuid

        pathlib.Path(where, f"{i}-{uuid.uuid4()}").touch()
        return {"i": i}

    results = execute(plan(work, grid(i=[1, 2, 3]), [0]), jobs=jobs, folder=folder / "runs", progress=False)
    assert results.array("i").tolist() == [1, 2, 3]
    return sorted(path.name[0] for path in marks.iterdir())


def test_what_stands_in_the_folder_is_not_run_again(tmp_path):
    assert counted(tmp_path) == ["1", "2", "3"]
    assert counted(tmp_path) == ["1", "2", "3"]
    files = sorted((tmp_path / "runs").iterdir())
    assert len(files) == 3
    files[0].unlink()
    assert len(counted(tmp_path)) == 4


def test_seconds_of_the_processor_are_measured_and_kept(tmp_path):
    def work(*, seed):
        return {"sum": sum(range(300_000))}

    made = execute(plan(work, [{}], [0]), folder=tmp_path, jobs=1, progress=False)
    kept = execute(plan(work, [{}], [0]), folder=tmp_path, jobs=1, progress=False)
    assert 0 < made[0].processor_seconds == kept[0].processor_seconds == kept.processor_seconds


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "other"])
def test_a_damaged_result_is_run_again(tmp_path, harm):
    counted(tmp_path)
    first, second, _ = sorted((tmp_path / "runs").iterdir())
    content = first.read_bytes()
    if harm == "cut":
        first.write_bytes(content[: len(content) // 2])
    elif harm == "flip":
        first.write_bytes(content.replace(b'"', b"'", 10)[::-1])
    elif harm == "empty":
        first.write_bytes(b"")
    else:
        first.write_bytes(second.read_bytes())
    assert len(counted(tmp_path)) == 4
    assert len(counted(tmp_path)) == 4


def test_a_run_that_two_parts_of_a_plan_share_is_run_once(tmp_path):
    def work(i, *, seed):
        return {"i": i + seed}

    runs = plan(work, grid(i=[1, 2]), [0]) + plan(work, grid(i=[2]), [0, 1])
    assert execute(runs, progress=False).array("i").tolist() == [1, 2, 3]


def faulty(i, *, seed):
    import os

    if i == 1:
        raise ValueError("one is not wanted")
    if i == 2:
        os._exit(9)
    if i == 3:
        return [i]
    if i == 4:
        return {"x": np.array(["text", "text"])}
    if i == 5:
        return {"x": object()}
    return {"x": i}


def test_runs_that_fail_or_die_cost_no_others_and_are_tried_again(tmp_path, capsys):
    def fail(i, *, seed):
        return faulty_(i, seed=seed)

    faulty_ = faulty
    for _ in range(2):
        results = execute(plan(fail, grid(i=range(8)), [0]), jobs=2, folder=tmp_path)
        assert [r.run.setting["i"] for r in results.failed] == [1, 2, 3, 4, 5]
        assert results.column("x") == [0, 6, 7]
        errors = [r.error for r in results.failed]
        assert "ValueError: one is not wanted" in errors[0]
        assert "the process of this run died" in errors[1]
        assert "expected a run to return a mapping of names to values, received [3]" in errors[2]
        assert "expected x to hold numbers" in errors[3]
        assert "expected x to be a number, a string or an array" in errors[4]
    shown = capsys.readouterr().err
    assert "failed: PlannedRun(fail(i=1, seed=0)): ValueError: one is not wanted" in shown
    assert f"3 of 8 runs are there already, in {tmp_path}" in shown


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def train(*, seed):\n    return {'x': 1}\n", "def train(*, seed):\n    return {'x': 2, 'y': 3}\n"),
        ("K = 1\n\ndef train(*, seed):\n    return {'x': K}\n", "K = 23\n\ndef train(*, seed):\n    return {'x': K}\n"),
    ],
)
def test_a_module_edited_between_plan_and_worker_fails_the_run_instead_of_mixing_results(
    tmp_path, monkeypatch, before, after
):
    name = f"edited_later_{len(before)}"
    (tmp_path / f"{name}.py").write_text(before)
    monkeypatch.syspath_prepend(str(tmp_path))
    runs = plan(importlib.import_module(name).train, [{}], [0])
    (tmp_path / f"{name}.py").write_text(after)
    results = execute(runs, folder=tmp_path / "runs", progress=False)
    assert "expected train and the constants it uses as they were planned, found others" in results.failed[0].error


def test_leaving_python_or_interrupting_inside_a_run_ends_that_run_only(tmp_path):
    def leave(i, *, seed):
        import sys

        if i == 1:
            sys.exit()
        if i == 2:
            raise KeyboardInterrupt
        return {"x": i}

    results = execute(plan(leave, grid(i=range(4)), [0]), folder=tmp_path, progress=False)
    assert results.column("x") == [0, 3]
    assert [r.reason for r in results.failed] == ["SystemExit", "KeyboardInterrupt"]


def test_odd_values_come_back_alike_from_memory_and_from_the_folder_or_fail_their_run_only(tmp_path):
    def odd(kind, *, seed):
        import numpy as np

        return {
            "names": {"a": np.array([1.0]), "a.npy": np.array([2.0]), "value/": "value/", "record": 3, "": [4]},
            "arrays": {"big": np.arange(3, dtype=">i4"), "none": np.zeros((0, 2)), "half": np.float16([1, np.nan])},
            "longdouble": {"x": np.longdouble(0.5)},
            "huge": {"x": 10**5000},
            "masked": {"x": np.ma.array([1.0, 2.0], mask=[0, 1])},
            "error": {"error": 0.5},
        }[kind]

    runs = plan(odd, grid(kind=["names", "arrays", "longdouble", "huge", "masked", "error"]), [0])
    fresh = execute(runs, folder=tmp_path, progress=False)
    assert [r.run.setting["kind"] for r in fresh.failed] == ["huge", "masked", "error"]
    assert type(fresh.where(kind="longdouble")[0].values["x"]) is float
    assert_same(fresh, execute(runs, folder=tmp_path, progress=False))


def test_threads_that_a_run_leaves_behind_hold_nothing_up():
    def leave_a_thread(*, seed):
        import threading
        import time

        threading.Thread(target=time.sleep, args=(600,)).start()
        return {"x": 1}

    assert execute(plan(leave_a_thread, [{}], [0]), progress=False).column("x") == [1]


def test_a_function_with_a_set_among_its_constants_is_the_same_in_every_process(tmp_path):
    script = tmp_path / "job.py"
    (tmp_path / "told.py").write_text(
        "KINDS = {'a': {'small', 'large', 'medium'}}\n"
        "def train(kind, *, seed):\n"
        "    return {'x': float(kind in {'small', 'large', 'medium', 'huge'} and kind in KINDS['a'])}\n"
    )
    script.write_text(
        "import sys, told\nfrom minidl.experiments import execute, plan\n"
        "results = execute(plan(told.train, [{'kind': 'large'}], [0]), folder=sys.argv[1])\n"
        "print(results.column('x'), results[0].run.name)\n"
    )
    said = {
        subprocess.run(
            [sys.executable, str(script), str(tmp_path / "runs")],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert said.pop().startswith("[1.0] train-")


def test_a_closed_standard_error_stops_nothing(tmp_path):
    script = tmp_path / "job.py"
    script.write_text(JOB)
    command = f"{sys.executable} {script} {tmp_path / 'runs'} 2 2>&-"
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1")


def test_a_script_that_runs_its_job_can_be_imported(tmp_path):
    (tmp_path / "job_module.py").write_text(
        "from minidl.experiments import execute, plan\n"
        "def work(i, *, seed):\n    return {'x': i + OFFSET}\n"
        "OFFSET = 10\n"
        "results = execute(plan(work, [{'i': 1}, {'i': 2}], [0]), jobs=2, progress=False)\n"
    )
    code = "import job_module; print(job_module.results.column('x'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[11, 12]", "")


def test_a_function_whose_module_the_workers_cannot_import_says_so(tmp_path):
    path = tmp_path / "nowhere_to_be_found.py"
    path.write_text("def work(*, seed):\n    return {'x': 1}\n")
    spec = importlib.util.spec_from_file_location("nowhere_to_be_found", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["nowhere_to_be_found"] = module
    try:
        spec.loader.exec_module(module)
        (failed,) = execute(plan(module.work, [{}], [0]), progress=False)
    finally:
        del sys.modules["nowhere_to_be_found"]
    assert failed.reason == "ModuleNotFoundError: No module named 'nowhere_to_be_found'"


def test_workers_have_one_thread_and_the_caller_keeps_his_settings(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")

    def threads(*, seed):
        import os

        return {"threads": os.environ["OPENBLAS_NUM_THREADS"]}

    assert execute(plan(threads, [{}], [0]), progress=False).column("threads") == ["1"]
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"runs": [], "jobs": 0}, "expected jobs to be an integer >= 1, received jobs=0"),
        ({"runs": ["train"]}, r"expected runs to be a list of PlannedRun objects, received 'train' in it: see plan"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        execute(**arguments)


def test_no_runs_are_no_results():
    assert len(execute([])) == 0


def start(folder, count):
    script = folder / "job.py"
    script.write_text(JOB)
    command = [sys.executable, "-W", "error", str(script), str(folder / "runs"), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finished(folder):
    return len(list((folder / "runs").glob("*.npz")))


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def workers_of(process):
    """The processes whose parent it is."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process.pid and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_job_that_is_stopped_leaves_no_process_and_goes_on_where_it_was(tmp_path, how):
    process = start(tmp_path, 12)
    wait_for(lambda: finished(tmp_path) >= 3)
    workers = workers_of(process)
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    assert out == ""
    if how == signal.SIGINT:
        assert "runs are kept in" in err
        assert "start again to go on" in err
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    kept = finished(tmp_path)
    assert 3 <= kept < 12
    out, err = start(tmp_path, 12).communicate(timeout=60)
    assert out.strip() == str(sum(range(12)))
    assert f"{kept} of 12 runs are there already" in err


def test_a_full_job_says_how_far_it_is_and_when_it_ends(tmp_path):
    out, err = start(tmp_path, 3).communicate(timeout=60)
    assert out.strip() == "3"
    assert "3 of 3 runs" in err


def test_what_killed_jobs_left_half_written_is_removed_when_it_is_old(tmp_path):
    old, new = tmp_path / "a.part", tmp_path / "b.part"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    execute([], folder=tmp_path)
    assert [path.exists() for path in (old, new)] == [False, True]


def test_a_result_that_cannot_be_written_is_an_error_that_leaves_nothing_half_written(tmp_path, monkeypatch):
    def work(*, seed):
        return {"x": 1}

    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        execute(plan(work, [{}], [0]), folder=tmp_path, progress=False)
    assert not list(tmp_path.iterdir())


def test_a_run_that_cannot_be_sent_fails_alone(tmp_path):
    with open(tmp_path / "open", "w") as file:

        def writing(*, seed):
            return {"x": file.fileno()}

        def plain(*, seed):
            return {"x": 1.0}

        results = execute([*plan(writing, [{}], [0]), *plan(plain, [{}], [0])], progress=False)
    assert [bool(result.error) for result in results] == [True, False]
    assert "this run cannot be sent to another process" in results.failed[0].error


SCRIPT = """
import functools
import os

from minidl.experiments import execute, plan

@functools.cache
def load(n):
    with open({log!r}, "a") as file:
        file.write("loaded ")
    return list(range(n))

def job():
    @functools.lru_cache(maxsize=4)
    def factor(n):
        return n

    def train(lr, *, seed):
        return {{"sum": sum(load(10)) * lr + seed * factor(2), "process": os.getpid()}}

    return execute(plan(train, [{{"lr": 1}}, {{"lr": 2}}], range(3)), jobs=1, progress=False)

if __name__ == "__main__":
    results = job()
    print([result.values["sum"] for result in results], [result.error for result in results.failed])
"""


def test_a_cached_loader_of_a_script_is_sent_along_and_loads_once_in_each_process(tmp_path):
    log = tmp_path / "log"
    (tmp_path / "script.py").write_text(SCRIPT.format(log=str(log)), encoding="utf-8")
    command = [sys.executable, str(tmp_path / "script.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[45, 47, 49, 90, 92, 94] []\n"
    assert log.read_text() == "loaded "

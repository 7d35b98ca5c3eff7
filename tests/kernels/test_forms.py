"""Which form of the kernels is in use: the switch, what stands in its way, and what a run makes of it."""

import os
import subprocess
import sys
import textwrap
from threading import Event

import numpy as np
import pytest

from minidl import SGD, Adam, Callback, Checkpoint, Dataset, Linear, MeanSquaredError, Trainer, kernels
from minidl.kernels import forms, sharing, updates
from minidl.storage import DataError

needs_numba = pytest.mark.needs_numba


def run_python(code, **environment):
    """What a new process prints."""
    settings = {name: value for name, value in os.environ.items() if name != "MINIDL_KERNELS"} | environment
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)], capture_output=True, text=True, env=settings
    )
    assert done.returncode == 0, done.stderr
    return done


def step(optimizer="Adam"):
    return f"""
        import sys, numpy as np
        from minidl import *
        trainer = Trainer(Linear(3, 2).build(), MeanSquaredError(), {optimizer}(0.1))
        trainer.step(np.ones((4, 3), np.float32), np.ones((4, 2), np.float32))
        """


def one_step(w, g):
    updates.sgd_update(w, g, 0.5)
    return w


@pytest.mark.parametrize("choice", ["numpy", "auto"])
def test_the_environment_says_which_form(choice):
    code = "import minidl.kernels as k, sys; print(k.form(), 'numba' in sys.modules)"
    there = forms.find_spec("numba") is not None and choice == "auto"
    assert run_python(code, MINIDL_KERNELS=choice).stdout.split() == ["compiled" if there else "numpy", "False"]


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="expected choice to be one of 'auto', 'compiled', 'numpy', received"):
        kernels.use("numba")
    code = """
        import minidl.kernels as k
        try:
            k.form()
        except ValueError as error:
            print(error)
        """
    said = run_python(code, MINIDL_KERNELS="fast").stdout
    assert "expected MINIDL_KERNELS to be one of 'auto', 'compiled', 'numpy', received MINIDL_KERNELS='fast'" in said


def test_without_numba_everything_is_in_numpy_and_compiled_is_refused(monkeypatch):
    monkeypatch.setattr(forms, "find_spec", lambda name: None)
    with kernels.using("auto"):
        assert kernels.form() == "numpy"
        assert kernels.reason() == 'numba is not installed: pip install "minidl[fast]"'
    with pytest.raises(ImportError, match=r'expected numba for choice=\'compiled\', found none: pip install "minidl'):
        kernels.use("compiled")


def test_using_ends_with_the_form_before():
    with kernels.using("numpy"):
        before = kernels.form()
        with pytest.raises(RuntimeError), kernels.using("auto"):
            raise RuntimeError
        assert kernels.form() == before


@needs_numba
def test_nothing_is_loaded_before_the_first_step():
    said = run_python(
        """
        import sys, numpy as np
        from minidl import *
        from minidl.kernels import report
        trainer = Trainer(Linear(3, 2).build(), MeanSquaredError(), Adam(0.1))
        before = "numba" in sys.modules
        trainer.step(np.ones((4, 3), np.float32), np.ones((4, 2), np.float32))
        print(before, "numba" in sys.modules)
        """
    )
    assert said.stdout.split() == ["False", "True"]


@needs_numba
@pytest.mark.parametrize(
    ("what", "spoiled"),
    [
        ("a numba that does not import", "sys.modules.pop('numba'); sys.path.insert(0, os.environ['NUMBA_CACHE_DIR'])"),
        ("a compiler that fails", "import numba.core.compiler as c; c.CompilerBase.compile_extra = None"),
        ("no place for a cache", "import numba.core.caching as c; c.CacheImpl._locator_classes = []"),
    ],
)
def test_what_cannot_be_compiled_goes_on_in_numpy_with_one_line(what, spoiled, tmp_path):
    code = f"""
        import os, sys, numpy as np
        import numba
        {spoiled}
        from minidl import *
        from minidl.kernels import form
        trainer = Trainer(Linear(3, 2).build(seed=0), MeanSquaredError(), Adam(0.1))
        for _ in range(3):
            trainer.step(np.ones((4, 3), np.float32), np.ones((4, 2), np.float32))
        print(form(), trainer.model.parameters.value.tolist())
        """
    (tmp_path / "numba.py").write_text("raise ImportError('expected an older Python')")
    done = run_python(code, NUMBA_CACHE_DIR=str(tmp_path))
    assert done.stdout.startswith("numpy")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("minidl: kernels go on in NumPy, as compiling them failed: ")
    plain = run_python(code.replace(spoiled, "pass"), MINIDL_KERNELS="numpy")
    assert plain.stdout == done.stdout


@needs_numba
def test_a_read_only_cache_folder_is_no_error(tmp_path):
    said = run_python(step(), NUMBA_CACHE_DIR="/proc/nowhere")
    assert said.stderr.count("\n") <= 1


@needs_numba
def test_a_silent_first_fit_says_nothing_and_one_with_progress_says_once_that_it_compiles(tmp_path):
    fit = """
        import numpy as np
        from minidl import *
        for optimizer in (Adam(0.1), SGD(0.1)):
            trainer = Trainer(Linear(3, 2).build(), MeanSquaredError(), optimizer)
            trainer.fit(Dataset(np.ones((4, 3)), np.ones((4, 2))), epochs=1, progress={})
        """
    assert run_python(fit.format(False), NUMBA_CACHE_DIR=str(tmp_path / "a")).stderr == ""
    assert run_python(fit.format(True), NUMBA_CACHE_DIR=str(tmp_path / "b")).stderr.count("compiling") == 1
    assert run_python(fit.format(True), NUMBA_CACHE_DIR=str(tmp_path / "b")).stderr.count("compiling") == 0


@pytest.mark.parametrize("dtype", [np.float16, ">f4", np.longdouble])
def test_other_dtypes_stay_in_numpy(dtype):
    w = np.ones(3, dtype)
    updates.sgd_update(w, np.ones(3, dtype), 0.5)
    assert w.tolist() == [0.5, 0.5, 0.5]
    assert forms._Choice.failure == ""


def test_the_report_names_every_kernel_and_the_reason(capsys):
    with kernels.using("numpy"):
        kernels.report()
    said = capsys.readouterr().out
    assert said.startswith("kernels in NumPy: chosen\n")
    assert all(name in said for name in forms.KERNELS)


@needs_numba
def test_a_checkpoint_of_the_other_form_is_refused_with_what_to_do(tmp_path):
    class Stop(Callback):
        def on_step_end(self, trainer):
            if trainer.optimizer.steps == 3:
                trainer.stop("enough")

    data = Dataset(np.eye(4, 3), np.eye(4, 2))

    def train(resume=None, *more):
        model = Linear(3, 2).build(seed=0)
        callbacks = [Checkpoint(tmp_path / "run.npz", every_steps=1), *more]
        trainer = Trainer(model, MeanSquaredError(), Adam(0.1), callbacks=callbacks)
        trainer.fit(data, epochs=4, batch_size=2, progress=False, resume=resume)
        return model.parameters.value

    with kernels.using("numpy"):
        train(None, Stop())
    with (
        kernels.using("compiled"),
        pytest.raises(
            DataError, match=r"kernels: 'numpy' there, 'compiled' here \(minidl.kernels.use\('numpy'\) before going on"
        ),
    ):
        train(tmp_path / "run.npz")
    with kernels.using("numpy"):
        went_on = train(tmp_path / "run.npz")
        np.testing.assert_array_equal(went_on, train())


def test_the_number_of_threads_is_that_of_the_matrix_library(monkeypatch):
    for name in sharing.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert sharing.threads() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert sharing.threads() == 3
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    assert sharing.threads() == 1


def test_parts_cover_every_number_once_and_errors_of_a_part_are_raised(monkeypatch):
    monkeypatch.setattr(sharing, "threads", lambda: 3)
    counted = np.zeros(4 * sharing.LONG + 5)

    def count(a, more):
        a += more

    sharing.shared(count, counted, 1)
    assert (counted == 1).all()

    def fail(a):
        if a is not counted and a.base is not None and a[0] == 1 and len(a) < sharing.LONG:
            raise ArithmeticError("of a part")

    lengths = []
    sharing.shared(lambda a: lengths.append(len(a)), counted)
    assert sum(lengths) == counted.size
    assert len(lengths) == 3
    with pytest.raises(ZeroDivisionError):
        sharing.shared(lambda a: 1 / 0, counted)


def test_a_range_is_shared_in_parts_that_begin_where_they_may(monkeypatch):
    monkeypatch.setattr(sharing, "threads", lambda: 3)
    parts = []

    def loop(given, start, stop):
        assert given == "given"
        parts.append((start, stop))

    sharing.shared_range(loop, 30, sharing.WORK - 1, 4, "given")
    assert parts == [(0, 30)]
    parts.clear()
    sharing.shared_range(loop, 30, 3 * sharing.WORK, 4, "given")
    assert sorted(parts) == [(0, 12), (12, 24), (24, 30)]


def test_nobody_waits_for_a_helper_that_has_something_else_to_do(monkeypatch):
    monkeypatch.setattr(sharing, "threads", lambda: 2)
    may_end = Event()
    sharing.in_threads([int, int])  # makes a helper
    busy = sharing._helpers[0].ask(may_end.wait, [])
    try:
        counted = np.zeros(2 * sharing.LONG)
        sharing.shared(lambda a: a.__iadd__(1), counted)
        assert (counted == 1).all()
    finally:
        may_end.set()
    busy.wait()
    sharing.shared(lambda a: a.__iadd__(1), counted)
    assert (counted == 2).all()


@pytest.mark.needs_numba
def test_a_compiled_function_of_no_module_is_no_matter():
    import numba

    from minidl.kernels.compiled import loops  # noqa: F401 listens to numba

    names = {"__name__": None}
    exec("def twice(a):\n    return a + a", names)
    assert numba.njit(names["twice"])(2) == 4


def test_a_forked_child_makes_threads_of_its_own(monkeypatch):
    monkeypatch.setattr(sharing, "threads", lambda: 2)
    numbers = np.zeros(2 * sharing.LONG)

    def add(a):
        a += 1

    sharing.shared(add, numbers)
    if (child := os.fork()) == 0:
        try:
            sharing.shared(add, numbers)
            os._exit(0 if (numbers == 2).all() else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_sgd_and_adam_of_a_model_use_the_kernels():
    for optimizer in (SGD(0.1), Adam(0.1)):
        model = Linear(2, 2).build(seed=0)
        model.parameters.grad[:] = 1.0
        optimizer.step(model.parameters)

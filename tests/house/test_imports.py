"""`import minidl` loads numpy and nothing heavier."""

import subprocess
import sys

import pytest

HEAVY = ("tqdm", "matplotlib", "hypothesis", "pooch", "loky", "cloudpickle")


def modules_after(code: str) -> set[str]:
    report = "import sys; print(*(name for name in sys.modules if '.' not in name))"
    answer = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_importing_minidl_and_its_data_loads_nothing_heavy():
    loaded = modules_after(
        "import minidl, minidl.data, minidl.training, minidl.experiments, minidl.optim, minidl.initializers"
    )
    assert "numpy" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_importing_minidl_loads_no_part_of_numpy_that_it_does_not_need():
    code = (
        "import sys, minidl; print(*(name for name in ('numpy.random', 'numpy.ma') if name in sys.modules)); sys.exit()"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_silent_run_loads_nothing_heavy():
    code = """
import numpy as np
from minidl import SGD, Linear, MeanSquaredError, Sequential, Trainer
trainer = Trainer(Sequential(Linear(1, 1)).build(), MeanSquaredError(), SGD(0.1))
trainer.fit((np.ones((4, 1)), np.ones((4, 1))), epochs=2, progress=False)
"""
    assert modules_after(code).isdisjoint(HEAVY)


@pytest.mark.parametrize(("package", "library"), [("testing", "hypothesis"), ("plots", "matplotlib")])
def test_each_heavy_library_comes_with_its_package_only(package, library):
    assert modules_after(f"import minidl.{package}") & set(HEAVY) == {library}

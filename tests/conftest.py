"""Which hypothesis profile is loaded, and which tests are left out where MNIST and CIFAR-10 or numba are missing."""

import gc
import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

import minidl.testing  # noqa: F401 registers the profiles

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PACKAGES = {
    "numba": "numba",
    "dask": "distributed",
    "mpi": "mpi4py",
    "notebook": "nbclient",
    "tools": "optuna",
    "sklearn": "sklearn",
    "pandas": "pandas",
    "docs": "sphinx",
    "browser": "playwright",
    "onnx": "onnxruntime",
    "safetensors": "safetensors",
    "skops": "skops",
    "torch": "torch",
    "jax": "jax",
    "inputs": "h5py",
}  # by the markers needs_...

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """A test file that cannot be imported is an error: pytest leaves out its docstrings, then finds no test in it."""
    report = yield
    if report.skipped and type(collector).__name__ == "DoctestModule" and collector.path.name.startswith("test_"):
        report.outcome = "failed"
        report.longrepr = (
            f"{collector.path} cannot be imported: `python -m pytest -o addopts= {collector.path}` says why"
        )
    return report


def real_data_folder() -> Path | None:
    """The folder MINIDL_DATA, if it holds both sets."""
    folder = Path(os.environ.get("MINIDL_DATA", "nowhere"))
    both = (folder / "mnist").is_dir() and (folder / "cifar-10-batches-bin").is_dir()
    return folder if both else None


def pytest_collection_modifyitems(config, items):
    """Leave out, visibly in the count of deselected tests, what needs data or a package that is not here."""
    missing = {"real_data"} if real_data_folder() is None else set()
    missing |= {f"needs_{name}" for name, package in PACKAGES.items() if not find_spec(package)}
    missing |= set() if CHROMIUM else {"needs_browser"}
    needing = [item for item in items if missing & set(item.keywords)]
    if needing:
        items[:] = [item for item in items if not missing & set(item.keywords)]
        config.hook.pytest_deselected(items=needing)


@pytest.fixture
def no_collections():
    """Only what is in no ring is let go of during the test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def real_data() -> Path:
    """The folder with MNIST and CIFAR-10; for tests marked real_data."""
    folder = real_data_folder()
    if folder is None:
        raise RuntimeError("mark this test with @pytest.mark.real_data")
    return folder


@pytest.fixture
def python_handles_ctrl_c():
    """Python's own handler, also where the tests run in the background and SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

import subprocess
import sys

import numpy as np

import minidl.data
from minidl.data import digits, standardize


def test_digits_are_1797_images_of_ten_classes():
    data = digits()
    assert repr(data) == "Dataset(1797 rows x 64 uint8, 10 classes)"
    assert data.images().shape == (1797, 8, 8)
    assert (data.x.min(), data.x.max()) == (0, 16)
    assert data.targets.dtype == np.int64
    assert np.bincount(data.targets).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert data.classes == tuple("0123456789")


def test_digits_split_and_standardize():
    parts = standardize(*digits().split(0.7, 0.15, 0.15, seed=0))
    assert sum(len(part) for part in parts) == 1797
    assert all(part.x.dtype == np.float32 and np.isfinite(part.x).all() for part in parts)


def test_every_public_name_exists_and_importing_loads_nothing_heavy():
    assert all(hasattr(minidl.data, name) for name in minidl.data.__all__)
    heavy = {"pooch", "requests", "tqdm", "matplotlib", "hypothesis", "tarfile"}
    code = f"import sys, minidl.data; minidl.data.digits(); sys.exit(str({heavy!r} & set(sys.modules) or ''))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.stderr.strip() == ""

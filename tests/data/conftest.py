"""Tiny files in the published formats, and a web server of this process."""

import gzip
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

TEN = np.arange(10, dtype=np.uint8)
MNIST_IMAGES = np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8)
CIFAR_NAMES = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]


def idx_bytes(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def idx():
    """The function array -> bytes of an IDX file."""
    return idx_bytes


@pytest.fixture
def mnist_files():
    """The published names -> gzipped contents: ten images of training, the last four of test."""
    arrays = {
        "train-images-idx3-ubyte.gz": MNIST_IMAGES,
        "train-labels-idx1-ubyte.gz": TEN,
        "t10k-images-idx3-ubyte.gz": MNIST_IMAGES[6:],
        "t10k-labels-idx1-ubyte.gz": TEN[6:],
    }
    return {name: gzip.compress(idx_bytes(array)) for name, array in arrays.items()}


@pytest.fixture
def cifar_files():
    """The six published names -> contents: two records each, of labels (k, k + 1) in the k-th file."""
    rng = np.random.default_rng(0)
    files = {}
    for k, name in enumerate(CIFAR_NAMES):
        pixels = rng.integers(0, 256, (2, 3072), np.uint8)
        files[name] = np.concatenate([np.array([[k], [k + 1]], np.uint8), pixels], axis=1).tobytes()
    return files


@pytest.fixture
def place():
    """A function that writes {name: contents} into a folder, which it makes, and returns the folder."""

    def write(folder, files):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    return write


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A folder and the address that serves it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "web"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def own_cache(request, tmp_path, monkeypatch):
    """Keep tests away from the data and the cache of whoever runs them."""
    if request.node.get_closest_marker("real_data") is None:
        monkeypatch.setenv("MINIDL_DATA", str(tmp_path / "cache"))

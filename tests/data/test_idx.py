import gzip
import tracemalloc

import numpy as np
import pytest

from minidl.data import DataError, mnist
from minidl.data.idx import read_idx

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
IMAGES, LABELS = NAMES[:2]


@pytest.mark.parametrize("below", ["", "mnist"])
@pytest.mark.parametrize("unzipped", [(), NAMES[1:3], NAMES])
def test_files_are_read_gzipped_or_not_in_the_folder_or_below(tmp_path, mnist_files, place, below, unzipped):
    files = {
        name.removesuffix(".gz") if (bare := name[:-3] in unzipped) else name: gzip.decompress(data) if bare else data
        for name, data in mnist_files.items()
    }
    place(tmp_path / below, files)
    train, test = mnist(tmp_path, download=False)
    assert repr(train) == "Dataset(10 rows x 784 uint8, 10 classes)"
    assert train.image_shape == (28, 28)
    assert train.targets.dtype == np.int64
    assert train.targets.tolist() == list(range(10))
    np.testing.assert_array_equal(test.x, train.x[6:])


def test_the_content_tells_gzip_and_not_the_name(tmp_path, mnist_files, place):
    place(tmp_path, {name: gzip.decompress(content) for name, content in mnist_files.items()})
    assert len(mnist(tmp_path, download=False)[0]) == 10


def test_the_folder_can_come_from_the_environment(tmp_path, mnist_files, place, monkeypatch):
    monkeypatch.setenv("MINIDL_DATA", str(place(tmp_path / "shared", mnist_files)))
    assert len(mnist(download=False)[1]) == 4


def test_without_environment_it_is_the_cache(tmp_path, mnist_files, place, monkeypatch):
    place(tmp_path / "minidl" / "mnist", mnist_files)
    monkeypatch.setenv("MINIDL_DATA", "")
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / project)
    assert len(mnist(download=False)[1]) == 4


def test_missing_files_are_listed_and_nothing_is_written(tmp_path, mnist_files, place):
    del mnist_files[IMAGES + ".gz"]
    place(tmp_path, mnist_files)
    with pytest.raises(DataError) as caught:
        mnist(tmp_path, download=False)
    message = str(caught.value)
    assert str(tmp_path / "mnist" / (IMAGES + ".gz")) in message
    assert "https://" in message
    assert "MINIDL_DATA" in message
    assert LABELS not in message
    assert not (tmp_path / "mnist").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="expected a folder"):
        mnist(tmp_path / "file")


def damaged(content):
    return content[:-8] + bytes(4) + content[-4:]  # another checksum in the gzip trailer


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (IMAGES, lambda idx: b"", "found nothing"),
        (IMAGES, lambda idx: idx[:9], "header of 9 bytes"),
        (IMAGES, lambda idx: b"\x01" + idx[1:], "expected an IDX file"),
        (IMAGES, lambda idx: idx[:2] + b"\x0d" + idx[3:], "found 00 00 0d 03"),
        (IMAGES, lambda idx: idx[:3] + b"\x02" + idx[4:], "expected an IDX file"),
        (IMAGES, lambda idx: b"<!DOCTYPE html><html>not found</html>", "is it another file"),
        (
            IMAGES,
            lambda idx: idx[:8] + np.array([27, 28], ">u4").tobytes() + idx[16:],
            r"\(n, 28, 28\).*\(10, 27, 28\)",
        ),
        (IMAGES, lambda idx: idx[:4] + bytes(4) + idx[8:], "n > 0"),
        (IMAGES, lambda idx: idx[:-1], "expected 7840 bytes"),
        (IMAGES, lambda idx: idx + b"x", "found more"),
        (IMAGES, lambda idx: idx[:4] + b"\xff" * 4 + idx[8:], "the file is truncated"),
        (IMAGES, lambda idx: gzip.compress(idx[:-1]), "found 7839"),
        (IMAGES, lambda idx: gzip.compress(idx + b"x"), "found more"),
        (IMAGES, lambda idx: gzip.compress(idx)[:-1], "damaged"),
        (IMAGES, lambda idx: gzip.compress(idx)[:3000], "damaged"),
        (IMAGES, lambda idx: damaged(gzip.compress(idx)), "damaged"),
        (IMAGES, lambda idx: b"\x1f\x8b" + bytes(30), "damaged"),
        (LABELS, lambda idx: idx[:-1] + b"\x0a", "expected labels 0..9, found 10 at row 9"),
        (LABELS, lambda idx: idx[:7] + b"\x09" + idx[8:-1], "expected 10 labels .* found 9"),
    ],
)
def test_hostile_files_are_refused_by_name(tmp_path, mnist_files, place, name, change, message):
    content = gzip.decompress(mnist_files.pop(name + ".gz"))
    place(tmp_path, mnist_files | {name: change(content)})
    with pytest.raises(DataError, match=message) as caught:
        mnist(tmp_path, download=False)
    assert name in str(caught.value)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path, mnist_files, place):
    del mnist_files[LABELS + ".gz"]
    (place(tmp_path, mnist_files) / LABELS).mkdir()
    with pytest.raises(DataError, match=f"{LABELS}: expected a file, found a folder"):
        mnist(tmp_path)


@pytest.mark.parametrize("announced", [10, 2**32 - 1])
def test_a_gzip_bomb_takes_no_memory(tmp_path, announced):
    path = tmp_path / "bomb.gz"
    header = bytes([0, 0, 8, 1]) + announced.to_bytes(4, "big")
    path.write_bytes(gzip.compress(header + bytes(30_000_000)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"bomb\.gz: expected"):
            read_idx(path, (None,))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


@pytest.mark.real_data
def test_the_published_files():
    train, test = mnist(download=False)
    assert (train.x.shape, test.x.shape) == ((60_000, 784), (10_000, 784))
    assert np.bincount(train.targets).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert round(train.x.mean() / 255, 4) == 0.1307
    assert test.targets[:5].tolist() == [7, 2, 1, 0, 4]

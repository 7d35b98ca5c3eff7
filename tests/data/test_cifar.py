import numpy as np
import pytest

from minidl.data import DataError, cifar10

RECORD = 3073


@pytest.mark.parametrize("below", ["", "cifar-10-batches-bin"])
def test_records_become_flat_images_channels_first(tmp_path, cifar_files, place, below):
    place(tmp_path / below, cifar_files)
    train, test = cifar10(tmp_path, download=False)
    assert repr(train) == "Dataset(10 rows x 3072 uint8, 10 classes)"
    assert train.image_shape == (3, 32, 32)
    assert train.targets.dtype == np.int64
    assert train.targets.tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert test.targets.tolist() == [5, 6]
    assert train.classes[:2] == ("airplane", "automobile")
    assert train.x.flags.c_contiguous
    first = np.frombuffer(cifar_files["data_batch_1.bin"], np.uint8)[1:RECORD]
    np.testing.assert_array_equal(train.images()[0, 1], first[1024:2048].reshape(32, 32))
    assert repr(train.as_images()) == "Dataset(10 rows x (3, 32, 32) uint8, 10 classes)"


def test_missing_files_are_listed(tmp_path, cifar_files, place):
    del cifar_files["data_batch_3.bin"]
    place(tmp_path, cifar_files)
    with pytest.raises(DataError) as caught:
        cifar10(tmp_path, download=False)
    message = str(caught.value)
    assert str(tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin") in message
    assert "cifar-10-binary.tar.gz" in message
    assert "data_batch_2" not in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: b"", "found 0 bytes"),
        (lambda content: content[:-1], f"whole records of {RECORD} bytes, found {2 * RECORD - 1}"),
        (lambda content: content + b"x", f"found {2 * RECORD + 1}"),
        (lambda content: bytes(RECORD) * 10_001, "found 30733073 bytes"),
        (lambda content: content[:RECORD] + b"\x0a" + content[RECORD + 1 :], "found 10 at row 1"),
    ],
)
def test_hostile_files_are_refused_by_name(tmp_path, cifar_files, place, change, message):
    cifar_files["data_batch_2.bin"] = change(cifar_files["data_batch_2.bin"])
    place(tmp_path, cifar_files)
    with pytest.raises(DataError, match=rf"data_batch_2\.bin: expected .*{message}"):
        cifar10(tmp_path, download=False)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path, cifar_files, place):
    del cifar_files["test_batch.bin"]
    (place(tmp_path, cifar_files) / "test_batch.bin").mkdir()
    with pytest.raises(DataError, match=r"test_batch\.bin: expected a file, found a folder"):
        cifar10(tmp_path)


@pytest.mark.real_data
def test_the_published_files():
    train, test = cifar10(download=False)
    assert (train.x.shape, test.x.shape) == ((50_000, 3072), (10_000, 3072))
    assert np.bincount(train.targets).tolist() == [5000] * 10
    assert np.bincount(test.targets).tolist() == [1000] * 10
    means = train.images().mean(axis=(0, 2, 3)) / 255
    np.testing.assert_allclose(means, [0.4914, 0.4822, 0.4465], atol=2e-3)

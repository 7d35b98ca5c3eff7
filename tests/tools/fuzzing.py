"""Files damaged in many ways: the right data come out, or a DataError that names the file."""

import gzip
import struct
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from minidl import Adam, Checkpoint, Dataset, Linear, Sequential, SoftmaxCrossEntropy, Trainer
from minidl.data.cifar import read_records
from minidl.data.files import check_labels
from minidl.data.idx import read_idx
from minidl.storage import DataError

IMAGES = np.arange(5 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(5, 28, 28)
RECORDS = np.arange(2 * 3073, dtype=np.uint32).astype(np.uint8).reshape(2, 3073) % 10


def idx(array):
    """An IDX file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def weights():
    """A file of weights."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        model().save(path)
        return path.read_bytes()


def model():
    """The model of the weights."""
    return Sequential(Linear(3, 4), Linear(4, 2)).build(seed=0)


def read_weights(path):
    """Load into another model; what was there must be there still, if the file is refused."""
    other = Sequential(Linear(3, 4), Linear(4, 2)).build(seed=1)
    before = other.parameters.value.copy()
    try:
        other.load(path)
    except DataError:
        np.testing.assert_array_equal(other.parameters.value, before)
        raise
    return other.parameters.value


def train(*, callbacks=(), resume=None):
    """A short run: its weights and its losses, as one vector."""
    model = Sequential(Linear(3, 2)).build(seed=0)
    before = model.parameters.value.copy()
    trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(), callbacks=callbacks)
    data = Dataset(np.eye(6, 3, dtype=np.float32), np.arange(6) % 2)
    try:
        history = trainer.fit(data, data, epochs=2, batch_size=2, progress=False, resume=resume)
    except DataError:
        np.testing.assert_array_equal(model.parameters.value, before)
        raise
    return np.concatenate([model.parameters.value, history.steps["loss"], history.evaluations["validation_loss"]])


def checkpoint():
    """The last checkpoint of that run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.npz"
        train(callbacks=[Checkpoint(path)])
        return path.read_bytes()


def right_images(content, found):
    """What a reader without any check makes of the bytes: pixels are data, whatever their value."""
    payload = content[16 : 16 + found.size]
    np.testing.assert_array_equal(found.reshape(-1), np.frombuffer(payload, np.uint8))
    assert found.shape[1:] == (28, 28)
    assert len(content) == 16 + found.size


def read_labels(path):
    """Labels, as `mnist` reads them."""
    labels = read_idx(path, (None,))
    check_labels(path, labels)
    return labels


def right_labels(content, found):
    """The bytes behind the header, from 0 to 9."""
    assert found.tobytes() == content[8:]
    assert found.max() <= 9


def right_records(content, found):
    """The bytes themselves, with labels from 0 to 9."""
    assert found.tobytes() == content
    assert found[:, 0].max() <= 9


def exactly(wanted):
    """Nothing but the right array: every bit is under a checksum."""
    return lambda content, found: np.testing.assert_array_equal(found, wanted)


FILES = {
    "IDX, images": (idx(IMAGES), lambda path: read_idx(path, (None, 28, 28)), right_images),
    "IDX, labels": (idx(np.arange(40, dtype=np.uint8) % 10), read_labels, right_labels),
    "IDX, gzipped": (gzip.compress(idx(IMAGES)), lambda path: read_idx(path, (None, 28, 28)), exactly(IMAGES)),
    "CIFAR-10": (RECORDS.tobytes(), read_records, right_records),
    "checkpoint": (checkpoint(), lambda path: train(resume=path), exactly(train())),
    "weights": (weights(), read_weights, exactly(model().parameters.value)),
}


@st.composite
def damaged(draw, content):
    """The bytes after one to three accidents."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(len(changed) - 1, 0)))
        length = draw(st.integers(1, 64))
        match draw(
            st.sampled_from(("flip", "byte", "truncate", "extend", "cut", "blank", "repeat", "number", "empty"))
        ):
            case "flip" if changed:
                changed[place] ^= 1 << draw(st.integers(0, 7))
            case "byte" if changed:
                changed[place] = draw(st.integers(0, 255))
            case "truncate":
                del changed[place:]
            case "extend":
                changed += draw(st.binary(min_size=1, max_size=5000))
            case "cut":
                del changed[place : place + length]
            case "blank":
                changed[place : place + length] = bytes(len(changed[place : place + length]))
            case "repeat":
                changed[place:place] = changed[place : place + length]
            case "number":
                changed[place : place + 4] = draw(st.sampled_from((b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4)))
            case "empty":
                changed.clear()
    return bytes(changed)


def judge(kind, content, path):
    """Read damaged bytes: "read" if they gave what is right, "refused" if with an error that names the file."""
    _, read, right = FILES[kind]
    path.write_bytes(content)
    try:
        found = read(path)
    except DataError as error:
        return "refused" if str(path) in str(error) else "refused without its name"
    right(content, found)
    return "read"

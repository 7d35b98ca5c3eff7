import io
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, boolean_dtypes, floating_dtypes, integer_dtypes

from minidl import Linear, ReLU, Sequential, State
from minidl.data.cifar import read_records
from minidl.data.idx import read_idx
from minidl.initializers import ones
from minidl.storage import DataError, read_arrays, replacing, write_arrays

ANY = arrays(
    st.one_of(floating_dtypes(), integer_dtypes(), boolean_dtypes()),
    array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "arrays.npz"


@given(st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), ANY, max_size=4))
def test_what_is_written_is_read_to_the_bit(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("storage") / "arrays.npz"
    write_arrays(path, content)
    found = read_arrays(path)
    assert list(found) == list(content)
    for name, array in content.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)
    with np.load(path, allow_pickle=False) as loaded:
        assert set(loaded.files) == set(content)


def test_columns_first_and_views_are_written_as_what_they_mean(path):
    matrix = np.arange(12.0).reshape(3, 4)
    write_arrays(path, {"columns": np.asfortranarray(matrix), "view": matrix[::2, ::-1]})
    found = read_arrays(path)
    np.testing.assert_array_equal(found["columns"], matrix)
    np.testing.assert_array_equal(found["view"], matrix[::2, ::-1])


def test_the_same_arrays_give_the_same_bytes(path, tmp_path):
    for name in (path, tmp_path / "again.npz"):
        write_arrays(name, {"a": np.arange(3)})
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_an_archive_of_numpys_own_is_read(path):
    np.savez(path, a=np.arange(3), b=np.zeros(2))
    assert set(read_arrays(path)) == {"a", "b"}


def test_a_write_that_fails_leaves_the_old_file_and_no_other(path):
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.write("text in a file of bytes")
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]


def test_a_link_is_followed_and_stays_a_link(path, tmp_path):
    path.write_bytes(b"old")
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    with replacing(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_new_file_has_the_rights_of_any_other(path, tmp_path):
    with replacing(path) as file:
        file.write(b"new")
    (tmp_path / "plain").write_bytes(b"")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


class Bomb:
    """What pickle would execute."""

    def __reduce__(self):
        return (open, ("exploded", "w"))


def zipped(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def announcing(shape, dtype="<f4"):
    """The start of an array file that says it has this shape."""
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def pickled(path):
    array = np.empty(1, object)
    array[0] = Bomb()
    np.savez(path, a=array)


HOSTILE = {
    "pickled": pickled,
    "a pickle": lambda path: path.write_bytes(pickle.dumps(Bomb())),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("hello"),
    "a folder": lambda path: path.mkdir(),
    "a link to nowhere": lambda path: path.symlink_to(path.parent / "nowhere"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a pipe": lambda path: os.mkfifo(path),
    "nothing": lambda path: None,
    "compressed": lambda path: np.savez_compressed(path, a=np.zeros(10**7)),
    "one name twice": lambda path: zipped(path, [("a.npy", npy(np.zeros(2)))] * 2),
    "another ending": lambda path: zipped(path, [("a.txt", b"hello")]),
    "a huge shape": lambda path: zipped(path, [("a.npy", announcing((10**12,)))]),
    "an overflowing shape": lambda path: zipped(path, [("a.npy", announcing((2**62, 2**62)))]),
    "a negative shape": lambda path: zipped(path, [("a.npy", announcing((-1,)) + b"1234")]),
    "a shape that is too small": lambda path: zipped(path, [("a.npy", announcing((1,)) + b"12345678")]),
    "objects announced": lambda path: zipped(path, [("a.npy", announcing((1,), "|O") + b"12345678")]),
    "code in the header": lambda path: zipped(path, [("a.npy", announcing("__import__('os')"))]),
    "a format of the future": lambda path: zipped(path, [("a.npy", b"\x93NUMPY\x09\x00" + b"0" * 100)]),
}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_by_name_without_much_memory(path, kind, monkeypatch, tmp_path):
    HOSTILE[kind](path)
    monkeypatch.chdir(tmp_path)
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        read_arrays(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert "expected" in str(caught.value)
    assert "found" in str(caught.value)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("read", [read_arrays, read_records, lambda path: read_idx(path, (None,))])
def test_a_file_that_may_not_be_read_is_refused(path, monkeypatch, read):
    path.write_bytes(b"secret")

    def refuse(*arguments, **more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match=r"arrays\.npz: expected a file that can be read, found: Permission denied"):
        read(path)


def test_entries_that_overlap_are_refused(path):
    write_arrays(path, {"a": np.zeros(1000), "b": np.zeros(1000)})
    content = path.read_bytes()
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 1)
    entry = content[first:second].replace(b"a.npy", b"c.npy")
    end = content.index(b"PK\x05\x06")
    count, size = 3, end - first + len(entry)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, first, 0)
    path.write_bytes(content[:end] + entry + tail)
    with pytest.raises(DataError):
        read_arrays(path)


class Centre(ReLU):
    """A layer with a state."""

    def __init__(self):
        self.centre = State((2,), ones)


def network(*, seed=0, width=3, dtype=np.float32):
    return Sequential(Linear(4, width), Centre(), Linear(width, 2)).build(seed=seed, dtype=dtype)


def test_weights_go_to_a_file_and_into_another_model(path):
    one, other = network(seed=0), network(seed=1)
    one[1].centre.value[:] = 7
    one.save(path)
    assert other.load(path) is other
    np.testing.assert_equal(other.parameters.snapshot(), one.parameters.snapshot())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network(width=5), r"0.weight is float32 \(4, 3\) where float32 \(4, 5\) belongs"),
        (lambda: Sequential(Linear(4, 3)).build(), r"2.weight belongs to nothing.*1.centre belongs to nothing"),
        (lambda: Sequential(*network().layers, Linear(2, 2)).build(), "3.weight is missing; 3.bias is missing"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name_and_nothing_moves(path, make, message):
    network().save(path)
    model = make()
    before = model.parameters.snapshot()
    with pytest.raises(DataError, match=message):
        model.load(path)
    np.testing.assert_equal(model.parameters.snapshot(), before)


@pytest.mark.parametrize("dtypes", [(np.float32, np.float64), (np.float64, np.float32)])
def test_weights_of_another_precision_are_cast_by_load_as_by_restore(path, dtypes):
    one, loaded, restored = (network(dtype=dtype) for dtype in (dtypes[0], dtypes[1], dtypes[1]))
    one.parameters.value += 0.1
    one.save(path)
    loaded.load(path)
    restored.parameters.restore(one.parameters.snapshot())
    assert loaded.parameters.dtype == dtypes[1]
    np.testing.assert_equal(loaded.parameters.snapshot(), restored.parameters.snapshot())


def test_weights_that_the_precision_cannot_hold_are_refused_by_load_as_by_restore(path):
    one, other = network(dtype=np.float64), network()
    one.parameters.value[0] = 1e300
    one.save(path)
    before = other.parameters.snapshot()
    with pytest.raises(DataError, match=r"is float64 .* where float32 .* belongs"):
        other.load(path)
    with pytest.raises(ValueError, match="in the range of float32"):
        other.parameters.restore(one.parameters.snapshot())
    np.testing.assert_equal(other.parameters.snapshot(), before)


def test_a_part_is_loaded_where_that_is_asked_for(path):
    network(seed=0).save(path)
    bigger = Sequential(Linear(4, 3), Centre(), Linear(3, 9)).build(seed=1)
    before = bigger.parameters.snapshot()
    bigger.load(path, names="0.*")
    np.testing.assert_array_equal(bigger[0].weight.value, network(seed=0)[0].weight.value)
    np.testing.assert_array_equal(bigger[2].weight.value, before["2.weight"])
    with pytest.raises(DataError, match=r"2.weight is float32 \(3, 2\)"):
        bigger.load(path, names="2.*")
    with pytest.raises(ValueError, match="matches"):
        bigger.load(path, names="9.*")


def test_a_model_that_is_not_built_says_so(path):
    with pytest.raises((AttributeError, RuntimeError), match="build"):
        Sequential(Linear(2, 2)).save(path)

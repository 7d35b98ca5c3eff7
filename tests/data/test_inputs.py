import numpy as np
import pytest

from minidl import SGD, Dataset, Linear, MeanSquaredError, Sequential, SoftmaxCrossEntropy, Trainer
from minidl.data import batches, standardize, standardize_scalar, subtract_mean_image
from minidl.inputs import Rows, as_array

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


class Store:
    """A store as h5py's: increasing rows only; it notes how many rows each read had."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.reads = array, array.shape, array.dtype, []

    def __getitem__(self, rows):
        if not isinstance(rows, slice):
            assert (np.diff(rows) > 0).all()
        self.reads.append(len(self.array[rows]))
        return self.array[rows]


def trained(data, model=None, **how):
    model = Sequential(Linear(3, 2)).build(seed=0) if model is None else model
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1))
    trainer.fit(data, **({"epochs": 3, "batch_size": 6, "progress": False} | how))
    return trainer


def weights(trainer):
    return trainer.model.parameters.value.tolist()


def test_a_store_is_read_batch_by_batch_and_trains_to_the_bits_of_an_array():
    store = Store(X)
    trainer = trained(Dataset(store, Y))
    assert weights(trainer) == weights(trained((X, Y)))
    assert max(store.reads) <= 6
    store.reads.clear()
    np.testing.assert_array_equal(trainer.model.predict(store, batch_size=4), trainer.model.predict(X, batch_size=4))
    assert store.reads == [4] * 5
    store.reads.clear()
    assert trainer.evaluate((store, Y), batch_size=5) == trainer.evaluate((X, Y), batch_size=5)
    assert max(store.reads) == 5


def test_parts_of_a_store_are_not_read_before_they_are_needed():
    store = Store(X)
    data = Dataset(store, Y, image_shape=(1, 3))
    parts = [*data.split(0.5, 0.5), data[3:9], data[::2], data.take([5, 1, 5]), data.as_images()]
    assert store.reads == []
    whole = Dataset(X, Y, image_shape=(1, 3))
    same = [*whole.split(0.5, 0.5), whole[3:9], whole[::2], whole.take([5, 1, 5]), whole.as_images()]
    for part, other in zip(parts, same, strict=True):
        assert part.x.shape == other.x.shape
        np.testing.assert_array_equal(np.asarray(part.x), other.x)


@pytest.mark.parametrize("rows", [slice(2, 7), slice(None, None, -3), np.array([4, 4, 0]), np.array([-1]), slice(5, 5)])
def test_rows_come_in_the_order_in_which_they_are_wanted(rows):
    part = Rows(Store(X)).part(np.array([7, 3, 9, 9, 0, 1, 2, 12]))
    np.testing.assert_array_equal(part[rows], X[[7, 3, 9, 9, 0, 1, 2, 12]][rows])


def test_batches_of_a_store_may_repeat_rows():
    data = Dataset(Store(X), Y)
    [[x, targets]] = batches(data, 9, shuffle=lambda epoch: np.array([9, 2, 9, 0]))
    np.testing.assert_array_equal(x, X[[9, 2, 9, 0]])
    assert targets.tolist() == Y[[9, 2, 9, 0]].tolist()


def test_a_store_that_answers_with_other_rows_is_refused():
    class Wrong(Store):
        def __getitem__(self, rows):
            return self.array[:1]

    with pytest.raises(ValueError, match=r"expected 2 rows of Wrong as an array of shape \(2, 3\), received shape"):
        Rows(Wrong(X))[:2]


def test_a_store_keeps_the_rows_it_was_taken_with_and_one_that_fails_is_named():
    class Growing(Store):
        def grow(self):
            self.array = np.concatenate([self.array, self.array])
            self.shape = self.array.shape

    store = Growing(X)
    data = Dataset(store, Y)
    store.grow()
    assert len(data) == 20
    assert weights(trained(data)) == weights(trained((X, Y)))
    with pytest.raises(
        TypeError, match=r"received <array \(20,\) bool>: the row numbers of a mask are np\.flatnonzero"
    ):
        data.x[Y == 1]

    class Closed(Store):
        def __getitem__(self, rows):
            raise OSError("no file")

    with pytest.raises(OSError, match="no file") as caught:
        Rows(Closed(X))[:2]
    assert "the file of a store is to stay open" in caught.value.__notes__[0]


@pytest.mark.parametrize("how", [standardize, standardize_scalar, subtract_mean_image])
def test_a_store_is_standardized_as_an_array_is(how):
    (wanted,), (given,) = how(Dataset(X, Y)), how(Dataset(Store(X), Y))
    assert given.x.tolist() == wanted.x.tolist()


BAD = {
    "strings": np.full((20, 3), "a"),
    "dates": np.full((20, 3), "2026-01-01", "datetime64[D]"),
    "complex": X.astype(complex),
    "None": [[None, 1.0, 2.0]] * 20,
    "objects": X.astype(object),
    "nothing": None,
    "a text": "abc",
    "masked": np.ma.masked_array(X),
    "ragged": [[1.0], [1.0, 2.0]],
    "NaN": np.where(np.arange(60).reshape(20, 3) == 7, np.nan, X),
    "infinity": np.where(np.arange(60).reshape(20, 3) == 7, np.inf, X).tolist(),
    "a store of strings": Store(np.full((20, 3), "a")),
    "a generator": (row for row in X),
}


@pytest.mark.parametrize("kind", BAD)
def test_predict_evaluate_and_fit_refuse_the_same_in_the_same_words(kind):
    model, x = Sequential(Linear(3, 2)).build(seed=0), BAD[kind]
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1))
    calls = [lambda: model.predict(x), lambda: trainer.evaluate((x, Y))]
    calls += [lambda: trainer.fit((x, Y), epochs=1, progress=False)]
    said = []
    for call in calls:
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        said.append((type(caught.value), str(caught.value).replace("train.x", "x")))
    assert said[0] == said[1] == said[2]


def test_what_holds_no_rows_is_told_what_to_give_instead(tmp_path):
    np.savez(tmp_path / "x.npz", x=X)
    with (
        np.load(tmp_path / "x.npz") as archive,
        pytest.raises(TypeError, match=r"received NpzFile: take .* x\['...'\]"),
    ):
        Dataset(archive, Y)
    for other in (tmp_path, {1, 2}):
        with pytest.raises(TypeError, match="give the numbers in one"):
            Dataset(other, Y)


def test_labels_become_places_and_come_back():
    data = Dataset.from_labels(X[:3], np.array(["dog", "cat", "dog"]))
    assert (data.targets.tolist(), data.classes) == ([1, 0, 1], ("cat", "dog"))
    assert data[1:].decode([0, 1]).tolist() == ["cat", "dog"]
    other = Dataset.from_labels(X[:1], ["cat"], classes=("dog", "cat"))
    assert other.targets.tolist() == [1]
    assert Dataset.from_labels(X[:3], [10, 9, 10]).classes == ("9", "10")
    assert Dataset.from_labels(X[:2], [np.int64(2), 1]).classes == ("1", "2")
    assert Dataset.from_labels(X[:2], np.array([np.str_("b"), "a"], object)).classes == ("a", "b")


@pytest.mark.parametrize(
    ("labels", "kind", "message"),
    [
        (["a", None, "b"], ValueError, r"a label for every row, received labels\[1\]=None"),
        ([0.5, 1.5, 2.5], TypeError, r"texts or whole numbers, received labels\[0\]=0.5"),
        ([["a"], ["b"], ["c"]], ValueError, r"shape \(n,\)"),
        (["a", "b"], ValueError, r"len\(targets\)=2"),
        (["a", float("nan"), "b"], ValueError, r"a label for every row, received labels\[1\]=nan"),
        (["1", 1, "2"], TypeError, r"labels of one type, received \['int', 'str'\]"),
        ([True, 1, 0], TypeError, r"labels of one type, received \['bool', 'int'\]"),
        ([b"a", b"b", b"a"], TypeError, r"received labels\[0\]=b'a': decode bytes"),
        ([["a"], ["b", "c"], ["d"]], TypeError, r"received labels\[0\]=\['a'\]"),
    ],
)
def test_labels_that_are_none_are_refused(labels, kind, message):
    with pytest.raises(kind, match=message):
        Dataset.from_labels(X[:3], labels)


def test_an_unknown_label_and_predictions_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"among the classes, received labels\[1\]='bird'"):
        Dataset.from_labels(X[:2], ["cat", "bird"], classes=("cat", "dog"))
    data = Dataset.from_labels(X[:2], ["cat", "dog"])
    for wrong in ([2], [-1], [[0.0, 1.0, 2.0]], [[np.nan, 0.0]], [0.5]):
        with pytest.raises(ValueError, match="expected"):
            data.decode(wrong)
    with pytest.raises(ValueError, match="from_labels"):
        Dataset(X, Y).decode([0])


pandas_like = pytest.mark.parametrize("package", ["pandas", "polars"])


@pytest.mark.needs_inputs
@pandas_like
def test_frames_train_as_arrays_and_their_columns_are_remembered(package):
    library = pytest.importorskip(package)
    columns = {name: X[:, place] for place, name in enumerate("abc")}
    frame = library.DataFrame(columns)
    trainer = trained((frame, library.Series("y", Y) if package == "polars" else library.Series(Y)))
    assert weights(trainer) == weights(trained((X, Y)))
    assert trainer.model.columns == ("a", "b", "c")
    np.testing.assert_array_equal(trainer.model.predict(frame), trainer.model.predict(X))
    turned = frame[["b", "a", "c"]]
    calls = [lambda: trainer.model.predict(turned), lambda: trainer.evaluate((turned, Y))]
    calls += [lambda: trainer.fit((turned, Y), epochs=1, progress=False)]
    calls += [lambda: trainer.fit((frame, Y), (turned, Y), epochs=1, progress=False)]
    for call in calls:
        with pytest.raises(ValueError, match=r"x with the columns .* \['a', 'b', 'c'\], received \['b', 'a', 'c'\]"):
            call()
    with pytest.raises(ValueError, match=r"missing=\['c'\], extra=\[\]"):
        trainer.model.predict(frame[["a", "b"]])
    assert Dataset(frame, Y).split(0.5, 0.5)[0].columns == ("a", "b", "c")


@pytest.mark.needs_inputs
@pandas_like
def test_columns_may_be_assigned_as_a_frame_has_them(package):
    library = pytest.importorskip(package)
    frame = library.DataFrame({name: X[:, place] for place, name in enumerate("abc")})
    for columns in (frame.columns, list(frame.columns)):
        trainer = trained((X, Y))
        trainer.model.columns = columns
        trainer.fit((frame, Y), epochs=1, progress=False)
        trainer.model.columns = columns
        assert trainer.evaluate((frame, Y)) == trainer.evaluate((X, Y))
        for call in (trainer.model.predict, lambda x, own=trainer: own.fit((x, Y), epochs=1, progress=False)):
            with pytest.raises(ValueError, match=r"\['a', 'b', 'c'\], received \['b', 'a', 'c'\]"):
                call(frame[["b", "a", "c"]])


@pytest.mark.needs_inputs
@pandas_like
def test_a_column_that_holds_no_numbers_is_named(package):
    library = pytest.importorskip(package)
    frame = library.DataFrame({"a": [1.0, 2.0], "b": ["u", "v"], "c": [True, False]})
    with pytest.raises(ValueError, match=r"expected x\['b'\] to hold numbers, received x\['b'\]\.dtype=object"):
        Dataset(frame, [0, 1])
    assert as_array("x", frame[["a", "c"]]).tolist() == [[1.0, 1.0], [2.0, 0.0]]
    assert Dataset.from_labels(frame[["a"]], frame["b"]).classes == ("u", "v")


@pytest.mark.needs_inputs
def test_missing_numbers_of_frames_are_nan_and_refused():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for frame in (pandas.DataFrame({"a": [1, None]}, dtype="Int64"), polars.DataFrame({"a": [1, None]})):
        np.testing.assert_array_equal(as_array("x", frame), [[1.0], [np.nan]])
        with pytest.raises(ValueError, match=r"received x\[1, 0\]=nan"):
            Linear(1, 1).build().predict(frame)


@pytest.mark.needs_inputs
def test_stores_on_disk_train_to_the_bits_of_an_array(tmp_path):
    h5py, zarr = pytest.importorskip("h5py"), pytest.importorskip("zarr")
    xarray = pytest.importorskip("xarray")
    wanted = weights(trained((X, Y)))
    array = zarr.create_array(str(tmp_path / "x.zarr"), shape=X.shape, chunks=(4, 3), dtype=X.dtype)
    array[:] = X
    assert weights(trained((array, Y))) == wanted
    assert weights(trained((xarray.DataArray(X, dims=("row", "feature")), xarray.DataArray(Y)))) == wanted
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"], file["y"] = X, Y
        assert weights(trained((file["x"], file["y"]))) == wanted


@pytest.mark.needs_inputs
def test_sparse_matrices_are_refused_and_told_what_to_do():
    sparse = pytest.importorskip("scipy.sparse")
    for matrix in (sparse.csr_matrix(X), sparse.coo_array(X)):
        with pytest.raises(TypeError, match=r"use x\.toarray\(\)"):
            Dataset(matrix, Y)


class Tensor:
    """What torch's tensors do here."""

    def __init__(self, array, graph=False):
        self.array, self.graph, self.shape, self.dtype = array, graph, array.shape, "float32"

    def detach(self):
        return Tensor(self.array)

    def __array__(self, dtype=None, copy=None):
        if self.graph:
            raise RuntimeError("it requires grad")
        return self.array


def test_tensors_are_arrays_without_their_graph():
    assert weights(trained((Tensor(X, graph=True), Tensor(Y)))) == weights(trained((X, Y)))
    broken = Tensor(X)
    broken.detach = lambda: Tensor(X, graph=True)
    with pytest.raises(TypeError, match=r"it requires grad.*\.cpu\(\)"):
        Dataset(broken, Y)


def test_lists_are_taken():
    assert weights(trained((X.tolist(), Y.tolist()))) == weights(trained((X, Y)))
    loss = Trainer(Sequential(Linear(3, 1)).build(), MeanSquaredError(), SGD(0.1))
    assert np.isfinite(loss.evaluate(([[1, 2, 3]], [[1]]))["cost"])

import numpy as np
import pytest

from minidl.data import Dataset

X, TARGETS = np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2])


def test_nothing_is_copied():
    weights = np.ones(6)
    data = Dataset(X, TARGETS, weights=weights)
    assert data.x is X
    assert data.targets is TARGETS
    assert data.arrays == (X, TARGETS, weights)
    assert len(data) == 6


def test_arrays_leave_absent_weights_out():
    assert len(Dataset(X, TARGETS).arrays) == 2


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (Dataset(X, TARGETS, classes=("a", "b", "c")), "Dataset(6 rows x 2 float64, 3 classes)"),
        (Dataset(X, TARGETS), "Dataset(6 rows x 2 float64, targets int64)"),
        (Dataset(X, X, weights=np.ones(6)), "Dataset(6 rows x 2 float64, targets x 2 float64, weighted)"),
        (Dataset(X.reshape(6, 1, 1, 2), TARGETS), "Dataset(6 rows x (1, 1, 2) float64, targets int64)"),
    ],
)
def test_repr_is_one_line(data, shown):
    assert repr(data) == shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": X[:5]}, r"len\(x\)=5, len\(targets\)=6"),
        ({"weights": np.ones(5)}, r"len\(weights\)=5"),
        ({"x": X[:, 0]}, r"x\[:, None\]"),
        ({"x": X[:0], "targets": TARGETS[:0]}, "an empty set is refused"),
        ({"x": X[:, :0]}, "at least one row and one feature"),
        ({"targets": np.zeros((6, 0))}, r"targets of shape \(n,\) or \(n, ...\)"),
        ({"targets": np.zeros((6, 0))}, r"targets\.shape=\(6, 0\)"),
        ({"x": X.astype(object)}, r"x\.dtype=object"),
        ({"targets": np.array(list("abcabc"))}, "np.unique"),
        ({"x": X.astype(complex)}, r"x\.dtype=complex128"),
        ({"weights": np.ones((6, 1))}, r"weights\.shape=\(6, 1\)"),
        ({"weights": np.array([1, 1, 1, 1, 1, np.nan])}, "1 not finite"),
        ({"weights": np.array([1, 1, 1, 1, -1, -1])}, "2 negative"),
        ({"weights": np.zeros(6)}, "0 of 6 not zero"),
        ({"classes": ("a", "b")}, r"0\.\.1 for 2 classes, received labels from 0 to 2"),
        ({"targets": TARGETS - 1, "classes": ("a", "b", "c")}, "labels from -1 to 1"),
        ({"image_shape": (1, 3)}, "3"),
        ({"image_shape": (2,)}, "height, width"),
        ({"image_shape": (-1, -2)}, "received each entry of image_shape=-1"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Dataset(**({"x": X, "targets": TARGETS} | change))


@pytest.mark.parametrize(
    "change", [{"x": "abc"}, {"targets": None}, {"weights": iter([1] * 6)}, {"classes": ["a", "b", "c"]}]
)
def test_other_types_are_refused(change):
    with pytest.raises(TypeError, match="expected"):
        Dataset(**({"x": X, "targets": TARGETS} | change))


def test_a_slice_is_a_view_and_row_numbers_keep_their_order():
    data = Dataset(X, TARGETS, weights=np.arange(1.0, 7), classes=("a", "b", "c"), image_shape=(1, 2))
    part = data.take(slice(1, 4))
    assert np.shares_memory(part.x, X)
    assert part.weights.tolist() == [2, 3, 4]
    assert (part.classes, part.image_shape) == (data.classes, data.image_shape)
    picked = data.take([5, 0, 5])
    assert picked.x.tolist() == X[[5, 0, 5]].tolist()
    assert picked.targets.tolist() == [2, 0, 2]
    assert picked.weights.tolist() == [6, 1, 6]


@pytest.mark.parametrize("rows", [[6], [-1], [], 2, [0.5], [True] * 6, [[0]], slice(6, None)])
def test_rows_that_do_not_exist_are_refused(rows):
    with pytest.raises(ValueError, match="expected"):
        Dataset(X, TARGETS).take(rows)


def test_where_keeps_the_rows_of_a_mask():
    part = Dataset(X, TARGETS, weights=np.arange(1.0, 7)).where(np.isin(TARGETS, [1, 2]))
    assert part.x[:, 0].tolist() == [2, 4, 8, 10]
    assert part.targets.tolist() == [1, 2, 1, 2]
    assert part.weights.tolist() == [2, 3, 5, 6]


@pytest.mark.parametrize("mask", [np.zeros(6, bool), np.ones(5, bool), np.arange(6), np.ones((6, 1), bool)])
def test_a_mask_that_is_none_is_refused(mask):
    with pytest.raises(ValueError, match="expected a mask"):
        Dataset(X, TARGETS).where(mask)


def test_map_changes_x_only_and_drops_an_image_shape_that_no_longer_fits():
    data = Dataset(X, TARGETS, image_shape=(1, 2))
    doubled, narrow = data.map(lambda x: 2 * x), data.map(lambda x: x[:, :1])
    assert (doubled.x == 2 * X).all()
    assert doubled.image_shape == (1, 2)
    assert narrow.image_shape == ()
    assert narrow.targets is TARGETS


def test_map_must_keep_the_rows():
    with pytest.raises(ValueError, match="one target"):
        Dataset(X, TARGETS).map(lambda x: x[1:])


def test_images_have_the_shape_of_the_dataset():
    data = Dataset(X, TARGETS, image_shape=(2, 1))
    assert data.images().shape == (6, 2, 1)
    assert np.shares_memory(data.images(), X)
    with pytest.raises(ValueError, match=r"image_shape=\(\)"):
        Dataset(X, TARGETS).images()


def test_a_memory_map_stays_one(tmp_path):
    x = np.memmap(tmp_path / "x", np.float32, "w+", shape=(6, 2))
    data = Dataset(x, TARGETS)
    assert data.x is x
    assert isinstance(data.take(slice(0, 3)).x, np.memmap)


BYTES = Dataset(np.array([[0, 200], [255, 7], [3, 4]], np.uint8), np.arange(3))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x - 128,
        lambda x: x * 2,
        lambda x: -x,
        lambda x: x + x,
        lambda x: x - x.max(),
        lambda x: x << 1,
        np.square,
        lambda x: x.dot(x.T),
        lambda x: x @ x.T,
        lambda x: np.einsum("ij,kj->ik", x, x),
        lambda x: np.asarray(x) - 128,
        lambda x: np.subtract(x, 128, out=np.empty_like(x)),
    ],
)
def test_a_function_of_bytes_that_wraps_around_is_refused(function):
    with pytest.raises(ValueError, match=r"dtype uint8, received one that wraps .*around: cast first"):
        BYTES.map(function)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[:, ::-1],
        lambda x: x // 2,
        lambda x: x.astype(np.int16) - 128,
        lambda x: x / 255,
        np.sort,
        lambda x: x,
        np.invert,
        lambda x: ~x // 2 + 1,
        lambda x: 255 - x,
        lambda x: x ^ 1,
        lambda x: np.asarray(x) // 2,
        lambda x: (x - 128).view(np.int8),
    ],
)
def test_other_functions_of_bytes_are_taken_as_they_are(function):
    np.testing.assert_array_equal(BYTES.map(function).x, function(BYTES.x))


@pytest.mark.parametrize("function", [lambda x: ~x, lambda x: 255 - x, lambda x: x // 2, lambda x: x > 3, lambda x: x])
def test_a_function_that_cannot_wrap_around_is_called_once_and_for_a_plain_array(function):
    calls = []

    def counted(x):
        calls.append(len(x))
        return function(x)

    mapped = BYTES.map(counted)
    assert calls == [3]
    assert type(mapped.x) is np.ndarray
    np.testing.assert_array_equal(mapped.x, function(BYTES.x))


def test_a_function_of_plain_arrays_only_gets_one():
    def choosy(x):
        if type(x) is not np.ndarray:
            raise TypeError("plain arrays only")
        return x // 2

    np.testing.assert_array_equal(BYTES.map(choosy).x, BYTES.x // 2)


def test_a_slice_of_a_set_is_that_of_its_arrays_as_views():
    data = Dataset(np.arange(20.0).reshape(10, 2), np.arange(10), weights=np.ones(10), classes=tuple("abcdefghij"))
    for rows in (slice(5), slice(-3, None), slice(None, None, 2), slice(None, None, -1)):
        part = data[rows]
        assert all(np.shares_memory(a, b) for a, b in zip(part.arrays, data.arrays, strict=True))
        np.testing.assert_array_equal(part.targets, np.arange(10)[rows])
        assert part.classes == data.classes


def test_anything_but_a_slice_is_told_what_takes_it_and_a_set_is_no_sequence_of_rows():
    data = Dataset(np.zeros((3, 2)), np.arange(3))
    for wrong in (0, [0, 2], np.array([True, False, True]), (slice(2), 0), "x"):
        with pytest.raises(TypeError, match=r"expected a slice such as data\[:5\], received .*take\(rows\), a mask to"):
            data[wrong]
    with pytest.raises(TypeError, match=r"data\.arrays are x and targets"):
        _x, _targets = data
    with pytest.raises(ValueError, match="at least one row"):
        data[3:]


@pytest.mark.parametrize(("image_shape", "wanted"), [((3, 4), (1, 3, 4)), ((2, 3, 2), (2, 3, 2))])
def test_a_set_of_images_comes_as_channels_of_rows_and_columns_and_goes_back(image_shape, wanted):
    flat = Dataset(np.arange(60).reshape(5, 12), np.arange(5), image_shape=image_shape)
    images = flat.as_images()
    assert images.x.shape == (5, *wanted)
    assert np.shares_memory(images.x, flat.x)
    assert (images.image_shape, images.images().shape) == (image_shape, (5, *image_shape))
    np.testing.assert_array_equal(images.as_images().x, images.x)
    np.testing.assert_array_equal(images.map(lambda x: x.reshape(len(x), -1)).x, flat.x)
    assert images[:2].x.shape == (2, *wanted)


def test_rows_that_are_no_images_cannot_come_as_such():
    with pytest.raises(ValueError, match=r"expected a dataset of images, received image_shape=\(\)"):
        Dataset(X, TARGETS).as_images()

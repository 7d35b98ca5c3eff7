from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.data import Dataset, join


def make(n, *, weighted=False, **changed):
    parts = {"classes": ("a", "b"), "image_shape": (1, 2)} | changed
    dtype = parts.pop("dtype", np.float32)
    targets = parts.pop("targets", np.arange(n) % 2)
    return Dataset(
        np.arange(2 * n, dtype=dtype).reshape(n, 2),
        targets,
        weights=np.arange(1.0, n + 1) if weighted else None,
        **parts,
    )


@given(st.lists(st.integers(1, 29), max_size=4, unique=True), st.booleans())
def test_slices_joined_are_the_whole_again(cuts, weighted):
    whole = make(30, weighted=weighted)
    cuts = [0, *sorted(cuts), 30]
    again = join(*(whole[start:end] for start, end in pairwise(cuts)))
    for a, b in zip(again.arrays, whole.arrays, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
        assert not np.shares_memory(a, b)
    assert (again.classes, again.image_shape) == (whole.classes, whole.image_shape)


def test_folds_are_joined_into_what_is_not_held_out():
    whole = make(30)
    parts = whole.split(10, 10, 10)
    train, held_out = list(whole.folds(3))[1]
    np.testing.assert_array_equal(held_out.x, parts[1].x)
    np.testing.assert_array_equal(np.sort(join(parts[0], parts[2]).x, axis=0), train.x)


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (make(3, dtype=np.uint8), "dtype of x='float32' as in the first, received dtype of x='uint8' in number 1"),
        (make(3, weighted=True), "weighted=False as in the first, received weighted=True in number 1"),
        (make(3, classes=("a", "c")), "classes"),
        (make(3, image_shape=(2, 1)), "image_shape"),
        (make(3, targets=np.eye(3)), "shape of a target"),
        (make(3, targets=np.zeros(3)), "dtype of targets='int64' as in the first, received dtype of targets='float64'"),
        (Dataset(np.zeros((3, 4), np.float32), np.zeros(3, int)), "shape of a row"),
    ],
)
def test_sets_that_are_not_alike_are_refused(other, text):
    with pytest.raises(ValueError, match=text):
        join(make(3), other)


def test_what_is_no_set_is_refused():
    with pytest.raises(TypeError, match=r"expected Datasets, received \[Dataset.* as number 0: write join\(first, sec"):
        join([make(3)])
    with pytest.raises(ValueError, match="received none"):
        join()

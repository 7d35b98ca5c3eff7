"""Shapes of rows that are known wholly, in part or not at all, and the doors that layers share."""

import numpy as np
import pytest

from minidl import Layer, Linear, ReLU, Sequential, ShapeError
from minidl.layers.shapes import Open, check_input, fitting, whole_numbers


class Halve(Layer):
    """(channels, height) -> (channels, height // 2): a layer that knows its channels only."""

    def __init__(self, channels):
        self.channels = channels

    def output_shape(self, shape):
        _, height = fitting(self, shape, (self.channels, None))
        return (self.channels, None if height is None else height // 2)

    def forward(self, x):
        check_input(self, x, (self.channels, None))
        return x[:, :, ::2][:, :, : x.shape[2] // 2]


@pytest.mark.parametrize(
    ("shape", "wanted", "known"),
    [
        (None, (3, None), (3, None)),
        ((3, 8), (3, None), (3, 8)),
        ((None, 8), (3, None), (3, 8)),
        (None, (..., 4), (4,)),
        ((7, 4), (..., 4), (7, 4)),
        ((None, 4), (..., 4), (None, 4)),
        (Open((4,)), (..., 4), (4,)),
        (Open((4,)), (None, 4), (None, 4)),
        (Open((4,)), (4,), (4,)),
    ],
)
def test_what_fits_is_known_as_far_as_both_sides_know(shape, wanted, known):
    assert fitting("layer", shape, wanted) == known


@pytest.mark.parametrize(
    ("shape", "wanted", "words"),
    [
        ((4, 8), (3, None), r"expected input rows of shape \(3, \?\), received rows of shape \(4, 8\): change 'Conv'"),
        ((3,), (3, None), r"received rows of shape \(3,\)"),
        ((3, 8, 8), (3, None), r"received rows of shape \(3, 8, 8\)"),
        ((5,), (..., 4), r"expected input rows of shape \(4,\), received rows of shape \(5,\)"),
        ((7, 5), (..., 4), r"expected input rows of shape \(\.\.\., 4\), received"),
        (Open((5,)), (None, 4), r"expected input rows of shape \(\?, 4\), received"),
        (Open((2, 5)), (5,), r"expected input rows of shape \(5,\), received"),
    ],
)
def test_what_does_not_fit_is_refused_with_both_shapes(shape, wanted, words):
    with pytest.raises(ShapeError, match=words):
        fitting("Conv", shape, wanted)


def test_neighbours_are_checked_as_far_as_they_are_known():
    Sequential(Halve(3), ReLU(), Halve(3)).build()
    with pytest.raises(ShapeError, match=r"rows of shape \(4, \?\), received rows of shape \(3, \?\)") as caught:
        Sequential(Halve(3), ReLU(), Halve(4)).build()
    assert caught.value.__notes__ == ["in layer 2 of 3 of a Sequential: Halve(4)"]


def test_a_given_input_shape_makes_every_shape_known_checked_and_printed():
    model = Sequential(Halve(3), Sequential(ReLU(), Halve(3)), Linear(2, 5)).build(input_shape=(3, 8))
    assert [line.split("  ")[-2].strip() or line for line in str(model).splitlines()[2:]]
    assert str(model).count("(n, 3, 4)") == 2
    assert "(n, 3, 2)" in str(model)
    assert "(n, 3, 5)" in str(model)
    with pytest.raises(ShapeError, match=r"rows of shape \(\.\.\., 2\), received rows of shape \(3, 4\)"):
        Sequential(Halve(3), Linear(2, 5)).build(input_shape=[3, 8])
    assert "?" in str(Sequential(Halve(3)).build())


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (784, TypeError, r"received input_shape=784: write \(784,\)"),
        ((), TypeError, r"received input_shape=\(\): give its sizes"),
        ((None, 784), ValueError, "each entry of input_shape"),
        ((0,), ValueError, "each entry of input_shape to be an integer >= 1"),
        ("784", TypeError, "the shape of a row"),
    ],
)
def test_an_input_shape_that_is_none_is_refused(given, error, words):
    model = Sequential(Linear(784, 2))
    with pytest.raises(error, match=words):
        model.build(input_shape=given)
    assert not hasattr(model, "parameters")


@pytest.mark.parametrize(
    ("x", "wanted", "error", "words"),
    [
        ([[1.0]], (1,), TypeError, r"received list: use np.asarray\(x, np.float32\)"),
        (np.zeros((2, 3), int), (3,), ShapeError, r"shape \(n, 3\) and floats, .*: cast the data once"),
        (np.zeros((3, 8)), (3, None), ShapeError, r"shape \(n, 3, \?\) .* a single sample is x\[None\]"),
        (np.zeros((2, 4, 8)), (3, None), ShapeError, "mind the sizes of 'Conv'"),
        (np.zeros(3), (..., 3), ShapeError, r"shape \(n, 3\)"),
        (np.zeros((2, 5, 4)), (..., 3), ShapeError, r"shape \(n, \.\.\., 3\)"),
    ],
)
def test_the_door_of_forward_says_what_it_takes(x, wanted, error, words):
    with pytest.raises(error, match=words):
        check_input("Conv", x, wanted)


def test_batches_without_rows_are_taken():
    check_input("Conv", np.zeros((0, 3, 5)), (3, None), np.dtype(float))
    assert Linear(3, 2).build().forward(np.zeros((0, 4, 3), np.float32)).shape == (0, 4, 2)
    assert len(Sequential(Linear(3, 2)).build().predict(np.zeros((0, 3)))) == 0


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.int64, np.float32, np.float64])
def test_whole_numbers_are_taken_in_every_dtype(dtype):
    index = whole_numbers("Embedding", np.array([[0, 4], [3, 1]], dtype), 5)
    assert (index.tolist(), index.dtype) == ([[0, 4], [3, 1]], np.intp)


@pytest.mark.parametrize(
    ("x", "limit", "error", "words"),
    [
        (np.array([[0.0, 1.5]]), 5, ValueError, r"whole numbers from 0 to 4, received x\[0, 1\]=1.5"),
        (np.array([[0, 5]]), 5, ValueError, r"received x\[0, 1\]=5"),
        (np.array([[-1]]), 5, ValueError, r"received x\[0, 0\]=-1"),
        (np.array([[np.nan]]), 5, ValueError, r"received x\[0, 0\]=nan"),
        (np.array([[np.inf]]), 5, ValueError, r"received x\[0, 0\]=inf"),
        (np.array([["a"]]), 5, TypeError, "an array of whole numbers, received x.dtype=<U1"),
        (np.array([[True]]), 5, TypeError, "received x.dtype=bool"),
        ([[1]], 5, TypeError, "received list"),
        (np.zeros((1, 1), np.float32), (1 << 24) + 2, ValueError, "skips whole numbers from 16777216 on"),
    ],
)
def test_what_is_no_whole_number_in_range_is_refused(x, limit, error, words):
    with pytest.raises(error, match=words):
        whole_numbers("Embedding", x, limit)


def test_a_container_gives_the_hint_for_one_call_only():
    seen = []

    class Seeing(Layer):
        def backward(self, dy):
            seen.append(self.needs_dx)
            if dy is None:
                raise ValueError("no")
            return dy

    child = Seeing()
    container = Sequential(child)
    container.backward_of(child, 1.0, needs_dx=False)
    with pytest.raises(ValueError, match="no"):
        container.backward_of(child, None, needs_dx=False)
    assert (seen, child.needs_dx) == ([False, False], True)

import copy
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import LSTM, BatchNorm, Conv1D, Conv2D, Embedding, Linear, ReLU, Sequential, ShapeError
from minidl.initializers import normal, ones
from minidl.kernels import sharing
from minidl.layers import patches
from tests.tools.heard import heard

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def by_definition(x, W, b, stride, padding):
    """The sum over windows of every output, one place after the other; padding is ((above, below), (left, right))."""
    x = np.pad(x, ((0, 0), (0, 0), *padding))
    k, m, _, out = W.shape
    h, w = ((x.shape[2 + axis] - W.shape[axis]) // stride[axis] + 1 for axis in (0, 1))
    y = np.zeros((len(x), out, h, w), x.dtype)
    for i in range(h):
        for j in range(w):
            top, left = i * stride[0], j * stride[1]
            y[:, :, i, j] = np.einsum("ncab,abco->no", x[:, :, top : top + k, left : left + m], W) + b
    return y


@given(PAIRS, PAIRS, st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(1, 9), st.integers(3, 6))
def test_the_output_is_the_sum_over_the_window_of_every_place(kernel, stride, padding, out, height):
    layer = Conv2D(2, out, kernel, stride=stride, padding=padding, bias_init=normal(1)).build(dtype=np.float64)
    x, around = numbers(2, 2, height, 5), tuple((p, p) for p in padding)
    expected = by_definition(x, layer.weight.value, layer.bias.value, stride, around)
    y = layer.forward(x)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    assert layer.output_shape(x.shape[1:]) == y.shape[1:]


@pytest.mark.parametrize("block", [1, 7, 40, 2**18])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("last", [True, False])
def test_blocks_of_any_size_give_the_same_output_and_gradients(monkeypatch, block, stride, last):
    layer = Conv2D(2, 3, 3, stride=stride, padding=1).build(dtype=np.float64)
    x = in_memory(numbers(3, 2, 6, 5), channels_last=last)
    dy = numbers(*layer.forward(x).shape, seed=1)
    expected = results(layer, x, dy)
    monkeypatch.setattr(patches, "BLOCK", block)
    monkeypatch.setattr(patches, "LEAST", block)
    for found, wanted in zip(results(layer, x, dy), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("channels", [8, 48])
@pytest.mark.parametrize("stride", [1, 2])
def test_no_bit_depends_on_the_number_of_threads(monkeypatch, channels, stride):
    monkeypatch.setattr(patches, "BLOCK", 2**12)
    monkeypatch.setattr(patches, "LEAST", 16)
    layer = Conv2D(8, channels, 3, stride=stride, padding=1).build(seed=0)
    x = numbers(20, 8, 11, 11).astype(np.float32)
    dy = numbers(*layer.forward(x).shape, seed=1).astype(np.float32)
    found = []
    for count in (1, 2, 5):
        monkeypatch.setattr(sharing, "threads", lambda count=count: count)
        found += [results(layer, x, dy) for _ in range(3)]
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(one, other)


def test_nothing_is_said_of_floats_in_any_thread(monkeypatch):
    monkeypatch.setattr(sharing, "threads", lambda: 3)
    monkeypatch.setattr(patches, "BLOCK", 2**10)
    layer = Conv2D(8, 8, 3).build(seed=0)
    with np.errstate(all="raise"):
        y = layer.forward(np.full((40, 8, 9, 9), 3e38, np.float32))
    assert not np.isfinite(y).all()


def in_memory(x, *, channels_last):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)).transpose(0, 3, 1, 2) if channels_last else x


def results(layer, x, dy):
    y, dx = layer.forward(x), layer.backward(dy)
    gradient = layer.parameters.grad.copy()
    layer.parameters.grad[:] = np.nan
    layer.needs_dx = False
    layer.backward(dy)
    layer.needs_dx = True
    return y, dx, gradient, layer.parameters.grad.copy()


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_the_order_of_memory_does_not_matter(stride):
    layer = Conv2D(2, 3, (3, 2), stride=stride, padding=1).build(dtype=np.float64)
    x = numbers(3, 2, 6, 5)
    dy = numbers(*layer.forward(x).shape, seed=1)
    expected = results(layer, x, dy)
    np.testing.assert_allclose(expected[2], expected[3], rtol=1e-12, atol=1e-12)  # with and without dx
    ways = [
        lambda a: in_memory(a, channels_last=True),
        np.asfortranarray,
        lambda a: a[:, ::-1, ::-1, ::-1].copy()[:, ::-1, ::-1, ::-1],
        lambda a: np.repeat(a, 2, axis=3)[..., ::2],
    ]
    for way in ways:
        for found, wanted in zip(results(layer, way(x), way(dy)), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "before", "after", "count"),
    [
        (5, 3, 1, 1, 1, 5),
        (5, 4, 1, 1, 2, 5),
        (6, 3, 2, 0, 1, 3),
        (5, 3, 2, 1, 1, 3),
        (5, 2, 3, 0, 0, 2),
        (4, 5, 3, 2, 2, 2),
    ],
)
def test_same_gives_one_place_for_each_stride_and_puts_the_odd_zero_at_the_end(
    length, kernel, stride, before, after, count
):
    layer = Conv2D(1, 1, (kernel, 1), stride=(stride, 1), padding="same").build(dtype=np.float64)
    x = numbers(2, 1, length, 2)
    expected = by_definition(x, layer.weight.value, 0, (stride, 1), ((before, after), (0, 0)))
    y = layer.forward(x)
    np.testing.assert_allclose(y, expected[:, :, :count], rtol=1e-12)
    assert y.shape == (2, 1, count, 2)


def test_what_is_left_over_at_the_end_is_not_seen_and_gets_no_gradient():
    layer = Conv2D(1, 1, 2, stride=3).build(dtype=np.float64)
    x = numbers(1, 1, 7, 7)
    y = layer.forward(x)
    assert y.shape == (1, 1, 2, 2)
    seen = layer.backward(np.ones_like(y))[0, 0] != 0
    assert seen.tolist() == np.outer(*[[True, True, False, True, True, False, False]] * 2).tolist()


def test_the_kernel_of_a_sequence_slides_over_time():
    layer = Conv1D(2, 3, 2, stride=2, padding=1).build(dtype=np.float64)
    x = numbers(4, 7, 2)
    image = Conv2D(2, 3, (1, 2), stride=(1, 2), padding=(0, 1)).build(dtype=np.float64)
    image.weight.value = layer.weight.value[None]

    def as_image(sequence):
        return sequence.transpose(0, 2, 1)[:, :, None]

    y = layer.forward(x)
    np.testing.assert_allclose(as_image(y), image.forward(as_image(x)), rtol=1e-12)
    np.testing.assert_allclose(as_image(layer.backward(y)), image.backward(as_image(y)), rtol=1e-12)
    np.testing.assert_allclose(layer.weight.grad, image.weight.grad[0], rtol=1e-12)
    assert layer.output_shape((7, 2)) == y.shape[1:] == (4, 3)


def test_a_convolution_of_sequences_goes_with_the_other_layers_of_sequences():
    model = Sequential(Embedding(9, 4), Conv1D(4, 6, 3, padding="same"), BatchNorm(6), ReLU(), LSTM(6, 5, last=True))
    model = Sequential(*model, Linear(5, 2)).build(input_shape=(7,))
    assert model.predict(np.arange(14).reshape(2, 7) % 9).shape == (2, 2)
    with pytest.raises(ShapeError, match=r"sequences are \(n, time, channels\): x.transpose\(0, 2, 1\)"):
        Conv1D(2, 3, 2).build().forward(np.zeros((5, 2, 9), np.float32))


def test_weights_are_kernel_in_out_and_start_scaled_to_their_fans_the_bias_at_zero_without_decay():
    layer = Conv2D(20, 30, (3, 5)).build(seed=0)
    assert layer.weight.shape == (3, 5, 20, 30)
    assert layer.weight.value.var() == pytest.approx(2 / (15 * 50), rel=0.05)
    assert (layer.weight.decay, layer.bias.decay) == (True, False)
    np.testing.assert_array_equal(layer.bias.value, 0)
    assert Conv1D(2, 3, 4).weight.shape == (4, 2, 3)


def test_without_a_bias_there_is_only_the_sum():
    layer = Conv2D(1, 1, 2, bias=False, weight_init=ones).build()
    assert list(layer.parameters.named) == ["weight"]
    np.testing.assert_array_equal(layer.forward(np.ones((1, 1, 2, 2), np.float32)), [[[[4]]]])


@pytest.mark.parametrize("kind", [Conv1D, Conv2D])
@pytest.mark.parametrize("bias", ["no", None, 2])
def test_a_bias_is_there_or_not(kind, bias):
    with pytest.raises(TypeError, match="expected bias to be True or False, received bias="):
        kind(1, 1, 2, bias=bias)
    assert kind(1, 1, 2, bias=np.False_).bias is None


@pytest.mark.parametrize("layer", [Conv2D(2, 3, 3, stride=2, padding=1), Conv2D(1, 9, 2), Conv1D(2, 2, 3)])
def test_an_empty_batch_gives_no_rows_and_gradients_of_zero(layer):
    layer = copy.deepcopy(layer).build()
    for needs_dx in (True, False):
        x = np.zeros((0, *((4, 2) if isinstance(layer, Conv1D) else (layer.in_channels, 4, 5))), np.float32)
        layer.parameters.grad[:] = np.nan
        layer.needs_dx = needs_dx
        y = layer.forward(x)
        dx = layer.backward(y)
        assert y.shape == (0, *layer.output_shape(x.shape[1:]))
        assert not needs_dx or dx.shape == x.shape
        np.testing.assert_array_equal(layer.parameters.grad, 0)


def test_whole_numbers_are_exact_in_float32():
    layer = Conv2D(3, 4, 3, padding=1, weight_init=lambda rng, shape: rng.integers(-4, 5, shape)).build()
    x = np.random.default_rng(0).integers(-9, 10, (2, 3, 8, 8)).astype(np.float32)
    expected = by_definition(x, layer.weight.value, 0, (1, 1), ((1, 1), (1, 1)))
    y = layer.forward(x)
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == layer.backward(y).dtype == np.float32


def test_without_the_need_of_dx_it_is_not_computed():
    layer = Conv2D(1, 1, 1).build()
    layer.forward(np.ones((1, 1, 1, 1), np.float32))
    layer.weight.value[...] = np.finfo(np.float32).max
    dy = np.full((1, 1, 1, 1), 2, np.float32)
    with heard(over="raise"):
        with pytest.raises(FloatingPointError):
            layer.backward(dy)
        layer.needs_dx = False
        layer.backward(dy)


def test_the_channels_of_the_output_and_of_dx_lie_together_in_memory():
    layer = Conv2D(3, 4, 3).build()
    y = layer.forward(np.zeros((2, 3, 6, 6), np.float32))
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    assert layer.backward(y).transpose(0, 2, 3, 1).flags.c_contiguous


@pytest.mark.parametrize("case", [(8, 8, 3, 64, 16), (1, 4, 5, 128, 8), (8, 8, 3, 256, 1)])
def test_the_memory_of_a_step_is_within_three_times_input_and_output(case):
    channels, out, kernel, side, n = case
    layer = Conv2D(channels, out, kernel, padding="same").build()
    x, dy = np.ones((n, channels, side, side), np.float32), np.ones((n, out, side, side), np.float32)
    layer.forward(x[:1])
    tracemalloc.start()
    try:
        y = layer.forward(x)
        layer.backward(dy)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    blocks = 4 * 4 * patches.BLOCK  # of patches and what is made of them; for images of usual sizes they hardly count
    assert peak + x.nbytes + dy.nbytes < 3 * (x.nbytes + y.nbytes) + blocks


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (np.zeros((2, 4, 5, 5), np.float32), r"expected x of shape \(n, 3, \?, \?\).*received x.shape=\(2, 4, 5, 5\)"),
        (np.zeros((3, 5, 5), np.float32), r"received x.shape=\(3, 5, 5\).*a single (one|sample) is x\[None\]"),
        (np.zeros((2, 75), np.float32), r"received x.shape=\(2, 75\).*images are \(n, channels, height, width\)"),
        (np.zeros((2, 3, 5, 5)), r"dtype float32.*x.dtype=float64.*x.astype\(np.float32\)"),
        (np.zeros((2, 3, 1, 5), np.float32), r"at least \(2, 2\) long for the windows of .*received \(1, 5\)"),
    ],
)
def test_other_channels_axes_dtypes_and_small_images_are_refused_with_what_to_do(x, text):
    with pytest.raises(ShapeError, match=text):
        Conv2D(3, 2, 2).build().forward(x)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Conv2D(0, 2, 3), "in_channels to be an integer >= 1, received in_channels=0"),
        (lambda: Conv2D(1, 2.0, 3), "out_channels to be an integer >= 1, received out_channels=2.0"),
        (lambda: Conv2D(1, 2, 0), "kernel to be an integer >= 1, received kernel=0"),
        (lambda: Conv2D(1, 2, (3, 0)), "each of kernel to be an integer >= 1, received each of kernel=0"),
        (lambda: Conv2D(1, 2, (3,)), r"kernel to be an integer >= 1 or a pair of them, received kernel=\(3,\)"),
        (lambda: Conv2D(1, 2, 3, stride=0), "stride to be an integer >= 1, received stride=0"),
        (lambda: Conv2D(1, 2, 3, padding=-1), "padding to be an integer >= 0, received padding=-1"),
        (
            lambda: Conv2D(1, 2, 3, padding="valid"),
            "an integer >= 0 or a pair of them or 'same', received padding='valid': 0 is none",
        ),
        (lambda: Conv1D(1, 2, (3, 3)), r"kernel to be an integer >= 1, received kernel=\(3, 3\)"),
    ],
)
def test_arguments_that_are_no_sizes_are_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_dy_may_be_lists():
    layer = Conv2D(1, 1, 2, weight_init=ones).build()
    layer.forward(np.ones((1, 1, 2, 2), np.float32))
    np.testing.assert_array_equal(layer.backward([[[[3.0]]]]), np.full((1, 1, 2, 2), 3))


def test_dy_of_another_shape_is_refused():
    layer = Conv2D(1, 2, 3).build()
    layer.forward(np.zeros((2, 1, 5, 5), np.float32))
    with pytest.raises(ShapeError, match=r"expected dy of shape \(2, 2, 3, 3\)"):
        layer.backward(np.zeros((2, 2, 5, 5), np.float32))


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (Conv2D(3, 8, 5), None, (8, None, None)),
        (Conv2D(3, 8, 5, stride=2), (3, 32, None), (8, 14, None)),
        (Conv2D(3, 8, 5, padding="same", stride=2), (3, 33, 32), (8, 17, 16)),
        (Conv1D(3, 8, 5), None, (None, 8)),
        (Conv1D(3, 8, 5), (9, 3), (5, 8)),
    ],
)
def test_the_shape_of_the_output_is_known_as_far_as_that_of_the_input_is(layer, shape, expected):
    assert layer.output_shape(shape) == expected


def test_convolutions_that_do_not_fit_are_refused_when_they_are_built():
    with pytest.raises(
        ShapeError, match=r"expected input rows of shape \(4, \?, \?\), received rows of shape \(8, \?, \?\)"
    ):
        Sequential(Conv2D(3, 8, 3), ReLU(), Conv2D(4, 8, 3)).build()
    with pytest.raises(ShapeError, match="at least"):
        Conv2D(3, 8, 5).output_shape((3, 4, 4))
    with pytest.raises(ShapeError, match=r"at least \(1, 1\) long"):  # whatever the kernel
        Conv2D(3, 8, 5, padding="same").output_shape((3, 0, 4))

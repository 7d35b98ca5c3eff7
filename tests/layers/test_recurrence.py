import numpy as np
import pytest

from minidl import GRU, LSTM, RNN, Linear, Sequential, ShapeError, SoftmaxCrossEntropy
from minidl.initializers import glorot_uniform, ones

X = np.linspace(-1, 1, 4 * 5 * 2, dtype=np.float32).reshape(4, 5, 2)
KINDS = pytest.mark.parametrize("kind", [RNN, LSTM, GRU])


def both(layer, x, dy):
    return layer.forward(x), layer.backward(dy), layer.parameters.grad.copy()


# Shapes


@KINDS
def test_all_steps_or_the_last_one_come_back(kind):
    every, last = kind(2, 3).build(seed=1), kind(2, 3, last=True).build(seed=1)
    y = every.forward(X)
    assert y.shape == (4, 5, 3)
    np.testing.assert_array_equal(last.forward(X), y[:, -1])
    assert every.output_shape(None) == (None, 3)
    assert every.output_shape((7, 2)) == (7, 3)
    assert last.output_shape(None) == last.output_shape((7, 2)) == (3,)


@KINDS
def test_the_gradient_of_the_last_step_is_that_of_zeros_elsewhere(kind):
    every, last = kind(2, 3).build(seed=1), kind(2, 3, last=True).build(seed=1)
    dy = np.ones((4, 3), np.float32)
    padded = np.zeros((4, 5, 3), np.float32)
    padded[:, -1] = dy
    for a, b in zip(both(every, X, padded)[1:], both(last, X, dy)[1:], strict=True):
        np.testing.assert_array_equal(a, b)


@KINDS
def test_a_step_knows_what_was_before_it_and_not_what_comes(kind):
    layer = kind(2, 3).build(seed=1)
    y = layer.forward(X)
    changed = X.copy()
    changed[:, 2] += 1
    after = layer.forward(changed)
    np.testing.assert_array_equal(after[:, :2], y[:, :2])
    assert (after[:, 2:] != y[:, 2:]).all()
    np.testing.assert_array_equal(layer.forward(np.ascontiguousarray(X[:, :3])), y[:, :3])


@KINDS
def test_gradients_reach_the_first_step(kind):
    layer = kind(2, 3, last=True).build(seed=1)
    layer.forward(X)
    assert layer.backward(np.ones((4, 3), np.float32))[:, 0].all()


@KINDS
@pytest.mark.parametrize("shape", [(0, 5, 2), (1, 1, 2), (4, 1, 2), (1, 5, 2)])
def test_no_rows_one_row_and_one_step_are_taken(kind, shape):
    for last in (False, True):
        layer = kind(2, 3, last=last).build(seed=0)
        layer.parameters.grad[...] = np.nan
        y = layer.forward(np.ones(shape, np.float32))
        assert y.shape == ((shape[0], 3) if last else (*shape[:2], 3))
        assert layer.backward(np.ones_like(y)).shape == shape
        assert np.isfinite(layer.parameters.grad).all()


@KINDS
def test_the_memory_layout_of_x_and_dy_does_not_matter(kind):
    layer, dy = kind(2, 3).build(seed=0), np.linspace(0, 1, 60, dtype=np.float32).reshape(4, 5, 3)
    expected = both(layer, X, dy)
    strided = np.repeat(X, 2, axis=1)[:, ::2], np.asfortranarray(dy)
    for a, b in zip(both(layer, *strided), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@KINDS
def test_float32_stays_and_is_close_to_float64(kind):
    for last in (False, True):
        single, double = (kind(2, 3, last=last).build(seed=3, dtype=dtype) for dtype in (np.float32, np.float64))
        y = single.forward(X)
        dx = single.backward(np.ones_like(y))
        exact = double.forward(X.astype(np.float64))
        assert y.dtype == dx.dtype == np.float32
        np.testing.assert_allclose(y, exact, atol=1e-6)
        np.testing.assert_allclose(dx, double.backward(np.ones_like(exact)), atol=1e-5)


@KINDS
def test_without_the_need_of_dx_the_gradients_of_the_parameters_are_the_same_bits(kind):
    layer, dy = kind(2, 3).build(seed=0), np.ones((4, 5, 3), np.float32)
    _, _, expected = both(layer, X, dy)
    layer.needs_dx = False
    np.testing.assert_array_equal(both(layer, X, dy)[2], expected)


@KINDS
def test_backward_may_be_asked_twice(kind):
    layer, dy = kind(2, 3).build(seed=0), np.ones((4, 5, 3), np.float32)
    _, dx, gradient = both(layer, X, dy)
    np.testing.assert_array_equal(layer.backward(dy), dx)
    np.testing.assert_array_equal(layer.parameters.grad, gradient)


# What they start from


@KINDS
def test_every_gate_starts_as_a_matrix_of_its_own(kind):
    layer = kind(50, 40).build(seed=0, dtype=np.float64)
    bound = np.sqrt(6 / 90)
    for gate in range(layer.gates):
        W, U = (p.value[:, 40 * gate : 40 * (gate + 1)] for p in (layer.weight, layer.recurrent))
        np.testing.assert_allclose(U @ U.T, np.eye(40), atol=1e-12)
        assert 0.95 * bound < abs(W).max() <= bound


def test_the_forget_gate_of_an_lstm_starts_open_and_all_other_biases_at_zero():
    np.testing.assert_array_equal(LSTM(2, 3).build().bias.value, [0] * 3 + [1] * 3 + [0] * 6)
    np.testing.assert_array_equal(LSTM(2, 1, forget_bias=2.5).build().bias.value, [0, 2.5, 0, 0])
    for layer in RNN(2, 3).build(), GRU(2, 3).build():
        assert not any(p.value.any() for name, p in layer.parameters.named.items() if name.endswith("bias"))


@KINDS
def test_biases_are_not_decayed_and_initializers_can_be_chosen(kind):
    layer = kind(2, 3, weight_init=ones, recurrent_init=glorot_uniform).build()
    assert (layer.weight.value == 1).all()
    assert {name for name, p in layer.parameters.named.items() if p.decay} == {"weight", "recurrent"}


# What they refuse


@KINDS
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((4, 5, 3), np.float32), r"expected x of shape \(n, \?, 2\) .* received x.shape=\(4, 5, 3\)"),
        (np.ones((4, 2), np.float32), r"received x.shape=\(4, 2\)"),
        (np.ones((4, 5, 2)), r"x.dtype=float64: cast the data once with x.astype\(np.float32\)"),
        (np.ones((4, 0, 2), np.float32), r"at least one time step, received x.shape=\(4, 0, 2\)"),
    ],
)
def test_another_input_is_refused(kind, x, message):
    with pytest.raises(ShapeError, match=message):
        kind(2, 3).build().forward(x)


@KINDS
def test_a_gradient_of_another_shape_is_refused(kind):
    for last, shape in ((True, (4, 5, 3)), (False, (4, 3))):
        layer = kind(2, 3, last=last).build()
        layer.forward(X)
        with pytest.raises(ShapeError, match="expected dy of shape"):
            layer.backward(np.ones(shape, np.float32))


@KINDS
def test_wrong_arguments_are_refused(kind):
    with pytest.raises(ValueError, match="features to be an integer >= 1, received features=0"):
        kind(2, 0)
    with pytest.raises(TypeError, match=r"expected last to be True .* received last='yes'"):
        kind(2, 3, last="yes")
    with pytest.raises(TypeError, match="expected init to be a function"):
        kind(2, 3, weight_init="glorot")
    with pytest.raises(ValueError, match="forget_bias"):
        LSTM(2, 3, forget_bias=np.inf)


@KINDS
def test_neighbours_are_checked_at_build(kind):
    with pytest.raises(ShapeError, match=r"expected input rows of shape \(\?, 4\), received rows of shape \(\?, 3\)"):
        Sequential(kind(2, 3), kind(4, 3)).build()
    with pytest.raises(ShapeError):
        Sequential(kind(2, 3, last=True), kind(3, 3)).build()


def test_a_model_of_several_kinds_shows_its_shapes_and_gives_a_loss_for_every_step():
    model = Sequential(GRU(2, 4), LSTM(4, 5), RNN(5, 3), Linear(3, 6)).build(input_shape=(9, 2))
    assert [line.split("(n, ")[1].split(")")[0] for line in str(model).splitlines()[2:]] == [
        "9, 4",
        "9, 5",
        "9, 3",
        "9, 6",
    ]
    loss = SoftmaxCrossEntropy()
    loss.forward(model.forward(np.ones((2, 9, 2), np.float32)), np.zeros((2, 9), int))
    model.backward(loss.backward())
    assert np.isfinite(model.parameters.grad).all()

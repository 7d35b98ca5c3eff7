import numpy as np
import pytest

from minidl import Layer, Linear, Parallel, Parameter, ReLU, Residual, Sequential, ShapeError, Sigmoid, Tanh
from minidl.initializers import ones
from minidl.layers.shapes import Open

X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)


class Noting(Layer):
    """y = x, noting which hint its backward was given."""

    def __init__(self):
        self.hints = []

    def forward(self, x):
        return x

    def backward(self, dy):
        self.hints.append(self.needs_dx)
        return dy

    def output_shape(self, shape):
        return shape


class Scaled(Noting):
    """y = g x, noting the same."""

    def __init__(self):
        super().__init__()
        self.gain = Parameter((1,), ones, decay=False)

    def forward(self, x):
        self.x = x
        return self.gain.value * x

    def backward(self, dy):
        self.gain.grad = np.sum(self.x * dy).reshape(1)
        return self.gain.value * super().backward(dy)


class Nothing(Layer):
    """y = x, and no gradient."""

    def forward(self, x):
        return x

    def backward(self, dy):
        return None


class Failing(Noting):
    def backward(self, dy):
        raise ZeroDivisionError("in backward")


# What they compute


def test_a_residual_adds_what_its_layers_return_to_x():
    block = Residual(Linear(4, 3), Tanh(), Linear(3, 4)).build(seed=1)
    f = Sequential(*block.layers)
    np.testing.assert_array_equal(block.forward(X), X + f.forward(X))
    dy = np.ones_like(X)
    np.testing.assert_array_equal(block.backward(dy), dy + f.backward(dy))


def test_a_residual_of_nothing_doubles():
    np.testing.assert_array_equal(Residual().build().forward(X), 2 * X)


def test_outputs_of_branches_are_added_or_put_side_by_side():
    branches = Linear(4, 3), Sequential(Linear(4, 3), Sigmoid()), Linear(4, 3)
    total = Parallel(*branches).build(seed=2)
    each = [branch.forward(X) for branch in branches]
    np.testing.assert_array_equal(total.forward(X), each[0] + each[1] + each[2])
    np.testing.assert_array_equal(Parallel(*branches, join="features").forward(X), np.concatenate(each, axis=1))


def test_channels_are_the_axis_behind_the_rows_and_features_the_last_one():
    images = np.ones((2, 3, 4, 5), np.float32)
    assert Parallel(ReLU(), Tanh(), join="channels").forward(images).shape == (2, 6, 4, 5)
    assert Parallel(ReLU(), Tanh(), join="features").forward(images).shape == (2, 3, 4, 10)


def test_a_branch_of_nothing_hands_x_on():
    both = Parallel(Sequential(), Linear(4, 2), join="features").build()
    np.testing.assert_array_equal(both.forward(X)[:, :4], X)


@pytest.mark.parametrize("join", ["sum", "features", "channels"])
def test_one_branch_is_that_branch(join):
    one = Parallel(Linear(4, 2), join=join).build()
    np.testing.assert_array_equal(one.forward(X), one[0].forward(X))
    dy = np.ones((5, 2), np.float32)
    np.testing.assert_array_equal(one.backward(dy), one[0].backward(dy))


def test_they_have_a_length_iterate_and_index():
    for container in Residual(Sigmoid(), Tanh()), Parallel(Sigmoid(), Tanh()):
        assert len(container) == len(list(container)) == 2
        assert container[-1] is container.layers[1]


# Shapes


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Residual(Linear(4, 3)),
            r"expected layers that keep the shape of x, received rows of an unknown shape",
        ),
        (lambda: Sequential(Linear(2, 4), Residual(Linear(4, 3))), r"rows of shape \(4,\) that become \(3,\): mind"),
        (
            lambda: Parallel(Linear(4, 3), Linear(4, 2)),
            r"outputs of one shape, received rows of shape \(3,\) and \(2,\)",
        ),
        (lambda: Parallel(Linear(4, 3), Linear(5, 3)), None),
        (lambda: Residual(Parallel(Tanh(), Linear(4, 4), join="features")), None),
    ],
)
def test_sizes_that_do_not_fit_are_found_at_build(make, message):
    with pytest.raises(ShapeError, match=message):
        make().build(input_shape=None if message else (4,))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Residual(Linear(4, 3)), r"x.shape=\(5, 4\) and f\(x\).shape=\(5, 3\)"),
        (Residual(Linear(4, 1)), r"x.shape=\(5, 4\) and f\(x\).shape=\(5, 1\)"),
        (
            Parallel(Linear(4, 1), Linear(4, 3)),
            r"outputs of one shape, received outputs of shape \(5, 1\) and \(5, 3\)",
        ),
    ],
)
def test_what_numpy_would_broadcast_is_refused_where_shapes_were_unknown(layer, message):
    for inner in layer:
        inner.build()
    with pytest.raises(ShapeError, match=message):
        layer.forward(X)


def test_side_by_side_all_axes_but_one_must_be_the_same():
    images, rows = np.ones((2, 3, 4, 5), np.float32), np.ones(3, np.float32)

    class Cropped(Noting):
        def forward(self, x):
            return x[:, :, 1:]

    with pytest.raises(
        ShapeError, match=r"differ in their number of channels only, received outputs of shape \(2, 3, 4"
    ):
        Parallel(ReLU(), Cropped(), join="channels").forward(images)
    with pytest.raises(ShapeError, match="number of features only"):
        Parallel(ReLU(), Tanh(), join="features").forward(rows)


def test_numbers_without_an_axis_cannot_stand_side_by_side():
    class Total(Noting):
        def output_shape(self, shape):
            return ()

    with pytest.raises(ShapeError, match=r"number of features only, received rows of shape \(\)"):
        Parallel(Total(), join="features").build(input_shape=(4,))


def test_shapes_are_known_as_far_as_they_can_be():
    both = Parallel(Linear(4, 3), Linear(4, 2), join="features")
    assert both.output_shape((7, 4)) == (7, 5)
    assert both.output_shape(None) == (5,)
    assert isinstance(both.output_shape(None), Open)
    assert Parallel(Linear(4, 3), Nothing()).output_shape((7, 4)) == (7, 3)
    assert Parallel(Linear(4, 3), Nothing(), join="features").output_shape((7, 4)) == (7, None)
    assert Parallel(ReLU(), Tanh(), join="channels").output_shape((3, None, 8)) == (6, None, 8)
    assert Parallel(Nothing()).output_shape((4,)) is None
    assert Parallel(Linear(4, 3), Linear(4, 2), join="channels").output_shape(None) is None  # which axis is the first?
    assert Residual(Nothing()).output_shape((4,)) == (4,)
    assert Residual(Linear(4, 4)).output_shape((None, 4)) == (None, 4)


def test_their_inner_layers_stand_indented_in_the_table_with_their_shapes():
    model = Sequential(Parallel(Linear(4, 2), Residual(Tanh()), join="features"), Linear(6, 1)).build(
        input_shape=(9, 4)
    )
    assert str(model).splitlines()[2:] == [
        "0      Parallel of 2    (n, 9, 6)          10",
        "0.0      Linear(4, 2)   (n, 9, 2)          10",
        "0.1      Residual of 1  (n, 9, 4)           0",
        "0.1.0      Tanh()       (n, 9, 4)           0",
        "1      Linear(6, 1)     (n, 9, 1)           7",
    ]
    assert str(Residual(Tanh())).startswith("Residual: 1 layer, 0 parameters")


# Refusals


def test_what_is_no_branch_and_no_join_is_refused():
    with pytest.raises(TypeError, match=r"received branches\[1\]=<class .*: write Sigmoid\(\.\.\.\)"):
        Parallel(Tanh(), Sigmoid)
    with pytest.raises(ValueError, match="at least one branch, received none"):
        Parallel()
    with pytest.raises(ValueError, match=r'"features" \(side by side .* received join=\'concatenate\''):
        Parallel(Tanh(), join="concatenate")
    with pytest.raises(TypeError, match=r"received layers\[0\]=<class .*: write Sigmoid"):
        Residual(Sigmoid)


def test_an_error_inside_says_where():
    block, both = Residual(Tanh(), Failing()).build(), Parallel(Tanh(), Failing()).build()
    for layer, note in (
        (block, "in layer 1 of 2 of a Residual: Failing()"),
        (both, "in branch 1 of 2 of a Parallel: Failing()"),
    ):
        with pytest.raises(ZeroDivisionError) as error:
            layer.backward(layer.forward(X))
        assert error.value.__notes__ == [note]


@pytest.mark.parametrize("layer", [Residual(Nothing()), Parallel(Tanh(), Nothing())])
def test_a_gradient_that_is_missing_is_named(layer):
    layer.build()
    with pytest.raises(TypeError, match=r"Nothing\(\), returned None: it must return dL/dx"):
        layer.backward(layer.forward(X))


@pytest.mark.parametrize("layer", [Residual(Tanh()), Parallel(Tanh()), Parallel(Tanh(), Tanh(), join="features")])
def test_a_gradient_of_another_shape_is_refused(layer):
    layer.build()
    layer.forward(X)
    with pytest.raises(ShapeError, match="expected dy of shape"):
        layer.backward(np.ones((5, 3), np.float32))


# What need not be computed


def grads(model, x, *, needs_dx):
    model.needs_dx = needs_dx
    model.parameters.grad[:] = np.nan
    dx = model.backward(np.ones_like(model.forward(x)))
    model.needs_dx = True
    return model.parameters.grad.copy(), dx


def test_a_residual_skips_what_is_below_its_first_trainable_layer():
    below, trained, above = Noting(), Scaled(), Noting()
    model = Residual(below, trained, above).build()
    expected, _ = grads(model, X, needs_dx=True)
    np.testing.assert_array_equal(grads(model, X, needs_dx=False)[0], expected)
    assert (below.hints, trained.hints, above.hints) == ([True], [True, False], [True, True])


def test_a_parallel_skips_branches_without_anything_to_train():
    plain, trained = Noting(), Scaled()
    model = Parallel(plain, trained).build()
    expected, _ = grads(model, X, needs_dx=True)
    np.testing.assert_array_equal(grads(model, X, needs_dx=False)[0], expected)
    assert (plain.hints, trained.hints) == ([True], [True, False])


@pytest.mark.parametrize("container", [Residual, Parallel])
def test_what_is_frozen_is_skipped_and_what_thaws_is_not(container):
    first, second = Scaled(), Scaled()
    model = Sequential(container(first), second).build()
    model.parameters.freeze("0.*")
    grads(model, X, needs_dx=False)
    assert (first.hints, second.hints) == ([], [False])
    model.parameters.unfreeze()
    grads(model, X, needs_dx=False)
    assert (first.hints, second.hints) == ([False], [False, True])


@pytest.mark.parametrize("container", [Residual, Parallel])
def test_a_class_below_with_a_parameter_of_its_own_gets_dx_in_any_case(container):
    class Gained(container):
        def __init__(self, *layers):
            super().__init__(*layers)
            self.own = Parameter((1,), ones)

        def forward(self, x):
            self.x = x
            return super().forward(self.own.value * x)

        def backward(self, dy):
            dx = super().backward(dy)
            self.own.grad = np.sum(self.x * dx).reshape(1)
            return self.own.value * dx

    model = Gained(Scaled()).build()
    np.testing.assert_array_equal(grads(model, X, needs_dx=False)[0], grads(model, X, needs_dx=True)[0])


@pytest.mark.parametrize("layer", [Residual(Linear(4, 4)), Parallel(Linear(4, 2), Linear(4, 2), join="features")])
def test_no_rows_give_no_rows_and_gradients_of_zero(layer):
    layer.build()
    dx = layer.backward(layer.forward(X[:0]))
    assert dx.shape == (0, 4)
    assert not layer.parameters.grad.any()

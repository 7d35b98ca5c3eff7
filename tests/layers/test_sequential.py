import numpy as np
import pytest

from minidl import SGD, Layer, Linear, Parameter, ReLU, Sequential, ShapeError, Sigmoid
from minidl.initializers import ones

X = np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4)


class Unknown(Layer):
    """y = x, by a layer that does not say what shape it gives, and notes what was called."""

    def __init__(self):
        self.calls = []

    def forward(self, x):
        self.calls.append("forward")
        return x.copy()

    def backward(self, dy):
        self.calls.append("backward")
        return dy.copy()


class RowSum(Layer):
    """y = sum_k x_k: (n, k) -> (n,)."""

    def forward(self, x):
        self.shape = x.shape
        return x.sum(axis=1)

    def backward(self, dy):
        return np.broadcast_to(dy[:, None], self.shape)

    def output_shape(self, shape):
        return ()


class Failing(Unknown):
    def backward(self, dy):
        raise ZeroDivisionError("in backward")


class Gain(Layer):
    """y = x times one number, its only parameter, which is kept in a list."""

    def __init__(self):
        self.kept = [Parameter((), ones)]

    def forward(self, x):
        self.x = x
        return x * self.kept[0].value

    def backward(self, dy):
        self.kept[0].grad = (self.x * dy).sum()
        return dy * self.kept[0].value


def nested():
    return Sequential(Sequential(Linear(4, 3), Sigmoid()), Linear(3, 2))


def note(position, length, layer):
    return f"in layer {position} of {length} of a Sequential: {layer}"


# Containers


def test_a_model_has_a_length_iterates_and_indexes_from_both_ends():
    layers = Linear(4, 3), Sigmoid(), Linear(3, 2)
    model = Sequential(*layers)
    assert len(model) == 3
    assert all(a is b for a, b in zip(model, layers, strict=True))
    assert model[0] is model[-3] is layers[0]
    assert model[np.int64(2)] is model[-1] is layers[2]
    for position in (3, -4):
        with pytest.raises(IndexError):
            model[position]


@pytest.mark.parametrize("piece", [slice(1), slice(None, -1), slice(1, None), slice(None, None, 2), slice(0)])
def test_a_slice_is_a_sequential_of_the_very_same_layers(piece):
    model = Sequential(Linear(4, 4), Sigmoid(), Linear(4, 4)).build()
    part = model[piece]
    assert isinstance(part, Sequential)
    assert all(a is b for a, b in zip(part, model.layers[piece], strict=True))
    expected = X
    for layer in model.layers[piece]:
        expected = layer.forward(expected)
    np.testing.assert_array_equal(part.predict(X), expected)


def test_a_slice_shares_its_weights_with_the_model():
    model = nested().build()
    part = model[:1]
    before = part.predict(X)
    model.parameters.value *= 2
    assert not np.allclose(part.predict(X), before)
    assert np.shares_memory(part[0][0].weight.value, model.parameters.value)


def test_an_empty_model_is_the_identity():
    model = Sequential().build()
    np.testing.assert_array_equal(model.forward(X), X)
    np.testing.assert_array_equal(model.backward(X), X)
    assert (len(model), model.parameters.size, model.output_shape((4,))) == (0, 0, (4,))
    assert not np.shares_memory(model.predict(X), X)


@pytest.mark.parametrize("wrong", [Sigmoid, [Sigmoid()], None, np.tanh])
def test_anything_but_layer_objects_is_refused_with_its_position(wrong):
    with pytest.raises(TypeError, match=r"expected layer objects, received layers\[1\]="):
        Sequential(Sigmoid(), wrong)


@pytest.mark.parametrize(
    ("wrong", "advice"), [([Sigmoid()], "drop the brackets, or write \\*layers"), (Sigmoid, r"write Sigmoid\(\.\.\.\)")]
)
def test_a_list_and_a_class_are_told_what_to_write(wrong, advice):
    with pytest.raises(TypeError, match=advice):
        Sequential(wrong)


def test_nesting_changes_neither_names_order_nor_result():
    flat, inside = Sequential(Linear(4, 3), Sigmoid(), Linear(3, 2)).build(seed=3), nested().build(seed=3)
    assert list(inside.parameters.named) == ["0.0.weight", "0.0.bias", "1.weight", "1.bias"]
    np.testing.assert_array_equal(inside.forward(X), flat.forward(X))
    dy = np.ones((5, 2), np.float32)
    np.testing.assert_array_equal(inside.backward(dy), flat.backward(dy))
    np.testing.assert_array_equal(inside.parameters.grad, flat.parameters.grad)


# The table


def test_printing_a_model_shows_its_table():
    assert str(Sequential(nested(), ReLU(), Linear(2, 1000)).build(dtype=np.float64)) == (
        "Sequential: 3 layers, 3 023 parameters, float64\n"
        "       layer              output     parameters\n"
        "0      Sequential of 2    (n, 2)             23\n"
        "0.0      Sequential of 2  (n, 3)             15\n"
        "0.0.0      Linear(4, 3)   (n, 3)             15\n"
        "0.0.1      Sigmoid()      (n, 3)              0\n"
        "0.1      Linear(3, 2)     (n, 2)              8\n"
        "1      ReLU()             (n, 2)              0\n"
        "2      Linear(2, 1000)    (n, 1000)       3 000"
    )


def test_the_table_of_a_model_not_built_says_so_and_shapes_that_nobody_knows_are_question_marks():
    assert str(Sequential(Sigmoid(), Linear(4, 3), Unknown(), Gain(), Linear(3, 2), RowSum())) == (
        "Sequential: 6 layers, 24 parameters, not built yet\n"
        "     layer         output  parameters\n"
        "0    Sigmoid()     ?                0\n"
        "1    Linear(4, 3)  (n, 3)          15\n"
        "2    Unknown()     ?                0\n"
        "3    Gain()        ?                1\n"
        "4    Linear(3, 2)  (n, 2)           8\n"
        "5    RowSum()      (n,)             0"
    )


def test_the_table_of_a_part_of_a_built_model_knows_that_it_is_built():
    model = nested().build()
    for part in (model[0], model[:1], model[1:]):
        assert str(part).splitlines()[0].endswith("parameters, float32")


def test_a_model_whose_widths_do_not_fit_can_still_be_printed():
    assert str(Sequential(Linear(4, 3), Linear(5, 2), Linear(2, 1))).splitlines()[2:] == [
        "0    Linear(4, 3)  (n, 3)          15",
        "1    Linear(5, 2)  ?               12",
        "2    Linear(2, 1)  (n, 1)           3",
    ]


def test_the_repr_is_the_call_on_one_line():
    text = "Sequential(Sequential(Linear(4, 3), Sigmoid()), Linear(3, 2))"
    assert repr(nested()) == repr(nested().build()) == text


# Errors and their places


@pytest.mark.parametrize(
    ("model", "notes"),
    [
        (Sequential(Linear(4, 3), Sigmoid(), Linear(5, 2)), [note(2, 3, "Linear(5, 2)")]),
        (Sequential(Linear(4, 3), Sequential(), Linear(5, 2)), [note(2, 3, "Linear(5, 2)")]),
        (
            Sequential(Linear(4, 3), Sequential(Sigmoid(), Linear(5, 2)), Sigmoid()),
            [note(1, 2, "Linear(5, 2)"), note(1, 3, "Sequential(Sigmoid(), Linear(5, 2))")],
        ),
        (
            Sequential(Sequential(Linear(4, 3)), Linear(5, 2)),
            [note(1, 2, "Linear(5, 2)")],
        ),
    ],
)
def test_widths_that_do_not_fit_are_found_at_build_and_the_layer_is_named(model, notes):
    with pytest.raises(ShapeError, match=r"rows of shape \(5,\), received rows of shape \(3,\): change in_f") as error:
        model.build()
    assert error.value.__notes__ == notes


def test_a_wrong_input_names_the_position_of_the_layer_at_every_level():
    with pytest.raises(ShapeError, match=r"received x.shape=\(2, 7\)") as error:
        nested().build().forward(np.zeros((2, 7), np.float32))
    assert error.value.__notes__ == [
        note(0, 2, "Linear(4, 3)"),
        note(0, 2, "Sequential(Linear(4, 3), Sigmoid())"),
    ]


def test_a_width_that_no_one_knew_at_build_is_found_at_forward():
    model = Sequential(Linear(4, 3), Unknown(), Linear(5, 2)).build()
    with pytest.raises(ShapeError) as error:
        model.predict(X)
    assert error.value.__notes__ == [note(2, 3, "Linear(5, 2)")]


def test_an_error_in_backward_names_the_position_too():
    model = Sequential(Linear(4, 3), Sequential(Failing(), Sigmoid())).build()
    dy = model.forward(X)
    with pytest.raises(ZeroDivisionError) as error:
        model.backward(dy)
    assert error.value.__notes__ == [note(0, 2, "Failing()"), note(1, 2, "Sequential(Failing(), Sigmoid())")]


def test_backward_before_forward_says_so_and_where():
    with pytest.raises(AttributeError, match=r"Linear has no attribute 'shape': .*forward") as error:
        nested().build().backward(np.ones((5, 2), np.float32))
    assert error.value.__notes__ == [note(1, 2, "Linear(3, 2)")]


@pytest.mark.parametrize("make", [Sigmoid, lambda: Linear(4, 4), lambda: Sequential(Linear(4, 4))])
def test_the_same_object_in_two_places_is_refused(make):
    layer = make()
    for model in (Sequential(layer, layer), Sequential(layer, Sequential(Sigmoid(), layer))):
        with pytest.raises(ValueError, match=r"every layer in one place only, received .*make a second instance"):
            model.build()


# The gradient nobody needs


def gradients(model, *, needs_dx):
    model.needs_dx = needs_dx
    model.parameters.grad[:] = np.nan
    model.backward(np.ones_like(model.forward(X)))
    return model.parameters.grad.copy()


@pytest.mark.parametrize(
    "make",
    [
        lambda below, above: Sequential(below, Linear(4, 3), above, Linear(3, 2)),
        lambda below, above: Sequential(below, Sequential(Linear(4, 3), above), Linear(3, 2)),
        lambda below, above: Sequential(Sequential(below, Linear(4, 3)), above, Linear(3, 2)),
        lambda below, above: Sequential(Sequential(below), Sequential(Sigmoid(), Linear(4, 3), above), Linear(3, 2)),
        lambda below, above: Sequential(below, Gain(), above, Linear(4, 2)),
    ],
    ids=["flat", "nested above", "nested below", "both nested", "custom layer"],
)
def test_without_the_need_of_dx_nothing_below_the_first_trainable_layer_is_computed(make):
    below, above = Unknown(), Unknown()
    model = make(below, above).build()
    expected = gradients(model, needs_dx=True)
    assert below.calls == above.calls == ["forward", "backward"]
    below.calls.clear()
    np.testing.assert_array_equal(gradients(model, needs_dx=False), expected)
    assert (below.calls, above.calls) == (["forward"], ["forward", "backward"] * 2)


def test_without_the_need_of_dx_a_model_with_nothing_to_train_computes_nothing():
    layer = Unknown()
    gradients(Sequential(layer, Sequential(Sigmoid())).build(), needs_dx=False)
    assert layer.calls == ["forward"]


def test_a_layer_called_by_hand_after_the_model_gives_its_dx():
    inner = Linear(4, 4)
    model = Sequential(Sequential(inner), Sigmoid()).build()
    gradients(model, needs_dx=False)
    dy = np.ones((5, 4), np.float32)
    for layer in (inner, model[0]):
        np.testing.assert_array_equal(layer.backward(dy), dy @ inner.weight.value.T)


# Training


def test_parameters_of_a_custom_layer_are_trained_with_the_others():
    model = Sequential(Linear(4, 3), Gain(), Linear(3, 2)).build(seed=1)
    assert list(model.parameters.named) == ["0.weight", "0.bias", "1.kept.0", "2.weight", "2.bias"]
    before = model.parameters.snapshot()
    model.backward(np.ones_like(model.forward(X)))
    SGD(0.1).step(model.parameters)
    changed = {name: (value != before[name]).all() for name, value in model.parameters.snapshot().items()}
    assert changed == dict.fromkeys(before, True)


def test_widths_inside_a_layer_of_unknown_shape_are_checked_at_build():
    class Holder(Layer):
        def __init__(self):
            self.inner = Sequential(Linear(2, 3), Linear(4, 1))

    with pytest.raises(ShapeError, match="received rows of shape"):
        Sequential(Holder()).build()


def test_the_table_counts_in_the_singular_too():
    assert str(Sequential(Linear(1, 1, bias=False))).startswith("Sequential: 1 layer, 1 parameter, not built yet")


def test_a_first_layer_without_an_input_gradient_may_return_none():
    class First(Linear):
        def backward(self, dy):
            super().backward(dy)

    model = Sequential(First(2, 3), Linear(3, 1)).build(seed=0)
    model.forward(np.ones((2, 2), np.float32))
    assert model.backward(np.ones((2, 1), np.float32)) is None
    assert model[0].weight.grad.any()

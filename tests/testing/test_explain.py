"""explain: element by element, without hypothesis."""

import numpy as np
import pytest

from minidl.initializers import zeros
from minidl.layers import Hinge, Layer, Linear, MeanSquaredError, ReLU, Sequential, Tanh
from minidl.parameters import Parameter, State
from minidl.testing import explain


def test_every_element_of_input_and_parameters_has_a_row():
    table = explain(Linear(2, 3), [[1.0, 2.0]])
    elements = [row.element for row in table.rows]
    assert elements == ["x[0, 0]", "x[0, 1]", *(f"weight[{i}, {j}]" for i in range(2) for j in range(3))] + [
        f"bias[{j}]" for j in range(3)
    ]
    assert table.agrees
    assert [row.analytic for row in table.rows[-3:]] == [1, 2, 3]


def test_a_wrong_element_is_marked(wrong):
    table = explain(wrong["LastFeature"](), [[0.5, 0.25]])
    assert [row.verdict for row in table.rows] == ["ok", "WRONG"]
    assert not table.agrees
    assert str(table).endswith("WRONG")
    assert table.rows[1].analytic == pytest.approx(3 * table.rows[1].numeric)


def test_a_kink_is_not_a_mistake_but_a_choice():
    row = explain(ReLU(), [[0.0]]).rows[0]
    assert (row.verdict, row.left, row.right) == ("kink", 0, 1)


def test_a_built_layer_is_looked_at_where_it_stands_and_left_alone():
    layer = Sequential(Linear(2, 2), Tanh()).build(seed=3)
    before = layer.parameters.value.copy()
    table = explain(layer, [[1.0, -1.0]])
    values = {row.element: row.value for row in table.rows}
    assert values["0.weight[0, 1]"] == before[1]
    np.testing.assert_array_equal(layer.parameters.value, before)
    assert layer.parameters.value.dtype == np.float32


def test_a_layer_inside_a_model_can_be_looked_at():
    model = Sequential(Linear(2, 2), Tanh()).build(seed=3)
    assert explain(model[0], [[1.0, -1.0]]).agrees


def test_states_and_the_mode_are_respected():
    class Scaled(Layer):
        def __init__(self):
            self.scale = State((1,), zeros)

        def forward(self, x):
            self.factor = 3.0 if self.training else float(self.scale.value[0])
            return x * x.dtype.type(self.factor)

        def backward(self, dy):
            return dy * dy.dtype.type(self.factor)

    layer = Scaled().build()
    layer.scale.value += 2
    assert explain(layer, [[1.0]]).rows[0].analytic == 2
    assert explain(layer, [[1.0]], training=True).rows[0].analytic == 3


def test_a_loss_is_explained_with_its_targets():
    table = explain(MeanSquaredError(), [[1.0], [2.0]], [[0.0], [0.0]])
    assert [row.analytic for row in table.rows] == [1, 2]
    assert table.agrees
    assert "kink" in {row.verdict for row in explain(Hinge(), [[0.0, 1.0]], [1]).rows}


@pytest.mark.parametrize("arguments", [(Tanh(), [[1.0]], [[1.0]]), (Hinge(), [[1.0, 2.0]])])
def test_targets_are_for_losses(arguments):
    with pytest.raises(TypeError, match=r"explain\(loss, scores, targets\)"):
        explain(*arguments)


def test_an_upstream_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"upstream of shape \(1, 2\), that of the output, received \(2,\)"):
        explain(Tanh(), [[1.0, 2.0]], upstream=[1.0, 2.0])


def test_whole_numbers_are_not_differentiated():
    class Embedding(Layer):
        def __init__(self):
            self.table = Parameter((3, 1), zeros)

        def forward(self, x):
            self.x = x
            return self.table.value[x][:, :, 0]

        def backward(self, dy):
            self.table.grad[...] = 0
            np.add.at(self.table.grad, self.x.ravel(), dy.reshape(-1, 1))

    table = explain(Embedding(), [[0, 2], [2, 2]], integers=True)
    assert [row.analytic for row in table.rows] == [1, 0, 9]
    assert table.agrees


def test_a_long_table_shows_what_is_not_plainly_right():
    x = np.ones((10, 10))
    x[3, 4] = 0
    text = str(explain(ReLU(), x))
    assert "x[3, 4]" in text
    assert "... and 99 more" in text
    assert "x[0, 0]" not in text

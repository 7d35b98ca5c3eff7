"""One step in full, on a copy."""

import numpy as np
import pytest

from minidl import (
    L2,
    LBFGS,
    SGD,
    Adam,
    ClipNorm,
    Dropout,
    Layer,
    Linear,
    MeanSquaredError,
    Parallel,
    Parameter,
    ReLU,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
)
from minidl.diagnostics import explain_step
from minidl.initializers import normal

X, LABELS = np.float32([[1, 2, 3], [0, 1, -1], [2, 0, 1]]), np.array([0, 1, 1])


def trainer(optimizer=None, **options):
    model = Sequential(Linear(3, 4), ReLU(), Dropout(0.5), Linear(4, 2)).build(seed=0)
    return Trainer(model, SoftmaxCrossEntropy(), optimizer or SGD(0.1), **options)


@pytest.mark.parametrize(
    "make", [lambda: SGD(0.1), lambda: Adam(0.1, clip=ClipNorm(0.1)), lambda: SGD(lambda step: 0.2)]
)
def test_the_arrays_are_those_of_the_step_that_the_trainer_takes_next(make):
    one = trainer(make(), regularizers=[L2(0.01)])
    one.step(X, LABELS)
    before = one.model.parameters.value.copy()
    step = explain_step(one, (X, LABELS))
    np.testing.assert_array_equal(one.model.parameters.value, before)
    assert one.optimizer.steps == 1
    cost = one.step(X, LABELS)
    assert step["loss"] + step["penalty"] == pytest.approx(cost, rel=1e-6)
    for name, parameter in one.model.parameters.named.items():
        np.testing.assert_array_equal(step[f"{name}.new"], parameter.value)
        if one.optimizer.clip is None:
            np.testing.assert_array_equal(step[f"{name}.grad"], parameter.grad)
        else:
            np.testing.assert_array_equal(step[f"{name}.clipped"], parameter.grad)


def test_forward_and_backward_go_hand_in_hand():
    step = explain_step(trainer(), (X, LABELS))
    np.testing.assert_allclose(step["0.y"], X @ step["0.weight"] + step["0.bias"], rtol=1e-5)
    np.testing.assert_array_equal(step["1.y"], np.maximum(step["0.y"], 0))
    np.testing.assert_allclose(step["0.weight.grad"], X.T @ step["0.dy"], rtol=1e-5)
    np.testing.assert_array_equal(step["0.dy"], np.where(step["0.y"] > 0, step["1.dy"], 0))
    assert step.lines[0].stage == "input"
    assert len(step) == len(step.lines) == len(list(step))


def test_a_rule_that_looks_at_several_points_and_frozen_parameters():
    one = trainer(LBFGS())
    one.model.parameters.freeze("0.*")
    step = explain_step(one, (X, LABELS))
    assert "0.weight.new" not in step
    assert "0.weight.grad" not in step
    assert [name for name in step if name.endswith(".y")] == ["0.y", "1.y", "2.y", "3.y"]


class Scaled(Layer):
    """y = a f(x), with a number for each feature: (n, features) -> the same."""

    def __init__(self, features):
        self.inside, self.a = Linear(features, features), Parameter((features,), normal(1.0))

    def forward(self, x):
        self.f = self.inside.forward(x)
        return self.a.value * self.f

    def backward(self, dy):
        self.a.grad = (dy * self.f).sum(axis=0)
        return self.inside.backward(dy * self.a.value)


def test_what_layers_make_of_those_inside_them_is_there_too():
    branches = Parallel(Linear(3, 2), Sequential(Linear(3, 2), ReLU()), join="features")
    model = Sequential(Residual(Scaled(3)), branches, Linear(4, 2)).build(seed=0)
    step = explain_step(Trainer(model, SoftmaxCrossEntropy(), SGD(0.1)), (X, LABELS))
    np.testing.assert_allclose(step["0.0.y"], step["0.0.a"] * step["0.0.inside.y"], rtol=1e-6)
    np.testing.assert_allclose(step["0.y"], X + step["0.0.y"], rtol=1e-6)
    np.testing.assert_array_equal(step["1.y"], np.hstack([step["1.0.y"], step["1.1.1.y"]]))
    np.testing.assert_allclose(step["0.0.a.grad"], (step["0.0.dy"] * step["0.0.inside.y"]).sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(step["0.0.a.new"], step["0.0.a"] - 0.1 * step["0.0.a.grad"], rtol=1e-6)
    assert "1.1.y" not in step  # a Sequential only hands on


def test_table_and_page(tmp_path):
    step = explain_step(trainer(), (X, LABELS))
    text = str(step)
    assert text.splitlines()[0].split() == ["stage", "name", "shape", "numbers", "formula"]
    assert "ReLU: y = max(0, x)\n" in text
    assert max(map(len, text.splitlines())) < 140
    step.to_html(tmp_path / "step.html")
    page = (tmp_path / "step.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == len(step) + 1
    assert "w &lt;- w - lr g" in page
    assert "http" not in page


def test_large_arrays_are_shown_by_their_corner_and_a_single_layer_has_names_too():
    one = Trainer(Linear(40, 30).build(seed=0), MeanSquaredError(), SGD(0.1))
    step = explain_step(one, (np.ones((20, 40)), np.ones((20, 30))))
    assert "(192 of 1200 numbers)" in step._repr_html_()
    assert {"y", "dy", "weight.new"} <= set(step)


def test_what_is_no_trainer_is_refused():
    with pytest.raises(TypeError, match="expected a Trainer, received Sequential"):
        explain_step(trainer().model, (X, LABELS))
    with pytest.raises(TypeError, match="expected batch to be a Dataset"):
        explain_step(trainer(), X)

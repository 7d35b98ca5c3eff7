import numpy as np
import pytest

from minidl import Layer, Linear, MeanSquaredError, Parallel, Residual, Sequential, Tanh
from minidl.initializers import normal
from minidl.layers.tracing import traced
from minidl.testing import check_model, real_targets
from minidl.training.divergence import first_not_finite

X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


class Doubled(Tanh):
    """A wrong layer."""

    def backward(self, dy):
        return 2 * super().backward(dy)


class Bursting(Tanh):
    def forward(self, x):
        return np.where(x > 0, np.inf, super().forward(x))


def test_every_call_is_noted_with_its_path_and_what_went_in_and_out():
    model = Sequential(Parallel(Linear(4, 2), Sequential(Tanh(), Linear(4, 2))), Residual(Tanh())).build()
    with traced(model) as calls:
        y = model.forward(X)
        model.backward(np.ones_like(y))
    assert [call.path for call in calls] == ["0.0", "0.1.0", "0.1.1", "0.1", "0", "1.0", "1", ""]
    np.testing.assert_array_equal(calls[-1].y, y)
    assert all(call.dy.shape == call.y.shape for call in calls)
    assert not any({"forward", "backward"} & set(vars(layer)) for layer in model.layers_inside())


def test_methods_of_an_object_of_its_own_come_back_also_after_an_error():
    layer = Tanh()
    layer.forward = own = lambda x: x
    with pytest.raises(ZeroDivisionError), traced(Sequential(layer)):
        raise ZeroDivisionError
    assert layer.forward is own


@pytest.mark.parametrize("outer", [Sequential, Residual, Parallel])
def test_the_layer_that_bursts_is_named_in_every_container(outer):
    model = Sequential(outer(Sequential(Bursting())), Tanh()).build()
    text = first_not_finite(model, X, np.nan, 0.0)
    assert "the output of layer 0.0.0, Bursting()" in text


@pytest.mark.parametrize("outer", [Sequential, Residual, Parallel])
def test_the_wrong_layer_of_a_model_is_named_in_every_container(outer):
    model = Sequential(Linear(4, 3), outer(Doubled()), Linear(3, 2))
    report = check_model(model, MeanSquaredError(), shape=("n", 4), targets=real_targets, raises=False, max_examples=5)
    assert "layer 1.0, Doubled(), has a wrong dx by itself" in str(report)


def test_a_container_that_is_wrong_by_itself_is_named_where_its_layers_are_right():
    class Forgetful(Layer):
        """x + f(x) without the gradient of x."""

        def __init__(self):
            self.inner = Linear(3, 3, weight_init=normal(0.5))

        def forward(self, x):
            return x + self.inner.forward(x)

        def backward(self, dy):
            return self.inner.backward(dy)

    model = Sequential(Linear(4, 3), Forgetful(), Linear(3, 2))
    report = check_model(model, MeanSquaredError(), shape=("n", 4), targets=real_targets, raises=False, max_examples=5)
    assert "layer 1, Forgetful(), has a wrong dx by itself" in str(report)

import numpy as np

from minidl import Layer, Linear, Sequential, Tanh


class Gated(Layer):
    """y = f(x) tanh(g(x)): a container that nobody knows of, with children in a dict and names of its own."""

    def __init__(self, features):
        self.parts = {"f": Linear(features, features), "g": Sequential(Linear(features, features), Tanh())}

    def forward(self, x):
        self.f, self.g = (part.forward(x) for part in self.parts.values())
        return self.f * self.g

    def backward(self, dy):
        return self.backward_of(self.parts["f"], dy * self.g) + self.backward_of(self.parts["g"], dy * self.f)

    def output_shape(self, shape):
        return self.parts["f"].output_shape(shape)


class Shown(Gated):
    def input_shapes(self, shape):
        return [shape, shape]


def test_a_container_that_says_what_its_layers_are_given_has_them_in_the_table():
    model = Sequential(Shown(3), Linear(3, 2)).build(input_shape=(5, 3))
    assert str(model).splitlines()[2:] == [
        "0            Shown of 2         (n, 5, 3)          24",
        "0.parts.f      Linear(3, 3)     (n, 5, 3)          12",
        "0.parts.g      Sequential of 2  (n, 5, 3)          12",
        "0.parts.g.0      Linear(3, 3)   (n, 5, 3)          12",
        "0.parts.g.1      Tanh()         (n, 5, 3)           0",
        "1            Linear(3, 2)       (n, 5, 2)           8",
    ]


def test_one_that_does_not_is_one_row():
    model = Sequential(Gated(3), Sequential(), Linear(3, 2)).build(seed=0)
    assert [line.split("(n")[0].strip() for line in str(model).splitlines()[2:]] == [
        "0    Gated(3)",
        "1    Sequential()",
        "2    Linear(3, 2)",
    ]
    assert np.isfinite(model.predict(np.ones((2, 3)))).all()

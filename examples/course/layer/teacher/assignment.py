"""What the dense layer earns: 10 points."""

import numpy as np
from hypothesis import strategies as st

from minidl import LeakyReLU, Linear
from minidl.testing import check_layer
from minidl.testing.grading import Assignment, Checks, Example

X, W, B = [[1.0, -2.0], [3.0, 0.5]], [[2.0, 0.0, 1.0], [1.0, 4.0, -1.0]], [0.5, 0.0, -1.0]
PAPER = f"for x = {X}, W = {W}, b = {B}"


def built(Dense):
    """The layer of the example on paper."""
    layer = Dense(2, 3).build(dtype=np.float64)
    layer.weight.value, layer.bias.value = np.array(W), np.array(B)
    return layer


def no_constant(Dense):
    """The derivatives of zeros are right, too: another batch must give another output."""
    layer = built(Dense)
    if np.array_equal(layer.forward(np.array(X)), layer.forward(-2 * np.array(X))):
        raise AssertionError("forward gives the same for two batches")


def forward_on_paper(Dense):
    """X W + B = [[0.5, -8, 2], [7, 2, 1.5]]."""
    y = built(Dense).forward(np.array(X))
    np.testing.assert_allclose(y, [[0.5, -1.0, 2.0], [7.0, 2.0, 1.5]], err_msg=f"y {PAPER}")


def bias_on_paper(Dense):
    """Ones from above: each row adds f'(z) to the gradient of the bias."""
    layer = built(Dense)
    layer.forward(np.array(X))
    layer.backward(np.ones((2, 3)))
    np.testing.assert_allclose(layer.bias.grad, [2.0, 1.125, 2.0], err_msg=f"dL/db {PAPER}, where each dy is 1")


ASSIGNMENT = Assignment(
    "A dense layer",
    "dense.py",
    [
        Example("Dense", "no constant", no_constant, points=0, needed=True),
        Example("Dense", "forward on paper", forward_on_paper, points=2),
        Example("Dense", "gradient of the bias on paper", bias_on_paper, points=1),
        Checks(
            "Dense",
            check_layer,
            {
                "runs": 0.5,
                "shapes and dtypes": 0.5,
                "gradients are set": 1,
                "what is given is left alone": 1,
                "backward of the newest forward": 1,
                "rows independent": 1,
                "derivatives off the grid": 1.5,
                "float32": 0.5,
            },
            shape=("n", "in_features"),
            out_features=st.integers(1, 4),
        ),
    ],
    forbids=[Linear, LeakyReLU],
    examples=25,
)

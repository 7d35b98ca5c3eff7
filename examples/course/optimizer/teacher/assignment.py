"""What Adam earns: 10 points."""

import numpy as np

from minidl import SGD, Adam, AdamW, Nadam, Parameter, Parameters
from minidl.initializers import zeros
from minidl.testing import check_optimizer
from minidl.testing.grading import Assignment, Checks, Example

LR, BETA1, BETA2, EPS = 0.125, 0.75, 0.875, 0.0625


def plainly(start, gradients):
    """The rule in plain lines, for one vector."""
    w, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for t, g in enumerate(gradients, start=1):
        m = BETA1 * m + (1 - BETA1) * g
        v = BETA2 * v + (1 - BETA2) * g**2
        w = w - LR * (m / (1 - BETA1**t)) / (np.sqrt(v / (1 - BETA2**t)) + EPS)
    return w


def moves(MyAdam):
    """Who never moves is restored by its state, spares biases, and more."""
    parameters = Parameters({"weight": Parameter((1,), zeros)}, np.random.default_rng(0), dtype=np.float64)
    parameters.grad[:] = 1.0
    MyAdam(0.5).step(parameters)
    if not parameters.value.any():
        raise AssertionError("a step with the gradient 1 left the value where it was: change it in place")


def first_step(MyAdam):
    """Corrected for their start at zero, the means are g and g**2: the first step is lr times the sign of g."""
    parameters = Parameters({"weight": Parameter((2,), zeros)}, np.random.default_rng(0), dtype=np.float64)
    parameters.grad[:] = [100.0, -0.5]
    MyAdam(0.5).step(parameters)
    given = "the values [0, 0] after one step with lr 0.5 and the gradient [100, -0.5]"
    np.testing.assert_allclose(parameters.value, [-0.5, 0.5], rtol=1e-6, err_msg=given)


ASSIGNMENT = Assignment(
    "Adam",
    "adam.py",
    [
        Example("MyAdam", "it moves", moves, points=0, needed=True),
        Example("MyAdam", "the first step", first_step, points=1),
        Checks(
            "MyAdam",
            check_optimizer,
            {
                "runs": 1.5,
                "moves against the gradient": 1,
                "spares what must not decay": 1,
                "learning rate": 1,
                "restored by its state": 1,
                "blind to grouping": 0.5,
                "reference": 2.5,
                "float32": 0.5,
            },
            lr=LR,
            beta1=BETA1,
            beta2=BETA2,
            eps=EPS,
            reference=plainly,
        ),
    ],
    forbids=[Adam, AdamW, Nadam, SGD],
    examples=25,
)

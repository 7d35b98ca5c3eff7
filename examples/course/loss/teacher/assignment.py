"""What the cross-entropy earns: 10 points."""

import numpy as np

from minidl import SoftmaxCrossEntropy
from minidl.testing import check_loss
from minidl.testing.grading import Assignment, Checks, Example


def no_constant(CrossEntropy):
    """The derivatives of a constant are right, too: other scores must cost something else."""
    loss, labels = CrossEntropy(), np.array([0])
    if loss.forward(np.array([[3.0, 0.0]]), labels) == loss.forward(np.array([[0.0, 3.0]]), labels):
        raise AssertionError("forward gives the same for two scores")


def two_equal_scores(CrossEntropy):
    """Equal scores of two classes: log 2, whatever the label."""
    value = CrossEntropy().forward(np.zeros((1, 2)), np.array([1]))
    np.testing.assert_allclose(value, np.log(2), err_msg="L for the scores [[0, 0]] and the label [1]")


def one_of_three(CrossEntropy):
    """Scores log(1), log(2), log(5) are probabilities 1/8, 2/8, 5/8."""
    loss, given = CrossEntropy(), "for the scores [[log 1, log 2, log 5]] and the label [1]"
    value = loss.forward(np.log([[1.0, 2.0, 5.0]]), np.array([1]))
    np.testing.assert_allclose(value, np.log(4), err_msg=f"L {given}")
    np.testing.assert_allclose(loss.backward(), [[1 / 8, 2 / 8 - 1, 5 / 8]], err_msg=f"its gradient {given}")


ASSIGNMENT = Assignment(
    "A cross-entropy",
    "cross_entropy.py",
    [
        Example("CrossEntropy", "no constant", no_constant, points=0, needed=True),
        Example("CrossEntropy", "two equal scores", two_equal_scores, points=1),
        Example("CrossEntropy", "one of three classes", one_of_three, points=1),
        Checks(
            "CrossEntropy",
            check_loss,
            {
                "runs": 1,
                "what is given is left alone": 1,
                "mean over rows": 1,
                "weights": 1,
                "backward of the newest forward": 0.5,
                "derivative off the grid": 1.5,
                "derivative far out": 0.5,
                "hostile values": 1,
                "float32": 0.5,
            },
        ),
    ],
    forbids=[SoftmaxCrossEntropy],
    examples=25,
)

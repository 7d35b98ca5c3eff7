"""A small assignment and a right answer to it, which tests spoil."""

ASSIGNMENT = """
import numpy as np
import solution

from minidl import Tanh
from minidl.testing import check_layer
from minidl.testing.grading import Assignment, Checks, Example

def nine(Square):
    x = np.array([[3.0]])
    np.testing.assert_allclose(Square().build(dtype=np.float64).forward(x), solution.square(x))

ASSIGNMENT = Assignment(
    "A square",
    "square.py",
    [
        Example("Square", "nine", nine, points=1),
        Checks(
            "Square",
            check_layer,
            {"runs": 1, "rows independent": 1, "derivatives off the grid": 1, "many rows": 1},
        ),
    ],
    forbids=[Tanh],
    seconds=60,
    examples=5,
)
"""
SOLUTION = "def square(x):\n    return x * x\n"
HEAD = "import numpy as np\nfrom minidl import Layer\n"
FORWARD, BACKWARD = "self.x = x", "pass"
SAME = f"{FORWARD}; "
CLASS = """
class Square(Layer):
    def forward(self, x):
        {forward}
        return x * x

    def backward(self, dy):
        {backward}
        return 2 * self.x * dy
"""


def square(top="", forward=FORWARD, backward=BACKWARD):
    """A right answer, with more in it."""
    return f"{HEAD}{top}\n{CLASS.format(forward=forward, backward=backward)}"


def write_assignment(folder):
    """The folder of a teacher, with the solution that the assignment imports."""
    folder.mkdir()
    (folder / "assignment.py").write_text(ASSIGNMENT, encoding="utf-8")
    (folder / "solution.py").write_text(SOLUTION, encoding="utf-8")
    return folder


def told(got):
    """All that a grade says."""
    return "\n".join([*got.notes, *(criterion.message for criterion in got.criteria)])

"""Typical mistakes in the three assignments, and what each loses: `python mistakes.py handed` writes them to a folder.

Each is the solution with one piece of it replaced. Grade the folder to see what the grader makes of them:
`python -m minidl.testing.grading layer/teacher handed/layer`.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
FILES = {"layer": "dense.py", "loss": "cross_entropy.py", "optimizer": "adam.py"}


@dataclass(frozen=True)
class Mistake:
    """A name, the piece of the solution that becomes another, and the questions that lose their points."""

    name: str
    old: str
    new: str
    loses: tuple[str, ...]


PAPER, BIAS = "forward on paper", "gradient of the bias on paper"
AFTER = ("gradients are set", "what is given is left alone", "backward of the newest forward", "rows independent")
NUMBERS = ("derivatives off the grid", "float32")
SET, ALONE, NEWEST, ROWS = AFTER
DERIVATIVE, FLOAT32 = NUMBERS
BACKWARD_RAISES = (BIAS, "runs", "shapes and dtypes", *AFTER, *NUMBERS)
LAYER = [
    Mistake("no sum over the batch for the bias", "dz.sum(axis=0)", "dz", BACKWARD_RAISES),
    Mistake("only the last row for the bias", "dz.sum(axis=0)", "dz[-1]", (BIAS, ROWS, DERIVATIVE)),
    Mistake("a mean over the batch for the bias", "dz.sum(axis=0)", "dz.mean(axis=0)", (BIAS, ROWS, DERIVATIVE)),
    Mistake("a mean over the batch for the weight", "self.x.T @ dz", "self.x.T @ dz / len(dz)", (ROWS, DERIVATIVE)),
    Mistake(
        "the weight transposed by reshape",
        "self.x.T @ dz",
        "(dz.T @ self.x).reshape(self.weight.shape)",
        (DERIVATIVE,),
    ),
    Mistake("no transpose of W", "dz @ self.weight.value.T", "dz @ self.weight.value", BACKWARD_RAISES),
    Mistake(
        "the slope written into dy",
        "dz = np.where(self.z > 0, dy, SLOPE * dy)",
        "dz = dy\n        dz[self.z <= 0] *= SLOPE",
        (ALONE,),
    ),
    Mistake("gradients that add up", "self.weight.grad = self", "self.weight.grad += self", (SET,)),
    Mistake("a gradient that is never set", "        self.bias.grad = dz.sum(axis=0)\n", "", (BIAS, SET, DERIVATIVE)),
    Mistake(
        "the first batch kept for ever",
        "        self.x = x\n",
        "        if not hasattr(self, 'x'):\n            self.x = x\n",
        ("runs", "shapes and dtypes", *AFTER, *NUMBERS),
    ),
    Mistake("the batch kept in the class", "        self.x = x\n", "        Dense.x = x\n", (NEWEST,)),
    Mistake("no derivative of f", "dz = np.where(self.z > 0, dy, SLOPE * dy)", "dz = dy", (BIAS, DERIVATIVE)),
    Mistake("the mask of the input", "np.where(self.z > 0, dy", "np.where(dy > 0, dy", (BIAS, DERIVATIVE)),
    Mistake(
        "a mask in float64",
        "np.where(self.z > 0, dy, SLOPE * dy)",
        "np.where(self.z > 0, np.float64(1), SLOPE) * dy",
        (FLOAT32,),
    ),
]

EQUAL, THREE = "two equal scores", "one of three classes"
LEFT, MEAN, WEIGHTS, AGAIN = (
    "what is given is left alone",
    "mean over rows",
    "weights",
    "backward of the newest forward",
)
GRID, FAR, HOSTILE = "derivative off the grid", "derivative far out", "hostile values"
SHIFTED = "shifted = scores - scores.max(axis=1, keepdims=True)"
LOSSES = "losses = np.log(sums[:, 0]) - shifted[np.arange(n), targets]"
PICKED = "self.probabilities_[np.arange(n), targets]"
LOSS = [
    Mistake("no maximum subtracted", SHIFTED, "shifted = scores", (HOSTILE,)),
    Mistake(
        "scores written into",
        SHIFTED,
        "scores -= scores.max(axis=1, keepdims=True)\n        shifted = scores",
        (LEFT,),
    ),
    Mistake("the maximum of the whole batch", "scores.max(axis=1, keepdims=True)", "scores.max()", (HOSTILE,)),
    Mistake("the logarithm of a probability", LOSSES, f"losses = -np.log({PICKED})", (HOSTILE,)),
    Mistake("an epsilon in the logarithm", LOSSES, f"losses = -np.log({PICKED} + 1e-3)", (EQUAL, THREE, GRID, FAR)),
    Mistake(
        "a sum over rows",
        "return float(self.shares @ losses)",
        "return float(losses.sum())",
        (MEAN, WEIGHTS, GRID, FAR),
    ),
    Mistake("a gradient of the sum", " * self.shares[:, None].astype(gradient.dtype)", "", (MEAN, WEIGHTS, GRID, FAR)),
    Mistake(
        "weights ignored",
        "np.ones(n) if weights is None else np.asarray(weights, np.float64)",
        "np.ones(n)",
        (WEIGHTS,),
    ),
    Mistake("weights divided by n", "max(weights.sum(), 1e-300)", "n", (WEIGHTS,)),
    Mistake(
        "no 1 for the label", "        gradient[np.arange(len(gradient)), self.targets] -= 1\n", "", (THREE, GRID, FAR)
    ),
    Mistake("probabilities written into", "self.probabilities_.copy()", "self.probabilities_", (AGAIN,)),
    Mistake(
        "labels as columns of float64",
        "gradient[np.arange(len(gradient)), self.targets] -= 1",
        "gradient = gradient - np.eye(gradient.shape[1])[self.targets]",
        (FLOAT32,),
    ),
    Mistake("the sign", "= 1\n        return gradient *", "= 1\n        return -gradient *", (THREE, GRID, FAR)),
]

FIRST, RUNS, AGAINST, SPARES = "the first step", "runs", "moves against the gradient", "spares what must not decay"
RATE, RESTORED, GROUPING, REFERENCE = "learning rate", "restored by its state", "blind to grouping", "reference"
STEP = "value -= lr * corrected / (root + self.eps)"
ALL = (FIRST, RUNS, AGAINST, SPARES, RATE, RESTORED, GROUPING, REFERENCE, FLOAT32)
NAN = (RUNS, SPARES, RATE, RESTORED, GROUPING, REFERENCE, FLOAT32)  # where a gradient is 0
OPTIMIZER = [
    Mistake("no correction of the start", "mean / (1 - self.beta1**t)", "mean", (FIRST, REFERENCE)),
    Mistake("a clock that begins at 0", "t = self.steps + 1", "t = max(self.steps, 1)", (REFERENCE,)),
    Mistake("one correction for both", "1 - self.beta2**t", "1 - self.beta1**t", (FIRST, REFERENCE)),
    Mistake("no epsilon", " / (root + self.eps)", " / root", NAN),
    Mistake(
        "epsilon inside the root",
        "np.sqrt(square / (1 - self.beta2**t))",
        "np.sqrt(square / (1 - self.beta2**t) + self.eps) - self.eps",
        (REFERENCE,),
    ),
    Mistake("a new array for the values", STEP, STEP.replace("-=", "= value -"), ALL),
    Mistake(
        "means that are forgotten",
        "        mean *= self.beta1\n        mean += (1 - self.beta1) * grad\n",
        "        mean = self.beta1 * mean + (1 - self.beta1) * grad\n",
        (REFERENCE,),
    ),
    Mistake(
        "a mean that is corrected in place",
        "        corrected = mean / (1 - self.beta1**t)\n",
        "        mean /= 1 - self.beta1**t\n        corrected = mean\n",
        (REFERENCE,),
    ),
    Mistake(
        "a gradient that is squared in place",
        "        square *= self",
        "        grad *= grad\n        square *= self",
        (FIRST, RUNS, REFERENCE),
    ),
    Mistake("no square", "grad**2", "grad", (FIRST, RUNS, AGAINST, RATE, RESTORED, GROUPING, REFERENCE, FLOAT32)),
    Mistake("uphill", "value -=", "value +=", (FIRST, AGAINST, REFERENCE)),
    Mistake("its own rate", "value -= lr", "value -= self.lr", (RATE,)),
    Mistake(
        "a clock of its own",
        "t = self.steps + 1",
        "self.t = t = getattr(self, 't', 0) + 1",
        (RESTORED,),
    ),
]
MISTAKES = {"layer": LAYER, "loss": LOSS, "optimizer": OPTIMIZER}


def wrong(assignment: str, mistake: Mistake) -> str:
    """The code of the solution with the mistake in it."""
    right = (HERE / assignment / "teacher" / FILES[assignment]).read_text(encoding="utf-8")
    if right.count(mistake.old) != 1:
        raise ValueError(f"expected one {mistake.old!r} in the solution, found {right.count(mistake.old)}")
    return right.replace(mistake.old, mistake.new)


def main() -> None:
    """Write a folder of submissions for each assignment: those with a mistake, the solution, and the empty one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for assignment, mistakes in MISTAKES.items():
        (folder / assignment).mkdir(parents=True, exist_ok=True)
        for whose in ("student", "teacher"):
            code = (HERE / assignment / whose / FILES[assignment]).read_text(encoding="utf-8")
            (folder / assignment / f"{whose}.py").write_text(code, encoding="utf-8")
        for mistake in mistakes:
            path = folder / assignment / f"{mistake.name.replace(' ', '_')}.py"
            path.write_text(wrong(assignment, mistake), encoding="utf-8")


if __name__ == "__main__":
    main()

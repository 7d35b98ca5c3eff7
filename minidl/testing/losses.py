"""check_loss and loss_test: a loss returns a weighted mean over rows, and the derivative of exactly that number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from minidl.layers.loss import Loss
from minidl.parameters import Array
from minidl.testing.derivative import CheckError, Subject, find_wrong, find_wrong_off_grid
from minidl.testing.running import Report, Tally, as_test, run_now
from minidl.testing.strategies import SEEDS, Shape, Strategy, class_labels, draw_object, grid_arrays

CLOSE = 1e-9  # two ways to compute one number in float64
MORE_THAN_ONE = st.integers(2, 4)


class LossCheckError(CheckError):
    """A loss broke one of its properties; the text holds the smallest case found."""


@dataclass(frozen=True)
class LossCase:
    """One drawn case: a loss, scores in float64, targets, and weights of which at least one is positive."""

    loss: Loss
    scores: Array
    targets: Array
    weights: Array
    seed: int

    def failure(self, failed: str, details: str = "", *, weights: Array | None = None) -> LossCheckError:
        """The error to raise, with the case in it."""
        lines = [details, f"  loss           {self.loss!r}, seed={self.seed}", f"  scores = {self.scores.tolist()}"]
        lines += [f"  targets = {self.targets.tolist()}"]
        lines += [f"  weights = {weights.tolist()}"] if weights is not None else []
        return LossCheckError(type(self.loss).__name__, failed, "\n".join(line for line in lines if line))

    def value(self, rows: Any, weights: Array | None) -> float:
        """The loss of some of the rows."""
        return self.loss.forward(self.scores[rows], self.targets[rows], weights)


def loss_test(
    loss: Loss | Callable[..., Loss],
    shape: Shape = ("n", "classes"),
    *,
    targets: Callable[[Sequence[int]], Strategy] = class_labels,
    **arguments: Any,
) -> Callable[[], None]:
    """A ready hypothesis test of a loss.

    Args:
        loss: a class or factory, called anew for every case, or one loss object.
        shape: the shape of the scores; names are drawn and handed to the constructor's arguments of the same name.
        targets: shape of the scores -> strategy for targets: `class_labels`, `binary_labels`, `fractions`,
            `probability_rows`, `real_targets`, or your own.
        arguments: further constructor arguments, each a value or a strategy. Under a name in `shape`, the strategy
            for that size; the others are drawn from 2 to 4, the rows from 1 to 4.

    The properties: the value is a finite Python float, the same each time, and not changed by permuting rows; scores,
    targets and weights are left alone; without weights it is the mean over rows; a weight of 2 is a row given twice
    and only ratios of weights matter; backward can be repeated, refers to the newest forward and is the derivative of
    the value, with and without weights, at kinks and away from them; float32 stays float32.

    >>> from minidl.layers import SoftmaxCrossEntropy
    >>> test_cross_entropy = loss_test(SoftmaxCrossEntropy)
    >>> test_cross_entropy()
    """
    return as_test(_cases(loss, shape, targets, arguments), check_case, Tally())


def check_loss(
    loss: Loss | Callable[..., Loss],
    shape: Shape = ("n", "classes"),
    *,
    targets: Callable[[Sequence[int]], Strategy] = class_labels,
    max_examples: int = 100,
    **arguments: Any,
) -> Report:
    """Run `loss_test` at once: returns a Report, or raises LossCheckError with the smallest case found.

    >>> from minidl.layers import MeanSquaredError
    >>> from minidl.testing.strategies import real_targets
    >>> check_loss(MeanSquaredError(), targets=real_targets).cases >= 1
    True
    """
    return run_now(_cases(loss, shape, targets, arguments), check_case, max_examples)


@st.composite
def _cases(
    draw: st.DrawFn,
    loss: Loss | Callable[..., Loss],
    shape: Shape,
    targets: Callable[[Sequence[int]], Strategy],
    arguments: Mapping[str, Any],
) -> LossCase:
    rows = {"n": st.integers(1, 4)} if "n" in shape else {}
    made, sizes = draw_object(draw, loss, shape, rows | dict(arguments), MORE_THAN_ONE)
    scores = draw(grid_arrays(sizes))
    drawn = draw(targets(sizes))
    weights = draw(grid_arrays(sizes[:1], domain=(0.0, 2.0)).filter(lambda w: w.any()))
    return LossCase(made, scores, drawn, weights, draw(SEEDS))


def check_case(case: LossCase) -> float:
    """Run every property on one case; returns the worst relative difference of float32 from float64."""
    with np.errstate(all="ignore"):
        _check_value(case)
        _check_huge(case)
        _check_weights(case)
        for weights in (None, case.weights):
            _check_backward(case, weights)
            _check_derivative(case, weights)
        return _check_float32(case)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(1.0, abs(a), abs(b))


def _check_value(case: LossCase) -> None:
    scores, targets, weights = case.scores.copy(), case.targets.copy(), case.weights.copy()
    value = case.loss.forward(case.scores, case.targets, case.weights)
    if type(value) is not float:
        raise case.failure("forward must return a Python float", f"  received {type(value).__name__}")
    if not np.isfinite(value):
        raise case.failure("forward must be finite", f"  received {value}", weights=case.weights)
    case.loss.backward()
    before, after = (scores, targets, weights), (case.scores, case.targets, case.weights)
    if not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
        raise case.failure("neither scores nor targets nor weights may be written into", weights=weights)
    if case.loss.forward(scores, targets, weights) != value:
        raise case.failure("the same forward twice must give the same number", weights=weights)


def _check_weights(case: LossCase) -> None:
    n = len(case.scores)
    plain = case.value(slice(None), None)
    singles = [(case.value([i], None), getattr(case.loss, "total_weight", 1.0)) for i in range(n)]
    total = sum(weight for _, weight in singles)
    mean = sum(value * weight for value, weight in singles) / total if total else 0.0
    if hasattr(case.loss, "total_weight"):
        case.value(slice(None), None)
        if not _close(case.loss.total_weight, total):
            details = f"  it is {case.loss.total_weight} for the batch and {total} summed over single rows"
            raise case.failure("total_weight must be the sum of what the rows weigh", details)
    if not _close(plain, mean):
        raise case.failure("the value must be the mean over rows", f"  value {plain}, mean over single rows {mean}")
    if not _close(plain, case.value(slice(None), np.ones(n))):
        raise case.failure("weights of 1 must be the same as no weights")
    if not _close(plain, case.value(np.arange(n)[::-1], None)):
        raise case.failure("the order of the rows must not matter")
    counts = np.round(case.weights * 2).astype(np.int64)
    if counts.any():
        repeated, weighted = case.value(np.repeat(np.arange(n), counts), None), case.value(slice(None), counts)
        if not _close(repeated, weighted):
            details = f"  value {weighted}, with every row repeated as often as it weighs {repeated}"
            raise case.failure("a row of weight k must count as the row k times", details, weights=counts)
    if not _close(case.value(slice(None), case.weights), case.value(slice(None), 8 * case.weights)):
        raise case.failure("only the ratios of weights may matter", weights=case.weights)


def _check_backward(case: LossCase, weights: Array | None) -> None:
    case.loss.forward(case.scores, case.targets, weights)
    gradient = case.loss.backward()
    if not isinstance(gradient, np.ndarray) or gradient.shape != case.scores.shape or gradient.dtype != np.float64:
        received = f"{getattr(gradient, 'shape', type(gradient))} {getattr(gradient, 'dtype', '')}"
        raise case.failure("backward must return an array like the scores", f"  received {received}", weights=weights)
    kept = gradient.copy()
    if not np.array_equal(kept, case.loss.backward()):
        raise case.failure("backward twice must give the same gradient", weights=weights)
    case.loss.forward(np.repeat(case.scores, 2, axis=0), np.repeat(case.targets, 2, axis=0))
    case.loss.backward()
    case.loss.forward(case.scores, case.targets, weights)
    if not np.array_equal(kept, case.loss.backward()):
        raise case.failure("backward must refer to the newest forward", weights=weights)
    if not np.array_equal(kept, gradient):
        raise case.failure("a gradient that was returned must stay as it is", "  a later backward wrote into it")


def _check_derivative(case: LossCase, weights: Array | None) -> None:
    scores = case.scores.copy()

    def forward() -> Array:
        return np.array([case.loss.forward(scores, case.targets, weights)])

    def backward(dy: Array) -> dict[str, Array]:
        forward()
        return {"scores": case.loss.backward() * dy[0]}

    subject, rng = Subject({"scores": scores}, forward, backward), np.random.default_rng(case.seed)
    wrong = find_wrong(subject, np.ones(1), rng, kinks=True)
    if wrong is not None:
        raise case.failure("the gradient of the scores is wrong", str(wrong), weights=weights)
    for scale in (1, 8, 40):
        scores[...] = scale * case.scores
        far_out = scale > 1 and not np.isfinite(forward()).all()
        wrong = None if far_out else find_wrong_off_grid(subject, np.ones(1), rng)
        if wrong is not None:
            break
    if wrong is not None:
        details = f"{wrong}\n  found at\n  scores = {scores.tolist()}\n  which is a step from the case drawn"
        raise case.failure("the gradient of the scores is wrong", details, weights=weights)


def _check_huge(case: LossCase) -> None:
    scores = np.resize([800.0, -800.0, 0.0, 30.0], case.scores.shape)
    value = case.loss.forward(scores, case.targets)
    if np.isnan(value) or np.isnan(case.loss.backward()).any():
        details = f"  value {value} and gradient {case.loss.backward().tolist()} at scores = {scores.tolist()}"
        raise case.failure("no NaN may come of finite scores", details)


def _check_float32(case: LossCase) -> float:
    return max(_float32_error(case, weights) for weights in (None, case.weights))


def _float32_error(case: LossCase, weights: Array | None) -> float:
    moved = case.scores + np.random.default_rng(case.seed).uniform(1 / 64, 3 / 64, case.scores.shape)
    scores = moved.astype(np.float32)
    value, gradient = case.loss.forward(scores, case.targets, weights), case.loss.backward()
    if type(value) is not float or gradient.dtype != np.float32:
        raise case.failure("float32 scores must give a float32 gradient", f"  received {gradient.dtype}")
    wanted = case.loss.forward(scores.astype(np.float64), case.targets, weights)
    scale = 1 + abs(wanted) + float(np.abs(scores).max())
    error = max(abs(value - wanted), float(np.abs(gradient - case.loss.backward()).max())) / scale
    if not error <= 1000 * np.finfo(np.float32).eps:
        raise case.failure("float32 must agree with float64", f"  it differs by {error:.2g} of its size")
    return error

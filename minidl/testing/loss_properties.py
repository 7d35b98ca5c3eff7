"""What must hold of a loss: each property on one drawn case."""

import copy
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np

from minidl.parameters import Array
from minidl.testing.derivative import Subject, Verdict, judge, judge_readable
from minidl.testing.diagnosis import Sample, diagnose
from minidl.testing.kinks import valid_choice
from minidl.testing.loss_case import LossCase
from minidl.testing.report import NOT_TRIED, Outcome
from minidl.testing.strategies import off_grid, shown

CLOSE = 1e-9  # two ways to compute one number in float64
EPS32 = float(np.finfo(np.float32).eps)
HOSTILE = np.array([800.0, -800.0, 0.0, 30.0, -1e4])
HOSTILE32 = np.array([100.0, -100.0, 0.0, 30.0], np.float32)
REFUSALS = (TypeError, ValueError, IndexError)  # how a loss may say that it does not take something


def check_runs(case: LossCase) -> None:
    """The value is a finite Python float, the gradient an array like the scores."""
    value = case.value(case.scores.copy(), case.targets.copy())
    if type(value) is not float or not np.isfinite(value):
        raise case.failure("forward must return a finite Python float", f"  received {type(value).__name__} {value}")
    gradient = case.gradient()
    if not isinstance(gradient, np.ndarray) or gradient.shape != case.scores.shape or gradient.dtype != np.float64:
        received = f"{getattr(gradient, 'shape', type(gradient))} {getattr(gradient, 'dtype', '')}"
        raise case.failure("backward must return an array like the scores", f"  received {received}")


def check_left_alone(case: LossCase) -> None:
    """Scores, targets and weights are not written into, and the same forward gives the same number."""
    scores, targets, weights = case.scores.copy(), case.targets.copy(), case.weights.copy()
    value = case.value(scores, targets, weights)
    case.gradient()
    before, after = (scores, targets, weights), (case.scores, case.targets, case.weights)
    if not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
        raise case.failure("neither scores nor targets nor weights may be written into", weights=weights)
    if case.value(case.scores, case.targets, case.weights) != value:
        raise case.failure("the same forward twice must give the same number", weights=weights)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * max(1.0, abs(a), abs(b))


def check_mean(case: LossCase) -> None:
    """Without weights, the value is the mean over rows, in any order."""
    n = len(case.scores)
    plain = case.rows(slice(None))
    singles = [(case.rows([i]), getattr(case.loss, "total_weight", 1.0)) for i in range(n)]
    total = sum(weight for _, weight in singles)
    mean = sum(value * weight for value, weight in singles) / total if total else 0.0
    if hasattr(case.loss, "total_weight"):
        case.rows(slice(None))
        if not _close(case.loss.total_weight, total):
            details = f"  it is {case.loss.total_weight} for the batch and {total} summed over single rows"
            raise case.failure("total_weight must be the sum of what the rows weigh", details)
    if not _close(plain, mean):
        raise case.failure("the value must be the mean over rows", f"  value {plain}, mean over single rows {mean}")
    many = np.arange(10 * n) % n
    if not _close(plain, case.rows(many)):
        raise case.failure("the value must be the mean over rows", f"  every row ten times gives {case.rows(many)}")
    repeated, once = case.gradient().copy(), (case.rows(slice(None)), case.gradient())[1]
    if not np.allclose(10 * repeated, once[many], rtol=1e-9, atol=1e-12):
        raise case.failure("every row must count the same", "  the gradient of rows ten times over is another")
    if not _close(plain, case.rows(np.arange(n)[::-1])):
        raise case.failure("the order of the rows must not matter")


def check_weights(case: LossCase) -> None:
    """A row of weight k counts as k rows, only ratios matter, and no weight at all is no NaN."""
    n, everything = len(case.scores), slice(None)
    plain = case.rows(everything)
    if not _close(plain, case.rows(everything, np.ones(n))):
        raise case.failure("weights of 1 must be the same as no weights")
    counts = np.round(case.weights * 2).astype(np.int64)
    if counts.any():
        repeated, weighted = case.rows(np.repeat(np.arange(n), counts)), case.rows(everything, counts)
        if not _close(repeated, weighted):
            details = f"  value {weighted}, with every row repeated as often as it weighs {repeated}"
            raise case.failure("a row of weight k must count as the row k times", details, weights=counts)
        if hasattr(case.loss, "total_weight"):
            weight = case.loss.total_weight
            case.rows(np.repeat(np.arange(n), counts))
            if not _close(weight, case.loss.total_weight):
                details = f"  it is {weight}, with every row repeated as often as it weighs {case.loss.total_weight}"
                raise case.failure("total_weight must be the sum of what the rows weigh", details, weights=counts)
    if not _close(case.rows(everything, case.weights), case.rows(everything, 8 * case.weights)):
        raise case.failure("only the ratios of weights may matter", weights=case.weights)
    with suppress(*REFUSALS):
        value = case.loss.forward(case.scores, case.targets, np.zeros(n))
        if not value == 0 or case.gradient().any():
            raise case.failure("without any weight, value and gradient must be 0 or refused", f"  received {value}")


def check_backward_again(case: LossCase) -> None:
    """Backward can be repeated, refers to the newest forward, and what it returned stays."""
    for weights in (None, case.weights):
        case.value(case.scores, case.targets, weights)
        gradient = case.gradient()
        kept = gradient.copy()
        if not np.array_equal(kept, case.gradient()):
            raise case.failure("backward twice must give the same gradient", weights=weights)
        for other in (np.repeat(case.scores, 2, axis=0), -1 - case.scores):
            case.value(other, np.resize(case.targets, (len(other), *case.targets.shape[1:])))
            case.gradient()
        if not np.array_equal(kept, gradient):
            raise case.failure("a gradient that was returned must stay as it is", "  a later backward wrote into it")
        case.value(case.scores, case.targets, weights)
        if not np.array_equal(kept, case.gradient()):
            raise case.failure("backward must refer to the newest forward", weights=weights)


def check_layouts(case: LossCase) -> None:
    """Scores and targets in Fortran order or with gaps mean the same, and another loss in between changes nothing."""
    value, gradient = case.value(case.scores, case.targets), case.gradient().copy()
    pairs = [(np.array(case.scores, order="F"), np.array(case.targets, order="F"))]
    pairs.append((np.repeat(case.scores, 2, axis=0)[::2], np.repeat(case.targets, 2, axis=0)[::2]))
    for scores, targets in pairs:
        received = case.value(scores, targets)
        if not _close(received, value) or not np.allclose(case.gradient(), gradient, rtol=1e-9, atol=1e-12):
            raise case.failure("any memory layout must give the same", f"  received {received}, expected {value}")
    case.value(case.scores, case.targets)
    twin = copy.deepcopy(case.loss)
    twin.forward(-1 - case.scores, case.targets)
    twin.backward()
    if not np.array_equal(case.gradient(), gradient):
        raise case.failure(
            "two losses must not share what they keep", "  a copy that ran in between changed the result"
        )


def check_columns(case: LossCase) -> Outcome:
    """Scores of one column and scores without columns mean the same, and are never broadcast against each other."""
    if case.targets.shape != case.scores.shape or case.scores.ndim != 2:
        return NOT_TRIED
    column, targets = case.scores[:, :1], case.targets[:, :1]
    try:
        wanted = case.loss.forward(column, targets)
        gradient = case.loss.backward().copy()
    except REFUSALS:
        return NOT_TRIED
    pairs = ((column[:, 0], targets[:, 0]), (column, targets[:, 0]), (column[:, 0], targets))
    for scores, given in pairs:
        with suppress(*REFUSALS):
            value = case.loss.forward(scores, given)
            received = case.loss.backward()
            if not _close(value, wanted) or not np.allclose(received.ravel(), gradient.ravel()):
                details = f"  received {value}, expected {wanted} as for shapes {column.shape} and {targets.shape}"
                failed = f"scores of shape {scores.shape} with targets of shape {given.shape} must be right or refused"
                raise case.failure(failed, details)
    return None


def check_target_dtypes(case: LossCase) -> Outcome:
    """Targets that are whole numbers mean the same in every dtype that is taken."""
    if not (case.targets == np.round(case.targets)).all() or (case.targets < 0).any():
        return NOT_TRIED
    many = np.resize(np.arange(len(case.scores)), 300)  # more rows than an 8-bit number counts
    wanted, dtypes = case.rows(many), [np.uint8, np.int32, np.float32]
    gradient = case.gradient().copy()
    for dtype in [*dtypes, np.bool_] if (case.targets <= 1).all() else dtypes:
        with suppress(*REFUSALS):
            value = case.loss.forward(case.scores[many], case.targets[many].astype(dtype))
            if not _close(value, wanted) or not np.allclose(case.loss.backward(), gradient):
                details = f"  value {value} with targets of dtype {dtype.__name__}, {wanted} with {case.targets.dtype}"
                raise case.failure("targets must mean the same in every dtype", details)
    return None


def _subject(case: LossCase, scores: Array, targets: Array, weights: Array | None) -> Subject:
    value = partial(case.value, scores, targets, weights)
    return Subject.of_number({"scores": scores}, value, lambda: {"scores": case.gradient()})


def _raise_wrong(case: LossCase, verdict: Verdict, weights: Array | None, where: str = "") -> None:
    if verdict.wrong is None:
        return
    lines = [str(verdict.wrong), diagnose("scores", _samples(case)), where]
    details = "\n".join(line for line in lines if line)
    raise case.failure("the gradient of the scores is wrong", details, weights=weights, drawn=not where)


def _samples(case: LossCase) -> list[Sample]:
    """The gradients for repeated rows at other scores: more rows show whether a mean is missing."""
    samples = []
    for copies in (2, 3):
        rows = np.repeat(np.arange(len(case.scores)), copies)
        scores = off_grid(case.rng.integers(-24, 25, case.scores[rows].shape) / 8, case.rng)
        subject = _subject(case, scores, case.targets[rows], None)
        numeric = {"scores": subject.differences("scores", np.ones(1))}
        arrays, analytic = {"scores": scores.copy()}, subject.gradients(np.ones(1))
        samples.append(Sample(len(rows), scores.shape[-1], arrays, analytic, numeric))
    return samples


def check_on_grid(case: LossCase) -> float:
    """The gradient is that of the value where hypothesis put the scores, kinks and ties among them."""
    return max(_judge(case, weights) for weights in (None, case.weights))


def _judge(case: LossCase, weights: Array | None) -> float:
    subject = _subject(case, case.scores.copy(), case.targets, weights)
    verdict = judge(subject, np.ones(1), case.rng, valid_choice)
    _raise_wrong(case, verdict, weights)
    return verdict.error


def check_off_grid(case: LossCase) -> float:
    """The same off the grid, by about 1/32 and by less than 1/1024, where nothing is excused."""
    return max(_judge_moved(case, weights, 1, near=near) for weights in (None, case.weights) for near in (False, True))


def check_far_out(case: LossCase) -> float:
    """The same for scores 8 and 40 times as large."""
    return max(_judge_moved(case, weights, scale) for weights in (None, case.weights) for scale in (8, 40))


def _judge_moved(case: LossCase, weights: Array | None, scale: int, *, near: bool = False) -> float:
    scores = scale * case.scores
    subject = _subject(case, scores, case.targets, weights)
    if scale > 1 and not np.isfinite(subject.forward()).all():
        return 0.0

    scores[...] = off_grid(scores, case.rng, near=near)
    verdict = (
        judge(subject, np.ones(1), case.rng) if near else judge_readable(subject, np.ones(1), case.rng, valid_choice)
    )
    _raise_wrong(case, verdict, weights, f"  found at\n  scores = {shown(scores)}")
    return verdict.error


def check_hostile(case: LossCase) -> None:
    """Far out, float64 gives no NaN, and float32 is finite where float64 is."""
    scores = np.resize(np.roll(HOSTILE, case.seed), case.scores.shape)
    value, gradient = case.value(scores, case.targets), case.gradient()
    if np.isnan(value) or np.isnan(gradient).any():
        details = f"  value {value} and gradient {gradient.tolist()} at scores = {shown(scores)}"
        raise case.failure("no NaN may come of finite scores", details)
    scores = np.resize(np.roll(HOSTILE32, case.seed), case.scores.shape)
    wanted, wide = case.value(scores.astype(np.float64), case.targets), case.gradient().copy()
    received, narrow = case.value(scores, case.targets), case.gradient()
    overflows = not np.isfinite(received) and abs(wanted) < 1e30
    if overflows or (~np.isfinite(narrow) & (np.abs(wide) < 1e30)).any():
        details = f"  value {received} where float64 gives {wanted:.8g}, gradient {narrow.tolist()} where it gives "
        details += f"{wide.tolist()}, at scores = {shown(scores)}"
        raise case.failure("float32 must not overflow where the result does not", details)


def check_float32(case: LossCase) -> float:
    """float32 scores give a float32 gradient, close to float64; returns the worst relative difference."""
    return max(_float32_error(case, weights) for weights in (None, case.weights))


def _float32_error(case: LossCase, weights: Array | None) -> float:
    scores = off_grid(case.scores, np.random.default_rng(case.seed)).astype(np.float32)
    value, gradient = case.value(scores, case.targets, weights), case.gradient().copy()
    if type(value) is not float or gradient.dtype != np.float32:
        raise case.failure("float32 scores must give a float32 gradient", f"  received {gradient.dtype}")
    wanted = case.value(scores.astype(np.float64), case.targets, weights)
    scale = 1 + abs(wanted) + float(np.abs(scores).max())
    error = max(abs(value - wanted), float(np.abs(gradient - case.gradient()).max())) / scale
    if not error <= 1000 * EPS32:
        raise case.failure("float32 must agree with float64", f"  it differs by {error:.2g} of its size")
    return error


PROPERTIES: dict[str, Callable[[LossCase], Outcome]] = {
    "runs": check_runs,
    "what is given is left alone": check_left_alone,
    "mean over rows": check_mean,
    "weights": check_weights,
    "backward of the newest forward": check_backward_again,
    "any memory layout": check_layouts,
    "one column or none": check_columns,
    "any dtype of targets": check_target_dtypes,
    "derivative on the grid": check_on_grid,
    "derivative off the grid": check_off_grid,
    "derivative far out": check_far_out,
    "hostile values": check_hostile,
    "float32": check_float32,
}

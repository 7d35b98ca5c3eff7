"""What must hold of a loss: each property on one drawn case."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions import FAR, Sample, Subject, Trial, Twins, Wrong, in_words
from minidl.testing.functions import off_grid as moved
from minidl.testing.losses.case import LossCase, LossCheckError
from minidl.testing.losses.jumps import no_jump
from minidl.testing.report import NOT_TRIED, Outcome, Properties, worst

LOSSES = Properties()
MANY = 520  # rows of a batch, at least, in which every row stands again and again
TOLD_APART = 64  # scores up to which the pattern of a mistake is looked for
CLOSE = 1e-9  # two ways to compute one number in float64
REFUSALS = (TypeError, ValueError, IndexError)  # how a loss may say that it does not take something


@LOSSES.property("runs", first=True)
def runs(case: LossCase) -> None:
    """The value is a finite Python float, the gradient an array like the scores."""
    value = case.value(case.scores.copy(), case.targets.copy())
    if type(value) is not float or not np.isfinite(value):
        raise case.failure("forward must return a finite Python float", f"  received {type(value).__name__} {value}")
    gradient = case.gradient()
    if not isinstance(gradient, np.ndarray) or gradient.shape != case.scores.shape or gradient.dtype != np.float64:
        received = f"{getattr(gradient, 'shape', type(gradient))} {getattr(gradient, 'dtype', '')}"
        raise case.failure("backward must return an array like the scores", f"  received {received}")


@LOSSES.property("what is given is left alone")
def left_alone(case: LossCase) -> None:
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


@LOSSES.property("mean over rows")
def mean(case: LossCase) -> None:
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
    copies = MANY // n + 1
    many = np.arange(copies * n) % n
    if not _close(plain, case.rows(many)):
        details = f"  every row {copies} times gives {case.rows(many)}"
        raise case.failure("the value must be the mean over rows", details)
    repeated, once = case.gradient().copy(), (case.rows(slice(None)), case.gradient())[1]
    if not np.allclose(copies * repeated, once[many], rtol=1e-9, atol=1e-12):
        raise case.failure("every row must count the same", f"  the gradient of rows {copies} times over is another")
    if not _close(plain, case.rows(np.arange(n)[::-1])):
        raise case.failure("the order of the rows must not matter")


@LOSSES.property("weights")
def weighted(case: LossCase) -> None:
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
            raise case.failure("with weights of 0, value and gradient must be 0 or refused", f"  received {value}")


@LOSSES.property("backward of the newest forward")
def backward_again(case: LossCase) -> None:
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


@LOSSES.property("any memory layout")
def layouts(case: LossCase) -> None:
    """Scores and targets in Fortran order or with gaps mean the same, and another loss in between changes nothing."""
    value, gradient = case.value(case.scores, case.targets), case.gradient().copy()
    pairs = [(np.array(case.scores, order="F"), np.array(case.targets, order="F"))]
    pairs.append((np.repeat(case.scores, 2, axis=0)[::2], np.repeat(case.targets, 2, axis=0)[::2]))
    for scores, targets in pairs:
        received = case.value(scores, targets)
        if not _close(received, value) or not np.allclose(case.gradient(), gradient, rtol=1e-9, atol=1e-12):
            raise case.failure("any memory layout must give the same", f"  received {received}, expected {value}")
    for who, twin in (("a copy", copy.deepcopy(case.loss)), ("another one made by the same call", case.other)):
        if twin is not None:
            case.value(case.scores, case.targets)
            twin.forward(-1 - case.scores, case.targets)
            twin.backward()
            if not np.array_equal(case.gradient(), gradient):
                details = f"  {who} that ran in between changed the result"
                raise case.failure("two losses must not share what they keep", details)


@LOSSES.property("one column or none")
def columns(case: LossCase) -> Outcome:
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


@LOSSES.property("any dtype of targets")
def target_dtypes(case: LossCase) -> Outcome:
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


@LOSSES.property("derivative on the grid")
def on_grid(case: LossCase) -> Outcome:
    """The gradient is that of the value where hypothesis put the scores, kinks and ties among them."""
    return worst(_trial(case, weights).on_grid() for weights in (None, case.weights))


@LOSSES.property("derivative off the grid")
def off_grid(case: LossCase) -> Outcome:
    """The same off the grid, by about 1/32 and by less than 1/1024, where nothing is excused."""
    ways = [(weights, near) for weights in (None, case.weights) for near in (False, True)]
    errors = [_trial(case, weights).off_grid(near=near) for weights, near in ways]
    if None in errors:
        raise case.failure("the value must be finite", "  a step off the grid it is not")
    return worst(errors)


@LOSSES.property("derivative far out")
def far_out(case: LossCase) -> Outcome:
    """The same for scores 8 and 40 times as large, where the value is finite."""
    return worst(_trial(case, weights, scale).off_grid() for weights in (None, case.weights) for scale in FAR)


LOSSES.property("the value has no jump")(no_jump)


def _trial(case: LossCase, weights: Array | None, scale: int = 1) -> Trial:
    def complain(wrong: Wrong, where: str) -> LossCheckError:
        details = in_words(wrong, _samples(case), where)
        return case.failure("the gradient of the scores is wrong", details, weights=weights, drawn=not where)

    subject = _subject(case, scale * case.scores, case.targets, weights)
    return Trial(subject, np.ones(1), case.rng, complain, {"scores": None})


def _subject(case: LossCase, scores: Array, targets: Array, weights: Array | None = None) -> Subject:
    value = partial(case.value, scores, targets, weights)
    return Subject.of_number({"scores": scores}, value, lambda: {"scores": case.gradient()})


def _samples(case: LossCase) -> Iterator[Sample]:
    """The gradients for repeated rows at other scores: more rows show whether a mean is missing."""
    for copies in (2, 3) if case.scores.size <= TOLD_APART else ():
        rows = np.repeat(np.arange(len(case.scores)), copies)
        scores = moved(case.rng.integers(-24, 25, case.scores[rows].shape) / 8, case.rng)
        subject = _subject(case, scores, case.targets[rows])
        yield Sample.of(subject, np.ones(1), rows=len(rows), width=scores.shape[-1])


@LOSSES.property("hostile values")
def hostile(case: LossCase) -> None:
    """Far out, float64 gives no NaN, and float32 is finite where float64 is."""
    _twins(case).check_hostile("scores", {"scores": case.scores}, case.seed)


@LOSSES.property("float32", allowed=1e-4, dtype="float32")
def float32(case: LossCase) -> float:
    """float32 scores give a float32 gradient, close to float64; returns the worst relative difference."""
    scores = moved(case.scores, np.random.default_rng(case.seed)).astype(np.float32)
    errors, size = [], float(np.abs(scores).max())
    for weights in (None, case.weights):
        kind, dtype = type(case.value(scores, case.targets, weights)).__name__, case.gradient().dtype
        if kind != "float" or dtype != np.float32:
            raise case.failure("float32 scores must give a float and a float32 gradient", f"  received {kind}, {dtype}")
        errors.append(_twins(case, weights).error({"scores": scores}, case.rng, size=size))
    return max(errors)


def _twins(case: LossCase, weights: Array | None = None) -> Twins:
    """A loss computes in the dtype of its scores."""

    def numbers(given: Mapping[str, Array]) -> dict[str, Array]:
        value = case.value(given["scores"], case.targets, weights)
        return {"value": np.array(value), "gradient": case.gradient()}

    return Twins(numbers, numbers, case.failure)

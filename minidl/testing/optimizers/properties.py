"""What must hold of an optimizer: each property on one drawn case."""

import math

import numpy as np

from minidl.initializers import zeros
from minidl.kernels.blocks import BLOCK
from minidl.parameters import Array, Parameter
from minidl.store import Parameters
from minidl.testing.optimizers.case import OptimizerCase, store
from minidl.testing.optimizers.memory import check_beside_another, check_goes_far, check_resumes
from minidl.testing.report import NOT_TRIED, Outcome, Properties

OPTIMIZERS = Properties()
MANY_STEPS = 300  # more than a byte counts
QUIET_STEPS = 128  # without a gradient: what happens at every so many steps happens within them


@OPTIMIZERS.property("runs", first=True)
def runs(case: OptimizerCase) -> None:
    """Values move in place and stay finite; gradient and learning rate are left alone; one step counts as one."""
    optimizer, parameters = case.fresh(), store(case.start)
    vector, grad, lr = parameters.value, parameters.grad, optimizer.lr
    for count, gradient in enumerate(case.gradients, start=1):
        case.run(optimizer, parameters, gradient[None])
        if parameters.value is not vector or parameters.named["0.weight"].value.base is not vector:
            raise case.failure("values must be changed in place")
        if optimizer.clip is None and not np.array_equal(grad, gradient):
            raise case.failure("the gradient must be left as it is")
        if optimizer.steps != count:
            raise case.failure("one step must count as one", f"  expected steps={count}, received {optimizer.steps}")
        if optimizer.lr is not lr:
            raise case.failure("the learning rate must not be changed", f"  it was {lr!r} and is {optimizer.lr!r}")
    if not np.isfinite(vector).all():
        raise case.failure("values must stay finite", f"  received {vector}")


@OPTIMIZERS.property("moves against the gradient")
def direction(case: OptimizerCase) -> None:
    """Values move against a constant gradient, of their own sign, which decay has too, and of the other."""
    own = np.where(case.start >= 0, 1.0, -1.0)
    gradients = [(own, True)] + ([(-own, False)] if case.spares_biases else [])
    for gradient, decay in gradients:
        moved = case.run(case.fresh(), store(case.start, decay=decay), np.stack([gradient] * 10)) - case.start
        if not (moved * gradient <= 0).all():  # nor NaN
            details = f"  gradient {gradient}, moved by {moved}"
            raise case.failure("values must move against a constant gradient", details)
        if not moved.any() and case.fresh().learning_rate > 0:
            details = f"  ten steps with the gradient {gradient} left them where they were: change `value` in place"
            raise case.failure("values must move", details)


@OPTIMIZERS.property("spares what must not decay")
def spares(case: OptimizerCase) -> Outcome:
    """Without a gradient, what must not decay stays, to rounding, for many steps."""
    if not case.spares_biases:
        return NOT_TRIED
    optimizer, parameters = case.fresh(), store(case.start, decay=False)
    for step in range(1, QUIET_STEPS + 1):
        moved = case.run(optimizer, parameters, np.zeros((1, case.start.size)))
        if not np.allclose(moved, case.start, rtol=1e-12, atol=1e-14):
            details = f"  after {step} steps with gradients of 0 they are {moved.tolist()}"
            raise case.failure("without a gradient, parameters with decay=False must stay", details)
    return None


@OPTIMIZERS.property("learning rate")
def learning_rate(case: OptimizerCase) -> None:
    """The learning rate may be a number or a schedule, and is scaled by lr_scale, each time it is used."""
    lr = case.optimizer.lr
    scaled, halved, scheduled, by_hand = (case.fresh() for _ in range(4))

    def decaying(step: int) -> float:
        # by a transcendental factor, so that gradients of one sum with constant rates cannot have it with these, too
        return (lr(step) if callable(lr) else lr) * math.exp(-step / 3)

    scaled.lr_scale = 0.5
    halved.lr = (lambda step: 0.5 * lr(step)) if callable(lr) else 0.5 * lr
    scheduled.lr = decaying
    half, scale, schedule = (
        case.run(optimizer, store(case.start), case.gradients) for optimizer in (halved, scaled, scheduled)
    )
    if not np.allclose(scale, half, rtol=1e-12, atol=1e-14):
        details = f"  half the rate gives {half}, lr_scale = 0.5 gives {scale}"
        raise case.failure("lr_scale must scale the learning rate", details)
    parameters = store(case.start)
    for step, gradient in enumerate(case.gradients):
        by_hand.lr = decaying(step)
        case.run(by_hand, parameters, gradient[None])
    after_one = case.run(case.fresh(), store(case.start), case.gradients[:1])
    # a rule that averages moves on without a gradient, by no rate
    moved_later = (case.final != after_one) & case.gradients[1:].any(axis=0)
    unheard = moved_later.any() and np.array_equal(schedule, case.final)
    if unheard or not np.array_equal(schedule, parameters.value):
        details = f"  it gives {schedule}, its numbers set before every step {parameters.value}"
        raise case.failure("a schedule must be asked before every step", details)
    if (scale != case.start).any() and np.array_equal(half, case.final):
        raise case.failure("the learning rate must matter", "  half of it moves the values as far")


@OPTIMIZERS.property("clip")
def clip(case: OptimizerCase) -> Outcome:
    """A clip acts on the gradient before the step."""
    if case.optimizer.clip is not None:
        return NOT_TRIED

    def halve(gradient: Array) -> None:
        gradient *= 0.5

    clipped, plain = case.fresh(), case.fresh()
    clipped.clip = halve
    received = case.run(clipped, store(case.start), case.gradients)
    wanted = case.run(plain, store(case.start), 0.5 * case.gradients)
    if not np.array_equal(received, wanted):
        details = f"  with a clip that halves it {received}, with half the gradient {wanted}"
        raise case.failure("clip must act on the gradient before the step", details)
    return None


@OPTIMIZERS.property("restored by its state")
def restored(case: OptimizerCase) -> None:
    """A run that was interrupted, saved and restored at any step ends in the same bits; a state is a copy."""
    long = np.resize(case.gradients, (MANY_STEPS, case.start.size))
    for gradients, cut in ((case.gradients, case.cut), (long, MANY_STEPS // 2)):
        check_resumes(case, gradients, cut)
    check_beside_another(case)
    check_goes_far(case)


@OPTIMIZERS.property("blind to grouping")
def grouping(case: OptimizerCase) -> Outcome:
    """Every element moves as if it were alone, in one parameter or in several, and in long vectors too."""
    if case.whole_vector or case.whole_parameters:
        return NOT_TRIED
    alone = [
        case.run(case.fresh(), store(case.start[i : i + 1]), case.gradients[:, i : i + 1])[0]
        for i in range(case.start.size)
    ]
    if not np.allclose(alone, case.final, rtol=1e-12, atol=1e-14):
        raise case.failure(
            "every element must move as if it were alone", f"  together {case.final}, alone {np.array(alone)}"
        )
    _check_mixed_decay(case)
    for size in (1000, BLOCK + 3):
        _check_long(case, size)
    return None


def _check_mixed_decay(case: OptimizerCase) -> None:
    """Parameters that decay beside some that do not move as each kind does alone."""
    kinds = (True, False, True)
    alone = [case.run(case.fresh(), store(case.start, decay=decay), case.gradients) for decay in kinds]
    named = {str(i): Parameter(case.start.shape, zeros, decay=decay) for i, decay in enumerate(kinds)}
    parameters, optimizer = Parameters(named, np.random.default_rng(0), dtype=np.float64), case.fresh()
    for parameter in named.values():
        parameter.value = case.start
    for gradient in case.gradients:
        for parameter in named.values():
            parameter.grad = gradient
        optimizer.step(parameters)
    for parameter, wanted in zip(named.values(), alone, strict=True):
        if not np.allclose(parameter.value, wanted, rtol=1e-12, atol=1e-14):
            details = f"  decay={parameter.decay}: alone {wanted}, beside the others {parameter.value}"
            raise case.failure("what decays must not change what does not, nor the other way round", details)


def _check_long(case: OptimizerCase, size: int) -> None:
    """The numbers repeated to a long vector move as they do in a short one."""
    gradients = case.gradients[:2]
    repeated = np.stack([np.resize(gradient, size) for gradient in gradients])
    long = case.run(case.fresh(), store(np.resize(case.start, size)), repeated)
    wanted = np.resize(case.run(case.fresh(), store(case.start), gradients), size)
    if not np.allclose(long, wanted, rtol=1e-12, atol=1e-14):
        i = int(np.abs(long - wanted).argmax())
        details = f"  repeated to {size} numbers, number {i} becomes {long[i]}, where alone it is {wanted[i]}"
        raise case.failure("a long vector must move as a short one", details)


@OPTIMIZERS.property("reference")
def reference(case: OptimizerCase) -> Outcome:
    """The result is that of the reference; returns the largest difference."""
    if case.reference is None:
        return NOT_TRIED
    long = np.resize(case.gradients, (MANY_STEPS, case.start.size))
    worst = 0.0
    for gradients in (case.gradients, long):
        received, wanted = _both(case, gradients)
        if not _agree(received, wanted):
            raise case.failure("the result must be that of the reference", _where_they_part(case, gradients))
        worst = max(worst, float((np.abs(received - wanted) / np.maximum(1.0, np.abs(wanted))).max(initial=0.0)))
    return worst


def _both(case: OptimizerCase, gradients: Array) -> tuple[Array, Array]:
    """The values after all steps, of the optimizer and of the reference."""
    wanted = case.asked(list(gradients.copy()))
    return case.run(case.fresh(), store(case.start), gradients), wanted


def _agree(received: Array, wanted: Array) -> bool:
    return np.allclose(received, wanted, rtol=1e-9, atol=1e-12)


def _where_they_part(case: OptimizerCase, gradients: Array) -> str:
    """A run in which the two differ though one step before they agreed, and which gradients its steps take."""
    agreed, count = 0, len(gradients)
    while count - agreed > 1:
        middle = (agreed + count) // 2
        agreed, count = (middle, count) if _agree(*_both(case, gradients[:middle])) else (agreed, middle)
    received, wanted = _both(case, gradients[:count])
    given = len(case.gradients)
    taken = f", which take the {given} gradients below in turn, again and again" if count > given else ""
    return f"  after {count} steps{taken}: expected {wanted.tolist()}, received {received.tolist()}"


@OPTIMIZERS.property("float32", allowed=1e-4, dtype="float32")
def float32(case: OptimizerCase) -> float:
    """float32 agrees with float64; returns the largest relative difference."""
    parameters = store(case.start, dtype=np.float32)
    case.run(case.fresh(), parameters, case.gradients)
    if not np.allclose(parameters.value, case.final, rtol=1e-3, atol=1e-3):
        details = f"  expected {case.final}, received {parameters.value}"
        raise case.failure("float32 must agree with float64", details)
    return float((np.abs(parameters.value - case.final) / np.maximum(1.0, np.abs(case.final))).max(initial=0.0))

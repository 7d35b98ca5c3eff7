"""What an optimizer remembers: all of it in its state, none of it elsewhere, and for as long as a run may be."""

import copy

import numpy as np

from minidl.parameters import Array
from minidl.testing.optimizers.case import OptimizerCase, store
from minidl.testing.strategies import copied

FAR_STEPS = 10**6  # the clock of an optimizer that goes on with a long run


def check_goes_far(case: OptimizerCase) -> None:
    """With a clock far along, as after a long run, steps are taken and values stay finite."""
    far, parameters = case.fresh(), store(case.start)
    case.run(far, parameters, case.gradients)
    far.load_state(far.state() | {"steps": FAR_STEPS})
    if not np.isfinite(received := case.run(far, parameters, case.gradients)).all():
        details = f"  after steps={FAR_STEPS} in its state, received {received}"
        raise case.failure("values must stay finite in a long run", details)


def check_beside_another(case: OptimizerCase) -> None:
    """Another optimizer made by the same call, which steps another model in between, changes nothing."""
    if case.other is None:
        return
    ours, theirs = case.fresh(), copied(case.other)
    values, others = store(case.start), store(case.start + 1)
    for gradient in case.gradients:
        case.run(ours, values, gradient[None])
        case.run(theirs, others, -gradient[None])
    if not np.array_equal(values.value, case.final):
        details = f"  expected {case.final}, received {values.value}, when another one made by the same call"
        details += " steps another model in between: is something kept in the class, the module or a default argument?"
        raise case.failure("two optimizers must not share what they keep", details)


def check_resumes(case: OptimizerCase, gradients: Array, cut: int) -> None:
    """Hold a run that is saved and restored after `cut` steps to one that is not, and a state to being a copy."""
    wanted = case.run(case.fresh(), store(case.start), gradients)
    first, parameters = case.fresh(), store(case.start, parts=1 if case.whole_parameters else 2)
    case.run(first, parameters, gradients[:cut])
    state, second = first.state(), case.fresh()
    kept = copy.deepcopy(state)
    for slot in first.slots.values():
        slot[...] = np.nan
    if any(not np.array_equal(state[name], kept[name]) for name in kept):
        raise case.failure("a state must be a copy", "  what came later reached it: return slot.copy(), not the slot")
    second.load_state(state)
    resumed = case.run(second, parameters, gradients[cut:])
    if not np.array_equal(resumed, wanted):
        details = f"  expected {wanted}, received {resumed} after restoring at step {cut} of {len(gradients)}"
        if len(gradients) > len(case.gradients):
            details += ", which take the gradients below in turn, again and again"
        raise case.failure("a run restored from `state` must end in the same values, however it is grouped", details)
    if any(not np.array_equal(state[name], kept[name]) for name in kept):
        raise case.failure("a loaded state must be left as it is", "  later steps wrote into it: copy the arrays")

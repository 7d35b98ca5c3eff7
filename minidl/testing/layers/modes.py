"""What training has to do with inference: draws whose mean it is, and statistics that it goes by."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from minidl.parameters import Array
from minidl.testing.layers.case import LayerRun
from minidl.testing.report import NOT_TRIED, Outcome, Properties

MODES = Properties()
ROUNDS = ((64, 3.0), (256, 4.0), (1024, 5.0))  # draws, and the standard errors beyond which they tell numbers apart
RARE = 30  # as many draws must differ from the others, or so few say nothing of a mean
BATCHES = 8  # the mean of one may be just what the state is
SMALL, LARGE = 3, 4  # batches of up to so many rows are small; large ones have as many times the rows
Draw: TypeAlias = Callable[[int], Array]


@MODES.property("mean over draws")
def unbiased(run: LayerRun) -> Outcome:
    """The mean over the draws of training is the output of inference, if it is declared to be."""
    if run.declared.stochastic != "unbiased" or run.inference is None or not run.draws:
        return NOT_TRIED
    y = run.inference.forward(run.x).copy()
    run.rewind(run.layer)

    def drawn(count: int) -> Array:
        return np.stack([np.ravel(run.layer.forward(run.x)) for _ in range(count)])

    if (found := _told_apart(drawn, lambda count: np.broadcast_to(y.ravel(), (count, y.size)))) is not None:
        element, mean, wanted = found
        where = ", ".join(str(int(i)) for i in np.unravel_index(element, y.shape))
        details = (
            f"  the mean of output[{where}] over {ROUNDS[-1][0]} draws is {mean:.4g}, inference gives {wanted:.4g}"
        )
        details += "\n  is a factor such as 1 / (1 - rate) missing? If so meant: stochastic=True"
        raise run.failure("the mean over draws must be the output of inference", details)
    return None


@MODES.property("running statistics")
def statistics(run: LayerRun) -> Outcome:
    """The states that inference goes by move in training, on average as far for small batches as for large ones."""
    if run.declared.rows_mix != "training" or run.inference is None or not run.states:
        return NOT_TRIED
    used = [name for name in run.states if _is_used(run, run.inference, name)]
    rng = np.random.default_rng(run.case.seed)
    for name in used:
        before = run.states[name].ravel()
        if all(np.array_equal(_state_after(run, name, len(run.x) + 2, rng), before) for _ in range(BATCHES)):
            details = f"  inference uses {name}, which batches in training left as it was; if so meant: rows_mix=True"
            raise run.failure("running statistics must move in training", details)
    if len(run.x) <= SMALL and not run.layer.children() and not run.draws:
        for name in used:
            _same_for_every_size(run, name)
    return None


def _is_used(run: LayerRun, inference: LayerRun, name: str) -> bool:
    """Whether the output of inference depends on a state."""
    y = inference.forward(run.x).copy()
    inference.rewind(run.layer)
    state = run.layer.parameters.states[name]
    if state.value.dtype.kind == "b":
        return False
    state.value = state.value + (1 if state.value.dtype.kind != "f" else 0.125 + 0.25 * np.abs(state.value))
    moved = run.layer.forward(run.x)
    return not np.array_equal(moved, y, equal_nan=True)


def _same_for_every_size(run: LayerRun, name: str) -> None:
    """A state moves on average as far for small batches as for large ones; a biased variance does not."""
    rng, few = np.random.default_rng(run.case.seed), max(2, len(run.x))

    def moved_by(rows: int) -> Draw:
        def drawn(count: int) -> Array:
            return np.stack([_state_after(run, name, rows, rng) for _ in range(count)])

        return drawn

    if (found := _told_apart(moved_by(few), moved_by(LARGE * few))) is not None:
        _, small, large = found
        details = (
            f"  {name} became {small:.4g} on average of batches of {few} rows, {large:.4g} of {LARGE * few}: is a "
        )
        details += "variance divided by n where n - 1 belongs? If so meant: rows_mix=True"
        raise run.failure("running statistics must not depend on the size of batches", details)


def _state_after(run: LayerRun, name: str, rows: int, rng: np.random.Generator) -> Array:
    x = run.declared.another((rows, *run.case.x.shape[1:]), rng)
    run.forward(x if run.declared.bounded else np.abs(x))  # whose mean is not 0, so that a wrong one shows
    return np.array(run.layer.parameters.states[name].value, np.float64).ravel()


def _told_apart(first: Draw, second: Draw) -> tuple[int, float, float] | None:
    """An element whose means over two kinds of draws differ, with both means; None if there is none.

    An element is accused by three rounds of new draws, each of them larger and harder to convince than the one before.
    So a right one is accused about once in 10^13 times if the draws are normal, in 10^9 if nine of ten numbers are
    dropped; most cases end after the first round.
    """
    accused: Array = np.ones(1, bool)
    for count, far in ROUNDS:
        one, other = first(count), second(count)
        means, errors = (one.mean(axis=0), other.mean(axis=0)), (one.var(axis=0) + other.var(axis=0)) / count
        size = np.maximum(np.abs(one).max(axis=0), np.abs(other).max(axis=0))
        accused = accused & (np.abs(means[0] - means[1]) > far * np.sqrt(errors) + 1e-9 * size + 1e-12)
        if not accused.any():
            return None
    accused &= (one != np.median(one, axis=0)).sum(axis=0) >= RARE
    if not accused.any():
        return None
    element = int(np.argmax(accused))
    return element, float(means[0][element]), float(means[1][element])

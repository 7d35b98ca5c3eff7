"""Whether what a layer says where no derivative exists (ReLU at 0, a tie in a maximum) is one of the valid choices.

The choice is held against the derivatives at nearby points where the function is smooth, one output at a time. If these
agree with one another there is no kink, and the layer must agree too. If they differ, its choice must lie between them:
for single elements and for pairs; and for the whole group where its slopes agree, as crediting every tied element of a
maximum looks right one element at a time.
"""

from itertools import combinations

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions.differences import EPS, Probe, units

LOOKED_AT = 12  # elements at kinks, and pairs of them, that are looked at; drawn where there are more
MORE = 15  # further rounds of nearby points, before a choice is called wrong: of many tied entries each leads at few
NEAR, SMALL_STEP = 1e-5, 1e-9  # how far the nearby points are, and the step of the differences there


def _hadamard(order: int) -> Array:
    """Sylvester's matrix of +1 and -1 with orthogonal columns, the first of them constant."""
    matrix = np.ones((1, 1))
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


HADAMARD = _hadamard(32)


def valid_choice(probe: Probe, suspects: Array, rng: np.random.Generator) -> bool:
    """Whether the derivative of every single output, at the suspect elements, is one the smooth points nearby allow."""
    single = [unit for index, unit in units(suspects) if suspects[index]]
    single = [single[i] for i in rng.permutation(len(single))[:LOOKED_AT]]
    every_pair = list(combinations(single, 2))
    pairs = [every_pair[i][0] + every_pair[i][1] for i in rng.permutation(len(every_pair))[:LOOKED_AT]]
    directions = [*single, *pairs, suspects.astype(np.float64)]
    kinks_met = [1] * len(single) + [2] * len(pairs) + [len(single)]
    jacobian = np.stack([probe.subject.gradients(one)[probe.name].ravel() for _, one in units(probe.middle)])
    noise = 16 * EPS * float(np.abs(probe.middle).max(initial=0.0)) / SMALL_STEP
    around = _nearby_slopes(probe, directions, 1, rng)
    for direction, kinks, slopes in zip(directions, kinks_met, around, strict=True):
        choices = jacobian @ direction.ravel()
        if not _all_allowed(choices, slopes, kinks, noise):
            more = _nearby_slopes(probe, [direction], MORE, rng)[0]
            if not _all_allowed(choices, np.concatenate([slopes, more]), kinks, noise):
                return False
    return True


def _nearby_slopes(probe: Probe, directions: list[Array], rounds: int, rng: np.random.Generator) -> Array:
    """Slopes of every output along each direction at points a little away: (directions, points, outputs).

    All arrays move. In each round the signs of the moves are columns of a Hadamard matrix, so that any two elements (of
    the first 31) move both ways in all four combinations; the sizes are random, so that no tie survives.
    """
    arrays = probe.subject.arrays
    before, slopes = {name: array.copy() for name, array in arrays.items()}, []
    try:
        for _ in range(rounds):
            signs = {name: HADAMARD[:, rng.permutation(np.arange(a.size) % 31 + 1)] for name, a in arrays.items()}
            for point in range(len(HADAMARD)):
                for name, array in arrays.items():
                    moves = signs[name][point].reshape(array.shape) * rng.uniform(0.5, 1.5, array.shape)
                    array[...] = before[name] + NEAR * moves
                ends = [probe.ends(direction, SMALL_STEP) for direction in directions]
                slopes.append([((above - below) / (2 * SMALL_STEP)).ravel() for below, above in ends])
    finally:
        for name, array in arrays.items():
            array[...] = before[name]
    return np.array(slopes).swapaxes(0, 1)


def _all_allowed(choices: Array, slopes: Array, kinks: int, noise: float) -> bool:
    """Whether the choice for every output goes with its slopes (points, outputs)."""
    return all(_allowed(float(choice), by, kinks, noise) for choice, by in zip(choices, slopes.T, strict=True))


def _allowed(choice: float, slopes: Array, kinks: int, noise: float) -> bool:
    """Whether a choice along a direction that moves `kinks` elements goes with the slopes nearby.

    Where these agree, to `noise` and a thousandth, there is no kink in this direction and the choice must agree too.
    Otherwise it must lie between them, or between them and 0 where several kinks meet, with room where more of them
    meet than the moves could take apart. For a group of more than two, slopes that differ allow anything: the extremes
    of a sum of many kinks are not met.
    """
    low, high = float(slopes.min()), float(slopes.max())
    slack = 1e-3 * max(1.0, abs(low), abs(high)) + noise
    if high - low <= 2 * slack:
        return low - slack <= choice <= high + slack
    levels = 1 + int((np.diff(np.sort(slopes)) > slack).sum())
    if levels > 2:  # where kinks of several pieces meet, each may say 0
        low, high = min(low, 0.0), max(high, 0.0)
    room = slack if levels <= 2**kinks else (high - low) / 2
    return kinks > 2 or low - room <= choice <= high + room

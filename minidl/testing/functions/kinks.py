"""Whether what a layer says where no derivative exists (ReLU at 0, a tie in a maximum) is one of the valid choices.

The choice is held against the derivatives at nearby points where the function is smooth, one output at a time. If these
agree with one another there is no kink, and the layer must agree too. If they differ, its choice must lie between them:
for single elements and for pairs; and for the whole group where its slopes agree, as crediting every tied element of a
maximum looks right one element at a time.
"""

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions.differences import EPS, NEAR, Probe

LOOKED_AT = 12  # elements at kinks, and pairs of them, that are looked at; drawn where there are more
MORE = 15  # further rounds of nearby points, before a choice is called wrong: of many tied entries each leads at few
SMALL_STEP = 2e-9  # of the differences at the nearby points


def _hadamard(order: int) -> Array:
    """Sylvester's matrix of +1 and -1 with orthogonal columns, the first of them constant."""
    matrix = np.ones((1, 1))
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


HADAMARD = _hadamard(32)


def valid_choice(probe: Probe, suspects: Array, rng: np.random.Generator) -> bool:
    """Whether the derivative of every single output, at the suspect elements, is one the smooth points nearby allow."""
    jacobian = probe.jacobian()
    directions = _directions(probe, jacobian, suspects, rng)
    noise = 32 * EPS * float(np.abs(probe.middle).max(initial=0.0)) / SMALL_STEP
    around = _nearby_slopes(probe, [direction for direction, _ in directions], 1, rng)
    for (direction, kinks), slopes in zip(directions, around, strict=True):
        choices = (jacobian @ direction.reshape(probe.rows, -1, 1)).ravel()
        if not _allowed(choices, slopes, kinks, noise):
            more = _nearby_slopes(probe, [direction], MORE, rng)[0]
            if not _allowed(choices, np.concatenate([slopes, more]), kinks, noise):
                return False
    return True


def _directions(probe: Probe, jacobian: Array, suspects: Array, rng: np.random.Generator) -> list[tuple[Array, int]]:
    """What is moved, and how many elements that move one output: single elements, pairs that share one, all of them.

    Elements that share no output are moved at once.
    """
    moved, where = _moved(probe, jacobian), suspects.reshape(probe.rows, -1)
    drawn = rng.permutation(np.argwhere(where))[:LOOKED_AT].tolist()
    every_pair = set[tuple[int, int, int]]()
    for row, element in drawn:
        partners = np.flatnonzero(moved[row, moved[row, :, element]].any(axis=0) & where[row]).tolist()
        every_pair |= {(row, min(element, other), max(element, other)) for other in partners if other != element}
    pairs = rng.permutation(sorted(every_pair))[:LOOKED_AT].tolist()
    together = list[tuple[Array, int, Array]]()  # what is moved, how many elements move one output, which outputs move
    for row, *elements in [*drawn, *pairs]:
        outputs = np.zeros(moved.shape[:2], bool)
        outputs[row] = moved[row][:, elements].any(axis=1)
        beside = (one for one in together if one[1] == len(elements) and not (one[2] & outputs).any())
        if (found := next(beside, None)) is None:
            together.append(found := (np.zeros(where.shape), len(elements), np.zeros_like(outputs)))
        found[0][row, elements] = 1
        found[2][...] |= outputs
    directions = [(direction.reshape(suspects.shape), kinks) for direction, kinks, _ in together]
    return [*directions, (suspects.astype(np.float64), len(drawn))]


def _moved(probe: Probe, jacobian: Array) -> Array:
    """Which outputs the elements move, or are said to move: (rows, outputs of a row, elements of a row)."""
    if probe.around is None:
        return np.ones(jacobian.shape, bool)
    left, right = probe.around
    return np.asarray((left != 0) | (right != 0) | (jacobian != 0))


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
                here = probe.subject.forward()
                ends = [probe.end(direction, SMALL_STEP) for direction in directions]
                slopes.append([((end - here) / SMALL_STEP).ravel() for end in ends])
    finally:
        for name, array in arrays.items():
            array[...] = before[name]
    return np.array(slopes).swapaxes(0, 1)


def _allowed(choices: Array, slopes: Array, kinks: int, noise: float) -> bool:
    """Whether the choices for all outputs, along a direction that moves `kinks` elements, go with the slopes nearby.

    The slopes are (points, outputs). Where those of an output agree, to `noise` and a thousandth, there is no kink in
    this direction and the choice must agree too. Otherwise it must lie between them, or between them and 0 where
    several kinks meet, with room where more of them meet than the moves could take apart. For a group of more than
    two, slopes that differ allow anything: the extremes of a sum of many kinks are not met.
    """
    low, high = slopes.min(axis=0), slopes.max(axis=0)
    slack = 1e-3 * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high))) + noise
    smooth = high - low <= 2 * slack
    levels = 1 + (np.diff(np.sort(slopes, axis=0), axis=0) > slack).sum(axis=0)
    meet = ~smooth & (levels > 2)  # where kinks of several pieces meet, each may say 0
    low, high = np.where(meet, np.minimum(low, 0.0), low), np.where(meet, np.maximum(high, 0.0), high)
    room = np.where(smooth | (levels <= 2**kinks), slack, (high - low) / 2)
    return bool(((~smooth & (kinks > 2)) | ((low - room <= choices) & (choices <= high + room))).all())

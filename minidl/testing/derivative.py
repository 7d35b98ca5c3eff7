"""The verdict on one derivative at one point: right, wrong, or a valid choice at a kink.

Everything that can be checked is brought to one form, a `Subject`: named arrays, a forward that reads them, and a
backward that returns dL/d(array) for L = sum(upstream * output). First each array is moved along one random direction,
which costs two forwards. Only where that disagrees are the elements looked at one by one.

At a kink (ReLU at 0, a tie in a maximum) no derivative exists and a layer makes a choice. The choice is held against
the derivatives at nearby points where the function is smooth, one output at a time. If these agree with one another
there is no kink, and the layer must agree too. If they differ, its choice must lie between them: for single elements,
for pairs and for the whole group, as crediting every tied element of a maximum looks right one element at a time.
Callers also check at points drawn away from all kinks, where no such excuse is granted.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from minidl.parameters import Array

EPS = float(np.finfo(np.float64).eps)
RTOL, ATOL = 1e-6, 1e-8
STEP = EPS ** (1 / 3)
RUNGS = 7  # steps tried: h, h/4, ... h/4^6, so that a kink close by leaves the stencil
LOOKED_AT = 12  # elements at kinks, and pairs of them, that are looked at; drawn where there are more


def _hadamard(order: int) -> Array:
    """Sylvester's matrix of +1 and -1 with orthogonal columns, the first of them constant."""
    matrix = np.ones((1, 1))
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


HADAMARD = _hadamard(32)


class CheckError(AssertionError):
    """A property does not hold. `subject` names what was checked and `property` what it should have kept."""

    def __init__(self, subject: str, failed: str, details: str) -> None:
        super().__init__(f"{subject}: {failed}\n{details}")
        self.subject, self.property = subject, failed


@dataclass(frozen=True)
class Subject:
    """What is differentiated: `forward()` and `backward(upstream)` read `arrays` as they stand, float64."""

    arrays: Mapping[str, Array]
    forward: Callable[[], Array]
    backward: Callable[[Array], Mapping[str, Array]]


@dataclass(frozen=True)
class Wrong:
    """A wrong gradient: which array, its element that is most wrong, and what stands there."""

    array: str
    element: tuple[int, ...]
    analytic: Array
    numeric: Array
    wrong: Array
    left: float
    right: float

    def __str__(self) -> str:
        i = self.element
        where = f"{self.array}[{', '.join(map(str, i))}]"
        return (
            f"  worst element  {where}: backward {self.analytic[i]:.8g}, differences {self.numeric[i]:.8g} "
            f"(left {self.left:.8g}, right {self.right:.8g})\n"
            f"  wrong          {int(self.wrong.sum())} of {self.wrong.size} elements of d{self.array}{self._ratio()}"
        )

    def _ratio(self) -> str:
        bad = self.wrong & (np.abs(self.numeric) > 1e-6)
        if not bad.any():
            return ""
        ratios = self.analytic[bad] / self.numeric[bad]
        same = np.ptp(ratios) <= 1e-4 * abs(ratios[0])
        return f", backward / differences = {ratios[0]:.6g} in all of them" if same else ""


@dataclass(frozen=True)
class Probe:
    """L = sum(upstream * output) as a function of one array, moved along directions."""

    subject: Subject
    name: str
    upstream: Array

    def _ends(self, direction: Array, h: float) -> tuple[Array, Array]:
        """The outputs one step down and one step up the direction."""
        array = self.subject.arrays[self.name]
        before = array.copy()
        try:
            array[...] = before - h * direction
            below = self.subject.forward()
            array[...] = before + h * direction
            return below, self.subject.forward()
        finally:
            array[...] = before

    def output_slopes(self, direction: Array, h: float) -> Array:
        """The central difference of every output along the direction."""
        below, above = self._ends(direction, h)
        difference: Array = above - below
        return difference / (2 * h)

    def slopes(self, direction: Array, h: float) -> tuple[float, float, float]:
        """(left, right, tolerance): the one-sided slopes of L along the direction, and their rounding error."""
        middle = self.subject.forward()
        below, above = self._ends(direction, h)
        right = float(np.sum(self.upstream * (above - middle))) / h
        left = float(np.sum(self.upstream * (middle - below))) / h
        return left, right, 8 * EPS * float(np.sum(np.abs(self.upstream * middle))) / h

    def central(self, direction: Array, h: float) -> tuple[float, float]:
        """(slope, tolerance): the central difference along the direction with its rounding and curvature error."""
        left, right, rounding = self.slopes(direction, h)
        slope = (left + right) / 2
        finer = float(np.sum(self.upstream * self.output_slopes(direction, h / 4)))
        return slope, rounding + abs(slope - finer) / 3

    def agrees(self, direction: Array, analytic: float, scale: float) -> bool:
        """Whether the analytic slope is the numeric one at any of the steps; `scale` is the size of its terms."""
        size = max(1.0, float(np.abs(self.subject.arrays[self.name]).max(initial=0.0)))
        for rung in range(RUNGS):
            slope, tolerance = self.central(direction, STEP * size / 4**rung)
            if abs(analytic - slope) <= ATOL + RTOL * max(scale, abs(slope)) + tolerance:
                return True
        return False


def find_wrong(subject: Subject, upstream: Array, rng: np.random.Generator, *, kinks: bool) -> Wrong | None:
    """The first array whose gradient is wrong here, or None; `kinks` excuses points that have no derivative."""
    gradients = {name: np.array(g, np.float64) for name, g in subject.backward(upstream).items()}
    for name, analytic in gradients.items():
        probe = Probe(subject, name, upstream)
        direction = rng.uniform(0.5, 1.5, analytic.shape) * rng.choice([-1.0, 1.0], analytic.shape)
        terms = analytic * direction
        if probe.agrees(direction, float(terms.sum()), float(np.abs(terms).sum())):
            continue
        wrong = np.zeros(analytic.shape, bool)
        for index, unit in _units(analytic):
            wrong[index] = not probe.agrees(unit, float(analytic[index]), abs(float(analytic[index])))
        if wrong.any() and not (kinks and _valid_choice(probe, wrong, rng)):
            return _describe(probe, analytic, wrong)
    return None


def find_wrong_off_grid(subject: Subject, upstream: Array, rng: np.random.Generator) -> Wrong | None:
    """Move every array a little, away from kinks and ties, and look there without excuses; arrays stay moved.

    Where the gradient is wrong, it is looked at again at the nearest multiples of 1/64, which read better.
    """
    for array in subject.arrays.values():
        array += rng.uniform(1 / 64, 3 / 64, array.shape)
    wrong = find_wrong(subject, upstream, rng, kinks=False)
    if wrong is None:
        return None
    moved = {name: array.copy() for name, array in subject.arrays.items()}
    for array in subject.arrays.values():
        array[...] = np.round(array * 64) / 64
    if (readable := find_wrong(subject, upstream, rng, kinks=False)) is not None:
        return readable
    for name, array in subject.arrays.items():
        array[...] = moved[name]
    return wrong


def _units(like: Array) -> Iterator[tuple[tuple[int, ...], Array]]:
    for index in np.ndindex(like.shape):
        unit = np.zeros(like.shape)
        unit[index] = 1
        yield index, unit


def _valid_choice(probe: Probe, suspects: Array, rng: np.random.Generator) -> bool:
    """Whether the derivative of every single output, at the suspect elements, is one the smooth points nearby allow."""
    units = [unit for index, unit in _units(suspects) if suspects[index]]
    units = [units[i] for i in rng.permutation(len(units))[:LOOKED_AT]]
    every_pair = list(combinations(units, 2))
    pairs = [every_pair[i][0] + every_pair[i][1] for i in rng.permutation(len(every_pair))[:LOOKED_AT]]
    directions = [*units, *pairs, suspects.astype(np.float64)]
    kinks_met = [1] * len(units) + [2] * len(pairs) + [len(units)]
    outputs = _units(probe.subject.forward())
    jacobian = np.stack([np.array(probe.subject.backward(one)[probe.name]).ravel() for _, one in outputs])
    around = _nearby_slopes(probe, directions, rng)
    return all(
        _allowed(float(choice), slopes, kinks)
        for direction, by_output, kinks in zip(directions, around, kinks_met, strict=True)
        for choice, slopes in zip(jacobian @ direction.ravel(), by_output.T, strict=True)
    )


def _nearby_slopes(probe: Probe, directions: list[Array], rng: np.random.Generator) -> Array:
    """Slopes of every output along each direction at points a little away: (directions, points, outputs).

    All arrays move. The signs of the moves are columns of a Hadamard matrix, so that any two elements (of the first
    31) move both ways in all four combinations; the sizes are random, so that no tie survives.
    """
    arrays = probe.subject.arrays
    before = {name: array.copy() for name, array in arrays.items()}
    signs = {name: HADAMARD[:, rng.permutation(np.arange(array.size) % 31 + 1)] for name, array in arrays.items()}
    slopes = []
    try:
        for point in range(len(HADAMARD)):
            for name, array in arrays.items():
                moves = signs[name][point].reshape(array.shape) * rng.uniform(0.5, 1.5, array.shape)
                array[...] = before[name] + 1e-5 * moves
            slopes.append([probe.output_slopes(direction, 1e-9).ravel() for direction in directions])
    finally:
        for name, array in arrays.items():
            array[...] = before[name]
    return np.array(slopes).swapaxes(0, 1)


def _allowed(choice: float, slopes: Array, kinks: int) -> bool:
    """Whether a choice along a direction that moves `kinks` elements goes with the slopes nearby.

    Where these agree there is no kink in this direction and the choice must agree too. Otherwise it must lie between
    them and 0, with room where more kinks meet than the moves could take apart.
    """
    low, high = float(slopes.min()), float(slopes.max())
    slack = 1e-3 * max(1.0, abs(low), abs(high))
    if high - low <= 2 * slack:
        return low - slack <= choice <= high + slack
    low, high = min(low, 0.0), max(high, 0.0)  # several pieces may each say 0 where their kinks meet
    levels = 1 + int((np.diff(np.sort(slopes)) > slack).sum())
    room = slack if levels <= 2**kinks else (high - low) / 2
    return kinks > 2 or low - room <= choice <= high + room


def _describe(probe: Probe, analytic: Array, wrong: Array) -> Wrong:
    numeric, size = np.empty_like(analytic), float(np.abs(probe.subject.arrays[probe.name]).max(initial=1.0))
    for index, unit in _units(analytic):
        numeric[index], _ = probe.central(unit, STEP * size)
    error = np.where(wrong, np.abs(analytic - numeric), -1.0)
    error[np.isnan(error)] = np.inf
    worst = tuple(int(i) for i in np.unravel_index(int(error.argmax()), error.shape))
    unit = np.zeros(analytic.shape)
    unit[worst] = 1
    left, right, _ = probe.slopes(unit, STEP * size)
    return Wrong(probe.name, worst, analytic, numeric, wrong, left, right)

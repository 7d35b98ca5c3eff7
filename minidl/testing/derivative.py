"""The verdict on one derivative at one point: right, wrong, or a valid choice at a kink.

Everything that can be checked is brought to one form, a `Subject`: named arrays, a forward that reads them, and a
backward that returns dL/d(array) for L = sum(upstream * output). First each array is moved along one random direction,
which costs four forwards. Only where that disagrees are the elements looked at one by one. Points at which no
derivative exists are judged in `kinks`; callers also check at points drawn away from all kinks, where no such excuse is
granted.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Self, TypeAlias

import numpy as np

from minidl.parameters import Array

EPS = float(np.finfo(np.float64).eps)
RTOL, ATOL = 1e-6, 1e-8
STEP = EPS ** (1 / 3)
FINER, COARSER, FINEST = range(1, 7), range(-1, -4, -1), range(7, 18)  # rungs: the step is STEP / 4**rung
SHARP = 100  # an agreement is sharp if its uncertainty is at most this many times the tolerance
APART = 10  # as many times the allowed difference contradicts
SCANNED = 64  # elements of an array that are looked at one by one; in larger ones the wrong are found by halving
SMALL = 1e-3  # gradients smaller than this share of the largest are looked at once more by themselves


@dataclass(frozen=True)
class Subject:
    """What is differentiated: `forward()` and `backward(upstream)` read `arrays` as they stand, float64."""

    arrays: Mapping[str, Array]
    forward: Callable[[], Array]
    backward: Callable[[Array], Mapping[str, Array]]

    @classmethod
    def of_number(
        cls, arrays: Mapping[str, Array], value: Callable[[], float], gradients: Callable[[], Mapping[str, Array]]
    ) -> Self:
        """A single number, such as a loss or a penalty; `gradients()` are those of the newest `value()`."""

        def backward(upstream: Array) -> dict[str, Array]:
            value()
            return {name: gradient * upstream[0] for name, gradient in gradients().items()}

        return cls(arrays, lambda: np.array([value()]), backward)

    def gradients(self, upstream: Array) -> dict[str, Array]:
        """A copy of what backward says about every array."""
        analytic = self.backward(upstream)
        return {name: np.array(analytic[name], np.float64) for name in self.arrays}

    def differences(self, name: str, upstream: Array) -> Array:
        """Central differences of L for every element of one array, in its shape."""
        probe, slopes = Probe(self, name, upstream), np.empty(self.arrays[name].shape)
        for index, unit in units(slopes):
            slopes[index] = probe.look(unit, 0).slope
        return slopes


class Look(NamedTuple):
    """What differences say at one step: the slope, those to either side, its uncertainty, and whether it is smooth."""

    slope: float
    left: float
    right: float
    uncertainty: float
    smooth: bool


@dataclass(frozen=True)
class Wrong:
    """A wrong gradient: which array, its element that is most wrong, and what stands there."""

    array: str
    element: tuple[int, ...]
    analytic: float
    numeric: float
    count: int
    size: int
    left: float
    right: float

    def __str__(self) -> str:
        where = f"{self.array}[{', '.join(map(str, self.element))}]"
        count = f"{self.count}" if self.size <= SCANNED else f"at least {self.count}"
        return (
            f"  worst element  {where}: backward {self.analytic:.8g}, differences {self.numeric:.8g} "
            f"(left {self.left:.8g}, right {self.right:.8g})\n"
            f"  wrong          {count} of {self.size} elements of d{self.array}"
        )


class Verdict(NamedTuple):
    """What was found wrong, or None, and the largest relative error among what agreed."""

    wrong: Wrong | None
    error: float


@dataclass(frozen=True)
class Probe:
    """L = sum(upstream * output) as a function of one array, moved along directions."""

    subject: Subject
    name: str
    upstream: Array

    @cached_property
    def middle(self) -> Array:
        """The output where the arrays stand."""
        return self.subject.forward()

    @cached_property
    def size(self) -> float:
        """The largest element of the array, at least 1: what a step is relative to."""
        return max(1.0, float(np.abs(self.subject.arrays[self.name]).max(initial=0.0)))

    def ends(self, direction: Array, h: float) -> tuple[Array, Array]:
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

    def _sides(self, direction: Array, h: float) -> tuple[float, float]:
        """The slopes of L one step down and one step up. Outputs are subtracted first: constants cancel exactly."""
        below, above = self.ends(direction, h)
        left, right = self.middle - below, above - self.middle
        return float(np.sum(self.upstream * left)) / h, float(np.sum(self.upstream * right)) / h

    def look(self, direction: Array, rung: int) -> Look:
        """The central difference along the direction at one rung of the ladder of steps."""
        h = STEP * self.size / 4.0**rung
        left, right = self._sides(direction, h)
        finer_left, finer_right = self._sides(direction, h / 4)
        rounding = 8 * EPS * float(np.sum(np.abs(self.upstream * self.middle))) / h
        coarse, fine = (left + right) / 2, (finer_left + finer_right) / 2
        slope = fine + (fine - coarse) / 15  # Richardson: the error of both is a multiple of h^2, which cancels
        uncertainty = rounding + abs(coarse - fine) / 3
        smooth = abs(finer_right - finer_left) <= abs(right - left) / 2 + 8 * rounding + ATOL
        return Look(slope, left, right, uncertainty, smooth)

    def error(self, direction: Array, analytic: float, scale: float) -> float | None:
        """The relative error of the analytic slope if it agrees with the differences at any step, else None.

        `scale` is the size of its terms. Finer steps leave a kink close by outside. Where a large constant in the
        output drowns the differences, agreement means little: then coarser steps are asked too, and two neighbouring
        ones at which the function is smooth, and which are clearly another number, overrule it. Where the curvature
        is infinite, as that of x**1.5 at 0, differences that approach the slope with every finer step will do.
        """
        if not np.isfinite(analytic):
            return None
        vague, against, distances = None, list[tuple[int, Look]](), list[float]()
        for rung in (0, *FINER, *COARSER):
            if rung < 0 and vague is None:
                return distances[-1] if _converges(distances) else self._finest(direction, analytic, scale)
            look = self.look(direction, rung)
            allowed = ATOL + RTOL * max(scale, abs(look.slope))
            off = abs(analytic - look.slope)
            if off <= allowed + look.uncertainty:
                if look.uncertainty <= SHARP * allowed:
                    return off / max(scale, abs(look.slope), ATOL / RTOL)
                if vague is None or look.uncertainty < vague.uncertainty:
                    vague = look
                continue
            distances.append(off)
            if look.smooth and off > APART * (allowed + look.uncertainty):
                against.append((rung, look))
        if vague is None or any(_same_number(a, b, vague) for a in against for b in against):
            return None
        return abs(analytic - vague.slope) / max(scale, abs(vague.slope), vague.uncertainty / RTOL)

    def _finest(self, direction: Array, analytic: float, scale: float) -> float | None:
        """As `error`, at steps so fine that only a sharp and smooth agreement counts: y = clip(1e12 x, -1, 1) at 0."""
        for rung in FINEST:
            look = self.look(direction, rung)
            allowed = ATOL + RTOL * max(scale, abs(look.slope))
            if look.smooth and look.uncertainty <= SHARP * allowed and abs(analytic - look.slope) <= allowed:
                return abs(analytic - look.slope) / max(scale, abs(look.slope), ATOL / RTOL)
        return None


def _converges(distances: list[float]) -> bool:
    """Whether every finer step came nearer by a quarter at least."""
    return all(finer <= 0.75 * distance for distance, finer in pairwise(distances))


def _same_number(a: tuple[int, Look], b: tuple[int, Look], vague: Look) -> bool:
    """Whether two neighbouring rungs, each much sharper than the vague one, say the same."""
    (i, one), (j, other) = a, b
    sharper = APART * max(one.uncertainty, other.uncertainty) < vague.uncertainty
    return i == j + 1 and sharper and abs(one.slope - other.slope) <= one.uncertainty + other.uncertainty


Excuse: TypeAlias = Callable[[Probe, Array, np.random.Generator], bool]


def judge(
    subject: Subject,
    upstream: Array,
    rng: np.random.Generator,
    excused: Excuse | None = None,
) -> Verdict:
    """The first array whose gradient is wrong here; `excused` may say that the wrong elements are kinks."""
    worst = 0.0
    for name, analytic in subject.gradients(upstream).items():
        probe = Probe(subject, name, upstream)
        size = np.abs(analytic)
        wrong = np.zeros(analytic.shape, bool)
        everything, small = np.ones(analytic.shape, bool), size < SMALL * size.max(initial=0.0)
        for group in (everything, small):
            error = _group_error(probe, analytic, group, rng) if group.any() else 0.0
            if error is None:
                wrong |= _wrong_elements(probe, analytic, group, rng)
            elif group is everything:  # of the small ones the error is that of the differences
                worst = max(worst, error)
        if wrong.any() and not (excused is not None and excused(probe, wrong, rng)):
            return Verdict(_describe(probe, analytic, wrong), worst)
    return Verdict(None, worst)


def _group_error(probe: Probe, analytic: Array, group: Array, rng: np.random.Generator) -> float | None:
    """The error along one random direction that moves the elements of a group."""
    direction = group * rng.uniform(0.5, 1.5, group.shape) * rng.choice([-1.0, 1.0], group.shape)
    terms = analytic[group] * direction[group]
    return probe.error(direction, float(terms.sum()), float(np.abs(terms).sum()))


def _wrong_elements(probe: Probe, analytic: Array, group: Array, rng: np.random.Generator) -> Array:
    """Which elements of a group are wrong: one by one, or, of a large group, some found by halving."""
    wrong, looks = np.zeros(analytic.shape, bool), 0
    groups = [np.flatnonzero(group)]
    if len(groups[0]) <= SCANNED:
        groups = [np.array([i]) for i in groups[0]]
    while groups and looks < 4 * SCANNED:
        elements, looks = groups.pop(), looks + 1
        part = np.zeros(analytic.size, bool)
        part[elements] = True
        if _group_error(probe, analytic, part.reshape(analytic.shape), rng) is not None:
            continue
        if len(elements) == 1:
            wrong.flat[elements] = True
        else:
            groups += np.array_split(rng.permutation(elements), 2)
    return wrong


def judge_readable(
    subject: Subject, upstream: Array, rng: np.random.Generator, excused: Excuse, *, width: float = 1.0
) -> Verdict:
    """Judge without excuses, where the arrays stand away from kinks and ties.

    Where the gradient is wrong, it is looked at again at the nearest multiples of 1/64 (of less in a domain narrower
    than 1), which read better; kinks and ties may be met there, so what is `excused` does not count.
    """
    verdict = judge(subject, upstream, rng)
    if verdict.wrong is None:
        return verdict
    moved = {name: array.copy() for name, array in subject.arrays.items()}
    steps = 64 * 2.0 ** np.ceil(np.log2(max(1.0, 1 / width)))
    for array in subject.arrays.values():
        array[...] = np.round(array * steps) / steps
    if (readable := judge(subject, upstream, rng, excused)).wrong is not None:
        return readable
    for name, array in subject.arrays.items():
        array[...] = moved[name]
    return verdict


def units(like: Array) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Every index of an array with the direction that moves this element alone."""
    for index in np.ndindex(like.shape):
        unit = np.zeros(like.shape)
        unit[index] = 1
        yield index, unit


def _describe(probe: Probe, analytic: Array, wrong: Array) -> Wrong:
    looks = {}
    for index in np.argwhere(wrong)[:SCANNED]:
        unit = np.zeros(analytic.shape)
        unit[tuple(index)] = 1
        looks[tuple(int(i) for i in index)] = probe.look(unit, 0)
    off = {index: abs(float(analytic[index]) - look.slope) for index, look in looks.items()}
    worst = max(off, key=lambda index: np.inf if np.isnan(off[index]) else off[index])
    look = looks[worst]
    count = int(wrong.sum())
    return Wrong(probe.name, worst, float(analytic[worst]), look.slope, count, wrong.size, look.left, look.right)

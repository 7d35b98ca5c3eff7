"""Slopes of anything along any direction, by differences of its forward pass."""

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.testing.functions.subject import Subject, units

EPS = float(np.finfo(np.float64).eps)
RTOL, ATOL = 1e-6, 1e-8
STEP = EPS ** (1 / 3)
FINER, COARSER, FINEST = range(1, 7), range(-1, -4, -1), range(7, 18)  # rungs: the step is STEP / 4**rung
SHARP = 100  # an agreement is sharp if its uncertainty is at most this many times the tolerance
NEAR, AROUND = 1e-5, 4e-5  # how far points are that are near, and a step beyond all of them
LOOKED_THROUGH, MANY_SLOPES = 1024, 2**20  # elements of a row, and slopes of outputs, up to which all are looked at
DROWNED = 64  # times as far off at the finest step as at the first: rounding has the say
NOISY, LOUD = 8, 4  # moves by a few roundings that are tried, and how far beyond the output's own they must lead
SAME = 1e-3  # of what lies between the slopes to either side: as far as they may move where a kink stays where it is
APART = 10  # as many times the allowed difference contradicts


class Look(NamedTuple):
    """What differences say at one step: the slope, those to either side, its uncertainty, and whether it is smooth."""

    slope: float
    left: float
    right: float
    uncertainty: float
    smooth: bool


@frozen
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

    @cached_property
    def rows(self) -> int:
        """How many rows of the array stand apart, so that one forward looks at all of them; 1 where they do not."""
        return len(self.middle) if self.subject.rows_apart(self.name) else 1

    def jacobian(self) -> Array:
        """What backward says of single outputs: (rows, outputs of a row, elements of a row)."""
        gradients = (self.subject.gradients(one)[self.name] for one in self._columns(self.middle))
        return np.stack([gradient.reshape(self.rows, -1) for gradient in gradients], axis=1)

    @cached_property
    def around(self) -> tuple[Array, Array] | None:
        """The slopes of single outputs to the left and right, as `jacobian` has them; None if these are too many."""
        array = self.subject.arrays[self.name]
        if array.size > LOOKED_THROUGH * self.rows or array.size * self.middle.size > MANY_SLOPES * self.rows:
            return None
        ends = [self.ends(unit, AROUND) for unit in self._columns(array)]
        slopes = [((self.middle - below) / AROUND, (above - self.middle) / AROUND) for below, above in ends]
        left, right = (np.stack([s.reshape(self.rows, -1) for s in side], axis=2) for side in zip(*slopes, strict=True))
        return left, right

    def _columns(self, like: Array) -> Iterator[Array]:
        """Arrays of 0 with a 1 at the first place of every row that stands apart, at the second, and so on."""
        for column in range(like.size // self.rows):
            ones = np.zeros((self.rows, like.size // self.rows))
            ones[:, column] = 1
            yield ones.reshape(like.shape)

    @cached_property
    def rounding(self) -> float:
        """How far L may be off by the rounding of its terms."""
        return 8 * EPS * float(np.sum(np.abs(self.upstream * self.middle)))

    @cached_property
    def noise(self) -> float:
        """How far L moves where everything is off by a few roundings: what rounding within the forward pass may do."""
        arrays, rng = self.subject.arrays, np.random.default_rng(0)
        before, moves = {name: array.copy() for name, array in arrays.items()}, [0.0]
        try:
            for _ in range(NOISY):
                for name, array in arrays.items():
                    array[...] = before[name] * (1 + 4 * EPS * rng.uniform(-1, 1, array.shape))
                moves.append(abs(float(np.sum(self.upstream * (self.subject.forward() - self.middle)))))
        finally:
            for name, array in arrays.items():
                array[...] = before[name]
        return max(moves)

    def ends(self, direction: Array, h: float) -> tuple[Array, Array]:
        """The outputs one step down and one step up the direction."""
        return self.end(direction, -h), self.end(direction, h)

    def end(self, direction: Array, h: float) -> Array:
        """The output one step up the direction."""
        array = self.subject.arrays[self.name]
        before = array.copy()
        try:
            array[...] = before + h * direction
            return self.subject.forward()
        finally:
            array[...] = before

    def _sides(self, direction: Array, h: float) -> tuple[float, float]:
        """The slopes of L one step down and one step up. Outputs are subtracted first: constants cancel exactly."""
        below, above = self.ends(direction, h)
        left, right = self.middle - below, above - self.middle
        return float(np.sum(self.upstream * left)) / h, float(np.sum(self.upstream * right)) / h

    def look(self, direction: Array, rung: int, *, noise: float = 0.0) -> Look:
        """The central difference along the direction at one rung of the ladder of steps."""
        h = STEP * self.size / 4.0**rung
        left, right = self._sides(direction, h)
        finer_left, finer_right = self._sides(direction, h / 4)
        rounding = (self.rounding + noise) / h
        coarse, fine = (left + right) / 2, (finer_left + finer_right) / 2
        slope = fine + (fine - coarse) / 15  # Richardson: the error of both is a multiple of h^2, which cancels
        uncertainty = rounding + abs(coarse - fine) / 3
        smooth = abs(finer_right - finer_left) <= abs(right - left) / 2 + 8 * rounding + ATOL
        return Look(slope, left, right, uncertainty, smooth)

    def error(self, direction: Array, analytic: float, scale: float) -> float | None:
        """The relative error of the analytic slope if it agrees with the differences at any step, else None.

        `scale` is the size of its terms. Finer steps leave a kink close by outside. Where a large constant in the
        output drowns the differences, agreement means little: then coarser steps are asked too, and two neighbouring
        ones at which the function is smooth, and which are clearly another number, overrule it. They are asked, too,
        where rounding inside the function drowns the finer ones. If nothing agrees and rounding inside does much more
        than that of the output, as in a normalization of nearly equal numbers, it is allowed for. Where the curvature
        is infinite, as that of x**1.5 at 0, differences that approach the slope with every finer step will do.
        """
        if not np.isfinite(analytic):
            return None
        error = self._error(direction, analytic, scale, 0.0)
        if error is None and self.noise > LOUD * self.rounding:
            return self._error(direction, analytic, scale, self.noise)
        return error

    def _error(self, direction: Array, analytic: float, scale: float, noise: float) -> float | None:
        vague, against, distances = None, list[tuple[int, Look]](), list[float]()
        for rung in (0, *FINER, *COARSER):
            if rung < 0 and vague is None and not _drowned(distances):
                return distances[-1] if _converges(distances) else self._finest(direction, analytic, scale)
            look = self.look(direction, rung, noise=noise)
            allowed = ATOL + RTOL * max(scale, abs(look.slope))
            off = abs(analytic - look.slope)
            if off <= allowed + look.uncertainty:
                if look.uncertainty <= SHARP * allowed:
                    return off / max(scale, abs(look.slope), ATOL / RTOL)
                if vague is None or look.uncertainty < vague.uncertainty:
                    vague = look
                continue
            if rung == 0 and self._at_a_kink(direction, look):
                return None
            distances.append(off)
            if look.smooth and off > APART * (allowed + look.uncertainty):
                against.append((rung, look))
        if vague is None or any(_same_number(a, b, vague) for a in against for b in against):
            return None
        return abs(analytic - vague.slope) / max(scale, abs(vague.slope), vague.uncertainty / RTOL)

    def _at_a_kink(self, direction: Array, look: Look) -> bool:
        """Whether the slopes to both sides stay apart, and stay what they are, at a step 4096 times as fine.

        The function then has a kink right here, and finer steps say what the first one did. Many do at ties, as in a
        maximum over windows, where the whole ladder for each would be most of what a check costs.
        """
        apart = SAME * abs(look.right - look.left)
        if apart <= ATOL + look.uncertainty:
            return False
        finer = self.look(direction, FINER[-1])
        return abs(finer.left - look.left) <= apart and abs(finer.right - look.right) <= apart

    def _finest(self, direction: Array, analytic: float, scale: float) -> float | None:
        """As `error`, at steps so fine that only a sharp and smooth agreement counts: y = clip(1e12 x, -1, 1) at 0."""
        for rung in FINEST:
            look = self.look(direction, rung)
            allowed = ATOL + RTOL * max(scale, abs(look.slope))
            if look.smooth and look.uncertainty <= SHARP * allowed and abs(analytic - look.slope) <= allowed:
                return abs(analytic - look.slope) / max(scale, abs(look.slope), ATOL / RTOL)
        return None


def differences(subject: Subject, name: str, upstream: Array) -> Array:
    """Central differences of L for every element of one array, in its shape."""
    probe, slopes = Probe(subject, name, upstream), np.empty(subject.arrays[name].shape)
    for index, unit in units(slopes):
        slopes[index] = probe.look(unit, 0).slope
    return slopes


def _converges(distances: list[float]) -> bool:
    """Whether every finer step came nearer by a quarter at least."""
    return all(finer <= 0.75 * distance for distance, finer in pairwise(distances))


def _drowned(distances: list[float]) -> bool:
    """Whether finer steps lead away: the error by rounding is four times as large with every one."""
    return distances[len(FINER)] > DROWNED * distances[0]


def _same_number(a: tuple[int, Look], b: tuple[int, Look], vague: Look) -> bool:
    """Whether two neighbouring rungs, each much sharper than the vague one, say the same."""
    (i, one), (j, other) = a, b
    sharper = APART * max(one.uncertainty, other.uncertainty) < vague.uncertainty
    return i == j + 1 and sharper and abs(one.slope - other.slope) <= one.uncertainty + other.uncertainty

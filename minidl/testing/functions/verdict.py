"""The verdict on one derivative at one point: right, wrong, or a valid choice at a kink.

First each array is moved along one random direction, which costs four forwards. Only where that disagrees are the
elements looked at one by one. Points at which no derivative exists are judged in `kinks`; callers also check at points
drawn away from all kinks, where no such excuse is granted.
"""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import NamedTuple, TypeAlias

import numpy as np

from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.testing.functions.differences import AROUND, ATOL, EPS, RTOL, Probe
from minidl.testing.functions.kinks import valid_choice
from minidl.testing.functions.points import Domain, leave_grid
from minidl.testing.functions.subject import Subject
from minidl.testing.functions.words import shown

FAR = (8, 40)  # times as large
SCANNED = 64  # elements of an array that are looked at one by one; in larger ones the wrong are found by halving
ENOUGH = 8  # wrong elements of a larger array
KINKED = 1e-3  # of the slopes to either side: as far as they are apart at a kink
SMALL = 1e-3  # gradients smaller than this share of the largest are looked at once more by themselves


@frozen
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
        where = self.array + (f"[{', '.join(map(str, self.element))}]" if self.element else "")
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


@frozen
class Trial:
    """A derivative to judge.

    Attributes:
        subject: what is differentiated, where its arrays stand.
        upstream: dL/d(output).
        rng: of the directions and moves.
        complain: what is wrong and, off the grid, the lines that say where -> the error to raise.
        inputs: the domains of those arrays that are inputs; the others are parameters.
    """

    subject: Subject
    upstream: Array
    rng: np.random.Generator
    complain: Callable[[Wrong, str], Exception]
    inputs: Mapping[str, Domain | None] = field(default_factory=dict)

    def on_grid(self) -> float:
        """The error where the arrays stand, with a valid choice at kinks and ties."""
        return self._error(judge(self.subject, self.upstream, self.rng, valid_choice), "")

    def off_grid(self, *, near: bool = False) -> float | None:
        """The error a 32nd, or if `near` less than a 1024th, off the grid; None if there is no finite output."""
        with self.subject.kept():
            if not leave_grid(self.subject, self.rng, self.inputs, near=near):
                return None
            width = min((high - low for low, high in filter(None, self.inputs.values())), default=1.0)
            verdict = (
                judge(self.subject, self.upstream, self.rng)
                if near
                else judge_readable(self.subject, self.upstream, self.rng, valid_choice, width=width)
            )
            arrays = self.subject.arrays.items()
            where = "\n".join(["  found at", *(f"  {name} = {shown(array)}" for name, array in arrays)])
            return self._error(verdict, where)

    def _error(self, verdict: Verdict, where: str) -> float:
        if verdict.wrong is not None:
            raise self.complain(verdict.wrong, where)
        return verdict.error


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
                suspects = _suspects(probe, analytic, group, rng) if excused else None
                wrong |= _wrong_elements(probe, analytic, group, rng) if suspects is None else suspects
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


def _suspects(probe: Probe, analytic: Array, group: Array, rng: np.random.Generator) -> Array | None:
    """Which elements of a group are wrong or at a kink, by one look to both sides of each; None if that says nothing.

    Many are at ties, as in a maximum over windows, where halving for each would be most of what a check costs.
    """
    if probe.around is None:
        return None
    left, right = (probe.upstream.reshape(probe.rows, -1, 1) * side for side in probe.around)
    slopes = ((left + right) / 2).sum(axis=1).reshape(analytic.shape)
    rounding = 8 * EPS * float(np.sum(np.abs(probe.upstream * probe.middle))) / AROUND
    size = np.maximum(np.abs(left), np.abs(right))
    off = group & ~(np.abs(analytic - slopes) <= ATOL + RTOL * np.abs(slopes) + rounding)
    kinks = (np.abs(right - left) > KINKED * size + ATOL + rounding).any(axis=1).reshape(analytic.shape)
    wrong = off & kinks
    for looks, element in enumerate(rng.permutation(np.flatnonzero(off & ~kinks)).reshape(-1, 1)):
        if looks >= SCANNED or _enough(wrong & ~kinks):
            break
        one = _part(analytic, element)
        wrong |= one & (_group_error(probe, analytic, one, rng) is None)
    return wrong if wrong.any() else None


def _enough(wrong: Array) -> bool:
    """Whether so many of a large array are wrong that there is no need to look for more: each costs a whole ladder."""
    return wrong.size > SCANNED and int(wrong.sum()) >= ENOUGH


def _part(like: Array, elements: Array) -> Array:
    """True at the elements, by their places in the flat array."""
    part = np.zeros(like.size, bool)
    part[elements] = True
    return part.reshape(like.shape)


def _wrong_elements(probe: Probe, analytic: Array, group: Array, rng: np.random.Generator) -> Array:
    """Which elements of a group are wrong: one by one, or, of a large group, some found by halving."""
    wrong, looks = np.zeros(analytic.shape, bool), 0
    groups = [np.flatnonzero(group)]
    if len(groups[0]) <= SCANNED:
        groups = [np.array([i]) for i in groups[0]]
    while groups and looks < 4 * SCANNED and not _enough(wrong):
        elements, looks = groups.pop(), looks + 1
        if _group_error(probe, analytic, _part(analytic, elements), rng) is not None:
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

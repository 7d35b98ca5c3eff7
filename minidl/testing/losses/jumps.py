"""Where a number jumps although its gradient says nothing of it: found by halving a way that crosses the jump."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from minidl.parameters import Array
from minidl.testing.functions import shown
from minidl.testing.losses.case import LossCase

PIECES = 16  # of a way, at first
LOOKED_AT = 3  # of them are halved: those whose ends differ most from what the gradient says
HALVINGS = 44  # down to 1e-14 of the way
STEEP = 64  # times what the gradient says at either end of the last piece, or beside it, is no jump
LEAST = 1e-5  # of the largest value met is the smallest jump; a square root rises by less on the last piece


def no_jump(case: LossCase) -> None:
    """On the way to other scores, the value changes by what the gradient says."""

    def looked_at(scores: Array) -> tuple[float, Array]:
        return case.value(scores, case.targets), case.gradient()

    end = np.asarray(case.rng.integers(-24, 25, case.scores.shape) / 8)
    if (jump := find_jump(looked_at, case.scores, end)) is not None:
        details = f"  {jump.low:.8g} at scores = {shown(jump.before)}\n  {jump.high:.8g} right beside them"
        raise case.failure("the value must not jump: its pieces must meet", details, drawn=False)


class Jump(NamedTuple):
    """Two neighbouring points, and the values there."""

    before: Array
    after: Array
    low: float
    high: float


class _Point(NamedTuple):
    t: float
    value: float
    slope: float


def find_jump(function: Callable[[Array], tuple[float, Array]], start: Array, end: Array) -> Jump | None:
    """A jump of the value on the straight way between two points, given value and gradient; None if none is found.

    A continuous function with that gradient changes on a short piece by no more than its slopes say. Where a value is
    not finite nothing is said.
    """
    way = end - start

    def look(t: float) -> _Point:
        value, gradient = function(start + t * way)
        return _Point(t, value, float(np.sum(gradient * way)))

    with np.errstate(all="ignore"):
        points = [look(t) for t in np.linspace(0, 1, PIECES + 1).tolist()]
        if not np.isfinite([point.value for point in points]).all():
            return None
        size = max(1.0, *(abs(point.value) for point in points))
        pieces = sorted(pairwise(points), key=lambda piece: -_unsaid(*piece))
        for left, right in pieces[:LOOKED_AT]:
            if (found := _halved(look, left, right, LEAST * size)) is not None:
                left, right = found
                return Jump(start + left.t * way, start + right.t * way, left.value, right.value)
    return None


def _unsaid(left: _Point, right: _Point) -> float:
    """How far the values at the ends of a piece differ from what the slopes there say."""
    said = (left.slope + right.slope) / 2 * (right.t - left.t)
    return abs(right.value - left.value - said)


def _halved(look: Callable[[float], _Point], left: _Point, right: _Point, least: float) -> tuple[_Point, _Point] | None:
    """The ends of the shortest piece, if the value jumps there by more than `least`."""
    steepest = 0.0
    for _ in range(HALVINGS):
        middle = look((left.t + right.t) / 2)
        if not _unsaid(left, right) > least / 4 or not np.isfinite(middle.value):
            return None
        steepest = max(abs(left.slope), abs(middle.slope), abs(right.slope))
        if _unsaid(left, middle) >= _unsaid(middle, right):
            right = middle
        else:
            left = middle
    jump = abs(right.value - left.value)
    return (left, right) if jump > least + STEEP * steepest * (right.t - left.t) else None

"""What a wrong gradient looks like: patterns that tell which mistake was made."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Self

import numpy as np

from minidl.frozen import frozen
from minidl.parameters import Array
from minidl.testing.functions.differences import differences
from minidl.testing.functions.points import Domain, leave_grid, upstream_gradient
from minidl.testing.functions.subject import Subject
from minidl.testing.functions.verdict import Wrong

TOLD_APART = 200  # numbers up to which the pattern of a mistake is looked for
CLOSE = 1e-5  # relative to the largest element: differences are good to about 1e-9 of it


@frozen
class Sample:
    """The gradients at one smooth point, analytic and by differences.

    Attributes:
        rows: the batch size.
        width: the size of the last axis of the input.
        arrays: name -> where it was.
        analytic: name -> what backward says.
        numeric: name -> what differences say.
        of_rows: the names of those whose first axis is that of the batch.
    """

    rows: int
    width: int
    arrays: Mapping[str, Array]
    analytic: Mapping[str, Array]
    numeric: Mapping[str, Array]
    of_rows: Container[str] = ("x",)

    @classmethod
    def of(
        cls, subject: Subject, upstream: Array, *, rows: int = 1, width: int = 1, of_rows: Container[str] = ("x",)
    ) -> Self:
        """The gradients where the arrays of a subject stand."""
        numeric = {name: differences(subject, name, upstream) for name in subject.arrays}
        arrays = {name: array.copy() for name, array in subject.arrays.items()}
        return cls(rows, width, arrays, subject.gradients(upstream), numeric, of_rows)

    @classmethod
    def off_grid(
        cls, subject: Subject, rng: np.random.Generator, inputs: Mapping[str, Domain | None], **rows: Any
    ) -> Iterator[Self]:
        """The gradients a little off the grid; none where there are many, or no finite output."""
        few = sum(array.size for array in subject.arrays.values()) <= TOLD_APART
        if few and leave_grid(subject, rng, inputs):
            yield cls.of(subject, upstream_gradient(rng, subject.forward().shape), **rows)


def in_words(wrong: Wrong, samples: Iterable[Sample], *more: str) -> str:
    """What is wrong, the pattern that the samples show, if it is a known one, and further lines that are not empty."""
    return "\n".join(line for line in (str(wrong), recognize(wrong.array, samples), *more) if line)


def recognize(name: str, samples: Iterable[Sample]) -> str:
    """One line "  diagnosis ..." if the wrong gradient of `name` shows a known pattern at all samples, else ""."""
    with suppress(AssertionError):  # there may be no output at other points
        seen = [s for s in samples if np.isfinite(s.numeric[name]).all() and np.isfinite(s.analytic[name]).all()]
        telling = [s for s in seen if not _same(s.analytic[name], s.numeric[name])]
        if telling:
            text = next((found for pattern in PATTERNS for found in pattern(name, telling)), "")
            return f"  diagnosis      {text}" if text else ""
    return ""


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool((np.abs(a - b) <= CLOSE * max(1e-3, float(np.abs(b).max(initial=0.0)))).all())


def _nothing(name: str, samples: list[Sample]) -> Iterator[str]:
    if all(not s.analytic[name].any() for s in samples):
        yield f"d{name} is 0 everywhere: is it computed at all?"


def _factor(name: str, samples: list[Sample]) -> Iterator[str]:
    """One factor for all elements, which may depend on the sizes."""
    factors = [_constant_ratio(s.analytic[name], s.numeric[name]) for s in samples]
    if any(factor is None for factor in factors):
        return
    for meaning, factor in FACTORS.items():
        if all(abs(f - factor(s)) <= 1e-4 * abs(f) for f, s in zip(factors, samples, strict=True) if f is not None):
            yield f"every element is {meaning}"
            return
    first = factors[0] or 0.0
    if all(abs((f or 0.0) - first) <= 1e-4 * abs(first) for f in factors):
        yield f"every element is {first:.6g} times the right one: a constant factor is missing or too many"


FACTORS: dict[str, Callable[[Sample], float]] = {
    "minus the right one: a sign is wrong": lambda s: -1,
    "twice the right one": lambda s: 2,
    "half the right one": lambda s: 0.5,
    "1 / n of the right one, n the batch size: a mean over rows where their sum is asked for": lambda s: 1 / s.rows,
    "n times the right one, n the batch size: a sum over rows where their mean is asked for": lambda s: s.rows,
    "1 / width of the right one: a mean over features where their sum is asked for": lambda s: 1 / s.width,
    "width times the right one: a sum over features where their mean is asked for": lambda s: s.width,
}


def _constant_ratio(a: Array, b: Array) -> float | None:
    """a / b if it is one number."""
    square = float(np.sum(b * b))
    if square == 0:
        return None
    ratio = float(np.sum(a * b)) / square
    return ratio if ratio and _same(a, ratio * b) else None


def _times(name: str, samples: list[Sample]) -> Iterator[str]:
    """A factor that is one of the arrays, there once too often or missing."""
    for other in samples[0].arrays:
        factors = [s.arrays[other] for s in samples]
        if any(f.shape != s.numeric[name].shape and f.size != 1 for f, s in zip(factors, samples, strict=True)):
            continue
        pairs = list(zip(factors, samples, strict=True))
        if all(_same(s.analytic[name], s.numeric[name] * f) for f, s in pairs):
            yield f"every element is {other} times the right one"
        elif all(_same(s.analytic[name] * f, s.numeric[name]) for f, s in pairs):
            yield f"a factor {other} is missing"


def _arranged(name: str, samples: list[Sample]) -> Iterator[str]:
    """The right numbers in other places."""
    ways: dict[str, Callable[[Array], Array]] = {"transposed": np.transpose}
    for axis in range(samples[0].analytic[name].ndim):
        ways[f"reversed along axis {axis}"] = partial(np.flip, axis=axis)
        ways[f"one place too early along axis {axis}"] = partial(np.roll, shift=1, axis=axis)
        ways[f"one place too late along axis {axis}"] = partial(np.roll, shift=-1, axis=axis)
    for way, arranged in ways.items():
        if all(_same(arranged(s.analytic[name]), s.numeric[name]) for s in samples):
            yield f"these are the right numbers, but {way}"


def _swapped(name: str, samples: list[Sample]) -> Iterator[str]:
    for other in samples[0].numeric:
        if other != name and all(_same(s.analytic[name], s.numeric[other]) for s in samples):
            yield f"this is the gradient of {other}: are the two swapped?"


def _decay(name: str, samples: list[Sample]) -> Iterator[str]:
    """Something that depends on the array alone was added."""
    ratios = [_constant_ratio(s.analytic[name] - s.numeric[name], s.arrays[name]) for s in samples]
    if name not in samples[0].of_rows and all(
        r is not None and abs(r - (ratios[0] or 0)) <= 1e-3 * abs(r) for r in ratios
    ):
        yield f"{ratios[0]:.4g} * {name} was added: weight decay belongs to a regularizer or an optimizer"


def _part(name: str, samples: list[Sample]) -> Iterator[str]:
    """Only some index along one axis is wrong."""
    for axis in range(samples[0].analytic[name].ndim):
        wrong = [_wrong_places(s.analytic[name], s.numeric[name], axis) for s in samples]
        lengths = [s.analytic[name].shape[axis] for s in samples]
        if min(lengths) < 2:
            continue
        rows = axis == 0 and name in samples[0].of_rows
        if all(len(places) == 1 and places == wrong[0] for places in wrong):
            yield f"only row {wrong[0][0]} is wrong" if rows else f"only index {wrong[0][0]} of axis {axis} is wrong"
        elif all(places == [length - 1] for places, length in zip(wrong, lengths, strict=True)):
            yield "only the last row is wrong" if rows else f"only the last index of axis {axis} is wrong"


def _wrong_places(a: Array, b: Array, axis: int) -> list[int]:
    size = max(1e-3, float(np.abs(b).max(initial=0.0)))
    others = tuple(i for i in range(a.ndim) if i != axis)
    return [int(i) for i in np.flatnonzero((np.abs(a - b) > CLOSE * size).any(axis=others))]


PATTERNS = (_nothing, _times, _factor, _arranged, _swapped, _decay, _part)

"""Which rows go to which part: random, disjoint, and with the same mix of classes in every part."""

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np

from minidl.arguments import check_integer, check_number
from minidl.parameters import Array
from minidl.seeding import Stream, generator

TOLERANCE = 1e-9  # 0.7 + 0.15 + 0.15 is not exactly 1 in binary


def split_rows(labels: Array, parts: Sequence[float], seed: int) -> list[Array]:
    """For every fraction or count the sorted row numbers of its part, stratified by `labels` (n,)."""
    sizes = _sizes(parts, len(labels)) if parts and all(isinstance(part, Integral) for part in parts) else None
    shares = _shares(parts) if sizes is None else sizes / len(labels)
    if len(labels) < len(parts):
        raise ValueError(
            f"expected at least one row for each of {len(parts)} parts, received a dataset of {len(labels)} rows"
        )
    _, label = np.unique(labels, return_inverse=True)
    of_classes = np.bincount(label)
    counts = _counts(of_classes, shares)
    if sizes is None:
        _fill(counts)
    else:
        _settle(counts, of_classes[:, None] * shares, sizes)
    # Rows in random order within each class; consecutive runs of a class go to consecutive parts.
    shuffled = generator(seed, Stream.SPLIT).permutation(len(labels))
    grouped = shuffled[np.argsort(label[shuffled], kind="stable")]
    part = np.repeat(np.tile(np.arange(counts.shape[1]), len(counts)), counts.ravel())
    return [np.sort(grouped[part == number]) for number in range(1, len(shares))]


def _shares(fractions: Sequence[float]) -> Array:
    """The fractions, after the share of the rows that are left out."""
    if not fractions:
        raise ValueError("expected at least one fraction, received none: write split(0.7, 0.15, 0.15)")
    for fraction in fractions:
        if isinstance(fraction, Integral) and fraction > 1:
            raise ValueError(
                f"expected fractions only, as in split(0.8, 0.2), or counts only, as in split(800, 200), received "
                f"both: {tuple(fractions)}"
            )
        if check_number("each fraction", fraction, minimum=0, maximum=1) == 0:
            raise ValueError(f"expected each fraction to be > 0, received fractions={tuple(fractions)}")
    rest = 1 - math.fsum(fractions)
    if len(fractions) == 1 and rest > TOLERANCE:
        raise ValueError(
            f"expected a fraction for each part, received {fractions[0]} alone, without the other {rest:.3g}: write "
            f"split({fractions[0]}, {rest:.3g})"
        )
    if rest < -TOLERANCE:
        raise ValueError(f"expected fractions that sum to at most 1, received fractions={tuple(fractions)}")
    return np.array([rest if rest > TOLERANCE else 0.0, *fractions])


def _sizes(counts: Sequence[float], rows: int) -> Array:
    """The counts, after that of the rows that are left out."""
    sizes = [check_integer("each count", count, minimum=1) for count in counts]  # type: ignore[arg-type]
    rest = rows - sum(sizes)
    if rest < 0:
        raise ValueError(
            f"expected counts that sum to at most {rows}, the number of rows, received {tuple(sizes)}, which sum to "
            f"{sum(sizes)}"
        )
    if len(sizes) == 1 and rest:
        raise ValueError(
            f"expected a count for each part, received {sizes[0]} alone, without the other {rest}: write "
            f"split({sizes[0]}, {rest}), or split(1.0) for all of them in one"
        )
    return np.array([rest, *sizes])


def _counts(sizes: Array, shares: Array) -> Array:
    """(classes, parts) rows of each class in each part: the exact share, rounded down or up.

    Rounding up goes to the parts that earlier classes left most short, so that the parts' sizes are right too.
    """
    exact = sizes[:, None] * shares
    counts = np.floor(exact + TOLERANCE).astype(np.intp)
    owed = np.zeros(len(shares))
    for size, wanted, given in zip(sizes, exact, counts, strict=True):
        owed += wanted - given
        candidates = np.where(wanted - given > TOLERANCE, owed, -np.inf)
        rounded_up = np.argsort(-candidates, kind="stable")[: size - given.sum()]
        given[rounded_up] += 1
        owed[rounded_up] -= 1
    return counts


def _fill(counts: Array) -> None:
    """Give every part that is asked for its one row."""
    for part in range(1, counts.shape[1]):
        if counts[:, part].sum() == 0:
            donor = counts.sum(axis=0).argmax()
            label = counts[:, donor].argmax()
            counts[label, [donor, part]] += [-1, 1]


def _settle(counts: Array, exact: Array, sizes: Array) -> None:
    """Make the parts exactly as large as asked for, with every class in each still its share rounded down or up.

    A row moves from a part that has too many to one that has too few: within a class of which the one was rounded up
    and the other down, or by way of other parts. There always is such a way, since flows in whole numbers have one.
    """
    low, high = np.floor(exact + TOLERANCE), np.ceil(exact - TOLERANCE)
    while (over := counts.sum(axis=0) - sizes).any():
        start = int(over.argmax())
        came: dict[int, tuple[int, int]] = {start: (start, -1)}  # from which part, in which class
        for part in (waiting := [start]):  # the nearest first
            moves = (counts[:, part] > low[:, part])[:, None] & (counts < high)
            for other in np.flatnonzero(moves.any(axis=0)).tolist():
                if other not in came:
                    came[other] = part, int(moves[:, other].argmax())
                    waiting.append(other)
        end = next(part for part in waiting if over[part] < 0)
        while end != start:
            part, label = came[end]
            counts[label, [part, end]] += [-1, 1]
            end = part

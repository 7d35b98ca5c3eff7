"""Which rows go to which part: random, disjoint, and with the same mix of classes in every part."""

import math
from collections.abc import Sequence

import numpy as np

from minidl.arguments import check_number
from minidl.parameters import Array
from minidl.seeding import Stream, generator

TOLERANCE = 1e-9  # 0.7 + 0.15 + 0.15 is not exactly 1 in binary


def split_rows(labels: Array, fractions: Sequence[float], seed: int) -> list[Array]:
    """For every fraction the sorted row numbers of its part, stratified by `labels` (n,)."""
    shares = _shares(fractions)
    if len(labels) < len(fractions):
        raise ValueError(
            f"expected at least one row for each of {len(fractions)} parts, received a dataset of {len(labels)} rows"
        )
    _, label = np.unique(labels, return_inverse=True)
    counts = _counts(np.bincount(label), shares)
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
    for part in range(1, len(shares)):
        if counts[:, part].sum() == 0:
            donor = counts.sum(axis=0).argmax()
            label = counts[:, donor].argmax()
            counts[label, [donor, part]] += [-1, 1]
    return counts

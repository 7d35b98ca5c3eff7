"""Gathering rows, and adding rows up."""

from tests.kernels.cases.case import Case


def from_set(*shape):
    def make(rng, dtype, rows):
        return rng.standard_normal((50, *shape)).astype(dtype), rng.integers(0, 50, rows)

    return make


def to_table(rng, dtype, rows):
    return rng.standard_normal((rows, 9)).astype(dtype), rng.integers(0, 20, rows), 20


CASES = [
    Case("gather", from_set(300), 0, sizes=(0, 1, 5, 64)),
    Case("gather", from_set(3, 10, 10), 0, sizes=(0, 1, 5, 64), label="of images"),
    Case("gather", from_set(), 0, sizes=(0, 1, 5, 64), label="of single numbers"),
    Case("scattered_sum", to_table, 0, sizes=(0, 1, 5, 64)),
]

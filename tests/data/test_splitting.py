import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minidl.data import Dataset
from minidl.data.splitting import _settle

labels = hnp.arrays(np.int64, st.integers(1, 200), elements=st.integers(0, 6))
seeds = st.integers(0, 2**32)


@st.composite
def fractions(draw):
    """One to four fractions with a sum of at most 1, often exactly 1; one alone is 1."""
    pieces = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    rest = draw(st.sampled_from([0, 0, 7])) if len(pieces) > 1 else 0
    return tuple(piece / (sum(pieces) + rest) for piece in pieces)


def numbered(targets):
    """A dataset whose only feature is the number of the row."""
    return Dataset(np.arange(len(targets))[:, None], targets)


def rows_of(parts):
    return [part.x.ravel().tolist() for part in parts]


@given(labels, fractions(), seeds, st.booleans())
def test_parts_are_disjoint_never_empty_and_together_the_whole(targets, shares, seed, stratify):
    assume(len(targets) >= len(shares))
    parts = rows_of(numbered(targets).split(*shares, seed=seed, stratify=stratify))
    together = [row for part in parts for row in part]
    assert all(parts)
    assert all(part == sorted(part) for part in parts)
    assert len(set(together)) == len(together)
    if abs(sum(shares) - 1) < 1e-9:
        assert sorted(together) == list(range(len(targets)))


@given(labels, fractions(), seeds)
def test_stratified_parts_have_every_class_to_within_rounding(targets, shares, seed):
    assume(min(shares) * len(targets) >= 2)  # smaller parts may owe their one row to the rule of no empty part
    for share, part in zip(shares, numbered(targets).split(*shares, seed=seed), strict=True):
        found, wanted = np.bincount(part.targets, minlength=7), share * np.bincount(targets, minlength=7)
        assert (abs(found - wanted) < 1).all()
        assert abs(len(part) - share * len(targets)) < 1.5


@given(labels, seeds)
def test_a_split_is_a_pure_function_of_the_seed(targets, seed):
    assume(len(targets) >= 2)
    data = numbered(targets)
    assert rows_of(data.split(0.5, 0.5, seed=seed)) == rows_of(data.split(0.5, 0.5, seed=seed))


@pytest.mark.parametrize(("n", "shares"), [(10, (0.9, 0.05, 0.05)), (2, (0.1, 0.1)), (3, (0.98, 0.01, 0.01))])
def test_small_parts_get_their_one_row(n, shares):
    sizes = [len(part) for part in numbered(np.arange(n) % 2).split(*shares)]
    assert sizes[1:] == [1] * (len(shares) - 1)
    assert sizes[0] >= 1


def test_another_seed_gives_another_split():
    data = numbered(np.zeros(100, int))
    assert rows_of(data.split(0.5, 0.5, seed=0)) != rows_of(data.split(0.5, 0.5, seed=1))


def test_targets_travel_with_their_rows_and_weights():
    targets = np.arange(20) % 3
    data = Dataset(np.arange(20)[:, None], targets, weights=np.arange(1.0, 21), classes=("a", "b", "c"))
    for part in data.split(0.5, 0.3):
        row = part.x.ravel()
        assert (part.targets == targets[row]).all()
        assert (part.weights == row + 1).all()
        assert part.classes == data.classes


@st.composite
def counts(draw):
    """A dataset of labels, and counts of rows that it has: all of them, or with some left out."""
    targets = draw(labels)
    cuts = draw(st.lists(st.integers(0, len(targets)), min_size=1, max_size=5, unique=True))
    sizes = np.diff([0, *sorted(cuts), len(targets)]).tolist()
    sizes = [size for size in sizes if size] if draw(st.booleans()) else [size for size in sizes[:-1] if size]
    return targets, sizes if len(sizes) > 1 else [len(targets)]


@given(counts(), seeds)
def test_parts_by_counts_have_exactly_so_many_rows_and_each_class_to_within_rounding(drawn, seed):
    targets, sizes = drawn
    parts = numbered(targets).split(*sizes, seed=seed)
    assert [len(part) for part in parts] == sizes
    rows = [row for part in rows_of(parts) for row in part]
    assert len(set(rows)) == len(rows)
    assert all(part == sorted(part) for part in rows_of(parts))
    for size, part in zip(sizes, parts, strict=True):
        found, wanted = np.bincount(part.targets, minlength=7), size / len(targets) * np.bincount(targets, minlength=7)
        assert (abs(found - wanted) < 1).all()


@given(counts(), st.data())
def test_parts_are_exact_however_classes_were_rounded(drawn, choice):
    targets, sizes = drawn
    of_classes, wanted = np.unique(targets, return_counts=True)[1], np.array([len(targets) - sum(sizes), *sizes])
    exact = of_classes[:, None] * wanted / len(targets)
    rounded = np.floor(exact + 1e-9).astype(int)
    for row, size, shares in zip(rounded, of_classes, exact, strict=True):
        between = [place for place in range(len(row)) if shares[place] - row[place] > 1e-9]
        row[choice.draw(st.permutations(between))[: size - row.sum()]] += 1
    _settle(rounded, exact, wanted)
    np.testing.assert_array_equal(rounded.sum(axis=0), wanted)
    np.testing.assert_array_equal(rounded.sum(axis=1), of_classes)
    assert (abs(rounded - exact) < 1).all()


@given(counts(), seeds)
def test_counts_of_numpy_and_of_rows_that_are_no_labels_are_exact_too(drawn, seed):
    targets, sizes = drawn
    parts = numbered(targets / 7).split(*np.array(sizes), seed=seed)
    assert [len(part) for part in parts] == sizes


@given(labels, st.integers(2, 12), seeds)
def test_each_row_is_held_out_of_exactly_one_fold_and_trained_on_in_the_others(targets, k, seed):
    assume(len(targets) >= k)
    pairs = list(numbered(targets).folds(k, seed=seed))
    held_out = [rows_of([part])[0] for _, part in pairs]
    assert sorted(row for part in held_out for row in part) == list(range(len(targets)))
    assert max(map(len, held_out)) - min(map(len, held_out)) <= 1
    for train, part in pairs:
        assert sorted(rows_of([train, part])[0] + rows_of([part])[0]) == list(range(len(targets)))
        found, wanted = np.bincount(part.targets, minlength=7), len(part) / len(targets) * np.bincount(targets)
        assert (abs(found[: len(wanted)] - wanted) < 1).all()
    assert [rows_of(pair) for pair in numbered(targets).folds(k, seed=seed)] == [rows_of(pair) for pair in pairs]


def test_folds_are_drawn_by_the_seed_and_refused_where_one_would_be_empty():
    data = numbered(np.zeros(100, int))
    first, again, other = ([rows_of(pair) for pair in data.folds(4, seed=seed)] for seed in (0, 0, 1))
    assert first == again != other
    with pytest.raises(ValueError, match="expected k <= 100, the number of rows, received k=101"):
        data.folds(101)
    with pytest.raises(ValueError, match="expected k to be an integer >= 2, received k=1"):
        data.folds(1)
    with pytest.raises(ValueError, match="stratify=True"):
        numbered(np.linspace(0, 1, 9)).folds(3, stratify=True)


@pytest.mark.parametrize("targets", [np.linspace(0, 1, 40), np.eye(40)])
def test_targets_that_are_no_labels_split_plainly_and_are_never_stratified(targets):
    data = numbered(targets)
    assert [len(part) for part in data.split(0.75, 0.25)] == [30, 10]
    with pytest.raises(ValueError, match="stratify=True"):
        data.split(0.75, 0.25, stratify=True)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ((), "received none"),
        ((0.7, 0.4), "sum to at most 1"),
        ((0.8,), r"received 0\.8 alone, without the other 0\.2: write split\(0\.8, 0\.2\)"),
        ((0.5, 0), "> 0"),
        ((-0.5,), "each fraction"),
        ((0.5, float("nan")), "each fraction"),
        ((0.2,) * 5, "5 parts, received a dataset of 4 rows"),
        ((3, 2), r"counts that sum to at most 4, the number of rows, received \(3, 2\), which sum to 5"),
        ((3,), r"a count for each part, received 3 alone, without the other 1: write split\(3, 1\), or split\(1\.0\)"),
        ((3, 0), "expected each count to be an integer >= 1"),
        ((4, -1), "expected each count to be an integer >= 1"),
        ((True, 2), "expected each count to be an integer >= 1, received each count=True"),
        ((3, 0.25), r"fractions only, as in split\(0\.8, 0\.2\), or counts only, .* received both: \(3, 0\.25\)"),
    ],
)
def test_impossible_fractions_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        numbered(np.arange(4)).split(*shares)

import tracemalloc
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.data import Dataset, batches, order, steps_per_epoch

sizes, seeds, epochs = st.integers(1, 60), st.integers(0, 2**32), st.integers(0, 1000)
TEN = Dataset(np.arange(20).reshape(10, 2), np.arange(10))


def numbered(n):
    return Dataset(np.arange(n)[:, None], np.arange(n), weights=np.arange(1, n + 1))


@given(sizes, seeds, epochs)
def test_every_order_is_a_permutation_and_a_pure_function(n, seed, epoch):
    rows = order(n, seed, epoch)
    assert sorted(rows.tolist()) == list(range(n))
    assert (rows == order(n, seed, epoch)).all()


def test_epochs_and_seeds_have_their_own_order():
    orders = {tuple(order(50, seed, epoch).tolist()) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


@given(sizes, seeds, epochs)
def test_rows_with_replacement_are_as_many_draws_from_all_and_a_pure_function(n, seed, epoch):
    rows = order(n, seed, epoch, replacement=True)
    assert (rows.shape, rows.min() >= 0, rows.max() < n) == ((n,), True, True)
    assert (rows == order(n, seed, epoch, replacement=True)).all()
    drawn = [targets for _, targets, _ in batches(numbered(n), 7, seed=seed, epoch=epoch, replacement=True)]
    assert np.concatenate(drawn).tolist() == rows.tolist()


def test_rows_with_replacement_are_drawn_evenly_and_anew_in_every_epoch():
    draws = np.stack([order(50, 0, epoch, replacement=True) for epoch in range(400)])
    counts = np.bincount(draws.ravel(), minlength=50)
    assert abs(counts - 400).max() < 5 * 400**0.5
    assert 30 < np.mean([len(set(rows.tolist())) for rows in draws]) < 33  # 1 - 1/e of them
    assert len({tuple(rows.tolist()) for rows in draws}) == 400


@given(sizes, st.integers(1, 70), seeds, epochs)
def test_one_epoch_has_every_row_once_with_its_target_and_weight(n, batch_size, seed, epoch):
    data = numbered(n)
    epoch_batches = list(batches(data, batch_size, seed=seed, epoch=epoch))
    assert len(epoch_batches) == steps_per_epoch(data, batch_size) == ceil(n / batch_size)
    assert all(len(x) == batch_size for x, _, _ in epoch_batches[:-1])
    x, targets, weights = (np.concatenate(column) for column in zip(*epoch_batches, strict=True))
    assert (targets == order(n, seed, epoch)).all()
    assert (x.ravel() == targets).all()
    assert (weights == targets + 1).all()


@given(sizes, st.integers(1, 60))
def test_dropping_the_last_short_batch_leaves_whole_ones(n, batch_size):
    if batch_size > n:
        with pytest.raises(ValueError, match="no batch would be left"):
            batches(numbered(n), batch_size, drop_last=True)
    else:
        lengths = [len(x) for x, *_ in batches(numbered(n), batch_size, drop_last=True)]
        assert lengths == [batch_size] * (n // batch_size)
        assert len(lengths) == steps_per_epoch(n, batch_size, drop_last=True)


def test_file_order_gives_views():
    for (x, targets), start in zip(batches(TEN, 4, shuffle=False), (0, 4, 8), strict=True):
        assert (x == TEN.x[start : start + 4]).all()
        assert np.shares_memory(x, TEN.x)
        assert np.shares_memory(targets, TEN.targets)


def test_shuffled_batches_are_the_callers_own():
    assert not any(np.shares_memory(x, TEN.x) for x, _ in batches(TEN, 4))


def test_the_callers_order_may_depend_on_the_epoch_repeat_and_omit():
    def rows(epoch):
        return np.array([epoch, epoch, 9])

    assert [targets.tolist() for _, targets in batches(TEN, 2, shuffle=rows, epoch=3)] == [[3, 3], [9]]


@pytest.mark.parametrize(
    "rows", [np.array([10]), np.array([-1]), np.array([]), np.array([0.0]), np.array([[0]]), np.ones(10, bool)]
)
def test_a_callers_order_of_other_rows_is_refused_at_once(rows):
    with pytest.raises(ValueError, match=r"shuffle\(epoch\)"):
        batches(TEN, 2, shuffle=lambda epoch: rows)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"epoch": -1}, "epoch"),
        ({"epoch": -1, "shuffle": False}, "epoch"),
        ({"dtype": np.int64}, "dtype"),
    ],
)
def test_wrong_arguments_are_refused_at_the_call(arguments, name):
    with pytest.raises(ValueError, match=name):
        batches(TEN, **({"batch_size": 2} | arguments))


@pytest.mark.parametrize("wrong", [{"shuffle": "yes"}, {"shuffle": None}, {"dataset": (TEN.x, TEN.targets)}])
def test_wrong_types_are_refused_at_the_call(wrong):
    with pytest.raises(TypeError, match="expected"):
        batches(**({"dataset": TEN, "batch_size": 2} | wrong))


def test_dtype_casts_x_and_targets_that_are_no_integers():
    labels = Dataset(np.ones((4, 1), np.uint8), np.arange(4), weights=np.ones(4))
    values = Dataset(np.ones((4, 1)), np.ones((4, 2)))
    (batch,) = batches(labels, 4, dtype=np.float32)
    assert [array.dtype for array in batch] == [np.float32, np.int64, np.float64]
    (batch,) = batches(values, 4, dtype=np.float32)
    assert [array.dtype for array in batch] == [np.float32, np.float32]


def test_a_cast_to_the_dtype_it_has_copies_nothing():
    data = Dataset(np.ones((4, 1), np.float32), np.arange(4))
    assert all(np.shares_memory(x, data.x) for x, _ in batches(data, 2, shuffle=False, dtype=np.float32))


@pytest.mark.parametrize("dtype", [None, np.float32])
@pytest.mark.parametrize("stored", ["<f4", ">f4"])
@pytest.mark.parametrize("columns", [slice(None), slice(1, None)])
@pytest.mark.parametrize("shuffle", [True, False])
def test_of_a_memory_map_only_the_rows_of_the_batch_are_read(tmp_path, dtype, stored, columns, shuffle):
    n, width = 20_000, 100
    x = np.memmap(tmp_path / "x", stored, "w+", shape=(n, width))
    x[:, 1] = np.arange(n)
    data = Dataset(x[:, columns], np.arange(n))
    assert isinstance(data.x, np.memmap)
    column = 1 if columns == slice(None) else 0
    tracemalloc.start()
    try:
        for features, targets in batches(data, 50, shuffle=shuffle, dtype=dtype):
            assert (features[:, column] == targets).all()
            assert type(features) is np.ndarray
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < x.nbytes / 4

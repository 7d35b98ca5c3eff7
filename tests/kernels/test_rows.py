"""Batches that are gathered one ahead are the same, whatever happens meanwhile."""

import weakref

import numpy as np
import pytest

from minidl import kernels
from minidl.kernels import rows, sharing


@pytest.fixture
def pipelined(monkeypatch):
    monkeypatch.setattr(rows, "MANY", 1)
    monkeypatch.setattr(rows, "threads", lambda: 2)
    with kernels.using("compiled"):
        yield


X = np.random.default_rng(0).standard_normal((100, 300)).astype(np.float32)
ORDERS = [np.random.default_rng(i).integers(0, 100, 32) for i in range(5)] + [np.array([3])]


@pytest.mark.needs_numba
@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_batches_gathered_ahead_are_those_asked_for(pipelined, count):
    given = list(rows.gathered(X, ORDERS[:count]))
    assert len(given) == count
    for got, order in zip(given, ORDERS, strict=False):
        np.testing.assert_array_equal(got, X[order])


@pytest.mark.needs_numba
def test_whoever_stops_early_leaves_nothing_under_way(pipelined):
    batches = rows.gathered(X, iter(ORDERS))
    next(batches)
    batches.close()
    assert sharing.Ahead(int, "7").result() == 7


@pytest.mark.needs_numba
def test_a_batch_that_nobody_holds_is_gone_at_once(pipelined, no_collections):
    batches = rows.gathered(X, iter(ORDERS))
    held = weakref.ref(next(batches))
    next(batches)
    assert held() is None


@pytest.mark.needs_numba
def test_an_error_while_gathering_ahead_comes_where_its_batch_is_asked_for(pipelined):
    batches = rows.gathered(X, iter([ORDERS[0], np.array([100])]))
    np.testing.assert_array_equal(next(batches), X[ORDERS[0]])
    with pytest.raises(IndexError):
        list(batches)


def test_in_numpy_nothing_is_gathered_ahead(monkeypatch):
    monkeypatch.setattr(rows, "MANY", 1)
    monkeypatch.setattr(rows, "Ahead", None)
    with kernels.using("numpy"):
        assert len(list(rows.gathered(X, ORDERS))) == len(ORDERS)

"""Every kernel gives the same in its two forms, within the bound of its case, also for special values."""

from importlib import import_module

import numpy as np
import pytest

from minidl.kernels import HOMES, form, sharing
from minidl.kernels.forms import KERNELS, using
from tests.kernels.cases.case import distance, hostile, listed, results

pytestmark = pytest.mark.needs_numba

CASES = [case for home in HOMES for case in import_module(f"tests.kernels.cases.{home}").CASES]
NAMES = [f"{case.name}{f' {case.label}' if case.label else ''}" for case in CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=NAMES)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def drawn(case, dtype):
    rng = np.random.default_rng(0)
    for size in case.sizes:
        yield case.make(rng, np.dtype(dtype), size)


def compared(case, arguments):
    plain, compiled = (results(case.name, form, arguments) for form in ("numpy", "compiled"))
    assert distance(case, arguments, plain, compiled) <= case.bound


@each_case
@each_dtype
def test_the_two_forms_agree(case, dtype):
    for arguments in drawn(case, dtype):
        compared(case, arguments)


@each_case
@each_dtype
def test_special_values_come_out_the_same(case, dtype):
    rng = np.random.default_rng(1)
    for arguments in drawn(case, dtype):
        with np.errstate(all="ignore"):
            compared(case, hostile(case, arguments, rng))


@each_case
def test_the_number_of_threads_changes_no_bit(case, monkeypatch):
    arguments = case.make(np.random.default_rng(2), np.dtype(np.float32), max(case.sizes))
    one = None
    monkeypatch.setattr(sharing, "WORK", 2)
    for count in (1, 2, 3):
        monkeypatch.setattr(sharing, "threads", lambda count=count: count)
        got = results(case.name, "compiled", arguments)
        one = one or got
        for a, b in zip(one, got, strict=True):
            assert a.tobytes() == b.tobytes()


@each_case
def test_arrays_of_any_order_in_memory_and_those_that_may_not_be_written_give_the_same(case):
    arguments = case.make(np.random.default_rng(3), np.dtype(np.float32), 64)
    changed = [i for i, a in enumerate(arguments) if isinstance(a, np.ndarray)]
    after = results(case.name, "numpy", arguments)[-len(changed) :]
    strewn = list(arguments)
    for i, left in zip(changed, after, strict=True):
        a = arguments[i]
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        wide[..., ::2] = a
        strewn[i] = wide[..., ::2]
        strewn[i].flags.writeable = not np.array_equal(a, left)
    before = results(case.name, "compiled", arguments)
    with using("compiled"), np.errstate(all="ignore"):
        returned = KERNELS[case.name](*strewn)
    assert distance(case, arguments, before, listed(returned, strewn)) <= case.bound


def test_every_kernel_has_a_case():
    with using("numpy"):
        for home in HOMES:
            __import__(f"minidl.kernels.{home}")
    assert {case.name for case in CASES} == set(KERNELS)


def test_nothing_fell_back():
    with using("auto"):
        assert form() == "compiled"

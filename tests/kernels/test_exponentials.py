"""exp, expm1, log1p and log of compiled loops: how far from the truth, for which numbers, and several at once."""

import platform
import re

import numpy as np
import pytest

pytestmark = pytest.mark.needs_numba

FUNCTIONS = ("exp", "expm1", "log1p", "log")
BOUNDS = {"exp": 1.1, "expm1": 1.2, "log1p": 2.0, "log": 2.0}
RANGES = {"exp": (-np.inf, np.inf), "expm1": (-np.inf, 0), "log1p": (0, 1), "log": (1, 3e38)}
each_function = pytest.mark.parametrize("name", FUNCTIONS)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


@pytest.fixture(scope="module")
def loops():
    """A loop over each of the functions."""
    import numba

    from minidl.kernels.compiled import exponentials

    def over(function):
        def run(x, y):
            for i in range(np.uint64(x.size)):
                y[i] = function(x[i])

        return numba.njit(error_model="numpy", fastmath={"contract"})(run)

    return {name: over(getattr(exponentials, name)) for name in FUNCTIONS}


def taken(loop, x):
    y = np.empty_like(x)
    loop(x, y)
    return y


def numbers(name, dtype):
    """Numbers of every size that there is, and more of those whose result is neither 0, 1 nor infinite."""
    rng = np.random.default_rng(0)
    word = np.uint32 if dtype == np.float32 else np.uint64
    x = np.concatenate(
        [
            rng.integers(0, np.iinfo(word).max, 200_000, word).view(dtype),
            rng.uniform(-110, 95, 100_000).astype(dtype),
            rng.uniform(-750, 715, 100_000).astype(dtype),
            rng.uniform(-1, 1, 200_000).astype(dtype),
        ]
    )
    low, high = RANGES[name]
    return x[(x >= low) & (x <= high)]


@each_function
@each_dtype
def test_the_result_is_as_near_the_truth_as_is_said(loops, name, dtype):
    x = numbers(name, dtype)
    with np.errstate(all="ignore"):
        truth = getattr(np, name)(x.astype(np.float64 if dtype == np.float32 else np.longdouble))
        rounded, y = truth.astype(dtype), taken(loops[name], x)
    assert (np.isfinite(y) == np.isfinite(rounded)).all()
    finite = np.isfinite(rounded)
    gaps = np.abs(y[finite] - truth[finite]) / np.spacing(np.abs(rounded[finite])).astype(truth.dtype)
    slack = 0.01 if np.finfo(np.longdouble).eps < np.finfo(np.float64).eps else 1  # where the truth is no better itself
    assert gaps.max() <= BOUNDS[name] + slack


@each_function
@each_dtype
def test_special_values_are_those_of_numpy(loops, name, dtype):
    info = np.finfo(dtype)
    x = np.array([np.nan, np.inf, 0.0, info.smallest_subnormal, info.tiny, info.max, 1.0], dtype)
    x = np.concatenate([x, -x])
    low, high = RANGES[name]
    x = x[(x >= low) & (x <= high) | np.isnan(x)]
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    y = taken(loops[name], x)
    np.testing.assert_allclose(y, expected, rtol=3 * info.eps, atol=0)
    np.testing.assert_array_equal(np.signbit(y[x == 0]), np.signbit(expected[x == 0]))


@each_function
@each_dtype
def test_a_number_has_the_same_bits_wherever_it_stands(loops, name, dtype):
    x = numbers(name, dtype)[-1000:]
    whole = taken(loops[name], x)
    for start in range(40):
        for count in (1, 3, 17, 70):
            assert taken(loops[name], x[start : start + count]).tobytes() == whole[start : start + count].tobytes()


@each_function
@each_dtype
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads instructions of x86")
def test_several_numbers_are_taken_at_once(loops, name, dtype):
    taken(loops[name], np.ones(3, dtype))
    (code,) = [code for types, code in loops[name].inspect_asm().items() if types[0].dtype.name == np.dtype(dtype).name]
    assert re.search(r"\bv?mulp[sd]\b|\bvfn?madd\d+p[sd]\b", code)


def test_python_is_told_whose_functions_these_are():
    from minidl.kernels.compiled import exponentials

    for name in FUNCTIONS:
        with pytest.raises(TypeError, match=f"use np.{name}"):
            getattr(exponentials, name)(1.0)

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minidl.optim import ClipNorm, ClipValue, global_norm

DTYPES = [np.float32, np.float64]

sizes = st.integers(1, 8)
gradients = sizes.flatmap(lambda n: arrays(np.float32, n, elements=st.floats(-1e3, 1e3, width=32), fill=st.nothing()))
# every finite float32 whose norm may over- or underflow when squared; ClipNorm must cope with all
extreme_gradients = sizes.flatmap(
    lambda n: arrays(np.float32, n, elements=st.floats(allow_nan=False, allow_infinity=False, width=32))
)
limits = st.floats(1e-3, 1e3)


def norm_in_float64(grad):
    return math.hypot(*grad.tolist())


@given(grad=extreme_gradients)
def test_the_norm_is_right_over_the_whole_range_of_float32(grad):
    norm = global_norm(grad)
    assert type(norm) is float
    assert norm == pytest.approx(norm_in_float64(grad), rel=1e-5, abs=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("entry", [1e-12, 1e-23, 1e-30, 1e-40])
def test_a_tiny_gradient_keeps_its_norm_and_its_bits(dtype, entry):
    grad = np.full(4, entry, dtype)
    before = grad.copy()
    assert ClipNorm(1.0)(grad) == pytest.approx(2 * float(before[0]), rel=1e-5, abs=0)
    assert grad.tobytes() == before.tobytes()


@given(grad=extreme_gradients, limit=limits)
def test_clip_norm_returns_the_norm_before_and_leaves_at_most_the_limit(grad, limit):
    before = norm_in_float64(grad)
    assert ClipNorm(limit)(grad) == pytest.approx(before, rel=1e-5, abs=0)
    assert norm_in_float64(grad) == pytest.approx(min(before, limit), rel=1e-5, abs=0)


@given(grad=gradients, limit=limits)
def test_clip_norm_keeps_the_direction(grad, limit):
    before = grad.astype(np.float64)
    norm = ClipNorm(limit)(grad)
    np.testing.assert_allclose(grad, before * min(1, limit / max(norm, 1e-30)), rtol=1e-5, atol=1e-12)


@given(grad=gradients)
def test_clip_norm_leaves_a_gradient_within_the_limit_as_it_is_to_the_bit(grad):
    before = grad.copy()
    ClipNorm(1e5)(grad)
    assert grad.tobytes() == before.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("largest", [np.finfo(np.float32).max, 1e30, 1e20])
def test_clip_norm_does_not_overflow(dtype, largest):
    grad = np.full(4, largest, dtype)
    assert ClipNorm(1e-3)(grad) == pytest.approx(2 * float(largest))
    np.testing.assert_allclose(grad, 5e-4, rtol=1e-5)
    assert grad.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_clip_norm_leaves_a_zero_or_empty_gradient_alone(dtype):
    for grad in (np.zeros(3, dtype), np.zeros(0, dtype)):
        assert ClipNorm(1.0)(grad) == 0
        assert not grad.any()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_clip_norm_does_not_hide_a_gradient_that_is_not_finite(bad):
    grad = np.float32([1, bad, 100])
    norm = ClipNorm(1.0)(grad)
    assert not math.isfinite(norm)
    np.testing.assert_array_equal(grad, np.float32([1, bad, 100]))


@given(grad=gradients, limit=limits)
def test_clip_value_moves_only_entries_beyond_the_limit(grad, limit):
    before, edge = grad.copy(), np.float32(limit)
    ClipValue(limit)(grad)
    np.testing.assert_array_equal(grad, np.where(abs(before) > edge, np.sign(before) * edge, before))


@pytest.mark.parametrize("kind", [ClipNorm, ClipValue])
def test_equal_arguments_make_equal_clippers_with_a_repr_to_copy(kind):
    assert eval(repr(kind(2))) == kind(2.0)
    assert type(vars(kind(np.float64(2))).popitem()[1]) is float


@pytest.mark.parametrize("limit", [0, -1, math.nan, math.inf, "1", None])
@pytest.mark.parametrize(("kind", "name"), [(ClipNorm, "max_norm"), (ClipValue, "limit")])
def test_limits_that_are_not_positive_numbers_are_refused(kind, name, limit):
    with pytest.raises(ValueError, match=f"expected {name} to be a finite number > 0, received {name}="):
        kind(limit)

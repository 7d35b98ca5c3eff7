import numpy as np
import pytest

from minidl.kernels.chances import chances

SHARES = (0.0, 1e-300, 0.1, 0.25, 0.3, 0.5, 0.9, 1 - 1e-9, 1 - 1e-16)
STREAMS = (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_those_below_the_bound_are_those_of_the_fractions_and_the_stream_goes_on_alike(stream, dtype):
    one, other = (np.random.Generator(stream(3)) for _ in range(2))
    drawn = np.float32 if dtype == np.float32 else np.float64
    for shape in ((6,), (0,), (3, 4), (3,), (4,), (5,), (2, 2), (1,), (), (1000,)):
        for share in SHARES:
            numbers, bound = chances(one, shape, dtype, share)
            np.testing.assert_array_equal(numbers < bound, other.random(shape, drawn) < share)
    np.testing.assert_array_equal(one.random(3, np.float32), other.random(3, np.float32))
    np.testing.assert_array_equal(one.random(3), other.random(3))


@pytest.mark.parametrize("share", SHARES)
def test_a_word_is_below_where_its_fraction_is_also_at_the_bound_itself(share):
    words, bound = chances(np.random.default_rng(0), (2,), np.float32, share)
    assert words.dtype == np.uint32
    near = (bound + np.arange(-600, 600)).clip(0, 2**32 - 1).astype(np.uint32)
    fractions = (near >> 8).astype(np.float32) / np.float32(2**24)
    np.testing.assert_array_equal(near < bound, fractions < share)

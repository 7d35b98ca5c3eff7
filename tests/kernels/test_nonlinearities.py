"""What element-wise kernels promise beyond the properties of all kernels: the signs of zeros, and any layout."""

import numpy as np
import pytest

from minidl.kernels.forms import KERNELS, form, using
from tests.kernels.cases.activations import CASES
from tests.kernels.cases.case import results

pytestmark = pytest.mark.needs_numba

each_case = pytest.mark.parametrize("case", CASES, ids=[f"{case.name} {case.label}".strip() for case in CASES])
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


@each_case
@each_dtype
def test_zeros_have_the_same_sign_in_both_forms(case, dtype):
    arguments = list(case.make(np.random.default_rng(0), np.dtype(dtype), 400))
    for place, array in enumerate(arguments):
        if isinstance(array, np.ndarray) and array.dtype == dtype:
            arguments[place] = np.random.default_rng(place).choice(np.array([0.0, -0.0, 1, -1], dtype), 400)
    plain, compiled = (results(case.name, form, tuple(arguments)) for form in ("numpy", "compiled"))
    for one, other in zip(plain, compiled, strict=True):
        np.testing.assert_array_equal(one == 0, other == 0)
        np.testing.assert_array_equal(np.signbit(one[one == 0]), np.signbit(other[one == 0]))


def layouts(array):
    """The numbers of (4, 3, 2, 5) or a part of them, as views of every kind."""
    images = array.reshape(4, 3, 2, 5)
    yield from (images, images.transpose(0, 2, 3, 1), images.transpose(3, 1, 0, 2), np.asfortranarray(images))
    yield from (images[::2, :, :, ::-1], images[:0], images[:, :, 0, 2:4])
    yield np.broadcast_to(images[:1], images.shape)


@each_case
def test_arrays_may_lie_in_memory_in_any_way_each_in_its_own(case):
    arguments = case.make(np.random.default_rng(0), np.dtype(np.float32), 120)
    kernel, count = KERNELS[case.name], sum(isinstance(a, np.ndarray) for a in arguments)
    for turned in (False, True):
        for views in zip(*(layouts(a) for a in arguments[:count]), strict=True):
            given = [view if place == 0 or not turned else view.copy() for place, view in enumerate(views)]
            plain = kernel.plain(*given, *arguments[count:])
            with using("compiled"):
                compiled = kernel(*given, *arguments[count:])
                assert form() == "compiled"
            pairs = zip(plain, compiled, strict=True) if isinstance(plain, tuple) else [(plain, compiled)]
            for one, other in pairs:
                np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)
                assert other.shape == np.shape(one)
                assert other.strides == one.strides or turned or one.size < 2 or 0 in views[0].strides

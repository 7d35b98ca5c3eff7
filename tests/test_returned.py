"""What a caller's functions return."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from minidl.returned import as_number, as_numbers

NUMBERS = [0.5, Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.array(0.5), np.float16(0.5), np.longdouble(0.5)]


@pytest.mark.parametrize("value", NUMBERS)
def test_a_number_of_any_type_is_one(value):
    assert as_number("f", value) == 0.5


@pytest.mark.parametrize(
    "value",
    [None, "0.5", b"1", np.str_("1"), 1j, np.complex64(1), np.array(1j), [0.5], np.array([0.5]), np.ma.masked, 10**400],
)
def test_what_is_no_number_is_told_so_in_a_line(value):
    with pytest.raises(TypeError, match=r"expected f to return one number, received .{1,80}: return a float$"):
        as_number("f", value)


@pytest.mark.parametrize("value", [[[1.0, 2.0]], ([1, 2],), np.array([[1, 2]]), np.float32([[1, 2]])])
def test_arrays_and_lists_of_numbers_are_arrays(value):
    np.testing.assert_array_equal(as_numbers("x", value), [[1, 2]])


ODD = [
    None,
    "a",
    object(),
    1j,
    np.array(["a"]),
    np.array([None]),
    np.array([1j]),
    np.ma.array([1.0]),
    [[1], [1, 2]],
    {},
]


@pytest.mark.parametrize("value", [*ODD, np.array("2020", "M8[D]")])
def test_what_is_no_array_of_numbers_is_refused_with_what_to_do(value):
    with pytest.raises((TypeError, ValueError), match=r"expected x to .*, received .+: .+"):
        as_numbers("x", value)

import copy
import math
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.arguments import Recorded, check_integer, check_number, suggest


class Thing(Recorded):
    def __init__(self, first=None, *, second=None):
        self.first = first


def function():
    """An argument that is a function."""


# Recorded


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (Thing(), "Thing()"),
        (Thing(3), "Thing(3)"),
        (Thing(first=3), "Thing(first=3)"),
        (Thing("a", second=0.5), "Thing('a', second=0.5)"),
        (Thing(Thing(1), second=[Thing(), Thing(2)]), "Thing(Thing(1), second=[Thing(), Thing(2)])"),
        (Thing(function, second=np.tanh), "Thing(function, second=tanh)"),
        (Thing(np.array([1.0, 2.0])), "Thing([1.0, 2.0])"),
        (Thing(np.zeros((3, 4), np.float32)), "Thing(<array (3, 4) float32>)"),
        (Thing(np.float32), "Thing(float32)"),
        (Thing([np.eye(3)]), "Thing([array([[1., 0., 0.], [0., 1., 0.], [0., 0., 1.]])])"),
    ],
)
def test_the_repr_is_the_call_as_it_was_written_on_one_line(thing, text):
    assert repr(thing) == text


def test_the_repr_is_there_even_when_the_constructor_failed_half_way():
    made = []

    class Picky(Recorded):
        def __init__(self, width):
            made.append(self)
            check_integer("width", width, minimum=1)

    with pytest.raises(ValueError, match="width=0"):
        Picky(0)
    assert repr(made[0]) == "Picky(0)"


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_copies_have_the_repr_and_the_attributes_of_the_original(clone):
    twin = clone(Thing(Thing(1), second=2))
    assert repr(twin) == "Thing(Thing(1), second=2)"
    assert twin.first.first == 1


def test_a_missing_attribute_says_what_may_not_have_been_called():
    with pytest.raises(AttributeError, match=r"Thing has no attribute 'gain': .*forward") as error:
        Thing().gain  # noqa: B018
    assert (error.value.name, hasattr(Thing(), "gain")) == ("gain", False)


# Numbers

NOT_NUMBERS = [math.nan, math.inf, -math.inf, True, np.True_, "1", b"1", None, 1j, [1.0], np.array(1.0), Decimal(1)]


@pytest.mark.parametrize("value", [*NOT_NUMBERS, np.float32(math.nan), np.float64(math.inf), 10**400], ids=repr)
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match=r"expected lr to be a finite number, received lr="):
        check_number("lr", value)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5), np.float16(0.5), Fraction(1, 2)])
def test_a_number_of_any_type_becomes_a_python_float(value):
    number = check_number("lr", value)
    assert (type(number), number) == (float, 0.5)


@pytest.mark.parametrize("value", [0, 7, -3, np.int64(5), np.uint8(200), 2**60])
def test_an_integer_is_a_number_too(value):
    assert type(check_number("lr", value)) is float
    assert check_number("lr", value) == value


@given(st.floats(-2, 2))
def test_bounds_are_allowed_unless_they_are_exclusive(value):
    for exclusive, inside in ((False, 0 <= value <= 1), (True, 0 < value < 1)):
        if inside:
            assert check_number("a", value, minimum=0, maximum=1, exclusive=exclusive) == value
        else:
            with pytest.raises(ValueError, match="a="):
                check_number("a", value, minimum=0, maximum=1, exclusive=exclusive)


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [
        ({}, "a finite number"),
        ({"minimum": 0}, "a finite number >= 0"),
        ({"maximum": 2.5}, "a finite number <= 2.5"),
        ({"minimum": -1, "maximum": 1}, "a finite number >= -1 and <= 1"),
        ({"minimum": 0, "exclusive": True}, "a finite number > 0"),
        ({"minimum": 0, "maximum": 1, "exclusive": True}, "a finite number > 0 and < 1"),
    ],
)
def test_the_error_states_the_bounds_and_the_value(bounds, wanted):
    with pytest.raises(ValueError) as error:  # noqa: PT011 the whole text is compared
        check_number("a", math.nan, **bounds)
    assert str(error.value) == f"expected a to be {wanted}, received a=nan"


@pytest.mark.parametrize("value", [*NOT_NUMBERS, 1.0, 2.5, np.float64(2), Fraction(2), 0, -1, np.int8(0)], ids=repr)
def test_what_is_no_integer_of_that_size_is_refused(value):
    with pytest.raises(ValueError, match=r"expected n to be an integer >= 1, received n="):
        check_integer("n", value, minimum=1)


@pytest.mark.parametrize("value", [1, 3, np.int8(3), np.uint64(2**64 - 1), 10**400], ids=lambda value: str(value)[:20])
def test_an_integer_of_any_type_becomes_a_python_int(value):
    assert type(check_integer("n", value, minimum=1)) is int
    assert check_integer("n", value, minimum=1) == value


# Names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("acuracy", "did you mean 'accuracy'? known: loss, accuracy"),
        ("xyz", "known: loss, accuracy"),
        ("", "known: loss, accuracy"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest_and_all_known(name, text):
    assert suggest(name, iter(["loss", "accuracy"])) == text


def test_where_nothing_is_known_nothing_is_suggested():
    assert suggest("loss", []) == "known: "


@pytest.mark.parametrize(("args", "kwargs"), [((1,), {}), ((), {"slope": 0.1})])
def test_a_class_without_a_constructor_takes_no_arguments(args, kwargs):
    class Plain(Recorded):
        pass

    with pytest.raises(TypeError, match="Plain takes no arguments, received"):
        Plain(*args, **kwargs)


def test_the_error_of_a_property_is_not_hidden():
    class Broken(Recorded):
        @property
        def rate(self):
            return object().nothing

    with pytest.raises(AttributeError, match="'object' object has no attribute 'nothing'"):
        Broken().rate  # noqa: B018

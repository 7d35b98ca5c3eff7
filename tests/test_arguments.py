import copy
import math
import pickle
import re
import subprocess
import sys
import traceback
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial, wraps

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minidl
from minidl import (
    Adam,
    EarlyStopping,
    History,
    Linear,
    Loss,
    MeanSquaredError,
    Parameters,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
)
from minidl.arguments import Recorded, check_function, check_integer, check_number, suggest


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


class Gauge(Recorded):
    """An object of which a method sets attributes, in most of the ways in which one can."""

    _set_by = "read"
    _habits = {"level reading": "use read()"}  # noqa: RUF012

    def __init__(self):
        self.first = 0

    def read(self, other=None, nothing=()):
        nothing = ()
        self.plain, self.pair = 1, nothing
        self.chained = self.twice = [self._keep(self.first) for _ in range(2)]
        other.foreign = getattr(self, "never", None)
        setattr(self, "by_setattr", 1)  # noqa: B010

        def inside():
            self.nested = 1

        inside()

    def _keep(self, value):
        with value as self.entered:
            for self.turn in value:
                self.summed += 1

    def unused(self):
        self.elsewhere = 1


def counted(method):
    @wraps(method)
    def counting(self, *arguments):
        self.count = 1
        return method(self, *arguments)

    return counting


class Wrapped(Gauge):
    @counted
    def read(self, other=None):
        self.inner = 1


class Overridden(Gauge):
    def _keep(self, value):
        self.instead = value


class Extended(Gauge):
    def read(self, other=None):
        self.more = 1
        super().read(other)


def message(thing, name):
    with pytest.raises(AttributeError) as error:
        getattr(thing, name)
    return str(error.value)


def test_a_missing_attribute_of_which_nothing_is_known_is_said_to_be_missing():
    assert message(Thing(), "gain") == "Thing has no attribute 'gain'"


@pytest.mark.parametrize("name", ["frist", "firs", "First", "first_"])
def test_a_name_close_to_one_that_is_there_is_answered_with_that(name):
    assert message(Thing(), name) == f"Thing has no attribute {name!r}: did you mean 'first'?"


@pytest.mark.parametrize("name", ["plain", "pair", "chained", "twice", "nested", "entered", "turn", "by_setattr"])
@pytest.mark.parametrize("kind", [Gauge, Extended])
def test_what_a_method_sets_is_answered_with_the_method(kind, name):
    assert message(kind(), name) == f"{kind.__name__} has no attribute {name!r}: call read first"


@pytest.mark.parametrize("name", ["foreign", "never", "summed", "elsewhere", "other", "value", "more"])
def test_what_the_method_does_not_set_is_not(name):
    assert "call read" not in message(Gauge(), name)


def test_of_an_overridden_method_only_the_code_that_runs_counts():
    assert message(Overridden(), "instead").endswith("call read first")
    assert message(Extended(), "more").endswith("call read first")
    assert "call read" not in message(Overridden(), "entered")


@pytest.mark.parametrize("name", ["count", "inner"])
def test_what_the_wrapper_of_a_method_sets_counts_too(name):
    assert message(Wrapped(), name).endswith("call read first")


@pytest.mark.parametrize("name", ["level", "reading"])
def test_the_habits_of_other_libraries_are_answered_with_what_to_use_here(name):
    assert message(Gauge(), name) == f"Gauge has no attribute {name!r}: use read()"


@pytest.mark.parametrize(
    "thing", [Linear(4, 3), Sequential(), MeanSquaredError(), SoftmaxCrossEntropy(), Adam(), EarlyStopping()], ids=repr
)
def test_each_kind_answers_every_word_of_its_table_once_and_names_what_is_there(thing):
    words = [word for key in type(thing)._habits for word in key.split()]
    assert len(words) == len(set(words))
    known = {"print", "repr"}.union(*map(dir, (thing, minidl, minidl.optim, Loss, Parameters, Trainer, History)))
    for key, use in type(thing)._habits.items():
        assert set(re.findall(r"\b([A-Za-z_]+)\(", use)) <= known, use
        for word in key.split():
            assert message(thing, word) == f"{type(thing).__name__} has no attribute {word!r}: {use}"


def test_who_only_asks_whether_an_attribute_is_there_does_not_wait_for_the_advice():
    asked = []

    class Slow(Recorded):
        def _advice(self, name):
            asked.append(name)
            return "think"

    assert not hasattr(Slow(), "gain")
    assert getattr(Slow(), "gain", 3) == 3
    assert asked == []
    assert message(Slow(), "gain") == "Slow has no attribute 'gain': think"


def test_a_missing_attribute_is_a_plain_attribute_error_with_its_name():
    with pytest.raises(AttributeError) as error:
        Thing().frist  # noqa: B018
    assert type(error.value) is AttributeError
    assert error.value.name == "frist"
    assert repr(error.value) == """AttributeError("Thing has no attribute 'frist': did you mean 'first'?")"""


def test_python_adds_no_second_guess_where_it_shows_the_error():
    code = "from minidl import Linear; Linear(2, 3).wieght"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr
    assert shown.endswith("AttributeError: Linear has no attribute 'wieght': did you mean 'weight'?\n")
    with pytest.raises(AttributeError) as error:
        Thing().frist  # noqa: B018
    assert "".join(traceback.format_exception_only(error.value)).lower().count("did you mean") == 1


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_copies_of_the_error_say_the_same(clone):
    with pytest.raises(AttributeError) as error:
        Thing(lambda: "cannot be pickled").frist  # noqa: B018
    twin = clone(error.value)
    assert (type(twin), str(twin), repr(twin)) == (AttributeError, str(error.value), repr(error.value))


@pytest.mark.parametrize("name", ["__array__", "__len__", "__wieght__"])
def test_of_special_names_python_speaks(name):
    assert message(Thing(), name) == f"'Thing' object has no attribute {name!r}"


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

    with pytest.raises(TypeError, match=r"expected the arguments of Plain\(\), received (1|slope=0.1): leave "):
        Plain(*args, **kwargs)


@pytest.mark.parametrize("kind", [property, cached_property])
def test_the_error_of_a_property_is_not_hidden(kind):
    class Broken(Recorded):
        @kind
        def rate(self):
            return object().nothing

    assert message(Broken(), "rate") == "'object' object has no attribute 'nothing'"


class Habitual(Recorded):
    _habits = {"summary describe": "print it"}  # noqa: RUF012

    def forward(self):
        self.x = 1


@pytest.mark.parametrize("name", ["sumary", "Summary", "sumarry"])
def test_a_name_close_to_a_word_of_others_is_answered_with_what_to_use(name):
    assert message(Habitual(), name) == f"Habitual has no attribute {name!r}: did you mean 'summary'? print it"


def _yields(x):
    yield x


async def _awaits(x):
    return x


async def _both(x):
    yield x


class _Yielding:
    def __call__(self, x):
        yield x

    def method(self, x):
        yield x


@pytest.mark.parametrize(
    "function", [_yields, _awaits, _both, _Yielding(), _Yielding().method, partial(_yields), partial(_awaits, x=1)]
)
def test_a_function_of_which_a_call_runs_nothing_is_refused(function):
    with pytest.raises(TypeError, match=r"received (a generator|an async) function \(.*call runs nothing of it"):
        check_function("augment", function, "x", advice="")


@pytest.mark.parametrize("function", [lambda x: _yields(x), lambda x: sum(y for y in x), partial(sum), _Yielding])
def test_a_function_that_runs_is_taken_and_a_class_is_to_be_called(function):
    if function is _Yielding:
        with pytest.raises(TypeError, match=r"write _Yielding\(\.\.\.\)"):
            check_function("augment", function, "x", advice="")
    else:
        check_function("augment", function, "x", advice="")


@pytest.mark.parametrize("check", [check_number, lambda name, value: check_integer(name, -value, minimum=0)])
def test_a_number_of_very_many_digits_is_not_printed(check):
    with pytest.raises(ValueError, match=r"received n=<a whole number of \d+ bits>"):
        check("n", 10**5000)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (np.zeros((3, 2), "M8[s]"), "count days or seconds, as in"),
        (np.zeros((3, 2), "m8[s]"), "count days or seconds, as in x /"),
        (np.zeros(3, [("a", "f4"), ("b", "f4")]), "put its fields side by side"),
        (None, "NoneType: give the numbers in one"),
        ("x.npy", "str: give the numbers in one"),
        ({"a": [1.0]}, r"np.column_stack\(list\(x.values\(\)\)\)"),
        (minidl.Dataset(np.ones((2, 2)), np.zeros(2, int)), "give the x of the data set"),
        ((np.ones((2, 2)), np.zeros(2)), "a tuple of arrays: give one"),
    ],
)
def test_what_is_no_array_of_numbers_is_told_how_to_become_one(given, advice):
    model = Sequential(Linear(2, 1)).build(seed=0)
    with pytest.raises((TypeError, ValueError), match=f"expected x to .*, received .*{advice}"):
        model.predict(given)

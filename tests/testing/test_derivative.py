"""The verdict on one derivative: close kinks, large constants, steep and vague places, and large arrays."""

import numpy as np
import pytest

from minidl.testing.functions.differences import Probe
from minidl.testing.functions.kinks import valid_choice
from minidl.testing.functions.subject import Subject
from minidl.testing.functions.verdict import judge


def subject_of(function, gradient, x):
    """A function of x (n,) with values (n,) and what is said about its derivative, element by element."""
    x = np.array(x, np.float64)
    return Subject({"x": x}, lambda: function(x), lambda dy: {"x": dy * gradient(x)})


def verdict(function, gradient, x, **options):
    subject = subject_of(function, gradient, x)
    return judge(subject, np.ones(len(subject.arrays["x"])), np.random.default_rng(0), **options)


def test_what_is_right_is_right_to_ten_digits():
    result = verdict(np.tanh, lambda x: 1 - np.tanh(x) ** 2, [0.3, -1.2])
    assert result.wrong is None
    assert result.error < 1e-9


def test_one_wrong_element_is_named_with_both_numbers():
    wrong = verdict(np.tanh, lambda x: (1 - np.tanh(x) ** 2) * [1, 1.01], [0.3, -1.2]).wrong
    assert wrong.element == (1,)
    assert wrong.count == 1
    assert wrong.analytic == pytest.approx(1.01 * wrong.numeric)


def test_a_kink_closer_than_the_first_step_is_stepped_around():
    assert verdict(np.abs, np.sign, [1e-6]).wrong is None


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_kink_excuses_no_nonsense(value):
    at_kink = verdict(np.abs, lambda x: np.full(1, value), [0.0], excused=valid_choice)
    assert (at_kink.wrong is None) == (value == 0)
    assert verdict(np.abs, lambda x: np.full(1, value), [0.5], excused=valid_choice).wrong is not None


def test_a_wrong_slope_under_a_large_constant_is_found_and_a_right_one_is_not():
    def slope(x):
        return 1 - np.tanh(x) ** 2

    assert verdict(lambda x: 1e6 + np.tanh(x), slope, [0.3]).wrong is None
    assert verdict(lambda x: 1e6 + np.tanh(x), lambda x: 1.001 * slope(x), [0.3]).wrong is not None


def test_a_right_slope_under_rounding_that_grows_inside_is_seen_at_coarser_steps_and_a_wrong_one_is_not():
    def drowned(x):
        return np.tanh((x + 1e6) - 1e6)

    assert verdict(drowned, lambda x: 1 - np.tanh(x) ** 2, [0.3, -0.7]).wrong is None
    assert verdict(drowned, lambda x: 1.001 * (1 - np.tanh(x) ** 2), [0.3, -0.7]).wrong is not None


def test_an_infinite_curvature_is_approached_and_a_steep_line_resolved():
    assert verdict(lambda x: np.abs(x) ** 1.5, lambda x: 1.5 * np.sqrt(np.abs(x)) * np.sign(x), [0.0]).wrong is None
    assert verdict(lambda x: np.clip(1e12 * x, -1, 1), lambda x: np.full(1, 1e12), [0.0]).wrong is None


def test_a_small_gradient_is_judged_beside_a_large_one():
    def function(x):
        return np.array([1e4 * x[0], 1e-3 * np.tanh(x[1])])

    assert verdict(function, lambda x: np.array([1e4, 1e-3 * (1 - np.tanh(x[1]) ** 2)]), [1.0, 1.0]).wrong is None
    assert verdict(function, lambda x: np.array([1e4, 1e-3]), [1.0, 1.0]).wrong.element == (1,)


def test_one_wrong_element_of_ten_thousand_is_found():
    x = np.linspace(-1, 1, 10_000)
    factor = np.ones(10_000)
    factor[1234] = 2
    wrong = verdict(np.sin, lambda x: np.cos(x) * factor, x).wrong
    assert wrong.element == (1234,)
    assert "at least 1 of 10000 elements" in str(wrong)


@pytest.mark.parametrize(("choice", "valid"), [(0.1, True), (1, True), (0.5, True), (0, False), (1.1, False)])
def test_a_choice_at_a_single_kink_lies_between_its_slopes(choice, valid):
    def leaky(x):
        return np.where(x > 0, x, 0.1 * x)

    subject = subject_of(leaky, lambda x: np.full(1, choice), [0.0])
    probe = Probe(subject, "x", np.ones(1))
    assert valid_choice(probe, np.ones(1, bool), np.random.default_rng(0)) == valid


def max_subject(credit, ties):
    x = np.zeros(ties)
    return Subject({"x": x}, lambda: np.array([x.max()]), lambda dy: {"x": dy[0] * np.array(credit, np.float64)})


@pytest.mark.parametrize(
    ("credit", "valid"), [([1, 0, 0], True), ([1 / 3] * 3, True), ([0, 0.5, 0.5], True), ([1, 1, 1], False)]
)
def test_a_tie_of_three_may_be_credited_to_one_or_shared_but_not_to_each(credit, valid):
    probe = Probe(max_subject(credit, 3), "x", np.ones(1))
    assert valid_choice(probe, np.ones(3, bool), np.random.default_rng(0)) == valid


def test_the_median_of_nine_equal_numbers_may_be_any_of_them():
    x = np.zeros(9)
    credit = np.eye(9)[4]
    subject = Subject({"x": x}, lambda: np.array([np.sort(x)[4]]), lambda dy: {"x": dy[0] * credit})
    for seed in range(40):
        probe = Probe(subject, "x", np.ones(1))
        assert valid_choice(probe, np.ones(9, bool), np.random.default_rng(seed))

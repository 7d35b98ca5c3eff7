import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minidl.initializers import zeros
from minidl.parameters import Parameter
from minidl.regularizers import L1, L2, ElasticNet
from minidl.store import Parameters

MAKERS = [
    lambda names: L1(0.3, names=names),
    lambda names: L2(0.7, names=names),
    lambda n: ElasticNet(0.3, 0.7, names=n),
]
KINDS = ["L1", "L2", "ElasticNet"]

numbers = st.floats(-3, 3, width=32).filter(lambda w: w == 0 or abs(w) > 1e-3)  # away from the kink, or on it
values = arrays(np.float32, 17, elements=numbers, fill=st.nothing())


def network(value, dtype=np.float64):
    """Two dense layers, with a gradient of ones."""
    named = {
        "0.weight": Parameter((2, 4), zeros),
        "0.bias": Parameter((4,), zeros, decay=False),
        "1.weight": Parameter((4, 1), zeros),
        "1.bias": Parameter((1,), zeros, decay=False),
    }
    parameters = Parameters(named, np.random.default_rng(0), dtype=dtype)
    parameters.value[:] = value
    parameters.grad[:] = 1
    return parameters


@pytest.mark.parametrize("names", [None, "1.*"])
@pytest.mark.parametrize("make", MAKERS, ids=KINDS)
@given(value=values)
def test_what_is_added_to_the_gradient_is_the_derivative_of_the_penalty(make, names, value):
    value = value.astype(np.float64)
    regularizer, parameters = make(names), network(value)
    penalty, h = regularizer(parameters), 1e-5
    assert type(penalty) is float
    np.testing.assert_array_equal(parameters.value, value)
    added = parameters.grad - 1
    for i, slope in enumerate(added):
        parameters.value[i] = value[i] + h
        above = regularizer(parameters)
        parameters.value[i] = value[i] - h
        below = regularizer(parameters)
        parameters.value[i] = value[i]
        assert slope == pytest.approx((above - below) / (2 * h), abs=1e-8)


@pytest.mark.parametrize(
    ("regularizer", "formula"),
    [
        (L1(0.3), lambda w: 0.3 * abs(w).sum()),
        (L2(0.7), lambda w: 0.7 * (w**2).sum()),
        (ElasticNet(0.3, 0.7), lambda w: 0.3 * abs(w).sum() + 0.7 * (w**2).sum()),
    ],
    ids=KINDS,
)
@given(value=values)
def test_the_penalty_is_the_formula_over_the_decayed_parameters(regularizer, formula, value):
    parameters = network(value)
    weights = [parameters.named[name].value.copy() for name in ("0.weight", "1.weight")]
    assert regularizer(parameters) == pytest.approx(sum(formula(w) for w in weights), abs=1e-12)
    for name in ("0.bias", "1.bias"):
        np.testing.assert_array_equal(parameters.named[name].grad, 1)


@pytest.mark.parametrize("make", MAKERS, ids=KINDS)
@given(value=values)
def test_two_calls_add_twice(make, value):
    once, twice = network(value), network(value)
    make(None)(once)
    for _ in range(2):
        make(None)(twice)
    np.testing.assert_allclose(twice.grad - 1, 2 * (once.grad - 1), atol=1e-12)


@pytest.mark.parametrize("make", MAKERS, ids=KINDS)
@given(value=values)
def test_all_weights_by_pattern_are_the_decayed_parameters(make, value):
    by_default, by_name = network(value), network(value)
    assert make(None)(by_default) == pytest.approx(make("*.weight")(by_name))
    np.testing.assert_array_equal(by_default.grad, by_name.grad)


@pytest.mark.parametrize("pattern", ["*", "*.weight", "1.*", "0.bias"])
@pytest.mark.parametrize("make", MAKERS, ids=KINDS)
def test_a_pattern_reaches_the_matching_parameters_and_no_other(make, pattern):
    parameters = network(np.full(17, 2.0))
    make(pattern)(parameters)
    chosen = parameters.matching(pattern)
    for parameter in parameters.named.values():
        assert (parameter.grad != 1).all() == (parameter in chosen)


@pytest.mark.parametrize("make", MAKERS, ids=KINDS)
def test_a_pattern_that_matches_nothing_is_refused_with_the_names_there_are(make):
    with pytest.raises(ValueError, match=r"no parameter matches names='\*.weigth'; .*0\.weight"):
        make("*.weigth")(network(0))


def test_l1_does_not_move_a_weight_that_is_zero():
    parameters = network(0)
    assert L1(5.0)(parameters) == 0
    np.testing.assert_array_equal(parameters.grad, 1)


@pytest.mark.parametrize("make", MAKERS, ids=KINDS)
@given(value=values)
def test_float32_gives_nearly_the_float64_numbers(make, value):
    single, double = network(value, np.float32), network(value)
    single.grad[...] = double.grad[...] = 0  # next to a 1 that stands there, a small gradient has no digits left
    assert make(None)(single) == pytest.approx(make(None)(double), rel=1e-5)
    assert single.grad.dtype == np.float32
    np.testing.assert_allclose(single.grad, double.grad, rtol=1e-5)


def test_numpy_strengths_become_python_floats_that_keep_float32():
    regularizer = ElasticNet(np.float64(0.5), np.float32(2))
    assert (type(regularizer.l1), type(regularizer.l2)) == (float, float)


def test_equal_arguments_make_equal_regularizers_with_a_repr_to_copy():
    regularizer = L2(0.1, names="*.weight")
    assert eval(repr(regularizer)) == regularizer == copy.deepcopy(regularizer)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L1(-1), "strength to be a finite number >= 0, received strength=-1"),
        (lambda: L2(math.inf), "received strength=inf"),
        (lambda: L2("1"), "received strength='1'"),
        (lambda: ElasticNet(math.nan, 0), "received l1=nan"),
        (lambda: ElasticNet(0, -2), "received l2=-2"),
        (lambda: L2(1, names=["0.weight"]), r"names to be None or one pattern .*received names=\['0.weight'\]"),
    ],
)
def test_bad_arguments_are_refused_when_the_regularizer_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()

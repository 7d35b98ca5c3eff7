from decimal import Decimal, localcontext
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import SGD, Focal, Linear, Sequential, Softmax, SoftmaxCrossEntropy, Trainer
from tests.tools.heard import heard

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
GAMMAS = st.sampled_from([0.0, 0.25, 1.0, 2.0, 5.0])


def exact(row, label, gamma):
    """l and dl/ds of one row, in two hundred digits, by the formula of the paper and the chain rule."""
    with localcontext() as context:
        context.prec = 200
        powers = [Decimal(float(s)).exp() for s in row]
        p = [power / sum(powers) for power in powers]
        q, gamma = sum(p[:label] + p[label + 1 :]), Decimal(gamma)
        log = p[label].ln()
        slope = -(q**gamma) + (gamma * q ** (gamma - 1) * p[label] * log if gamma else 0)
        return float(-(q**gamma) * log), [float(slope * ((k == label) - p[k])) for k in range(len(row))]


@given(st.lists(st.floats(-80, 80, width=32), min_size=2, max_size=4), st.data(), GAMMAS)
def test_value_and_gradient_are_those_of_the_formula_in_two_hundred_digits(row, data, gamma):
    label = data.draw(st.integers(0, len(row) - 1))
    loss, (value, gradient) = Focal(gamma), exact(row, label, gamma)
    with heard():
        assert loss.forward(np.array([row]), np.array([label])) == pytest.approx(value, rel=1e-10, abs=1e-300)
        np.testing.assert_allclose(loss.backward()[0], gradient, rtol=1e-10, atol=1e-300)


@given(st.integers(0, 1000), st.sampled_from([np.float32, np.float64]))
def test_with_gamma_zero_it_is_the_cross_entropy(seed, dtype):
    rng = np.random.default_rng(seed)
    scores, labels = (5 * rng.normal(size=(4, 3))).astype(dtype), rng.integers(0, 3, 4)
    focal, cross = Focal(0, class_weights=[1, 2, 3]), SoftmaxCrossEntropy(class_weights=[1, 2, 3])
    weights, close = rng.random(4) + 0.1, 1e-5 if dtype is np.float32 else 1e-12
    assert focal.forward(scores, labels, weights) == pytest.approx(cross.forward(scores, labels, weights), rel=close)
    np.testing.assert_allclose(focal.backward(), cross.backward(), rtol=close, atol=close)


@DTYPES
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_certain_rows_cost_nothing_or_their_score_and_nothing_is_nan(dtype, gamma):
    scores = np.array([[1e4, -1e4], [-1e4, 1e4], [1e30, -1e30]], dtype)
    loss = Focal(gamma)
    with heard():
        assert loss.forward(scores, np.array([0, 0, 0])) == pytest.approx(2e4 / 3)
        gradient = loss.backward()
    np.testing.assert_allclose(gradient, [[0, 0], [-1 / 3, 1 / 3], [0, 0]], rtol=1e-6)
    assert gradient.dtype == dtype


def test_a_class_may_be_masked_out_by_a_score_of_minus_infinity():
    scores = np.array([[0.0, 1.0, -inf]])
    masked, plain = Focal(1.5), Focal(1.5)
    assert masked.forward(scores, np.array([0])) == plain.forward(scores[:, :2], np.array([0]))
    np.testing.assert_array_equal(masked.backward(), [[*plain.backward()[0], 0]])


def test_a_nan_score_makes_the_loss_nan():
    for column in range(3):
        scores = np.zeros((2, 3))
        scores[1, column] = nan
        assert np.isnan(Focal().forward(scores, np.array([0, 0])))


def test_easy_rows_count_less_than_hard_ones_by_more_than_in_the_cross_entropy():
    easy, hard = np.array([[4.0, 0.0]]), np.array([[0.0, 4.0]])
    ratios = [loss.forward(hard, np.array([0])) / loss.forward(easy, np.array([0])) for loss in (Focal(0), Focal(2))]
    assert ratios[1] > 1000 * ratios[0]


def test_the_probabilities_are_those_of_softmax():
    scores = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_array_equal(Focal().probabilities(scores), Softmax().forward(scores))


@pytest.mark.parametrize("gamma", [-1, nan, inf, "2", None])
def test_a_bad_gamma_is_refused(gamma):
    with pytest.raises(ValueError, match="expected gamma to be a finite number >= 0, received gamma="):
        Focal(gamma)


def test_a_softmax_in_front_of_it_is_refused_as_it_applies_one():
    with pytest.raises(ValueError, match=r"expected raw scores for Focal\(\), received a model that ends in Softmax"):
        Trainer(Sequential(Linear(2, 2), Softmax()).build(seed=0), Focal(), SGD(0.1))

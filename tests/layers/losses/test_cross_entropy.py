from decimal import Decimal, localcontext
from fractions import Fraction
from math import exp, log, log1p, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import BinaryCrossEntropy, ShapeError, SoftmaxCrossEntropy
from tests.tools.heard import heard

DTYPES = (np.float32, np.float64)


@st.composite
def score_arrays(draw, columns):
    """(n, k) scores of one of the two dtypes: ordinary, of 1e4, and of the square root of the maximum."""
    dtype = draw(st.sampled_from(DTYPES))
    sizes = [1e4, sqrt(np.finfo(dtype).max)]
    score = st.one_of(st.floats(-30, 30, width=32), st.sampled_from([0.0, *sizes, *(-size for size in sizes)]))
    n, k = draw(st.integers(1, 3)), draw(columns)
    return np.array(draw(st.lists(st.lists(score, min_size=k, max_size=k), min_size=n, max_size=n)), dtype)


def run(loss, scores, targets, weights=None):
    with heard():
        value, gradient = loss.forward(scores, targets, weights), loss.backward()
    assert type(value) is float
    assert (gradient.shape, gradient.dtype) == (scores.shape, scores.dtype)
    return value, gradient


def exact_softmax_row(row, q):
    """-sum_k q_k log p_k and p - q with enough digits that nothing is lost at 1e154."""
    with localcontext(prec=200):
        s, q = [Decimal(float(score)) for score in row], [Decimal(float(share)) for share in q]
        exponentials = [(score - max(s)).exp() for score in s]
        log_sum = sum(exponentials).ln() + max(s)
        p = [e / sum(exponentials) for e in exponentials]
        value = sum(share * (log_sum - score) for share, score in zip(q, s, strict=True))
        return float(value), [float(a - b) for a, b in zip(p, q, strict=True)]


def assert_softmax(loss, scores, targets, shares):
    value, gradient = run(loss, scores, targets)
    rows = [exact_softmax_row(row, q) for row, q in zip(scores, shares, strict=True)]
    eps = float(np.finfo(scores.dtype).eps)
    assert value == pytest.approx(np.mean([row[0] for row in rows]), rel=16 * eps, abs=8 * eps)
    np.testing.assert_allclose(gradient * len(scores), [row[1] for row in rows], atol=8 * eps)


@given(score_arrays(st.integers(2, 4)), st.data())
def test_labels_cost_the_logarithm_of_the_softmax_at_any_size(scores, data):
    k = scores.shape[1]
    labels = np.array(data.draw(st.lists(st.integers(0, k - 1), min_size=len(scores), max_size=len(scores))))
    assert_softmax(SoftmaxCrossEntropy(), scores, labels, np.eye(k)[labels])


@given(score_arrays(st.integers(2, 4)), st.sampled_from([0.125, 0.5, 0.75]), st.data())
def test_label_smoothing_shares_a_part_of_every_label_among_all_classes(scores, a, data):
    k = scores.shape[1]
    labels = np.array(data.draw(st.lists(st.integers(0, k - 1), min_size=len(scores), max_size=len(scores))))
    shares = (1 - a) * np.eye(k)[labels] + a / k
    assert_softmax(SoftmaxCrossEntropy(label_smoothing=a), scores, labels, shares)
    assert_softmax(SoftmaxCrossEntropy(label_smoothing=a), scores, np.eye(k)[labels], shares)
    assert_softmax(SoftmaxCrossEntropy(), scores, shares, shares)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_target_of_probability_zero_costs_nothing_however_far_away(dtype):
    scores = np.array([[1e4, -1e4, 0], [0, sqrt(np.finfo(dtype).max), 0]], dtype)
    value, gradient = run(SoftmaxCrossEntropy(), scores, np.array([0, 1]))
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("error", [9e-5, -9e-5, 0.0])
def test_rows_of_probabilities_that_sum_to_one_nearly_are_taken_as_shares(error):
    scores, rows = np.array([[300.0, 0.0], [0.0, 1.0]]), np.array([[0.5, 0.5 + error], [0.25, 0.75]])
    assert_softmax(SoftmaxCrossEntropy(), scores, rows, rows / rows.sum(axis=1, keepdims=True))


@pytest.mark.parametrize(
    "row",
    [[0.5, 0.4], [0.5, 0.6], [1.5, -0.5], [0.0, 0.0], [1, 1]],
    ids=["low", "high", "negative", "zero", "integers"],
)
def test_rows_that_are_no_probabilities_are_refused_and_the_first_is_named(row):
    with pytest.raises(ValueError, match=r"rows of probabilities that sum to 1, received targets\[1\]=\["):
        SoftmaxCrossEntropy().forward(np.zeros((2, 2)), np.array([[0, 1], row]))


def test_a_row_of_probabilities_with_nan_is_refused():
    with pytest.raises(ValueError, match=r"expected finite targets.*targets\[1, 0\]=nan"):
        SoftmaxCrossEntropy().forward(np.zeros((2, 2)), np.array([[0.5, 0.5], [nan, 1.0]]))


def test_one_hot_rows_of_integers_cost_what_the_labels_do():
    scores, labels = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 0.0]]), np.array([1, 0])
    expected, gradient = run(SoftmaxCrossEntropy(), scores, labels)
    for dtype in (np.int64, np.uint8, bool, np.float32):
        value, rows = run(SoftmaxCrossEntropy(), scores, np.eye(3)[labels].astype(dtype))
        assert value == pytest.approx(expected, rel=1e-15)
        np.testing.assert_allclose(rows, gradient, atol=1e-16)


def test_class_weights_weigh_rows_by_their_label_and_average_by_their_sum():
    scores, labels = np.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]]), np.array([0, 1, 1])
    losses = [log(1 + exp(1)), log(1 + exp(2)), log(2)]
    loss = SoftmaxCrossEntropy(class_weights=[3, 1])
    assert loss.forward(scores, labels) == pytest.approx((3 * losses[0] + losses[1] + losses[2]) / 5, rel=1e-15)
    assert loss.forward(scores, labels, np.array([1.0, 0.0, 2.0])) == pytest.approx((3 * losses[0] + 2 * losses[2]) / 5)
    assert loss.total_weight == 5


def test_class_weights_with_rows_of_probabilities_are_refused():
    with pytest.raises(ValueError, match="integer labels with class_weights, received rows of probabilities: use weig"):
        SoftmaxCrossEntropy(class_weights=[1, 2]).forward(np.zeros((1, 2)), np.array([[0.5, 0.5]]))


@pytest.mark.parametrize("a", [-0.1, 1, 1.5, nan, "0.1", None])
def test_a_label_smoothing_outside_zero_to_one_is_refused(a):
    with pytest.raises(ValueError, match=r"expected label_smoothing to be .*received label_smoothing="):
        SoftmaxCrossEntropy(label_smoothing=a)


@given(score_arrays(st.integers(2, 4)))
def test_probabilities_are_positive_parts_of_one(scores):
    with heard():
        p = SoftmaxCrossEntropy().probabilities(scores)
    assert p.dtype == scores.dtype
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)


def exact_binary(s, t):
    """-t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-s)), which is |s| |1{s > 0} - t| + log(1 + exp(-|s|))."""
    s, t = Fraction(float(s)), Fraction(float(t))
    return float(abs(s) * abs((s > 0) - t)) + log1p(exp(-min(abs(s), 800)))


@given(score_arrays(st.integers(1, 3)), st.data())
def test_binary_cross_entropy_is_the_closed_form_at_any_size(scores, data):
    target = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1, width=32), st.floats(0, 0.001).map(lambda t: 1 - t))
    targets = np.array([data.draw(target) for _ in range(scores.size)], scores.dtype).reshape(scores.shape)
    value, gradient = run(BinaryCrossEntropy(), scores, targets)
    eps = float(np.finfo(scores.dtype).eps)
    expected = [exact_binary(s, t) for s, t in zip(scores.flat, targets.flat, strict=True)]
    np.testing.assert_allclose(value, np.mean(expected), rtol=8 * eps)
    sigmoids = np.array([1 / (1 + exp(min(-float(s), 700))) for s in scores.flat]).reshape(scores.shape)
    np.testing.assert_allclose(gradient * scores.size, sigmoids - targets, atol=8 * eps)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64, np.float16, np.float64])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_binary_targets_may_be_booleans_integers_or_floats(shape, dtype):
    scores, targets = np.float32([1, 2, 3]).reshape(shape), np.array([0, 1, 1]).reshape(shape)
    value, gradient = run(BinaryCrossEntropy(), scores, targets.astype(dtype))
    assert value == pytest.approx((log1p(exp(1)) + log1p(exp(-2)) + log1p(exp(-3))) / 3, rel=1e-6)
    assert gradient.shape == shape


@pytest.mark.parametrize("target", [-0.01, 1.01, 2, -1])
def test_binary_targets_outside_zero_to_one_are_refused(target):
    with pytest.raises(ValueError, match=rf"expected targets from 0 to 1, received targets\[1, 0\]={target}"):
        BinaryCrossEntropy().forward(np.zeros((2, 1)), np.array([[0.5], [target]]))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_binary_class_weights_weigh_no_and_yes(shape):
    scores, targets = np.array([1.0, 2.0, -1.0]).reshape(shape), np.array([0, 1, 1]).reshape(shape)
    loss = BinaryCrossEntropy(class_weights=(1, 4))
    value, gradient = run(loss, scores, targets)
    weights = np.array([1, 4, 4])
    assert (value, loss.total_weight) == (BinaryCrossEntropy().forward(scores, targets, weights), 9)
    expected = (1 / (1 + np.exp(-scores)) - targets) * weights.reshape(shape) / 9
    np.testing.assert_allclose(gradient, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("class_weights", "targets", "error"),
    [
        ((1, 2), [[0.0, 1.0]], ShapeError),
        ((1, 2, 3), [[0.0]], ShapeError),
        ((1, 2), [[0.5]], ValueError),
    ],
    ids=["several scores", "three classes", "fraction"],
)
def test_binary_class_weights_that_have_no_meaning_are_refused(class_weights, targets, error):
    with pytest.raises(error, match=r"class_weights.*, received .*use weights="):
        BinaryCrossEntropy(class_weights=class_weights).forward(np.zeros_like(targets), np.array(targets))


def test_binary_probabilities_of_yes_and_no_sum_to_one():
    scores = np.array([[-1e4], [-3.0], [0.0], [1e4]])
    loss = BinaryCrossEntropy()
    np.testing.assert_allclose(loss.probabilities(scores) + loss.probabilities(-scores), 1, rtol=1e-15)
    np.testing.assert_allclose(loss.probabilities(scores)[1:, 0], [1 / (1 + exp(3)), 0.5, 1], rtol=1e-15)
    assert loss.probabilities(scores).shape == scores.shape


@pytest.mark.parametrize(("loss", "targets"), [(SoftmaxCrossEntropy, [0, 0]), (BinaryCrossEntropy, [[0, 1], [1, 0]])])
def test_a_nan_score_makes_the_loss_nan_and_shows_in_the_gradient(loss, targets):
    scores, made = np.array([[0.0, 1.0], [nan, 0.0]]), loss()
    assert np.isnan(made.forward(scores, np.array(targets)))
    gradient = made.backward()
    assert np.isnan(gradient[1, 0])
    assert np.isfinite(gradient[0]).all()


def test_a_class_that_is_masked_out_by_an_infinite_score_costs_nothing_where_its_share_is_0():
    scores, loss = np.array([[2.0, 1.0, -np.inf], [0.5, -np.inf, 0.0]]), SoftmaxCrossEntropy()
    hard = loss.forward(scores, np.array([0, 2]))
    gradient = loss.backward()
    assert loss.forward(scores, np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])) == hard
    np.testing.assert_array_equal(loss.backward(), gradient)


@pytest.mark.parametrize(("score", "target"), [(-np.inf, 0), (np.inf, 1)])
def test_an_infinite_score_that_is_right_costs_nothing_in_binary_cross_entropy(score, target):
    loss = BinaryCrossEntropy()
    assert loss.forward(np.array([[score]]), np.array([[target]])) == 0
    assert abs(loss.backward()).max() < 1e-300
    assert loss.forward(np.array([[score]]), np.array([[0.5]])) == np.inf

from fractions import Fraction
from math import nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Hinge, SquaredHinge, WestonWatkinsHinge
from tests.tools.heard import heard

LIMITS = {np.float32: sqrt(np.finfo(np.float32).max), np.float64: sqrt(np.finfo(np.float64).max)}
HINGES = pytest.mark.parametrize("hinge", [Hinge, WestonWatkinsHinge, SquaredHinge])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def crammer_singer(row, label, margin):
    """l and dl/ds of one row, in exact arithmetic; of several strongest rivals the first is credited."""
    rivals = [j for j in range(len(row)) if j != label]
    strongest = max(rivals, key=lambda j: row[j])
    violation = margin + row[strongest] - row[label]
    gradient = [0] * len(row)
    if violation > 0:
        gradient[strongest], gradient[label] = 1, -1
    return max(Fraction(0), violation), gradient


def weston_watkins(row, label, margin):
    """l and dl/ds of one row, in exact arithmetic."""
    total, gradient = Fraction(0), [0] * len(row)
    for j in range(len(row)):
        if j != label and margin + row[j] - row[label] > 0:
            total += margin + row[j] - row[label]
            gradient[j] += 1
            gradient[label] -= 1
    return total, gradient


def squared(row, label, margin):
    """l and dl/ds of one row, in exact arithmetic."""
    total, gradient = Fraction(0), [Fraction(0)] * len(row)
    for j in range(len(row)):
        if j != label and (violation := margin + row[j] - row[label]) > 0:
            total += violation**2
            gradient[j] += 2 * violation
            gradient[label] -= 2 * violation
    return total, gradient


FORMULAS = pytest.mark.parametrize(
    ("hinge", "formula"), [(Hinge, crammer_singer), (WestonWatkinsHinge, weston_watkins)]
)


@st.composite
def batches(draw):
    """Scores on a grid of eighths, so that ties and margins met exactly occur, with a few huge ones; and labels."""
    dtype = draw(st.sampled_from(sorted(LIMITS, key=str)))
    huge = st.sampled_from([1e4, -1e4, LIMITS[dtype], -LIMITS[dtype]])
    n, k = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    score = st.one_of(st.integers(-24, 24).map(lambda eighths: eighths / 8), huge)
    scores = draw(st.lists(st.lists(score, min_size=k, max_size=k), min_size=n, max_size=n))
    return np.array(scores, dtype), np.array(draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n)))


@FORMULAS
@given(batch=batches(), margin=st.sampled_from([0.5, 1.0, 2.0]))
def test_value_and_gradient_are_those_of_the_plain_loop(hinge, formula, batch, margin):
    scores, labels = batch
    rows = [
        formula([Fraction(float(s)) for s in row], int(label), Fraction(margin))
        for row, label in zip(scores, labels, strict=True)
    ]
    loss = hinge(margin=margin)
    with heard():
        value, gradient = loss.forward(scores, labels), loss.backward()
    assert value == pytest.approx(
        float(sum(row[0] for row in rows) / len(rows)), rel=4 * float(np.finfo(scores.dtype).eps)
    )
    np.testing.assert_allclose(gradient * len(rows), [row[1] for row in rows], rtol=1e-6)
    assert gradient.dtype == scores.dtype


@FORMULAS
@given(batch=batches(), seed=st.integers(0, 100))
def test_the_weight_of_a_row_is_its_own_times_that_of_its_class(hinge, formula, batch, seed):
    scores, labels = batch[0].clip(-100, 100), batch[1]
    rng = np.random.default_rng(seed)
    classes, own = rng.integers(1, 4, scores.shape[1]), rng.integers(1, 4, len(scores))
    weights = own * classes[labels]
    rows = [
        formula([Fraction(float(s)) for s in row], int(label), 1) for row, label in zip(scores, labels, strict=True)
    ]
    loss = hinge(class_weights=classes)
    expected = sum(int(w) * row[0] for w, row in zip(weights, rows, strict=True)) / int(weights.sum())
    assert loss.forward(scores, labels, own) == pytest.approx(float(expected), rel=1e-6)
    assert loss.total_weight == weights.sum()
    gradient = weights[:, None] / weights.sum() * np.array([row[1] for row in rows])
    np.testing.assert_allclose(loss.backward(), gradient, rtol=1e-6)


@given(batch=batches(), margin=st.sampled_from([0.5, 1.0, 2.0]), seed=st.integers(0, 100))
def test_the_squared_hinge_is_the_plain_loop_too(batch, margin, seed):
    scores, labels = batch[0].clip(-1e4, 1e4), batch[1]
    classes = np.random.default_rng(seed).integers(1, 4, scores.shape[1])
    rows = [squared([Fraction(float(s)) for s in row], int(y), margin) for row, y in zip(scores, labels, strict=True)]
    shares = [Fraction(int(classes[y]), int(classes[labels].sum())) for y in labels]
    loss = SquaredHinge(margin=margin, class_weights=classes)
    with heard():
        value, gradient = loss.forward(scores, labels), loss.backward()
    expected = sum(share * row[0] for share, row in zip(shares, rows, strict=True))
    assert value == pytest.approx(float(expected), rel=1e-5)
    wanted = [[float(share * g) for g in row[1]] for share, row in zip(shares, rows, strict=True)]
    np.testing.assert_allclose(gradient, wanted, rtol=1e-5)
    assert gradient.dtype == scores.dtype


@pytest.mark.parametrize("sign", [-1, 1])
@DTYPES
@pytest.mark.parametrize("hinge", [Hinge, WestonWatkinsHinge])
def test_equal_scores_of_any_size_violate_the_margin_by_the_margin(hinge, dtype, sign):
    scores = np.full((1, 2), sign * LIMITS[dtype], dtype)
    loss = hinge(margin=3.0)
    assert loss.forward(scores, np.array([1])) == 3
    np.testing.assert_array_equal(loss.backward(), [[1, -1]])


@HINGES
def test_a_margin_met_exactly_costs_nothing_and_has_no_gradient(hinge):
    loss = hinge(margin=0.5)
    assert loss.forward(np.array([[1.0, 0.5, 0.25]]), np.array([0])) == 0
    np.testing.assert_array_equal(loss.backward(), [[0, 0, 0]])


@HINGES
def test_a_nan_score_makes_the_loss_nan(hinge):
    for column in range(3):
        scores = np.zeros((2, 3))
        scores[1, column] = nan
        assert np.isnan(hinge().forward(scores, np.array([0, 0])))


@pytest.mark.parametrize("margin", [0, -1.0, nan, np.inf, "1", None, True])
@HINGES
def test_a_margin_that_is_not_a_positive_number_is_refused(hinge, margin):
    with pytest.raises(ValueError, match="expected margin to be a finite number > 0, received margin="):
        hinge(margin=margin)


@HINGES
def test_the_scores_have_no_meaning_as_probabilities(hinge):
    with pytest.raises(TypeError, match=f"the scores of {hinge.__name__} are not logarithms"):
        hinge().probabilities(np.zeros((2, 3)))

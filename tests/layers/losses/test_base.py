"""What all losses share: the mean, the weights, and what is refused at the door."""

from functools import partial
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minidl import (
    BinaryCrossEntropy,
    ClassLoss,
    Hinge,
    Loss,
    MeanSquaredError,
    ShapeError,
    SoftmaxCrossEntropy,
    WestonWatkinsHinge,
)

SCORES = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [-2.0, 0.0, 1.0], [3.0, 1.0, 2.5]])
LABELS = np.array([0, 2, 1, 0])
REALS = np.array([[0, 1, 1], [1, 0, 0], [0.5, 0, 1], [1, 1, 0]])
CLASS_LOSSES = [SoftmaxCrossEntropy, Hinge, WestonWatkinsHinge]
REAL_LOSSES = [BinaryCrossEntropy, MeanSquaredError]
CASES = [(loss, LABELS) for loss in CLASS_LOSSES] + [(loss, REALS) for loss in REAL_LOSSES]
EVERY_LOSS = pytest.mark.parametrize(("loss", "targets"), CASES, ids=[loss.__name__ for loss, _ in CASES])
EVERY_CLASS_LOSS = pytest.mark.parametrize("loss", CLASS_LOSSES)
EVERY_REAL_LOSS = pytest.mark.parametrize("loss", REAL_LOSSES)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])

weight_lists = st.lists(st.sampled_from([0, 0.25, 1, 3.5, 1e-30, 1e30]), min_size=4, max_size=4)


def single_rows(loss, targets):
    """The loss and gradient of each row as a batch of its own."""
    made = loss()
    values = [made.forward(SCORES[i : i + 1], targets[i : i + 1]) for i in range(4)]
    gradients = [(made.forward(SCORES[i : i + 1], targets[i : i + 1]), made.backward()[0])[1] for i in range(4)]
    return np.array(values), np.array(gradients)


@EVERY_LOSS
def test_the_loss_is_the_mean_over_the_rows(loss, targets):
    values, gradients = single_rows(loss, targets)
    made = loss()
    assert made.forward(SCORES, targets) == pytest.approx(values.mean(), rel=1e-15)
    assert made.total_weight == 4
    np.testing.assert_allclose(made.backward(), gradients / 4, rtol=1e-14)


@EVERY_LOSS
@given(weights=weight_lists.filter(any))
def test_weights_give_the_weighted_mean_whatever_their_scale(loss, targets, weights):
    values, gradients = single_rows(loss, targets)
    shares = np.array(weights) / sum(weights)
    made = loss()
    assert made.forward(SCORES, targets, np.array(weights)) == pytest.approx(shares @ values, rel=1e-14)
    assert made.total_weight == pytest.approx(sum(weights))
    np.testing.assert_allclose(made.backward(), shares[:, None] * gradients, rtol=1e-14)


@EVERY_LOSS
def test_a_weight_of_zero_leaves_a_row_out(loss, targets):
    made = loss()
    value = made.forward(SCORES, targets, np.array([1, 0, 1, 0]))
    assert value == pytest.approx(loss().forward(SCORES[::2], targets[::2]), rel=1e-15)
    np.testing.assert_array_equal(made.backward()[1::2], 0)


@DTYPES
@EVERY_LOSS
def test_weights_of_zero_only_give_a_loss_and_a_gradient_of_zero(loss, targets, dtype):
    made = loss()
    assert made.forward(SCORES.astype(dtype), targets, np.zeros(4)) == 0
    assert made.total_weight == 0
    np.testing.assert_array_equal(made.backward(), 0)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float32, np.float64])
@EVERY_LOSS
def test_weights_of_any_number_type_keep_the_dtype_of_the_scores(loss, targets, dtype):
    made, scores = loss(), SCORES.astype(np.float32)
    assert type(made.forward(scores, targets, np.array([1, 0, 1, 1], dtype))) is float
    assert type(made.total_weight) is float
    assert made.backward().dtype == np.float32


@EVERY_CLASS_LOSS
def test_class_weights_of_any_number_type_keep_the_dtype_of_the_scores(loss):
    for class_weights in ([1, 2, 3], np.float64([1, 2, 3]), (0.0, 1.0, 0.5)):
        made = loss(class_weights=class_weights)
        made.forward(SCORES.astype(np.float32), LABELS)
        assert made.backward().dtype == np.float32


@EVERY_LOSS
def test_scores_targets_and_weights_are_never_written_into(loss, targets):
    given = SCORES.copy(), targets.copy(), np.array([1.0, 2.0, 0.0, 1.0])
    for array in given:
        array.flags.writeable = False
    made = loss()
    made.forward(*given)
    made.backward()
    np.testing.assert_array_equal(given[0], SCORES)
    np.testing.assert_array_equal(given[1], targets)


@EVERY_LOSS
def test_the_gradient_belongs_to_the_caller(loss, targets):
    made = loss()
    made.forward(SCORES, targets)
    first = made.backward()
    kept = first.copy()
    first[:] = nan
    np.testing.assert_array_equal(made.backward(), kept)


@EVERY_LOSS
def test_backward_before_forward_says_what_to_call(loss, targets):
    with pytest.raises(AttributeError, match=f"{loss.__name__} has no attribute .*forward"):
        loss().backward()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64])
@EVERY_CLASS_LOSS
def test_labels_may_have_every_integer_type(loss, dtype):
    made, expected = loss(class_weights=[1, 2, 3]), loss(class_weights=[1, 2, 3])
    assert made.forward(SCORES, LABELS.astype(dtype)) == expected.forward(SCORES, LABELS)
    np.testing.assert_array_equal(made.backward(), expected.backward())


@pytest.mark.parametrize(("dtype", "label"), [(np.int64, 3), (np.int8, -1), (np.uint8, 255), (np.uint64, 2**64 - 1)])
@EVERY_CLASS_LOSS
def test_a_label_out_of_range_is_refused_and_its_row_named(loss, dtype, label):
    labels = LABELS.astype(dtype)
    labels[2:] = label
    with pytest.raises(ValueError, match=rf"labels from 0 to 2 for 3 scores a row, received targets\[2\]={label}"):
        loss().forward(SCORES, labels)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, bool, object, "U1", complex])
@EVERY_CLASS_LOSS
def test_labels_that_are_not_integers_are_refused_with_the_cast(loss, dtype):
    with pytest.raises(ValueError, match=r"expected integer labels, received dtype .*: use targets.astype\(np.int64\)"):
        loss().forward(SCORES, LABELS.astype(dtype))


@EVERY_CLASS_LOSS
def test_labels_in_a_column_are_refused_with_the_reshape(loss):
    with pytest.raises(ShapeError, match=r"labels of shape \(4,\), received .*\(4, 1\): use targets.reshape\(-1\)"):
        loss().forward(SCORES, LABELS[:, None])


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3, 1)])
@EVERY_CLASS_LOSS
def test_scores_of_one_class_or_of_another_rank_are_refused(loss, shape):
    with pytest.raises(ShapeError, match=r"scores of shape \(n, ..., classes\) with at least 2 classes, received"):
        loss().forward(np.zeros(shape), np.zeros(4, np.int64))


@pytest.mark.parametrize("rows", [1, 3, 5])
@EVERY_LOSS
def test_another_number_of_targets_is_refused(loss, targets, rows):
    with pytest.raises(
        ShapeError, match=rf"received targets.shape=\({rows},.*: one (label a row|target for each scor)"
    ):
        loss().forward(SCORES, np.resize(targets, (rows, *targets.shape[1:])))


@pytest.mark.parametrize(
    ("scores", "targets", "reshape"), [((4, 1), (4,), r"4, 1"), ((4,), (4, 1), r"4"), ((2, 3), (3, 2), r"2, 3")]
)
@EVERY_REAL_LOSS
def test_a_column_against_a_vector_is_refused_both_ways_with_the_reshape(loss, scores, targets, reshape):
    with pytest.raises(ShapeError, match=rf"use targets.reshape\({reshape}\)"):
        loss().forward(np.zeros(scores), np.zeros(targets))


@pytest.mark.parametrize("value", [nan, inf, -inf])
@EVERY_REAL_LOSS
def test_targets_that_are_not_finite_are_refused_and_the_row_named(loss, value):
    targets = REALS.copy()
    targets[2, 1] = value
    with pytest.raises(ValueError, match=r"expected finite targets.*received targets\[2, 1\]="):
        loss().forward(SCORES, targets)


@pytest.mark.parametrize("dtype", [object, "U3", complex])
@EVERY_REAL_LOSS
def test_targets_that_are_not_numbers_are_refused(loss, dtype):
    with pytest.raises(ValueError, match=r"expected numbers, received targets.dtype="):
        loss().forward(SCORES, REALS.astype(dtype))


@EVERY_LOSS
def test_an_empty_batch_is_refused(loss, targets):
    with pytest.raises(ShapeError, match=r"received scores.shape=\(0, 3\): an empty batch"):
        loss().forward(SCORES[:0], targets[:0])


@pytest.mark.parametrize("scores", [SCORES.tolist(), SCORES.astype(int), SCORES.astype(object), 1.0])
@EVERY_LOSS
def test_scores_that_are_no_float_array_are_refused(loss, targets, scores):
    with pytest.raises(TypeError, match="expected scores to be a float array, received"):
        loss().forward(scores, targets)


@EVERY_LOSS
def test_targets_may_be_lists(loss, targets):
    assert loss().forward(SCORES, targets.tolist(), [1, 1, 1, 1]) == pytest.approx(loss().forward(SCORES, targets))


@pytest.mark.parametrize("shape", [(4, 1), (3,), (1,), ()])
@EVERY_LOSS
def test_weights_of_another_shape_are_refused(loss, targets, shape):
    with pytest.raises(ShapeError, match=r"expected weights of shape \(4,\), received weights.shape="):
        loss().forward(SCORES, targets, np.ones(shape))


@pytest.mark.parametrize("weight", [-1.0, nan, inf, 1e308])
@EVERY_LOSS
def test_weights_that_cannot_be_averaged_with_are_refused(loss, targets, weight):
    with pytest.raises(ValueError, match=r"expected finite weights >= 0.*received"):
        loss().forward(SCORES, targets, np.full(4, weight))


@pytest.mark.parametrize("class_weights", [[1], [1, -1, 1], [1, nan, 1], [0, 0, 0], [[1, 2, 3]], 1.0, [inf, 1, 1]])
@EVERY_CLASS_LOSS
def test_class_weights_that_are_no_weights_are_refused(loss, class_weights):
    with pytest.raises(ValueError, match="expected class_weights to hold one finite number >= 0 a class, received"):
        loss(class_weights=class_weights)


@pytest.mark.parametrize("class_weights", [{0: 1.0, 1: 2.0}, "balanced"])
@EVERY_CLASS_LOSS
def test_a_mapping_of_class_weights_belongs_to_the_data(loss, class_weights):
    with pytest.raises(ValueError, match=r"are of the data: weighted\(\{\.\.\.\}\), balanced\(\)$"):
        loss(class_weights=class_weights)


@EVERY_CLASS_LOSS
def test_class_weights_for_another_number_of_classes_are_refused(loss):
    with pytest.raises(ValueError, match=r"expected 3 class_weights, one a score, received \[1.0, 2.0\]"):
        loss(class_weights=[1, 2]).forward(SCORES, LABELS)


@EVERY_CLASS_LOSS
def test_class_weights_are_copied(loss):
    weights = np.array([1.0, 2.0, 3.0])
    made = loss(class_weights=weights)
    before = made.forward(SCORES, LABELS)
    weights[:] = 1
    assert made.forward(SCORES, LABELS) == before


@given(arrays(np.float32, 300, elements=st.floats(0, 1, width=32)))
def test_the_mean_of_many_rows_is_taken_in_float64(column):
    class Given(Loss):
        def row_losses(self, scores, targets):
            return scores

    assert Given().forward(column, column) == pytest.approx(column.mean(dtype=np.float64), rel=1e-14)


def test_a_user_s_loss_of_single_rows_gets_the_mean_the_weights_and_their_derivative():
    class Cubic(ClassLoss):
        """l = sum_k s_k^3 of rows whose label is not 0."""

        def row_losses(self, scores, targets):
            self.scores, self.on = scores, (targets != 0)[:, None]
            return (scores**3 * self.on).sum(axis=1)

        def row_gradients(self):
            return 3 * self.scores**2 * self.on

    loss = Cubic(class_weights=[1, 1, 2])
    weights = np.array([1, 2, 1, 0])
    assert loss.forward(SCORES, LABELS, weights) == pytest.approx((4 * (SCORES[1] ** 3).sum() + -7) / 6)
    np.testing.assert_allclose(loss.backward(), 3 * SCORES**2 * np.array([[0], [4], [1], [0]]) / 6)


@pytest.mark.parametrize("method", ["row_losses", "row_gradients"])
def test_a_loss_without_one_of_its_halves_says_which_to_define(method):
    calls = {"row_losses": partial(Loss().forward, SCORES, REALS), "row_gradients": Loss().row_gradients}
    with pytest.raises(TypeError, match=f"Loss must define {method}"):
        calls[method]()


@pytest.mark.parametrize(
    ("loss", "name", "advice"),
    [
        (Hinge, "total_weight", "call forward first"),
        (Hinge, "rival", "call forward first"),
        (SoftmaxCrossEntropy, "probability", "call forward first"),
        (SoftmaxCrossEntropy, "from_logits", "every loss takes raw scores (logits)"),
        (SoftmaxCrossEntropy, "class_weight", "did you mean 'class_weights'?"),
        (BinaryCrossEntropy, "pos_weight", "class_weights=... of the constructor, one number a class"),
        (MeanSquaredError, "item", "forward returns a Python float, there is nothing to unpack"),
        (MeanSquaredError, "parameters", "a loss has no parameters, modes or devices: leave it out"),
    ],
)
def test_a_missing_attribute_of_a_loss_says_what_to_do(loss, name, advice):
    with pytest.raises(AttributeError) as error:
        getattr(loss(), name)
    assert str(error.value) == f"{loss.__name__} has no attribute {name!r}: {advice}"


@pytest.mark.parametrize(
    ("loss", "name"), [(WestonWatkinsHinge, "rival"), (MeanSquaredError, "margin"), (Hinge, "rng")]
)
def test_of_what_is_not_true_of_a_loss_nothing_is_said(loss, name):
    with pytest.raises(AttributeError) as error:
        getattr(loss(), name)
    assert str(error.value) == f"{loss.__name__} has no attribute {name!r}"


@pytest.mark.parametrize("which", [0, 1, 2])
def test_masked_arrays_given_by_hand_are_refused(which):
    given = [np.eye(3), np.arange(3), np.ones(3)]
    given[which] = np.ma.masked_array(given[which], given[which] > 0)
    with pytest.raises(TypeError, match="to be a plain array, received a masked one: fill it in"):
        SoftmaxCrossEntropy().forward(*given)

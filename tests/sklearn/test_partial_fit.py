"""partial_fit: one epoch more, with weights, optimizer, streams and history as they were."""

import pickle
from importlib.util import find_spec

import numpy as np
import pytest

from minidl import L2, SGD
from minidl.optim import CosineDecay

if find_spec("sklearn"):
    from sklearn.base import clone

    from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.needs_sklearn
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = np.array(["a", "b", "c"])[RNG.integers(0, 3, 90)]
OPTIONS = {"epochs": 5, "batch_size": 20, "dropout": 0.3, "random_state": 3}


def bits(estimator):
    return estimator.model_.parameters.value.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_five_calls_are_one_fit_of_five_epochs_to_the_bit(dtype):
    options = OPTIONS | {"dtype": dtype, "schedule": CosineDecay}
    for kind, y, first in ((MLPClassifier, Y, {"classes": ["a", "b", "c"]}), (MLPRegressor, X[:, 0], {})):
        whole, by_parts = kind(**options).fit(X, y), kind(**options)
        for call in range(5):
            by_parts.partial_fit(X, y, **({} if call else first))
        assert bits(whole) == bits(by_parts)
        assert whole.history_.steps == by_parts.history_.steps
        assert whole.history_.evaluations == by_parts.history_.evaluations
        assert whole.n_iter_ == whole.best_epoch_ == by_parts.n_iter_ == by_parts.best_epoch_ == 5


def test_it_goes_on_where_fit_ended_also_after_a_pickle():
    five, three = MLPClassifier(**OPTIONS).fit(X, Y), MLPClassifier(**OPTIONS | {"epochs": 3}).fit(X, Y)
    three.partial_fit(X, Y)
    copied = pickle.loads(pickle.dumps(three))
    assert bits(three.partial_fit(X, Y)) == bits(copied.partial_fit(X, Y)) == bits(five)
    assert len(copied.history_.evaluations["train_loss"]) == 5


def test_columns_that_a_run_lacks_are_nan_in_the_history():
    fitted = MLPClassifier(**OPTIONS).fit(X, Y, X_val=X[:30], y_val=Y[:30])
    fitted.partial_fit(X, Y)
    losses = fitted.history_.evaluations["validation_loss"]
    assert np.isnan(losses).tolist() == [False] * 5 + [True]


def test_rows_may_be_others_in_each_call():
    estimator = MLPRegressor(hidden=(), optimizer=SGD, learning_rate=0.1, random_state=0)
    for start in range(0, 90, 10):
        for _ in range(20):
            estimator.partial_fit(X[start : start + 10], X[start : start + 10, 0])
    assert estimator.score(X, X[:, 0]) > 0.99


def test_classes_that_come_later_are_known_from_the_first_call():
    estimator = MLPClassifier(random_state=0).partial_fit(X[:1], ["a"], classes=["c", "a", "b"])
    assert estimator.classes_.tolist() == ["a", "b", "c"]
    estimator.partial_fit(X[1:2], ["c"]).partial_fit(X[2:3], ["b"], classes=["a", "b", "c"])
    with pytest.raises(ValueError, match="expected the classes of the first call"):
        estimator.partial_fit(X[:1], ["a"], classes=["a", "d"])
    with pytest.raises(ValueError, match="unseen"):
        estimator.partial_fit(X[:1], ["d"])


def test_labels_of_several_questions_need_no_classes():
    y = (X[:, :3] > 0).astype(int)
    estimator = MLPClassifier(random_state=0).partial_fit(X, y).partial_fit(X[:1], y[:1])
    assert estimator.predict(X).shape == (90, 3)


def test_weights_of_classes_hold_in_every_call():
    one, other = (MLPClassifier(class_weight=w, random_state=0) for w in ({"a": 3.0}, None))
    for rows in (slice(0, 40), slice(40, 90)):
        one.partial_fit(X[rows], Y[rows], ["a", "b", "c"])
        other.partial_fit(X[rows], Y[rows], ["a", "b", "c"], np.where(Y[rows] == "a", 3.0, 1.0))
    assert bits(one) == bits(other)


def test_what_has_no_meaning_for_it_is_refused():
    with pytest.raises(ValueError, match="in the first call of partial_fit, received none"):
        MLPClassifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match="one epoch cannot stop early"):
        MLPClassifier(early_stopping=3, validation_fraction=0.1).partial_fit(X, Y, ["a", "b", "c"])
    with pytest.raises(ValueError, match="shares of classes in rows to come"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, ["a", "b", "c"])
    with pytest.raises(ValueError, match="at least two classes"):
        MLPClassifier().partial_fit(X[:2], ["a", "a"], ["a"])
    estimator = MLPRegressor().partial_fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"targets of shape \(n,\), as before"):
        estimator.partial_fit(X, X[:, :2])


def test_parameters_that_changed_are_refused_but_those_of_one_call():
    estimator = MLPRegressor(random_state=0).partial_fit(X, X[:, 0])
    estimator.set_params(batch_size=10, shuffle=False, verbose=False, learning_rate=0.003).partial_fit(X, X[:, 0])
    with pytest.raises(ValueError, match="received learning_rate that is not as it was"):
        estimator.set_params(learning_rate=0.5).partial_fit(X, X[:, 0])
    clone(estimator).partial_fit(X, X[:, 0])
    estimator.fit(X, X[:, 0])
    estimator = MLPRegressor(hidden=np.array([5, 4]), regularizers=[]).partial_fit(X, X[:, 0])
    estimator.set_params(hidden=np.array([5, 4])).partial_fit(X, X[:, 0])
    estimator.regularizers.append(L2(0.1))
    with pytest.raises(ValueError, match="received regularizers that is not as it was"):
        estimator.partial_fit(X, X[:, 0])


def test_after_validation_it_goes_on_without():
    estimator = MLPClassifier(early_stopping=3, validation_fraction=0.2, **OPTIONS).fit(X, Y)
    estimator.set_params(early_stopping=None, validation_fraction=None).partial_fit(X, Y)
    assert estimator.n_iter_ == estimator.best_epoch_ <= 6

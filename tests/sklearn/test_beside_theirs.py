"""Beside scikit-learn's own MLP: the same steps from the same weights, and what its tests ask, where it applies."""

import warnings
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from minidl import L2, LBFGS, SGD, Linear, Loss, ReLU, Sequential, Tanh

if find_spec("sklearn"):
    from sklearn import neural_network as theirs
    from sklearn.datasets import (
        load_digits,
        load_iris,
        make_classification,
        make_multilabel_classification,
        make_regression,
    )
    from sklearn.linear_model import PoissonRegressor
    from sklearn.metrics import roc_auc_score

    from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.needs_sklearn


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x / 16, y


@pytest.fixture(scope="module")
def two_digits(digits):
    x, y = digits
    rows = y < 2
    return x[rows], y[rows]


def with_weights_of(fitted):
    """A function that makes the layers of an MLP of scikit-learn, at the weights that it has now."""
    numbers = [(w.copy(), b.copy()) for w, b in zip(fitted.coefs_, fitted.intercepts_, strict=True)]

    def network(n_in, n_out):
        layers = []
        for weight, bias in numbers:
            start = {"weight_init": lambda rng, shape, w=weight: w, "bias_init": lambda rng, shape, b=bias: b}
            layers += [Linear(*weight.shape, **start), Tanh()]
        return Sequential(*layers[:-1])

    return network


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_the_same_weights_take_the_same_steps(kind, momentum, digits):
    x, y = digits[0][:130], digits[1][:130]
    options = {"hidden_layer_sizes": (12, 9), "activation": "tanh", "alpha": 0.0, "batch_size": 50, "shuffle": False}
    rate = {"learning_rate_init": 0.05, "momentum": momentum, "nesterovs_momentum": False}
    known = getattr(theirs, kind)(solver="sgd", random_state=0, **options, **rate)
    first = {"classes": np.arange(10)} if kind == "MLPClassifier" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known.partial_fit(x, y, **first)
    known._optimizer.velocities = [np.zeros_like(v) for v in known._optimizer.velocities]
    half = {"MLPClassifier": 1, "MLPRegressor": 2}[kind]  # of a square, or the whole of it
    ours = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}[kind](
        model=with_weights_of(known),
        optimizer=partial(SGD, momentum=momentum),
        learning_rate=0.05 / half,
        batch_size=50,
        shuffle=False,
    )
    for call in range(5):
        known.partial_fit(x, y)
        ours.partial_fit(x, y, **({} if call else first))
    layers = [layer for layer in ours.model_ if isinstance(layer, Linear)]
    for layer, weight, bias in zip(layers, known.coefs_, known.intercepts_, strict=True):
        np.testing.assert_allclose(layer.weight.value, weight, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(layer.bias.value, bias, rtol=1e-9, atol=1e-12)
    ask = "predict_proba" if kind == "MLPClassifier" else "predict"
    np.testing.assert_allclose(getattr(ours, ask)(x), getattr(known, ask)(x), rtol=1e-9, atol=1e-12)


def test_more_regularization_leaves_smaller_weights(two_digits):
    sizes = []
    for strength in (0.0, 0.01, 0.1, 1.0):
        fitted = MLPClassifier(hidden=(10,), regularizers=[L2(strength)], random_state=1).fit(*two_digits)
        sizes.append(np.abs(fitted.model_.parameters.value).sum())
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("activation", [ReLU, Tanh])
def test_second_order_steps_fit_in_one_batch(activation, two_digits):
    options = {"hidden": (30,), "activation": activation, "optimizer": LBFGS, "learning_rate": 1.0, "random_state": 1}
    x, y = two_digits
    assert MLPClassifier(batch_size=len(x), epochs=100, **options).fit(x, y).score(x, y) > 0.99
    assert MLPRegressor(batch_size=len(x), epochs=100, **options).fit(x, y).score(x, y) > 0.98


def test_several_labels_and_outputs_are_learned(two_digits):
    x, y = make_multilabel_classification(n_samples=50, random_state=0, return_indicator=True)
    fitted = MLPClassifier(hidden=(50,), epochs=150, random_state=0).fit(x, y)
    assert fitted.score(x, y) > 0.97
    assert (fitted.predict_proba(x) > 0.5).astype(int).tolist() == fitted.predict(x).tolist()
    by_parts = MLPClassifier(hidden=(50,), random_state=0)
    for _ in range(100):
        by_parts.partial_fit(x, y, classes=[0, 1, 2, 3, 4])
    assert by_parts.score(x, y) > 0.9
    x, y = make_regression(n_samples=200, n_targets=5, random_state=11)
    options = {"optimizer": LBFGS, "learning_rate": 1.0, "epochs": 100}
    assert MLPRegressor(hidden=(50,), random_state=1, **options).fit(x, y).score(x, y) > 0.9


def test_probabilities_of_two_and_of_ten_classes(digits, two_digits):
    for x, y in (two_digits, (digits[0][:300], digits[1][:300])):
        fitted = MLPClassifier(hidden=(10,), random_state=1).fit(x, y)
        probability = fitted.predict_proba(x)
        assert probability.shape == (len(x), len(np.unique(y)))
        np.testing.assert_allclose(probability.sum(axis=1), 1)
        assert (fitted.classes_[probability.argmax(axis=1)] == fitted.predict(x)).all()
    fitted = MLPClassifier(hidden=(10,), random_state=1).fit(*two_digits)
    assert roc_auc_score(two_digits[1], fitted.decision_function(two_digits[0])) == 1


def test_shuffling_makes_another_order():
    x, y = make_regression(n_samples=50, n_features=5, n_targets=1, random_state=0)
    options = {"hidden": (1,), "epochs": 1, "batch_size": 1, "random_state": 0, "learning_rate": 1e-4}

    def weights(shuffle):
        return MLPRegressor(shuffle=shuffle, **options).fit(x, y).model_.parameters.value.tobytes()

    assert weights(True) == weights(True)
    assert weights(False) == weights(False)
    assert weights(True) != weights(False)


def test_sparse_rows_are_refused_with_the_way_out(two_digits):
    from scipy.sparse import csr_array

    x, y = two_digits
    with pytest.raises(TypeError, match="toarray"):
        MLPClassifier(epochs=1).fit(csr_array(x), y)
    with pytest.raises(TypeError, match="toarray"):
        MLPClassifier(epochs=1).fit(x, y).predict(csr_array(x))


def test_numbers_beyond_all_bounds_raise():
    rng = np.random.RandomState(0)
    x = np.finfo(np.float64).max * rng.uniform(size=(10, 2))
    with pytest.raises((ValueError, ArithmeticError)):
        MLPRegressor().fit(x, rng.standard_normal(size=10))


def test_patience_is_counted_in_epochs(two_digits):
    for patience in (2, 5, 10):
        fitted = MLPClassifier(
            early_stopping=patience, validation_fraction=0.3, epochs=5000, learning_rate=0.1, random_state=0
        ).fit(*two_digits)
        assert fitted.n_iter_ - fitted.best_epoch_ == patience


def test_texts_as_labels_go_with_validation():
    x, y = make_classification(n_samples=200, n_features=10, n_classes=3, n_informative=5, random_state=42)
    y = np.array(["class_a", "class_b", "class_c"], dtype=object)[y]
    fitted = MLPClassifier(early_stopping=10, validation_fraction=0.1, epochs=50, random_state=42).fit(x, y)
    losses = fitted.history_.evaluations["validation_loss"]
    assert len(losses) == fitted.n_iter_
    assert np.isfinite(losses).all()
    assert set(fitted.predict(x)) <= set(y)


def test_both_precisions_say_nearly_the_same(digits):
    x, y = digits
    options = {"hidden": (5, 3), "random_state": 1, "epochs": 30}
    one, other = (MLPClassifier(dtype=d, **options).fit(x[:300], y[:300]) for d in (np.float64, np.float32))
    np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(x), rtol=1e-2, atol=1e-3)
    one, other = (MLPRegressor(dtype=d, **options).fit(x[:300], y[:300]) for d in (np.float64, np.float32))
    np.testing.assert_allclose(one.predict(x), other.predict(x), rtol=1e-3, atol=1e-3)


def test_a_loaded_one_learns_a_new_target(tmp_path):
    import joblib

    fitted = MLPRegressor(hidden=(42,), random_state=42).fit([[2]], [4])
    joblib.dump(fitted, tmp_path / "fitted")
    loaded = joblib.load(tmp_path / "fitted")
    for _ in range(400):
        loaded.partial_fit([[2]], [1])
    np.testing.assert_allclose(loaded.predict([[2]]), [1], rtol=1e-3)
    np.testing.assert_allclose(fitted.predict([[2]]), [4], rtol=1e-2)


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.needs_inputs
def test_validation_does_not_warn_of_columns(kind):
    import pandas as pd

    x = pd.DataFrame(np.random.RandomState(0).randn(10, 2), columns=["colname_a", "colname_b"])
    y = pd.Series([0, 1] * 5, name="colname_y")
    estimator = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}[kind]
    estimator(early_stopping=2, validation_fraction=0.2, epochs=5).fit(x, y).predict(x)  # warnings are errors here


def test_weights_of_one_are_no_weights_with_validation():
    x, y = make_regression(n_samples=100, n_features=2, n_informative=2, random_state=42)
    options = {"hidden": (10,), "early_stopping": 5, "validation_fraction": 0.2, "batch_size": 10, "random_state": 42}
    one = MLPRegressor(**options).fit(x, y, sample_weight=np.ones_like(y))
    np.testing.assert_allclose(one.predict(x), MLPRegressor(**options).fit(x, y).predict(x))


def test_a_loss_of_ones_own_is_that_of_poisson_regression():
    class Poisson(Loss):
        """l = exp(s) - t s: scores are logarithms of rates."""

        def row_losses(self, scores, targets):
            self.rates, self.targets = np.exp(scores), targets
            return (self.rates - targets * scores).sum(axis=1)

        def row_gradients(self):
            return self.rates - self.targets

    x = np.linspace(0, 1, 100)[:, None]
    y = np.random.default_rng(0).poisson(np.exp(x[:, 0] + 1))
    ours = MLPRegressor(hidden=(), loss=Poisson(), optimizer=LBFGS, learning_rate=1.0, random_state=0).fit(x, y)
    known = PoissonRegressor(alpha=0, tol=1e-9).fit(x, y)
    np.testing.assert_allclose(np.exp(ours.predict(x)), known.predict(x), rtol=1e-4)


def test_one_row_may_be_held_out_of_two():
    x, y = make_regression(n_samples=2, n_features=5, random_state=0)
    fitted = MLPRegressor(validation_fraction=0.1, epochs=3, random_state=0).fit(x, y)
    assert len(fitted.history_.evaluations["validation_loss"]) == 3


def test_three_classes_of_flowers_are_told_apart():
    x, y = load_iris(return_X_y=True)
    assert MLPClassifier(random_state=0).fit(x, y).score(x, y) > 0.95

"""MLPClassifier and MLPRegressor: what each parameter does, and what is told of the run."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from minidl import (
    L2,
    LBFGS,
    SGD,
    AdamW,
    Dropout,
    Hinge,
    Huber,
    LayerNorm,
    LeakyReLU,
    Linear,
    MeanAbsoluteError,
    Residual,
    Sequential,
    Tanh,
    accuracy,
)
from minidl.optim import CosineDecay

if find_spec("sklearn"):
    from sklearn.datasets import load_diabetes, load_digits, load_iris
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.needs_sklearn


@pytest.fixture(scope="module")
def flowers():
    x, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(x), y


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    return x, x[:, 0] - 2 * x[:, 1] + 0.1 * rng.normal(size=120)


def weights_of(estimator):
    return estimator.model_.parameters.value


def test_the_defaults_learn():
    x, y = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x / 16, y, random_state=0, stratify=y)
    assert MLPClassifier(random_state=0).fit(x, y).score(x_test, y_test) > 0.96
    x, y = load_diabetes(return_X_y=True, scaled=True)
    y = (y - y.mean()) / y.std()
    assert MLPRegressor(random_state=0, epochs=50).fit(x * 20, y).score(x * 20, y) > 0.5


def test_it_is_silent_unless_it_is_verbose(flowers, capsys):
    MLPClassifier(epochs=2).fit(*flowers)
    assert capsys.readouterr() == ("", "")
    MLPClassifier(epochs=2, verbose=True).fit(*flowers)
    assert "limit: 2 epochs" in capsys.readouterr().err


def test_layers_are_those_of_the_widths(flowers):
    fitted = MLPClassifier(hidden=(7, 5), activation=Tanh, dropout=0.2, epochs=1).fit(*flowers)
    kinds = [type(layer).__name__ for layer in fitted.model_]
    assert kinds == ["Linear", "Tanh", "Dropout", "Linear", "Tanh", "Dropout", "Linear"]
    assert [layer.out_features for layer in fitted.model_ if isinstance(layer, Linear)] == [7, 5, 3]
    assert fitted.model_[2].rate == 0.2
    assert len(MLPClassifier(hidden=(), epochs=1).fit(*flowers).model_) == 1
    leaky = MLPClassifier(activation=lambda: LeakyReLU(0.1), epochs=1).fit(*flowers)
    assert isinstance(leaky.model_[1], LeakyReLU)


def test_a_function_makes_any_other_model(flowers):
    asked = []

    def network(n_in, n_out):
        asked.append((n_in, n_out))
        block = Residual(Linear(16, 16), LayerNorm(16), Tanh(), Dropout(0.1))
        return Sequential(Linear(n_in, 16), block, Linear(16, n_out))

    fitted = MLPClassifier(model=network, random_state=0).fit(*flowers)
    assert asked == [(4, 3)]
    assert fitted.score(*flowers) > 0.95


def test_layers_that_a_function_returns_again_are_copied_and_bring_their_weights(flowers):
    layers = Sequential(Linear(4, 3))
    first, second = (MLPClassifier(model=lambda *_: layers, epochs=1, random_state=seed) for seed in (0, 1))
    probabilities = first.fit(*flowers).predict_proba(flowers[0])
    second.fit(*flowers)
    assert (first.predict_proba(flowers[0]) == probabilities).all()
    trained = first.model_
    later = MLPClassifier(model=lambda *_: Sequential(*trained), epochs=1, learning_rate=1e-12).fit(*flowers)
    np.testing.assert_allclose(weights_of(later), weights_of(first), atol=1e-9)
    assert (first.predict_proba(flowers[0]) == probabilities).all()


def test_any_loss_of_the_right_kind_is_taken(flowers, numbers):
    x, y = flowers
    hinge = MLPClassifier(loss=Hinge(), random_state=0).fit(x, y)
    assert hinge.score(x, y) > 0.95
    assert not hasattr(hinge, "predict_proba")
    assert hinge.decision_function(x).shape == (150, 3)
    x, y = numbers
    y = y.copy()
    y[::10] += 50  # robust losses do not follow these
    errors = [
        np.median(
            np.abs(
                MLPRegressor(hidden=(), loss=loss, learning_rate=0.02, random_state=0, epochs=400).fit(x, y).predict(x)
                - y
            )
        )
        for loss in (None, Huber(), MeanAbsoluteError())
    ]
    assert errors[1] < errors[0] / 5
    assert errors[2] < errors[0] / 5


def test_the_loss_that_was_given_is_not_the_one_that_is_used(flowers):
    loss = Hinge()
    MLPClassifier(loss=loss, epochs=1).fit(*flowers)
    assert not hasattr(loss, "total_weight")


@pytest.mark.parametrize("optimizer", [AdamW, partial(SGD, momentum=0.9), lambda lr: LBFGS(lr)])
def test_an_optimizer_is_made_at_the_rate(optimizer, flowers):
    fitted = MLPClassifier(optimizer=optimizer, learning_rate=0.05, epochs=3).fit(*flowers)
    assert fitted.history_.steps["learning_rate"] == [0.05] * 3


def test_a_schedule_is_as_long_as_the_run(flowers):
    fitted = MLPClassifier(schedule=CosineDecay, learning_rate=0.1, epochs=4, batch_size=50).fit(*flowers)
    assert fitted.history_.steps["learning_rate"] == [CosineDecay(0.1, 12)(step) for step in range(12)]


def test_regularizers_and_metrics_reach_the_trainer(flowers):
    fitted = MLPClassifier(
        regularizers=[L2(0.1)], metrics=[accuracy], validation_fraction=0.2, epochs=3, random_state=0
    ).fit(*flowers)
    rows = fitted.history_.evaluations
    assert min(rows["train_penalty"]) > 0
    assert len(rows["validation_accuracy"]) == 3


def test_both_curves_are_in_the_history_and_the_best_weights_are_kept(flowers):
    fitted = MLPClassifier(validation_fraction=0.3, epochs=80, learning_rate=0.1, random_state=0).fit(*flowers)
    rows = fitted.history_.evaluations
    assert len(rows["train_loss"]) == len(rows["validation_loss"]) == fitted.n_iter_ == 80
    assert fitted.best_epoch_ == 1 + int(np.argmin(rows["validation_loss"]))
    assert fitted.history_.restored_best


def test_early_stopping_stops_so_many_epochs_after_the_best(flowers):
    fitted = MLPClassifier(
        validation_fraction=0.3, early_stopping=7, epochs=1000, learning_rate=0.1, random_state=0
    ).fit(*flowers)
    assert fitted.n_iter_ == fitted.best_epoch_ + 7 < 1000
    assert fitted.history_.stopped_because.startswith("early stopping")


def test_rows_to_validate_on_may_be_given(flowers):
    x, y = flowers
    x, x_val, y, y_val = train_test_split(x, y, random_state=0)
    names = np.array(["setosa", "versicolor", "virginica"])
    fitted = MLPClassifier(early_stopping=5, epochs=300, random_state=0)
    fitted.fit(x, names[y], X_val=x_val, y_val=names[y_val])
    best = fitted.history_.best_value
    probability = fitted.predict_proba(x_val)[np.arange(len(y_val)), y_val]
    np.testing.assert_allclose(-np.log(probability).mean(), best)


def test_what_is_held_out_is_not_trained_on_and_has_the_mix_of_classes(flowers):
    x, y = flowers
    fitted = MLPClassifier(validation_fraction=0.2, epochs=1, batch_size=1, random_state=0).fit(x, y)
    assert len(fitted.history_.steps["step"]) == 120


def test_rows_of_weight_zero_count_as_if_they_were_not_there(numbers):
    x, y = numbers
    weights = np.ones(120)
    weights[60:] = 0
    some = MLPRegressor(epochs=50, random_state=0).fit(x[:60], y[:60])
    wild = y.copy()
    wild[60:] = 1e3
    np.testing.assert_allclose(
        MLPRegressor(epochs=50, random_state=0).fit(x, wild, weights).predict(x), some.predict(x), rtol=1e-9
    )


def test_class_weight_weighs_rows_by_their_label():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    x[:30] += 1.5
    y = np.where(np.arange(300) < 30, "rare", "common")
    plain, balanced = (MLPClassifier(hidden=(), class_weight=w, random_state=0).fit(x, y) for w in (None, "balanced"))
    recall = [np.mean(e.predict(x[:30]) == "rare") for e in (plain, balanced)]
    assert recall[1] > recall[0] + 0.2
    named = MLPClassifier(hidden=(), class_weight={"rare": 9.0, "common": 1.0}, random_state=0).fit(x, y)
    np.testing.assert_allclose(named.predict_proba(x), balanced.predict_proba(x), rtol=1e-9)
    by_row = MLPClassifier(hidden=(), random_state=0).fit(x, y, np.where(y == "rare", 9.0, 1.0))
    np.testing.assert_allclose(by_row.predict_proba(x), balanced.predict_proba(x), rtol=1e-9)


def test_balanced_counts_the_weights_of_rows():
    x = np.random.default_rng(0).normal(size=(40, 2))
    y, weights = np.repeat([0, 1], [10, 30]), np.repeat([3.0, 1.0], [10, 30])
    one = MLPClassifier(class_weight="balanced", epochs=5, random_state=0).fit(x, y, weights)
    other = MLPClassifier(epochs=5, random_state=0).fit(x, y, weights)  # 30 of each already
    np.testing.assert_allclose(one.predict_proba(x), other.predict_proba(x), rtol=1e-12)


def test_a_seed_decides_all_and_another_gives_others(flowers):
    options = {"epochs": 3, "dropout": 0.2, "validation_fraction": 0.2, "batch_size": 20}
    one, same, other = (MLPClassifier(random_state=s, **options).fit(*flowers) for s in (0, 0, 1))
    assert weights_of(one).tobytes() == weights_of(same).tobytes()
    assert weights_of(one).tobytes() != weights_of(other).tobytes()
    stream = np.random.RandomState(0)
    first, second = (MLPClassifier(random_state=stream, **options).fit(*flowers) for _ in range(2))
    assert weights_of(first).tobytes() == weights_of(one).tobytes() != weights_of(second).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_is_computed_in_the_dtype(dtype, flowers, numbers):
    for estimator, (x, y) in ((MLPClassifier, flowers), (MLPRegressor, numbers)):
        assert weights_of(estimator(dtype=dtype, epochs=1).fit(x, y)).dtype == dtype
    x, y = numbers
    for kind, returned in ((np.float64, np.float64), (np.int64, dtype), (np.float32, dtype)):
        assert MLPRegressor(dtype=dtype, epochs=1).fit(x, y.astype(kind)).predict(x).dtype == returned
    assert MLPClassifier(dtype=dtype, epochs=1).fit(*flowers).predict_proba(flowers[0]).dtype == dtype


def test_several_outputs_and_labels():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    fitted = MLPRegressor(random_state=0).fit(x, x[:, :2] * [1, -3])
    assert fitted.predict(x).shape == (200, 2)
    assert fitted.score(x, x[:, :2] * [1, -3]) > 0.95
    y = (x[:, :3] > 0).astype(int)
    labels = MLPClassifier(random_state=0).fit(x, y)
    assert labels.predict(x).shape == labels.predict_proba(x).shape == (200, 3)
    assert labels.score(x, y) > 0.9
    assert labels.classes_.tolist() == [0, 1, 2]

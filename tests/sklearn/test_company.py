"""In the company of scikit-learn: searches, pipelines, routing, inspection, calibration, frames, copies, clusters."""

import pickle
from importlib.util import find_spec

import numpy as np
import pytest

from minidl import SGD, Adam, Hinge, Tanh

if find_spec("sklearn"):
    import joblib
    import sklearn
    from sklearn.base import clone
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.datasets import load_iris
    from sklearn.ensemble import VotingClassifier
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.inspection import permutation_importance
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import (
        GridSearchCV,
        HalvingGridSearchCV,
        StratifiedKFold,
        cross_val_score,
        cross_validate,
    )
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.needs_sklearn


@pytest.fixture(scope="module")
def flowers():
    x, y = load_iris(return_X_y=True)
    return x, np.array(["setosa", "versicolor", "virginica"])[y]


def test_a_grid_search_finds_the_options_that_learn(flowers):
    grid = {"hidden": [(), (20,)], "activation": [Tanh], "optimizer": [Adam, SGD], "learning_rate": [1e-6, 0.05]}
    search = GridSearchCV(MLPClassifier(epochs=60, random_state=0), grid, cv=3, n_jobs=2).fit(*flowers)
    assert search.best_score_ > 0.93
    assert search.best_params_["learning_rate"] == 0.05


def test_a_search_by_halving_the_candidates_counts_epochs_or_rows(flowers):
    search = HalvingGridSearchCV(
        MLPClassifier(random_state=0),
        {"learning_rate": [1e-6, 1e-5, 0.05]},
        resource="epochs",
        max_resources=90,
        random_state=0,
        cv=2,
    ).fit(*flowers)
    assert search.best_params_ == {"learning_rate": 0.05, "epochs": 90}
    by_rows = HalvingGridSearchCV(
        MLPClassifier(epochs=100, random_state=0), {"learning_rate": [1e-6, 0.05]}, factor=2, random_state=0, cv=2
    ).fit(*flowers)
    assert by_rows.best_params_ == {"learning_rate": 0.05}


def test_scores_of_folds_and_several_measures(flowers):
    estimator = make_pipeline(StandardScaler(), MLPClassifier(random_state=0))
    scores = cross_validate(estimator, *flowers, cv=3, scoring=["accuracy", "neg_log_loss", "roc_auc_ovr"])
    assert scores["test_accuracy"].min() > 0.9
    assert scores["test_neg_log_loss"].min() > -0.4
    assert scores["test_roc_auc_ovr"].min() > 0.97


def test_rows_to_validate_on_are_routed_and_transformed_by_a_pipeline(flowers):
    x, y = flowers
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = MLPClassifier(early_stopping=10, random_state=0).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline([("scale", StandardScaler()), ("mlp", mlp)], transform_input=["X_val"])
        pipeline.fit(x[::2], y[::2], X_val=x[1::2], y_val=y[1::2])
    inner = pipeline["mlp"]
    alone = clone(mlp).fit(
        pipeline["scale"].transform(x[::2]), y[::2], X_val=pipeline["scale"].transform(x[1::2]), y_val=y[1::2]
    )
    assert inner.history_.evaluations == alone.history_.evaluations


def test_weights_of_rows_are_routed(flowers):
    x, y = flowers
    weights = np.where(y == "setosa", 0.5, 2.0)
    with sklearn.config_context(enable_metadata_routing=True):
        mlp = MLPClassifier(epochs=20, random_state=0)
        mlp.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = cross_val_score(mlp, x, y, cv=3, params={"sample_weight": weights})
    for score, (rows, held_out) in zip(scores, StratifiedKFold(3).split(x, y), strict=True):
        alone = MLPClassifier(epochs=20, random_state=0).fit(x[rows], y[rows], weights[rows])
        assert score == alone.score(x[held_out], y[held_out], weights[held_out])


def test_importance_calibration_and_votes(flowers):
    x, y = flowers
    x = np.c_[x, np.random.default_rng(0).normal(size=len(x))]
    fitted = make_pipeline(StandardScaler(), MLPClassifier(random_state=0)).fit(x, y)
    importance = permutation_importance(fitted, x, y, n_repeats=3, random_state=0).importances_mean
    assert importance.argmax() in (2, 3)
    for base in (MLPClassifier(random_state=0), MLPClassifier(loss=Hinge(), random_state=0)):
        calibrated = CalibratedClassifierCV(base, cv=3).fit(x, y)
        np.testing.assert_allclose(calibrated.predict_proba(x).sum(axis=1), 1)
        assert calibrated.score(x, y) > 0.93
    votes = VotingClassifier(
        [("mlp", MLPClassifier(random_state=0)), ("linear", LogisticRegression(max_iter=1000))], voting="soft"
    )
    assert votes.fit(x, y).score(x, y) > 0.93


def test_targets_far_from_zero_are_scaled_from_outside():
    x = np.random.default_rng(0).normal(size=(200, 3))
    y = 1e4 + 300 * x[:, 0]
    scaled = TransformedTargetRegressor(MLPRegressor(random_state=0), transformer=StandardScaler())
    assert scaled.fit(x, y).score(x, y) > 0.95


@pytest.mark.needs_inputs
def test_a_frame_of_pandas_is_remembered_by_its_columns(flowers):
    import pandas as pd

    x, y = flowers
    frame = pd.DataFrame(x, columns=["a", "b", "c", "d"])
    fitted = MLPClassifier(validation_fraction=0.2, epochs=5, random_state=0).fit(frame, pd.Series(y, name="kind"))
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert fitted.n_features_in_ == 4
    assert fitted.score(frame, pd.Series(y)) == fitted.score(frame, y)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[["b", "a", "c", "d"]])
    frame["word"] = np.where(x[:, 0] > 6, "long", "short")
    with pytest.raises(ValueError, match="could not convert string"):
        MLPClassifier(epochs=1).fit(frame, y)
    columns = make_column_transformer((StandardScaler(), ["a", "b", "c", "d"]), (OneHotEncoder(), ["word"]))
    assert make_pipeline(columns, MLPClassifier(random_state=0)).fit(frame, y).score(frame, y) > 0.95


@pytest.mark.needs_inputs
def test_a_frame_of_polars_is_remembered_by_its_columns(flowers):
    import polars as pl

    x, y = flowers
    frame = pl.DataFrame(x, schema=["a", "b", "c", "d"])
    fitted = MLPClassifier(epochs=5, random_state=0).fit(frame, pl.Series("kind", y))
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    assert fitted.predict(frame).shape == (150,)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame.select("b", "a", "c", "d"))


def test_it_is_cloned_pickled_and_shown(flowers, tmp_path):
    estimator = MLPClassifier(hidden=(7,), loss=Hinge(), epochs=3, random_state=0)
    assert clone(estimator).get_params()["hidden"] == (7,)
    assert repr(estimator) == "MLPClassifier(epochs=3, hidden=(7,), loss=Hinge(), random_state=0)"
    fitted = estimator.fit(*flowers)
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    for copied in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "fitted.joblib")):
        np.testing.assert_array_equal(copied.decision_function(flowers[0]), fitted.decision_function(flowers[0]))
    assert not hasattr(clone(fitted), "model_")
    page = make_pipeline(StandardScaler(), fitted)._repr_html_()
    assert "MLPClassifier" in page
    assert "(7,)" in page


@pytest.mark.needs_skops
def test_a_file_of_skops_goes_on_where_it_was():
    from skops.io import dumps, get_untrusted_types, loads

    x = np.random.default_rng(0).normal(size=(30, 3))
    fitted = MLPClassifier(hidden=(5,), epochs=2, random_state=0).fit(x, x[:, 0] > 0)
    text = dumps(fitted)
    again = loads(text, trusted=get_untrusted_types(data=text))
    for estimator in (fitted, again):
        estimator.partial_fit(x, x[:, 0] > 0)
    np.testing.assert_array_equal(again.decision_function(x), fitted.decision_function(x))


def test_a_pickle_has_the_weights_and_the_memory_of_the_optimizer_and_no_row():
    x = np.random.default_rng(0).normal(size=(2000, 30))
    fitted = MLPClassifier(hidden=(100,), epochs=2, validation_fraction=0.2, random_state=0).fit(x, x[:, 0] > 0)
    fitted.predict(x)
    pickled = pickle.dumps(fitted)
    assert len(pickled) < 3 * fitted.model_.parameters.value.nbytes + 10_000  # Adam has two numbers for each
    assert not any(row.tobytes() in pickled for row in x)


@pytest.mark.needs_dask
def test_a_search_on_a_dask_cluster_gives_the_scores_of_this_process(flowers):
    from dask.distributed import Client, LocalCluster

    def search():
        return GridSearchCV(MLPClassifier(epochs=20, random_state=0), {"hidden": [(3,), (8,)]}, cv=3)

    here = search().fit(*flowers)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        there = search().fit(*flowers)
    np.testing.assert_array_equal(here.cv_results_["mean_test_score"], there.cv_results_["mean_test_score"])
    assert here.best_params_ == there.best_params_

"""Callbacks: those of scikit-learn hear of every epoch and may end the run; ours are copied for each fit."""

import pickle
import signal
from importlib.util import find_spec

import numpy as np
import pytest

from minidl import Callback, EarlyStopping, ReduceOnPlateau

if find_spec("sklearn"):
    from sklearn.base import clone
    from sklearn.callback import ScoringMonitor
    from sklearn.datasets import load_iris
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.needs_sklearn


class Hears:
    """Writes down what it is told, and ends a run after so many epochs."""

    def __init__(self, epochs=None):
        self.heard, self.epochs = [], epochs

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.heard.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.heard.append(f"end {context.task_name} {context.task_id}")
        if hasattr(fitted_estimator, "predict"):
            self.predicted = fitted_estimator.predict(X)
        self.metadata, self.y = metadata, y
        return context.task_name == "epoch" and context.task_id + 1 == self.epochs


class Counts(Callback):
    def __init__(self):
        self.epochs = 0

    def on_epoch_end(self, trainer):
        self.epochs += 1


@pytest.fixture(scope="module")
def flowers():
    return load_iris(return_X_y=True)


def test_every_epoch_is_a_task(flowers):
    hears = Hears()
    weights = np.ones(150)
    fitted = MLPClassifier(epochs=2, random_state=0).set_callbacks(hears).fit(*flowers, sample_weight=weights)
    assert hears.heard == [
        "setup",
        "begin fit 0",
        *("begin epoch 0", "end epoch 0", "begin epoch 1", "end epoch 1"),
        "end fit 0",
        "teardown",
    ]
    assert hears.metadata == {"sample_weight": weights}
    assert hears.y is flowers[1]
    np.testing.assert_array_equal(hears.predicted, fitted.predict(flowers[0]))


def test_one_of_them_may_end_the_run(flowers):
    hears = Hears(epochs=3)
    fitted = MLPClassifier(epochs=50).set_callbacks(hears).fit(*flowers)
    assert fitted.n_iter_ == 3
    assert hears.heard[-3:] == ["end epoch 2", "end fit 0", "teardown"]


def test_early_stopping_begins_no_epoch_that_does_not_come(flowers):
    hears = Hears()
    fitted = MLPClassifier(epochs=500, early_stopping=2, validation_fraction=0.2, learning_rate=0.3, random_state=0)
    fitted.set_callbacks(hears).fit(*flowers)
    begun = sum(line.startswith("begin epoch") for line in hears.heard)
    assert begun == sum(line.startswith("end epoch") for line in hears.heard) == fitted.n_iter_ < 500


def test_one_that_raises_ends_the_run_and_is_told_that_it_ended(flowers):
    class Raises(Hears):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no more")

    hears = Raises()
    estimator = MLPRegressor(epochs=3).set_callbacks(hears)
    with pytest.raises(RuntimeError, match="no more"):
        estimator.fit(*flowers)
    assert hears.heard == ["setup", "begin fit 0", "begin epoch 0", "teardown"]
    assert not hasattr(estimator, "model_")


def test_a_monitor_of_scores_has_one_of_every_epoch(flowers):
    monitor = ScoringMonitor(scoring="accuracy")
    fitted = MLPClassifier(epochs=4, random_state=0).set_callbacks(monitor).fit(*flowers)
    scores = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(scores) == 4
    assert scores[-1] == fitted.score(*flowers)


def test_a_search_and_a_pipeline_hand_them_on(flowers):
    hears = Hears()
    hears.max_propagation_depth = None
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MLPClassifier(epochs=2)), {"mlpclassifier__hidden": [(3,), (4,)]}, cv=2
    )
    search.set_callbacks(hears).fit(*flowers)
    assert sum(line.startswith("end epoch") for line in hears.heard) == 2 * (2 * 2 + 1)


def test_ours_are_copied_for_each_fit(flowers):
    counts = Counts()
    estimator = MLPClassifier(epochs=3, callbacks=[counts])
    for _ in range(2):
        estimator.fit(*flowers)
        assert [callback.epochs for callback in estimator.callbacks_] == [3]
    assert counts.epochs == 0
    assert clone(estimator).fit(*flowers).callbacks_[0].epochs == 3


def test_ours_may_stop_and_change_the_rate(flowers):
    stopping = EarlyStopping(patience=3, min_delta=0.01)
    plateau = ReduceOnPlateau("train_loss", patience=1)
    estimator = MLPClassifier(
        epochs=500, callbacks=[stopping, plateau], validation_fraction=0.2, learning_rate=0.2, random_state=0
    )
    estimator.fit(*flowers)
    assert estimator.history_.stopped_because.startswith("early stopping")
    assert min(estimator.history_.steps["learning_rate"]) < 0.2


@pytest.mark.usefixtures("python_handles_ctrl_c")
def test_ctrl_c_is_raised_by_an_estimator_that_is_fitted(flowers):
    class Interrupts(Callback):
        def on_epoch_end(self, trainer):
            if trainer.epoch == 3:
                signal.raise_signal(signal.SIGINT)

    estimator = MLPClassifier(epochs=50, callbacks=[Interrupts()])
    with pytest.raises(KeyboardInterrupt, match="after step 3; the estimator is fitted"):
        estimator.fit(*flowers)
    assert estimator.n_iter_ == 3
    assert estimator.predict(flowers[0]).shape == (150,)


def test_what_was_heard_does_not_stay_with_the_estimator(flowers):
    fitted = MLPClassifier(epochs=2).set_callbacks(Hears()).fit(*flowers).set_callbacks()
    copied = pickle.loads(pickle.dumps(fitted))
    assert copied.callbacks_ == []
    np.testing.assert_array_equal(copied.predict(flowers[0]), fitted.predict(flowers[0]))

"""What the estimators refuse, and in which words."""

from importlib.util import find_spec

import numpy as np
import pytest

from minidl import SGD, DivergenceError, EarlyStopping, Hinge, Huber, Linear, Sequential, Tanh
from minidl.optim import CosineDecay

if find_spec("sklearn"):
    from sklearn.datasets import load_iris

    from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.needs_sklearn


@pytest.fixture(scope="module")
def flowers():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def numbers():
    x = np.random.default_rng(0).normal(size=(120, 3))
    return x, x[:, 0] - 2 * x[:, 1]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"hidden": 100}, TypeError, r"expected hidden to be the widths .* put it in \( , \)"),
        ({"hidden": (0,)}, ValueError, "each width of hidden"),
        ({"activation": "relu"}, TypeError, "such as ReLU, received activation='relu'"),
        ({"activation": Tanh()}, TypeError, "such as ReLU, received activation=Tanh"),
        ({"activation": dict}, TypeError, r"expected activation\(\) to make a Layer"),
        ({"dropout": 1.5}, ValueError, "dropout"),
        ({"model": Linear}, TypeError, "expected model to be a function"),
        ({"model": lambda n_in, n_out: None}, TypeError, r"expected model\(4, 3\) to return a Layer, received None"),
        ({"model": lambda n_in, n_out: Linear(n_in, 2)}, ValueError, r"scores of shape \(1, 3\) .* received \(1, 2\)"),
        ({"model": lambda n_in, n_out: Linear(n_in, n_out), "hidden": (5,)}, ValueError, "alone, received hidden too"),
        ({"model": Sequential(Linear(4, 3))}, TypeError, r"received Sequential.*: write lambda n_in, n_out: Seq"),
        ({"model": lambda n_in, n_out: Linear(4, 3).build()}, ValueError, r"received one that is built: .* anew"),
        ({"hidden": np.array(5)}, TypeError, r"expected hidden to be the widths .* put it in \( , \)"),
        ({"loss": "hinge"}, TypeError, r"write Hinge\(\)"),
        ({"loss": Hinge}, TypeError, r"received Hinge: write Hinge\(\)"),
        ({"loss": Huber()}, ValueError, "expected a loss of labels"),
        ({"optimizer": SGD(0.1)}, TypeError, "its rate is learning_rate"),
        ({"optimizer": lambda lr: None}, TypeError, r"expected optimizer\(0.003\) to make an Optimizer, received None"),
        ({"schedule": CosineDecay(0.1, 10)}, TypeError, "such as CosineDecay, received CosineDecay"),
        ({"learning_rate": -1}, ValueError, "learning_rate"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"shuffle": "yes"}, TypeError, "shuffle"),
        ({"early_stopping": True}, TypeError, "write early_stopping=10, or None"),
        ({"early_stopping": 5}, ValueError, "give fit X_val and y_val, or set validation_fraction=0.1"),
        ({"validation_fraction": 1.0}, ValueError, "validation_fraction"),
        ({"dtype": np.int64}, ValueError, "expected dtype to be np.float32 or np.float64"),
        ({"class_weight": {0: 1, 7: 2}}, ValueError, "received one of 7"),
        ({"class_weight": "even"}, TypeError, "expected class_weight to be None"),
        ({"callbacks": [EarlyStopping()]}, ValueError, "validation_loss"),
    ],
)
def test_a_parameter_nobody_can_train_with_is_refused_at_fit(options, error, said, flowers):
    with pytest.raises(error, match=said):
        MLPClassifier(epochs=1).set_params(**options).fit(*flowers)


def test_rows_nobody_can_train_on_are_refused(flowers, numbers):
    x, y = flowers
    with pytest.raises(ValueError, match="expected at least two classes, received one class, 0"):
        MLPClassifier().fit(x[:40], y[:40])
    with pytest.raises(ValueError, match="one class"):
        MLPClassifier().fit(x, y, (y == 1).astype(float))
    with pytest.raises(ValueError, match="expected X_val and y_val together"):
        MLPClassifier().fit(x, y, X_val=x)
    with pytest.raises(ValueError, match="expected one way to validate"):
        MLPClassifier(validation_fraction=0.1).fit(x, y, X_val=x, y_val=y)
    with pytest.raises(ValueError, match="previously unseen labels"):
        MLPClassifier().fit(x, y, X_val=x, y_val=y + 5)
    with pytest.raises(ValueError, match="use MLPClassifier"):
        MLPRegressor(loss=Hinge()).fit(*numbers)
    with pytest.raises(ValueError, match="several classes a row"):
        MLPClassifier().fit(x, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="use sample_weight"):
        MLPClassifier(class_weight="balanced").fit(x, np.eye(3)[y])
    with pytest.raises(ValueError, match="not all zero"):
        MLPRegressor().fit(*numbers, np.zeros(120))


class Query:
    """As a lazy frame of polars: what would be read only when it is collected."""

    def collect(self):
        return np.eye(3)


def test_what_would_be_read_as_something_else_is_refused(flowers, numbers):
    x, y = flowers
    masked = np.ma.masked_array(x, mask=x > 3)
    fitted = MLPClassifier(epochs=1).fit(x, y)
    for call in (lambda: fitted.predict(masked), lambda: MLPClassifier().fit(masked, y)):
        with pytest.raises(TypeError, match=r"expected X to be a plain array, received a masked one: fill it in"):
            call()
    with pytest.raises(TypeError, match="expected y to be a plain array"):
        MLPRegressor().fit(numbers[0], np.ma.masked_array(numbers[1]))
    for call in (lambda: fitted.predict(Query()), lambda: MLPClassifier().fit(Query(), y)):
        with pytest.raises(TypeError, match=r"received Query: use X\.collect\(\)"):
            call()


def test_targets_beyond_the_dtype_are_told_as_they_were(numbers):
    with pytest.raises(ValueError, match=r"targets of dtype float32, received targets\[0, 0\]=1e\+200"):
        MLPRegressor(dtype=np.float32).fit(numbers[0], np.full(120, 1e200))


def test_rows_held_out_that_weigh_nothing_are_told_from_the_others(numbers):
    weights = np.zeros(120)
    weights[:2] = 1
    with pytest.raises(ValueError, match="not all zero") as caught:
        MLPRegressor(validation_fraction=0.01, random_state=0).fit(*numbers, weights)
    assert caught.value.__notes__ == [
        "as validation_fraction=0.01 parts the rows: give X_val and y_val, or a larger share"
    ]


def test_a_run_that_diverges_says_so_and_leaves_nothing_fitted(numbers):
    x, y = numbers
    estimator = MLPRegressor(optimizer=SGD, learning_rate=1e6, epochs=100)
    with pytest.raises(DivergenceError):
        estimator.fit(x, y)
    assert not hasattr(estimator, "model_")

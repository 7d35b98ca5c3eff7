"""The page on conventions, where it speaks of scikit-learn: both are fitted, and weights or costs compared."""

import numpy as np
import pytest

from minidl import (
    L1,
    L2,
    LBFGS,
    SGD,
    BinaryCrossEntropy,
    ElasticNet,
    Hinge,
    Linear,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    Trainer,
)

pytestmark = [pytest.mark.needs_sklearn, pytest.mark.filterwarnings("ignore")]  # theirs, of runs that are cut short
N, K = 60, 3
RNG = np.random.default_rng(0)
X, SCORES = RNG.normal(size=(N, 4)), RNG.normal(size=(N, K))
LABELS = (X @ RNG.normal(size=(4, K)) + RNG.normal(size=(N, K))).argmax(axis=1)
NUMBERS = X @ RNG.normal(size=(4, 1)) + RNG.normal(size=(N, 1))


def fitted(loss, regularizer, targets, outputs):
    """Our linear model at its minimum."""
    model = Linear(4, outputs).build(seed=0, dtype=np.float64)
    trainer = Trainer(model, loss, LBFGS(), regularizers=[regularizer])
    trainer.fit((X, targets), epochs=200, batch_size=N, progress=False)
    return model


def test_losses_are_the_same_numbers():
    from sklearn.metrics import hinge_loss, log_loss, mean_squared_error

    loss = SoftmaxCrossEntropy()
    assert loss.forward(SCORES, LABELS) == pytest.approx(log_loss(LABELS, loss.probabilities(SCORES)))
    assert Hinge().forward(SCORES, LABELS) == pytest.approx(hinge_loss(LABELS, SCORES))
    assert MeanSquaredError().forward(SCORES[:, :1], NUMBERS) == pytest.approx(
        mean_squared_error(NUMBERS, SCORES[:, :1])
    )


def test_logistic_regression_of_c_is_l2_of_half_a_c_n_th():
    from sklearn.linear_model import LogisticRegression

    theirs = LogisticRegression(C=0.3, tol=1e-10, max_iter=10_000).fit(X, LABELS)
    model = fitted(SoftmaxCrossEntropy(), L2(1 / (2 * 0.3 * N)), LABELS, K)
    ours = SoftmaxCrossEntropy().probabilities(model.predict(X))
    np.testing.assert_allclose(ours, theirs.predict_proba(X), atol=1e-5)


def test_ridge_of_alpha_is_l2_of_an_n_th():
    from sklearn.linear_model import Ridge

    theirs = Ridge(alpha=7.0).fit(X, NUMBERS[:, 0])
    model = fitted(MeanSquaredError(), L2(7.0 / N), NUMBERS, 1)
    np.testing.assert_allclose(model.weight.value[:, 0], theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(model.bias.value, [theirs.intercept_], atol=1e-6)


@pytest.mark.parametrize("ratio", [1.0, 0.4])
def test_lasso_and_elastic_net_have_their_minimum_where_ours_is(ratio):
    from sklearn import linear_model

    theirs = linear_model.ElasticNet(alpha=0.2, l1_ratio=ratio, tol=1e-12, max_iter=100_000).fit(X, NUMBERS[:, 0])
    regularizer = L1(2 * 0.2) if ratio == 1 else ElasticNet(2 * 0.2 * ratio, 0.2 * (1 - ratio))
    model, loss = Linear(4, 1).build(seed=0, dtype=np.float64), MeanSquaredError()

    def cost(weight):
        model.weight.value, model.bias.value = weight[:, None], np.array([theirs.intercept_])
        return loss.forward(model.forward(X), NUMBERS) + regularizer(model.parameters)

    least = cost(theirs.coef_)
    for step in (1e-3, -1e-3):
        for k in range(4):
            assert cost(theirs.coef_ + step * np.eye(4)[k]) > least


def test_a_step_of_sgd_classifier():
    from sklearn.linear_model import SGDClassifier

    two = (LABELS > 0).astype(int)
    theirs = SGDClassifier(
        loss="log_loss", alpha=0.5, learning_rate="constant", eta0=0.1, fit_intercept=False, shuffle=False
    )
    theirs.partial_fit(X[:1], two[:1], classes=[0, 1])
    model = Linear(4, 1, bias=False).build(seed=0, dtype=np.float64)
    model.weight.value = theirs.coef_.T.copy()
    trainer = Trainer(model, BinaryCrossEntropy(), SGD(0.1), regularizers=[L2(0.5 / 2)])
    before = model.weight.value.copy()
    trainer.step(X[1:2], two[1:2, None].astype(float))
    theirs.partial_fit(X[1:2], two[1:2])
    assert abs(theirs.coef_.T - before).max() > 1e-3
    # it shrinks first and takes the gradient at what is left: the same to the first order in the rate
    np.testing.assert_allclose(model.weight.value, theirs.coef_.T, atol=1e-3)


def test_mlp_classifier_with_momentum_and_alpha():
    from sklearn.neural_network import MLPClassifier

    theirs = MLPClassifier(
        (), alpha=3.0, solver="sgd", learning_rate_init=1e-12, momentum=0.9, nesterovs_momentum=False, batch_size=N
    )
    theirs.partial_fit(X, LABELS, classes=range(K))
    theirs._optimizer.learning_rate = theirs._optimizer.learning_rate_init = 0.1
    theirs._optimizer.velocities = [np.zeros_like(v) for v in theirs._optimizer.velocities]
    model = Linear(4, K).build(seed=0, dtype=np.float64)
    model.weight.value, model.bias.value = theirs.coefs_[0].copy(), theirs.intercepts_[0].copy()
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1, momentum=0.9), regularizers=[L2(3.0 / (2 * N))])
    for _ in range(3):
        theirs.partial_fit(X, LABELS)
        trainer.step(X, LABELS)
    np.testing.assert_allclose(model.weight.value, theirs.coefs_[0], atol=1e-7)
    np.testing.assert_allclose(model.bias.value, theirs.intercepts_[0], atol=1e-7)


def test_the_loss_of_mlp_regressor_is_half_of_ours():
    from sklearn.neural_network import MLPRegressor

    theirs = MLPRegressor(hidden_layer_sizes=(), alpha=0.0, solver="sgd", learning_rate_init=1e-12, batch_size=N)
    theirs.partial_fit(X, NUMBERS[:, 0])
    expected = MeanSquaredError().forward(theirs.predict(X)[:, None], NUMBERS) / 2
    assert theirs.loss_ == pytest.approx(expected, rel=1e-6)

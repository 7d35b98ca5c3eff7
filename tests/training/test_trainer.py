"""The five statements: by hand, by `step` and by `fit` they give the same bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import (
    L1,
    L2,
    SGD,
    Adam,
    ClipNorm,
    EarlyStopping,
    RMSprop,
    SoftmaxCrossEntropy,
    Tanh,
    accuracy,
    top_k_accuracy,
)
from minidl.data import batches
from minidl.optim import ExponentialDecay

RULES = [
    lambda: SGD(0.1, momentum=0.9),
    lambda: Adam(ExponentialDecay(0.05, exponent=0.1)),
    lambda: RMSprop(clip=ClipNorm(0.1)),
]
REGULARIZERS = [[], [L2(0.01)], [L1(0.001), L2(0.01, names="*")]]
variants = pytest.mark.parametrize(
    ("rule", "regularizers", "weighted"),
    [(rule, regularizers, weighted) for rule in RULES for regularizers in REGULARIZERS for weighted in (False, True)],
)


def train_by_hand(model, loss, optimizer, regularizers, some_batches):
    costs = []
    with model.train_mode():
        for x, targets, *weights in some_batches:
            cost = loss.forward(model.forward(x), targets, *weights)
            model.backward(loss.backward())
            for regularize in regularizers:
                cost += regularize(model.parameters)
            optimizer.step(model.parameters)
            costs.append(cost)
    return costs


@variants
def test_a_step_is_the_five_statements(data, trainer, weights, rule, regularizers, weighted):
    ours, theirs = (trainer(optimizer=rule(), regularizers=regularizers) for _ in range(2))
    some = list(batches(data(weighted=weighted), 7))
    costs = [ours.step(*batch) for batch in some]
    by_hand = train_by_hand(theirs.model, SoftmaxCrossEntropy(), theirs.optimizer, regularizers, some)
    np.testing.assert_allclose(costs, by_hand, rtol=1e-15)
    np.testing.assert_equal(weights(ours), weights(theirs))
    np.testing.assert_equal(ours.optimizer.state(), theirs.optimizer.state())


@variants
def test_a_fit_is_a_loop_over_batches(data, trainer, fit, weights, rule, regularizers, weighted):
    ours, theirs = (trainer(optimizer=rule(), regularizers=regularizers) for _ in range(2))
    train = data(weighted=weighted)
    history = fit(ours, train, epochs=3, seed=5)
    every = (batch for epoch in range(3) for batch in batches(train, 8, seed=5, epoch=epoch))
    by_hand = train_by_hand(theirs.model, SoftmaxCrossEntropy(), theirs.optimizer, regularizers, every)
    np.testing.assert_allclose(history.steps["cost"], by_hand, rtol=1e-15)
    np.testing.assert_equal(weights(ours), weights(theirs))


def test_a_step_by_hand_leaves_the_mode_as_it_was(data, trainer):
    one = trainer()
    (batch,) = batches(data(), 30)
    one.step(*batch)
    assert not one.model.training
    with one.model.train_mode():
        one.step(*batch)
        assert one.model.training


@given(st.integers(0, 3), st.integers(0, 3), st.integers(1, 40), st.integers(0, 9), st.sampled_from(RULES))
def test_two_fits_in_a_row_are_one_long_fit(data, trainer, fit, weights, first, second, batch_size, seed, rule):
    train, validation = data(), data(seed=1)
    one, two = (trainer(optimizer=rule(), regularizers=[L2(0.01)], metrics=[accuracy]) for _ in range(2))
    arguments = {"batch_size": batch_size, "seed": seed, "restore_best": False}
    whole = fit(one, train, validation, epochs=first + second, **arguments)
    parts = [fit(two, train, validation, epochs=epochs, **arguments) for epochs in (first, second)]
    np.testing.assert_equal(weights(two), weights(one))
    np.testing.assert_equal(two.optimizer.state(), one.optimizer.state())
    for table in ("steps", "evaluations"):
        halves = [getattr(part, table) for part in parts]
        assert {name: halves[0][name] + halves[1][name] for name in halves[0]} == getattr(whole, table)


def outcome(trained, weights, history):
    return {**weights(trained), **{name: np.array(column) for name, column in history.steps.items()}}


@pytest.mark.parametrize(
    ("of_trainer", "of_fit"),
    [
        ({}, {}),
        ({"metrics": [accuracy]}, {}),
        ({"metrics": {"nothing": lambda scores, targets: 0.0}}, {"progress": True}),
        ({"callbacks": [EarlyStopping("train_loss", patience=1000)]}, {}),
        ({}, {"validation": "one"}),
        ({}, {"validation": "two", "validate_every": 0.3}),
        ({"metrics": [accuracy]}, {"validation": "two", "validate_every": 1}),
    ],
)
def test_what_only_watches_changes_no_bit(data, trainer, fit, weights, hooks, of_trainer, of_fit):
    sets = {"one": data(seed=1), "two": {"a": data(seed=1), "b": data(5, seed=2)}}
    plain = trainer()
    expected = outcome(plain, weights, fit(plain, data(), restore_best=False))
    look = hooks(on_step_end=lambda one: one.evaluate(data(seed=3)))
    watched = trainer(**{**of_trainer, "callbacks": [*of_trainer.get("callbacks", []), look]})
    arguments = {**of_fit, "validation": sets.get(of_fit.get("validation"))}
    history = fit(watched, data(), restore_best=False, **arguments)
    np.testing.assert_equal(outcome(watched, weights, history), expected)


def test_the_same_seed_has_the_same_bits_and_another_has_another_order(data, trainer, fit, weights):
    runs = []
    for seed in (3, 3, 4):
        one = trainer()
        runs.append(outcome(one, weights, fit(one, data(), seed=seed)))
    np.testing.assert_equal(runs[0], runs[1])
    assert (runs[0]["loss"] != runs[2]["loss"]).all()


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"model": "mlp"}, TypeError, "expected model to be an object of Layer, received 'mlp'"),
        (
            {"loss": SoftmaxCrossEntropy},
            TypeError,
            "expected loss to be an object of Loss, received SoftmaxCrossEntropy: write",
        ),
        ({"optimizer": "adam"}, TypeError, "expected optimizer to be an object of Optimizer, received 'adam'"),
        ({"regularizers": L2(0.1)}, TypeError, r"expected regularizers to be a list, .*: put it in \[ \]"),
        (
            {"regularizers": [L2]},
            TypeError,
            r"expected regularizers\[0\] to be a function \(parameters\), received L2: write L2\(\.\.\.\)",
        ),
        ({"metrics": accuracy}, TypeError, r"expected metrics to be a list, .*: put it in \[ \]"),
        (
            {"metrics": ["accuracy"]},
            TypeError,
            r"expected metrics\[0\] to be a function \(scores, targets\), received 'accuracy': pass",
        ),
        ({"metrics": [lambda s, t: 0]}, ValueError, r"use metrics=\{'name': function\}"),
        ({"metrics": [accuracy, accuracy]}, ValueError, "expected metrics with names of their own"),
        ({"metrics": [top_k_accuracy]}, TypeError, r"received a function \(k: int\) .*as in top_k_accuracy\(5\)"),
        ({"regularizers": [lambda: 0.0]}, TypeError, r"expected regularizers\[0\] to be a function \(parameters\)"),
        ({"metrics": {"loss": accuracy}}, ValueError, r"received \['loss'\]"),
        ({"callbacks": EarlyStopping()}, TypeError, r"expected callbacks to be a list, .*: put it in \[ \]"),
        ({"callbacks": [EarlyStopping]}, TypeError, r"list of Callback objects.*: write EarlyStopping\(\.\.\.\)"),
    ],
)
def test_wrong_parts_are_refused_at_construction(trainer, wrong, error, message):
    parts = vars(trainer()).copy()
    arguments = {name: parts[name] for name in ("model", "loss", "optimizer")} | wrong
    with pytest.raises(error, match=message):
        type(trainer())(**arguments)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("predict", r"trainer\.model\.predict\(x\)"),
        ("compile", "the constructor takes"),
        ("histori", "did you mean 'history'"),
    ],
)
def test_words_of_other_libraries_say_what_to_use(trainer, name, advice):
    with pytest.raises(AttributeError, match=f"Trainer has no attribute '{name}': {advice}"):
        getattr(trainer(), name)


def test_a_trainer_is_shown_as_the_call_that_made_it(trainer):
    assert repr(trainer(Tanh())) == "Trainer(Sequential(Tanh()), SoftmaxCrossEntropy(), SGD(0.5))"

"""LBFGS against the formula with whole matrices, against torch, and where its line search must help or give up."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import L2, LBFGS, SGD, Checkpoint, ClipNorm, Linear, Sequential, SoftmaxCrossEntropy, Tanh, Trainer
from minidl.data import digits, standardize

TORCH = json.loads((Path(__file__).parents[1] / "reference" / "torch.json").read_text(encoding="utf-8"))["minimized"]


def plain(w, cost, steps, lr=1.0, memory=10):
    """The rule with whole matrices: the values after each step."""
    pairs, path = [], []
    for _ in range(steps):
        f, g = cost(w)
        H = np.eye(len(w)) * (pairs[-1][0] @ pairs[-1][1] / (pairs[-1][1] @ pairs[-1][1]) if pairs else 1)
        for s, y in pairs:  # the oldest first
            E = np.eye(len(w)) - np.outer(y, s) / (s @ y)
            H = E.T @ H @ E + np.outer(s, s) / (s @ y)
        d, t = -H @ g * (1 if pairs else min(1, 1 / abs(g).sum())), lr
        while cost(w + t * d)[0] > f + 1e-4 * t * (g @ d):
            t /= 2
        pairs = [*pairs, (t * d, cost(w + t * d)[1] - g)][-memory:]
        w = w + t * d
        path.append(w)
    return path


def bowl(matrix, vector):
    """w A w / 2 + sum w^4 / 4 - b w with its gradient."""
    return lambda w: (w @ matrix @ w / 2 + (w**4).sum() / 4 - vector @ w, matrix @ w + w**3 - vector)


def valley(w):
    """Rosenbrock's, which is not convex."""
    x, y = w
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2, np.array([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)])


def at_values(parameters, function):
    def cost():
        value, gradient = function(parameters.value)
        parameters.grad[:] = gradient
        return float(value)

    return cost


def minimized(optimizer, parameters, function, steps):
    cost, path = at_values(parameters, function), []
    for _ in range(steps):
        optimizer.minimize(cost, parameters)
        path.append(parameters.value.copy())
    return path


@given(st.integers(0, 1000), st.integers(1, 5), st.sampled_from([0.25, 1.0, 4.0]))
def test_the_steps_are_those_of_the_formula_with_whole_matrices(store, seed, memory, lr):
    rng = np.random.default_rng(seed)
    half, vector, start = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
    cost = bowl(half @ half.T + np.eye(4), vector)
    path = minimized(LBFGS(lr, memory=memory), store(weight=start[:3], bias=start[3:]), cost, 6)
    np.testing.assert_allclose(path, plain(start, cost, 6, lr, memory), rtol=1e-6, atol=1e-8)


def test_the_steps_that_need_no_search_are_those_of_torch(store):
    parameters, optimizer = store(weight=TORCH["start"]), LBFGS(**TORCH["arguments"])
    cost = at_values(parameters, bowl(np.array(TORCH["matrix"]), np.array(TORCH["vector"])))
    for before, value in zip(TORCH["costs"], TORCH["values"], strict=True):
        assert optimizer.minimize(cost, parameters) == pytest.approx(before, rel=1e-12)
        np.testing.assert_allclose(parameters.value, value, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_curved_valley_is_followed_to_its_minimum_and_no_step_climbs(store, dtype):
    parameters, optimizer = store(dtype=dtype, weight=[-1.2, 1.0]), LBFGS()
    cost, costs = at_values(parameters, valley), []
    for _ in range(60):
        costs.append(optimizer.minimize(cost, parameters))
    assert all(after <= before for before, after in pairwise(costs))
    np.testing.assert_allclose(parameters.value, 1, atol=1e-3)


def test_afterwards_the_gradient_is_that_of_the_new_values_and_one_search_is_one_step(store):
    parameters, optimizer = store(weight=[-1.2, 1.0]), LBFGS()
    looked = []

    def cost():
        looked.append(parameters.value.copy())
        value, parameters.grad[:] = valley(parameters.value)
        return value

    for step in range(1, 20):
        optimizer.minimize(cost, parameters)
        np.testing.assert_array_equal(parameters.grad, valley(parameters.value)[1])
        assert optimizer.steps == step
    assert len(looked) > 2 * 19  # some steps needed more than one trial
    np.testing.assert_array_equal(looked[-1], parameters.value)


def test_points_without_a_finite_cost_are_too_far(store):
    def logarithm(w):  # of positive numbers only, and the first direction leads beyond 0
        if w[0] <= 0:
            raise FloatingPointError("log of a negative number")
        return w[0] - 0.01 * math.log(w[0]), np.array([1 - 0.01 / w[0]])

    for function in (logarithm, lambda w: (math.nan, w) if w[0] <= 0 else logarithm(w)):
        parameters = store(weight=[0.5])
        minimized(LBFGS(), parameters, function, 30)
        np.testing.assert_allclose(parameters.value, 0.01, rtol=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_start_without_a_finite_cost_is_refused_before_anything_moves(store, bad):
    parameters, optimizer = store(weight=[1.0]), LBFGS()
    with pytest.raises(ArithmeticError, match=f"expected a finite cost at step 1, received {bad}: nothing moved"):
        optimizer.minimize(lambda: bad, parameters)
    assert (parameters.value[0], optimizer.steps) == (1, 0)


def test_an_error_at_a_point_that_is_tried_leaves_the_values_of_before(store):
    parameters, optimizer = store(weight=[1.0, 2.0]), LBFGS()

    def cost():
        if parameters.value[0] != 1:
            raise KeyboardInterrupt
        parameters.grad[:] = parameters.value
        return 2.5

    with pytest.raises(KeyboardInterrupt):
        optimizer.minimize(cost, parameters)
    np.testing.assert_array_equal(parameters.value, [1, 2])
    np.testing.assert_array_equal(parameters.grad, [1, 2])


def test_where_no_length_lowers_the_cost_it_stays_and_drops_what_it_remembered(store):
    parameters, optimizer = store(weight=[-1.2, 1.0]), LBFGS()
    minimized(optimizer, parameters, valley, 5)
    before = parameters.value.copy()
    assert any(slot.any() for slot in optimizer.slots.values())
    wrong = lambda w: (valley(w)[0], -valley(w)[1])  # noqa: E731
    minimized(optimizer, parameters, wrong, 1)
    np.testing.assert_array_equal(parameters.value, before)
    np.testing.assert_array_equal(parameters.grad, wrong(before)[1])
    assert not any(slot.any() for slot in optimizer.slots.values())


@pytest.mark.parametrize("cut", [0, 1, 4, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stopped_run_continues_to_the_bit(store, dtype, cut):
    whole, parts = store(dtype=dtype, weight=[-1.2, 1.0]), store(dtype=dtype, weight=[-1.2, 1.0])
    minimized(LBFGS(memory=3), whole, valley, 15)
    first, second = LBFGS(memory=3), LBFGS(memory=3)
    minimized(first, parts, valley, cut)
    second.load_state(first.state())
    minimized(second, parts, valley, 15 - cut)
    assert parts.value.tobytes() == whole.value.tobytes()
    assert all(slot.dtype == dtype for slot in second.slots.values())


def test_a_clip_edits_every_gradient_that_is_looked_at(store):
    parameters, norms = store(weight=[3.0, -4.0]), []

    def clip(gradient):
        ClipNorm(1.0)(gradient)
        norms.append(np.linalg.norm(gradient))

    LBFGS(clip=clip).minimize(at_values(parameters, lambda w: (w @ w / 2, w)), parameters)
    np.testing.assert_allclose(norms, [1, 1])


def test_step_says_that_one_point_is_not_enough(store):
    with pytest.raises(TypeError, match=r"expected LBFGS.minimize\(cost, parameters\).*received a call of step"):
        LBFGS().step(store(weight=[1.0]))


@pytest.mark.parametrize("optimizer", [LBFGS(), SGD(0.1)])
def test_a_cost_that_returns_nothing_is_named(store, optimizer):
    with pytest.raises(TypeError, match=r"expected cost\(\) to return one number, received None"):
        optimizer.minimize(lambda: None, store(weight=[1.0]))


def test_a_bad_memory_is_refused():
    with pytest.raises(ValueError, match="expected memory to be an integer >= 1, received memory=0"):
        LBFGS(memory=0)


def full_batch_trainer(*callbacks):
    train, held_out = standardize(*digits().split(300, 200, seed=0))
    model = Sequential(Linear(64, 10), Tanh(), Linear(10, 10)).build(seed=0)
    return Trainer(model, SoftmaxCrossEntropy(), LBFGS(), regularizers=[L2(1e-3)], callbacks=callbacks), train, held_out


def test_a_trainer_runs_it_on_full_batches_and_its_history_is_that_of_the_steps():
    trainer, train, held_out = full_batch_trainer()
    before = trainer.evaluate(train)
    history = trainer.fit(train, held_out, epochs=25, batch_size=len(train), progress=False, restore_best=False)
    costs = history.steps["cost"]
    assert (trainer.optimizer.steps, len(costs)) == (25, 25)
    assert costs[0] == pytest.approx(before["cost"], rel=1e-5)
    assert history.steps["loss"][0] == pytest.approx(before["loss"], rel=1e-5)
    assert history.steps["penalty"][0] == pytest.approx(before["penalty"], rel=1e-5)
    assert all(after <= before for before, after in pairwise(costs))
    assert trainer.evaluate(train)["cost"] < 0.15


@pytest.mark.parametrize("batch_size", [300, 150])
def test_a_run_that_was_interrupted_goes_on_to_the_same_bits(tmp_path, batch_size):
    path, options = tmp_path / "run.npz", {"batch_size": batch_size, "progress": False}
    whole, train, held_out = full_batch_trainer()
    whole.fit(train, held_out, epochs=9, **options)
    first, *_ = full_batch_trainer(Checkpoint(path))
    first.fit(train, held_out, epochs=4, **options)
    second, *_ = full_batch_trainer()
    history = second.fit(train, held_out, epochs=9, resume=path, **options)
    assert history.steps == whole.history.steps
    assert second.model.parameters.value.tobytes() == whole.model.parameters.value.tobytes()
    for name, slot in whole.optimizer.slots.items():
        assert second.optimizer.slots[name].tobytes() == slot.tobytes()

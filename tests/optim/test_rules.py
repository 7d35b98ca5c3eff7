import copy
import json
import math
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minidl import optim
from minidl.optim import SGD, Adadelta, Adagrad, Adam, AdamW, CosineDecay, Lion, Nadam, RMSprop

TORCH = json.loads((Path(__file__).parents[1] / "reference" / "torch.json").read_text(encoding="utf-8"))


# Each rule once more, as plainly as possible: the values after each gradient, in float64, array by array.


def sgd(w, gradients, lr, momentum=0.0, nesterov=False):
    v = 0.0
    for g in gradients:
        v = momentum * v + g
        w = w - lr * (g + momentum * v if nesterov else v)
    return w


def adam(w, gradients, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0):
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        w = w - lr * weight_decay * w - lr * step
    return w


def adamw(w, gradients, weight_decay=0.01, **arguments):
    return adam(w, gradients, weight_decay=weight_decay, **arguments)


def rmsprop(w, gradients, lr=1e-3, rho=0.9, eps=1e-8):
    v = 0.0
    for g in gradients:
        v = rho * v + (1 - rho) * g**2
        w = w - lr * g / (np.sqrt(v) + eps)
    return w


def nadam(w, gradients, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        ahead = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
        w = w - lr * ahead / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w


def adagrad(w, gradients, lr=1e-2, eps=1e-10):
    total = 0.0
    for g in gradients:
        total = total + g**2
        w = w - lr * g / (np.sqrt(total) + eps)
    return w


def adadelta(w, gradients, lr=1.0, rho=0.9, eps=1e-6):
    v = d = 0.0
    for g in gradients:
        v = rho * v + (1 - rho) * g**2
        step = np.sqrt(d + eps) / np.sqrt(v + eps) * g
        d = rho * d + (1 - rho) * step**2
        w = w - lr * step
    return w


def lion(w, gradients, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0):
    m = 0.0
    for g in gradients:
        w = w - lr * weight_decay * w - lr * np.sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g
    return w


CASES = [
    (SGD, sgd, {"lr": 0.1}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (SGD, sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    (Adam, adam, {}),
    (Adam, adam, {"lr": 0.1, "beta1": 0.0, "beta2": 0.0, "eps": 0.1}),
    (Adam, adam, {"lr": 0.1, "beta1": 0.5, "beta2": 0.9, "eps": 1e-4}),
    (AdamW, adamw, {}),
    (AdamW, adamw, {"lr": 0.1, "weight_decay": 0.5}),
    (RMSprop, rmsprop, {}),
    (RMSprop, rmsprop, {"lr": 0.1, "rho": 0.5, "eps": 1e-4}),
    (Nadam, nadam, {}),
    (Nadam, nadam, {"lr": 0.1, "beta1": 0.5, "beta2": 0.9, "eps": 1e-4}),
    (Adagrad, adagrad, {}),
    (Adagrad, adagrad, {"lr": 0.1, "eps": 1e-3}),
    (Adadelta, adadelta, {}),
    (Adadelta, adadelta, {"lr": 0.5, "rho": 0.5, "eps": 1e-3}),
    (Lion, lion, {}),
    (Lion, lion, {"lr": 0.1, "beta1": 0.5, "beta2": 0.75, "weight_decay": 0.5}),
]
IDS = [f"{rule.__name__}-{arguments}" for rule, _, arguments in CASES]
every_formula = pytest.mark.parametrize(("rule", "reference", "arguments"), CASES, ids=IDS)
every_rule = pytest.mark.parametrize(("rule", "arguments"), [(rule, a) for rule, _, a in CASES], ids=IDS)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])

numbers = st.floats(-3, 3, width=32)
runs = st.integers(1, 6).flatmap(lambda steps: arrays(np.float32, (steps, 5), elements=numbers, fill=st.nothing()))
starts = arrays(np.float32, 5, elements=numbers, fill=st.nothing())


def train(optimizer, parameters, gradients):
    for gradient in gradients:
        parameters.grad[:] = gradient
        optimizer.step(parameters)
    return parameters.value


def random_run(size, steps=6):
    rng = np.random.default_rng(0)
    return rng.normal(size=size), rng.normal(size=(steps, size))


@every_formula
@every_dtype
@given(start=starts, gradients=runs)
def test_the_flat_update_is_the_formula(store, rule, reference, arguments, dtype, start, gradients):
    gradients = np.where(np.abs(gradients) < 1e-30, 0, gradients)  # whose sign float32 may lose
    parameters = store(dtype=dtype, weight=start)
    value = train(rule(**arguments), parameters, gradients)
    expected = reference(start.astype(np.float64), gradients.astype(np.float64), **arguments)
    assert value.dtype == dtype
    np.testing.assert_allclose(value, expected, **({"atol": 3e-5} if dtype is np.float32 else {"atol": 1e-12}))


@every_rule
@given(start=starts, gradients=runs)
def test_one_store_of_many_parameters_moves_like_many_stores_of_one(store, rule, arguments, start, gradients):
    pieces = {"weight": slice(0, 2), "weight2": slice(2, 3), "bias": slice(3, 4), "bias2": slice(4, 5)}
    together = store(**{name: start[piece] for name, piece in pieces.items()})
    train(rule(**arguments), together, gradients)
    for name, piece in pieces.items():
        alone = store(**{name: start[piece]})
        train(rule(**arguments), alone, gradients[:, piece])
        np.testing.assert_array_equal(together.named[name].value, alone.value)


@every_formula
@every_dtype
def test_vectors_longer_than_a_block_follow_the_formula_too(store, rule, reference, arguments, dtype):
    start, gradients = random_run(150_001, steps=2)
    value = train(rule(**arguments), store(dtype=dtype, weight=start), gradients)
    np.testing.assert_allclose(value, reference(start, gradients, **arguments), rtol=1e-4, atol=1e-4)


@every_rule
@every_dtype
def test_a_step_writes_the_flat_value_and_nothing_else(store, rule, arguments, dtype):
    start, gradients = random_run(5, steps=1)
    parameters, optimizer = store(dtype=dtype, weight=start), rule(**arguments)
    value, grad, lr = parameters.value, parameters.grad, optimizer.lr
    train(optimizer, parameters, gradients)
    assert parameters.value is value
    assert parameters.grad is grad
    assert np.shares_memory(parameters.named["weight"].value, value)
    np.testing.assert_array_equal(parameters.grad, gradients[0].astype(dtype))
    assert optimizer.lr == lr
    assert all(slot.dtype == dtype and slot.shape == (5,) for slot in optimizer.slots.values())


def through_state(optimizer, fresh):
    fresh.load_state(optimizer.state())
    return fresh


def through_pickle(optimizer, fresh):
    return pickle.loads(pickle.dumps(optimizer))


def through_deepcopy(optimizer, fresh):
    return copy.deepcopy(optimizer)


@every_rule
@every_dtype
@pytest.mark.parametrize("road", [through_state, through_pickle, through_deepcopy])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_stopped_run_continues_to_the_bit(store, rule, arguments, dtype, road, before):
    start, gradients = random_run(5)
    arguments = {**arguments, "lr": CosineDecay(0.1, 6)}
    whole = train(rule(**arguments), store(dtype=dtype, weight=start[:3], bias=start[3:]), gradients)
    parameters, first = store(dtype=dtype, weight=start[:3], bias=start[3:]), rule(**arguments)
    train(first, parameters, gradients[:before])
    second = road(first, rule(**arguments))
    train(second, parameters, gradients[before:])
    assert parameters.value.tobytes() == whole.tobytes()
    assert (first.steps, second.steps) == (before, 6)


@every_rule
def test_a_step_allocates_less_than_a_vector(store, rule, arguments):
    parameters, optimizer = store(weight=np.ones(400_000)), rule(**arguments)
    optimizer.step(parameters)
    tracemalloc.start()
    try:
        optimizer.step(parameters)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < parameters.value.nbytes / 2


@every_rule
def test_a_zero_gradient_moves_nothing_but_decay(store, rule, arguments):
    parameters = store(weight=[1.0, 0.0], bias=[-2.0])
    train(rule(**arguments), parameters, np.zeros((3, 3)))
    np.testing.assert_array_equal(parameters.named["bias"].value, -2)
    assert parameters.value[1] == 0
    assert (parameters.value[0] < 1) == (arguments.get("weight_decay", 0) > 0 or rule is AdamW)


@every_rule
def test_a_parabola_is_descended(store, rule, arguments):
    parameters = store(bias=[3.0, -2.0])
    rate = {Adagrad: 1.0, Adadelta: 5.0}.get(rule, 0.05)  # their steps shrink by themselves, or start tiny
    optimizer = rule(**{**arguments, "lr": CosineDecay(rate, 1000)})
    curvature = np.array([1.0, 5.0])
    for _ in range(1000):
        parameters.grad[:] = curvature * parameters.value
        optimizer.step(parameters)
    assert abs(parameters.value).max() < 0.01


@pytest.mark.parametrize("case", TORCH["optimizers"])
def test_every_step_agrees_with_torch(store, case):
    reference = TORCH["optimizers"][case]
    optimizer = getattr(optim, reference["optimizer"])(**reference["arguments"])
    parameters = store(weight=reference["start"][:3], bias=reference["start"][3:])
    for gradient, value in zip(reference["gradients"], reference["values"], strict=True):
        train(optimizer, parameters, [gradient])
        np.testing.assert_allclose(parameters.value, value, rtol=1e-12)


def test_adamw_decays_weights_and_never_biases(store):
    start, gradients = random_run(5)
    decayed, plain = (store(weight=start[:3], bias=start[3:]) for _ in range(2))
    train(AdamW(0.1, weight_decay=0.5), decayed, gradients)
    train(Adam(0.1), plain, gradients)
    np.testing.assert_array_equal(decayed.named["bias"].value, plain.named["bias"].value)
    assert (decayed.named["weight"].value != plain.named["weight"].value).all()


def test_adam_moves_by_the_learning_rate_whatever_the_scale_of_the_gradient(store):
    parameters = store(weight=np.zeros(3))
    train(Adam(0.1), parameters, [[1e8, 1.0, -1e-3]])
    np.testing.assert_allclose(parameters.value, [-0.1, -0.1, 0.1], rtol=1e-4)


def test_the_smallest_eps_keeps_float32_away_from_zero_divided_by_zero(store):
    for optimizer in (Adam(eps=1e-37), RMSprop(eps=1e-37), Nadam(eps=1e-37), Adagrad(eps=1e-37), Adadelta(eps=1e-37)):
        parameters = store(dtype=np.float32, weight=[1.0])
        train(optimizer, parameters, [[0.0]])
        assert parameters.value[0] == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(0.1, momentum=1), "expected momentum to be a number >= 0 and < 1, received momentum=1"),
        (lambda: SGD(0.1, momentum=-0.5), "received momentum=-0.5"),
        (lambda: SGD(0.1, nesterov=True), r"expected momentum > 0 with nesterov=True, received momentum=0"),
        (lambda: Adam(beta1=1.0), "received beta1=1.0"),
        (lambda: Adam(beta2=math.nan), "received beta2=nan"),
        (lambda: Adam(eps=0), "received eps=0"),
        (lambda: AdamW(weight_decay=-1), "expected weight_decay to be a finite number >= 0, received weight_decay=-1"),
        (lambda: RMSprop(rho=1.5), "received rho=1.5"),
        (lambda: RMSprop(eps=-1), "received eps=-1"),
        (lambda: Nadam(beta1=1), "received beta1=1"),
        (lambda: Adagrad(eps=0), "received eps=0"),
        (lambda: Adadelta(rho=1), "received rho=1"),
        (lambda: Adadelta(eps=1e-40), "received eps=1e-40"),
        (lambda: Lion(beta1=-0.1), "received beta1=-0.1"),
        (lambda: Lion(beta2=1), "received beta2=1"),
        (lambda: Lion(weight_decay=math.inf), "received weight_decay=inf"),
    ],
)
def test_bad_arguments_are_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "rule",
    [
        SGD(0.1, momentum=0.9),
        SGD(0.1, momentum=0.9, nesterov=True),
        Adam(beta2=0.95),
        RMSprop(rho=0.9),
        Nadam(beta2=0.95),
        Adadelta(rho=0.9),
        Lion(beta2=0.95),
    ],
)
def test_slots_of_a_dead_gradient_end_at_zero_and_are_never_denormal(rule, store):
    parameters = store(weight=[1.0, 1.0], dtype=np.float32)
    parameters.grad[:] = [1.0, 1e-3]
    rule.step(parameters)
    parameters.grad[:] = 0
    for _ in range(2000):
        rule.step(parameters)
        for slot in rule.slots.values():
            assert not ((slot != 0) & (np.abs(slot) < np.finfo(np.float32).tiny)).any()
    for slot in rule.slots.values():
        np.testing.assert_array_equal(slot, 0)


@pytest.mark.parametrize("rule", [Adam(1e-3, eps=1e-37), Nadam(1e-3, eps=1e-37), RMSprop(1e-3, eps=1e-37)])
def test_a_tiny_gradient_over_a_tiny_eps_never_becomes_a_huge_step(store, rule):
    parameters = store(weight=[0.0], dtype=np.float32)
    parameters.grad[:] = 3e-17  # its square counts for less than what is set to 0
    steps = []
    for _ in range(130):
        before = parameters.value[0]
        rule.step(parameters)
        steps.append(before - parameters.value[0])
    np.testing.assert_allclose(steps[60:], 1e-3, rtol=0.01)

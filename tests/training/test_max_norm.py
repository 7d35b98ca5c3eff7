import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Checkpoint, DataError, Linear, MaxNorm, Parameter, Parameters, Sequential
from minidl.initializers import normal, zeros


def lengths(weight):
    return np.sqrt(np.square(weight.astype(np.float64)).sum(axis=tuple(range(weight.ndim - 1))))


@given(st.integers(0, 1000), st.floats(0.1, 10), st.sampled_from([np.float32, np.float64]))
def test_units_that_are_too_long_come_back_to_the_limit_and_the_others_stay(seed, limit, dtype):
    named = {
        "linear": Parameter((3, 4), normal(2.0)),
        "filters": Parameter((2, 2, 3, 5), normal(1.0)),
        "bias": Parameter((4,), normal(50.0), decay=False),
        "gain": Parameter((4,), normal(50.0)),
    }
    parameters = Parameters(named, np.random.default_rng(seed), dtype=dtype)
    before = {name: p.value.copy() for name, p in named.items()}
    MaxNorm(limit).project(parameters)
    for name in ("linear", "filters"):
        weight, old = named[name].value, before[name]
        short = lengths(old) <= limit
        np.testing.assert_array_equal(weight[..., short], old[..., short])
        np.testing.assert_allclose(lengths(weight)[~short], limit, rtol=1e-5)
        np.testing.assert_allclose(weight, old * np.minimum(1, limit / lengths(old)), rtol=1e-5)
    for name in ("bias", "gain"):
        np.testing.assert_array_equal(named[name].value, before[name])


@pytest.mark.parametrize("size", [1e30, 1e-30, 0.0])
def test_weights_of_any_size_are_scaled_without_overflow(size):
    weight = Parameter((2, 2), zeros)
    parameters = Parameters({"weight": weight}, np.random.default_rng(0))
    weight.value = np.array([[3, 0.1], [4, 0]]) * size
    MaxNorm(1.0).project(parameters)
    expected = [[0.6, 1], [0.8, 0]] if size > 1 else np.array([[3, 0.1], [4, 0]]) * size
    np.testing.assert_allclose(weight.value, expected, rtol=1e-6)


def test_a_pattern_is_the_only_rule_and_in_a_vector_each_number_is_a_unit():
    model = Sequential(Linear(2, 3), Linear(3, 3)).build(seed=0)
    for parameter in model.parameters.named.values():
        parameter.value[...] = 5
    MaxNorm(1.0, names="1.*").project(model.parameters)
    assert (model[0].weight.value == 5).all()
    assert (model[0].bias.value == 5).all()
    np.testing.assert_allclose(lengths(model[1].weight.value), 1, rtol=1e-6)
    np.testing.assert_array_equal(model[1].bias.value, 1)


def test_no_step_of_a_run_leaves_a_unit_that_is_longer(data, trainer, fit, hooks):
    longest = []
    watch = hooks(on_step_end=lambda one: longest.append(lengths(one.model[0].weight.value).max()))
    one = trainer(callbacks=[MaxNorm(0.3), watch])
    fit(one, data())
    assert max(longest) <= 0.3 * (1 + 1e-6)
    assert lengths(one.model[0].weight.value).max() > 0.29


def test_a_run_that_goes_on_must_have_it_too(data, trainer, fit, tmp_path):
    path = tmp_path / "run.npz"
    fit(trainer(callbacks=[MaxNorm(0.3), Checkpoint(path)]), data(), epochs=1)
    for callbacks in ([], [MaxNorm(0.4)]):
        with pytest.raises(DataError, match="MaxNorm"):
            fit(trainer(callbacks=callbacks), data(), epochs=2, resume=path)


def test_a_pattern_that_matches_nothing_is_refused_before_the_first_step(data, trainer, fit):
    one = trainer(callbacks=[MaxNorm(1.0, names="weights")])
    with pytest.raises(ValueError, match="no parameter matches names='weights'"):
        fit(one, data())
    assert one.optimizer.steps == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaxNorm(0), "expected limit to be a finite number > 0, received limit=0"),
        (
            lambda: MaxNorm(1, names=3),
            r'expected names to be None or one pattern such as "\*.weight", received names=3',
        ),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

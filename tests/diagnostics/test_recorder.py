"""Recorder: what it measures is what is there, it keeps little, and the run is the one without it."""

import copy
import pickle

import numpy as np
import pytest

from minidl import (
    LBFGS,
    SGD,
    Adam,
    Callback,
    Checkpoint,
    DataError,
    Dropout,
    EarlyStopping,
    Linear,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    Tanh,
    Trainer,
    accuracy,
)
from minidl.data import digits, standardize
from minidl.diagnostics import Recorder
from minidl.layers.tracing import traced

TRAIN, REST = standardize(*digits().split(0.5, 0.5, seed=0))


def trainer(*callbacks, optimizer=None, seed=0):
    layers = Linear(64, 24), ReLU(), Dropout(0.2), Residual(Linear(24, 24), Tanh()), Linear(24, 10)
    model = Sequential(*layers).build(seed=seed)
    return Trainer(model, SoftmaxCrossEntropy(), optimizer or Adam(1e-2), metrics=[accuracy], callbacks=callbacks)


def fitted(one, steps=25, **options):
    one.fit(TRAIN, REST, **{"steps": steps, "validate_every": 10, "progress": False} | options)
    return one


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("make", [lambda: Adam(1e-2), lambda: SGD(0.1, momentum=0.9), lambda: LBFGS()])
def test_a_run_has_the_bits_of_one_without_it(every, make):
    plain, watched = (fitted(trainer(*cbs, optimizer=make())) for cbs in ([], [Recorder(every)]))
    np.testing.assert_array_equal(plain.model.parameters.value, watched.model.parameters.value)
    assert plain.history.steps == watched.history.steps
    assert plain.history.evaluations == watched.history.evaluations


def test_the_layers_are_as_they_were_after_a_run_whatever_ended_it():
    class Fails(Callback):
        def on_step_end(self, trainer):
            raise KeyError("on purpose")

    for one, error in ((trainer(Recorder(1)), None), (trainer(Recorder(1), Fails()), KeyError)):
        if error is None:
            fitted(one)
        else:
            with pytest.raises(error):
                fitted(one)
        assert not any({"forward", "backward"} & set(vars(layer)) for layer in one.model.layers_inside())
    pickle.loads(pickle.dumps(one.model)).predict(REST.x)


@pytest.mark.parametrize("every", [(2, 3), (3, 2), (1, 5)])
def test_two_of_them_see_the_same_and_leave_nothing_behind(every):
    alone = [Recorder(k) for k in every]
    for recorder in alone:
        fitted(trainer(recorder))
    both = [Recorder(k) for k in every]
    one = fitted(trainer(*both))
    for first, second in zip(alone, both, strict=True):
        np.testing.assert_array_equal(first["step"], second["step"])
        np.testing.assert_array_equal(first["gradient_histogram"], second["gradient_histogram"])
    assert not any({"forward", "backward"} & set(vars(layer)) for layer in one.model.layers_inside())


def test_what_is_measured_is_what_passes():
    recorder = Recorder(every=1)
    one = trainer(recorder, optimizer=SGD(0.1))
    twin = trainer(optimizer=SGD(0.1))
    fitted(one, steps=1, shuffle=False, batch_size=32)
    before = {name: p.value.copy() for name, p in twin.model.parameters.named.items()}
    with twin.model.train_mode(), traced(twin.model) as calls:
        twin.step(TRAIN.x[:32].astype(np.float32), TRAIN.targets[:32])
    assert recorder.layers == ["0 Linear", "1 ReLU", "2 Dropout", "3.0 Linear", "3.1 Tanh", "4 Linear"]
    leaves = [call for call in calls if not call.layer.children()]
    for place, call in enumerate(leaves):
        for what, array in (("activation", call.y), ("gradient", call.dy)):
            for name, value in (("mean", array.mean()), ("deviation", array.std()), ("largest", abs(array).max())):
                np.testing.assert_allclose(recorder[f"{what}_{name}"][0, place], value, rtol=1e-4, atol=1e-8)
            low, high, *counts = recorder[f"{what}_histogram"][0, place]
            np.testing.assert_allclose([low, high], [array.min(), array.max()])
            assert sum(counts) == array.size
        np.testing.assert_allclose(recorder["gradient_norm"][0, place], np.linalg.norm(call.dy), rtol=1e-5)
        np.testing.assert_allclose(recorder["inactive"][0, place], (call.y == 0).all(axis=0).mean(), rtol=1e-6)
    for place, (name, parameter) in enumerate(twin.model.parameters.named.items()):
        moved, old = np.linalg.norm(parameter.value - before[name]), np.linalg.norm(before[name])
        expected = moved / old if old else np.nan
        np.testing.assert_allclose(recorder["update_ratio"][0, place], expected, rtol=1e-4)
        np.testing.assert_allclose(recorder["weight_norm"][0, place], np.linalg.norm(parameter.value), rtol=1e-5)
        gradient = np.linalg.norm(parameter.grad)
        np.testing.assert_allclose(recorder["weight_gradient_norm"][0, place], gradient, rtol=1e-5)
    given = TRAIN.x[:32].astype(np.float64)
    size = np.sqrt(np.square(given[given != 0]).mean())
    assert recorder["rows"].tolist() == [32]
    np.testing.assert_allclose(recorder["input_size"][0], size, rtol=1e-5)
    assert recorder["cost"][0] == one.history.steps["cost"][0]


def test_saturated_outputs_are_counted():
    recorder = Recorder(1)
    model = Sequential(Linear(64, 10), Sigmoid(), Linear(10, 10)).build(seed=0)
    model[0].weight.value, model[0].bias.value = np.zeros((64, 10)), np.repeat([0, 9], 5)
    fitted(Trainer(model, SoftmaxCrossEntropy(), SGD(0.1), callbacks=[recorder]), steps=1)
    assert recorder["saturated"][0, 1] == 0.5
    assert np.isnan(recorder["saturated"][0, [0, 2]]).all()


def test_frozen_parameters_have_no_update_and_predictions_in_between_are_not_measured():
    recorder = Recorder(1)

    class Predicts(Callback):
        def on_step_end(self, trainer):
            trainer.model.predict(1000 * REST.x)

    one = trainer(recorder, Predicts())
    one.model.parameters.freeze("0.*")
    fitted(one, steps=3)
    assert np.isnan(recorder["update_ratio"][:, :2]).all()
    assert (recorder["activation_largest"][:, 0] < 100).all()


def test_a_copy_that_is_made_while_it_watches_is_a_layer_like_any_other():
    copies = []

    class Copies(Callback):
        def on_step_end(self, trainer):
            copies.append((copy.deepcopy(trainer.model), trainer.model.parameters.value.copy()))

    fitted(trainer(Recorder(1), Copies()), steps=3)
    for model, value in copies:
        assert not any("forward" in vars(layer) for layer in model.layers_inside())
        np.testing.assert_array_equal(model.parameters.value, value)
        model.parameters.value[...] = 0
        assert not model.predict(REST.x).any()


@pytest.mark.parametrize(("every", "most", "steps"), [(1, 8, 100), (3, 9, 100), (5, 200, 23)])
def test_it_keeps_evenly_spaced_records_and_never_more_than_asked_for(every, most, steps):
    recorder = Recorder(every, most=most)
    fitted(trainer(recorder), steps=steps)
    assert recorder["step"].tolist() == list(range(1, steps + 1, recorder.spacing))
    assert most / 2 < len(recorder) <= most or recorder.spacing == every
    assert recorder.spacing % every == 0
    assert recorder["activation_histogram"].shape == (len(recorder), 6, 32)


def test_each_fit_begins_a_new_record():
    recorder = Recorder(5)
    one = trainer(recorder)
    fitted(one)
    fitted(one, steps=11)
    assert recorder["step"].tolist() == [26, 31, 36]


@pytest.mark.parametrize("most", [8, 200])
def test_a_run_that_goes_on_from_a_checkpoint_has_the_record_of_one_that_was_not_cut(tmp_path, most):
    whole, first, second = (Recorder(2, most=most) for _ in range(3))
    fitted(trainer(whole), steps=30)
    fitted(trainer(first, Checkpoint(tmp_path / "run.npz", every_steps=1)), steps=13)
    again = trainer(second, Checkpoint(tmp_path / "run.npz", every_steps=1))
    fitted(again, steps=30, resume=tmp_path / "run.npz")
    assert (len(second), second.spacing, second.taken) == (len(whole), whole.spacing, 30)
    for name, value in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], value)


def test_a_checkpoint_of_another_recorder_is_refused(tmp_path):
    fitted(trainer(Recorder(2), Checkpoint(tmp_path / "run.npz")), steps=13)
    with pytest.raises(DataError, match="Recorder"):
        fitted(trainer(Recorder(3)), steps=30, resume=tmp_path / "run.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"spacing": 3},
        {"taken": 99},
        {"cost": np.zeros(3)},
        {"cost": "none"},
        {"gradient_norm": np.zeros((13, 5), np.float32)},
        {"inactive_since 1 ReLU": np.zeros(24)},
        {"first_cost": "low"},
        {"more": 1},
    ],
)
def test_what_is_no_state_of_it_is_refused_and_nothing_has_changed(change):
    recorder = Recorder(2)
    fitted(trainer(recorder))
    before = recorder.state()
    with pytest.raises((TypeError, ValueError)):
        recorder.load_state(before | change)
    for name, value in before.items():
        np.testing.assert_array_equal(recorder.state()[name], value)
    recorder.load_state(before)


def test_a_run_that_diverges_is_recorded_up_to_there():
    recorder = Recorder(1)
    fitted(trainer(recorder, optimizer=SGD(1e9)), raise_divergence=False)
    assert recorder.stopped_because.startswith("diverged")
    assert recorder.highest_cost > recorder.first_cost


def test_it_works_beside_early_stopping_and_a_model_of_one_layer():
    recorder = Recorder(1)
    model = Linear(64, 10).build(seed=0)
    one = Trainer(model, SoftmaxCrossEntropy(), Adam(1e-2), callbacks=[EarlyStopping(patience=1), recorder])
    fitted(one, steps=5)
    assert recorder.layers == ["model Linear"]
    assert recorder["update_ratio"].shape == (5, 2)


def test_a_name_that_is_not_recorded_says_which_are():
    recorder = Recorder()
    with pytest.raises(KeyError, match="did you mean 'update_ratio'"):
        recorder["update_rate"]
    with pytest.raises(ValueError, match="call fit"):
        recorder["step"]

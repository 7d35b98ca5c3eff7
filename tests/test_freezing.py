import copy
import pickle

import numpy as np
import pytest

from minidl import (
    L2,
    SGD,
    AdamW,
    AverageWeights,
    Callback,
    Checkpoint,
    Dataset,
    ExponentialAverage,
    Linear,
    MaxNorm,
    MeanSquaredError,
    Parameters,
    Sequential,
    Tanh,
    Trainer,
)
from minidl.training.identity import differences

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
DATA = Dataset(X, X[:, :1] - X[:, 1:2])


def make_model(*frozen):
    model = Sequential(Linear(3, 4), Tanh(), Linear(4, 1)).build(seed=0)
    for names in frozen:
        model.parameters.freeze(names)
    return model


def trained(model, optimizer=None, **options):
    optimizer = optimizer or AdamW(0.05, weight_decay=0.1)
    Trainer(model, MeanSquaredError(), optimizer, **options).fit(DATA, epochs=2, batch_size=8, progress=False)
    return model


def test_frozen_numbers_stand_behind_the_trainable_ones():
    model = make_model()
    before = model.parameters.snapshot()
    model.parameters.freeze("0.*")
    store = model.parameters
    assert (store.size, store.value.shape, store.grad.shape, store.decayed) == (5, (5,), (5,), slice(0, 4))
    assert store.frozen == ["0.weight", "0.bias"]
    np.testing.assert_equal(store.snapshot(), before)
    store.value[:] = 7
    np.testing.assert_equal(model[0].weight.value, before["0.weight"])
    assert (model[2].weight.value == 7).all()


def test_unfreezing_puts_every_number_back_where_it_stood():
    model = make_model()
    value = model.parameters.value.copy()
    model.parameters.freeze("*.weight")
    model.parameters.unfreeze("2.*")
    assert model.parameters.frozen == ["0.weight"]
    model.parameters.unfreeze()
    np.testing.assert_array_equal(model.parameters.value, value)
    assert not model.parameters.frozen


@pytest.mark.parametrize("names", ["0.*", "*.weight", "2.weight", "*.bias"])
@pytest.mark.parametrize("regularizers", [[], [L2(0.5)], [L2(0.5, names="*")]])
def test_training_moves_what_is_not_frozen_and_nothing_else(names, regularizers):
    model, start = make_model(names), make_model().parameters.snapshot()
    moved = trained(model, regularizers=regularizers).parameters.snapshot()
    stayed = {name for name in start if np.array_equal(start[name], moved[name])}
    assert stayed == set(model.parameters.frozen)


def test_a_frozen_model_trains_as_one_whose_other_layers_never_moved():
    model = trained(make_model("0.*"))
    features = make_model()[:2].predict(X)
    head = make_model()[2]
    alone = Sequential(copy.deepcopy(head)).build()
    Trainer(alone, MeanSquaredError(), AdamW(0.05, weight_decay=0.1)).fit(
        Dataset(features, DATA.targets), epochs=2, batch_size=8, progress=False
    )
    np.testing.assert_allclose(model[2].weight.value, alone[0].weight.value, rtol=1e-6)


def test_no_backward_runs_below_the_first_trainable_layer():
    model, called = make_model("0.*"), []
    model[0].backward = lambda dy: called.append(dy) or dy
    trained(model)
    assert not called


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_copies_are_frozen_too_and_share_no_number(clone):
    model = make_model("0.*")
    other = clone(model)
    assert other.parameters.frozen == model.parameters.frozen
    other.parameters.value[:] = 1
    assert (other[2].weight.value == 1).all()
    assert not (model[2].weight.value == 1).any()
    other.parameters.unfreeze()
    assert other.parameters.size == 21


def test_saved_and_loaded_like_the_rest(tmp_path):
    model = trained(make_model("0.*"))
    model.save(tmp_path / "weights.npz")
    again = Sequential(Linear(3, 4), Tanh(), Linear(4, 1)).build(seed=9).load(tmp_path / "weights.npz")
    np.testing.assert_equal(again.parameters.snapshot(), model.parameters.snapshot())


def test_a_run_is_known_by_what_was_frozen_and_goes_on_to_the_bit(tmp_path):
    path = tmp_path / "run.npz"

    def fit(epochs, *frozen, resume=None):
        optimizer, callbacks = SGD(0.05, momentum=0.9), [Checkpoint(path)]
        trainer = Trainer(make_model(*frozen), MeanSquaredError(), optimizer, callbacks=callbacks)
        trainer.fit(DATA, epochs=epochs, batch_size=8, progress=False, resume=resume)
        return trainer.model.parameters.snapshot()

    whole = fit(4, "0.*")
    fit(2, "0.*")
    with pytest.raises(ValueError, match=r"frozen: .*0\.weight.* there, .* here"):
        fit(4, resume=path)
    np.testing.assert_equal(fit(4, "0.*", resume=path), whole)
    assert differences({"frozen": "[]"}, {"frozen": "[]"}) == []


def test_an_optimizer_with_a_memory_refuses_numbers_that_came_or_went():
    model, optimizer = make_model(), SGD(0.1, momentum=0.9)
    trained(model, optimizer)
    model.parameters.freeze("0.*")
    with pytest.raises(ValueError, match=r"freeze or unfreeze: SGD remembers velocity .* make a new optimizer"):
        trained(model, optimizer)


def test_an_optimizer_without_one_goes_on():
    model, optimizer = make_model(), SGD(0.1)
    trained(model, optimizer)
    model.parameters.freeze("0.*")
    trained(model, optimizer)
    model.parameters.unfreeze()
    trained(model, optimizer)
    assert optimizer.steps == 30


def test_a_model_with_nothing_to_train_is_refused():
    with pytest.raises(ValueError, match=r"something to train, received 4 parameters, all of them frozen: .*unfreeze"):
        trained(make_model("*"))


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [("3.*", ValueError, "no parameter matches names='3.*'"), (0, TypeError, 'a pattern such as "0.*"')],
)
def test_what_matches_nothing_is_refused(names, error, words):
    model = make_model()
    with pytest.raises(error, match=words):
        model.parameters.freeze(names)
    assert not model.parameters.frozen


def test_the_table_says_what_is_frozen():
    model = make_model("0.*", "2.bias")
    table = str(model)
    assert "21 parameters, 17 of them frozen, float32" in table
    assert "frozen 16" in table
    assert "partly frozen 5" in table
    assert "16 numbers frozen" not in table
    assert repr(model.parameters).startswith("Parameters(4 numbers, 17 frozen, float32")


def test_building_again_freezes_nothing():
    model = make_model("0.*").build(seed=1)
    assert isinstance(model.parameters, Parameters)
    assert model.parameters.frozen == []
    assert model.parameters.size == 21


@pytest.mark.parametrize("hooks", [{"regularizers": [L2(0.1, names="0.*")]}, {"callbacks": [MaxNorm(1, names="0.*")]}])
def test_a_pattern_that_matches_frozen_parameters_only_is_refused_before_the_first_step(hooks):
    model = make_model("0.*")
    start = model.parameters.snapshot()
    with pytest.raises(ValueError, match=r"names='0\.\*', received \['0\.weight', '0\.bias'\], all of them frozen: .*"):
        trained(model, **hooks)
    np.testing.assert_equal(model.parameters.snapshot(), start)


def test_without_a_pattern_what_is_frozen_is_passed_over():
    model = make_model("*.weight")
    MaxNorm(1.0).project(model.parameters)
    assert L2(0.1)(model.parameters) == 0


@pytest.mark.parametrize("name", ["trainable", "requires_grad", "frozen"])
@pytest.mark.parametrize("of", [lambda m: m[0], lambda m: m, lambda m: m[0].weight, lambda m: m.parameters])
def test_nothing_freezes_by_an_assignment(of, name):
    model = Sequential(Linear(3, 2), Linear(2, 1)).build(seed=0)
    with pytest.raises(AttributeError):
        setattr(of(model), name, True)
    assert model.parameters.frozen == []


class Swap(Callback):
    """After some steps other numbers are trained, as many as before."""

    def on_step_end(self, trainer):
        if trainer.optimizer.steps == 3:
            trainer.model.parameters.freeze("0.*")
            trainer.model.parameters.unfreeze("1.*")


@pytest.mark.parametrize("average", [AverageWeights(1.0), ExponentialAverage(0.5)])
def test_a_mean_of_weights_is_of_the_same_numbers_for_all_of_a_run(average):
    model = Sequential(Linear(3, 3), Linear(3, 3)).build(seed=0)
    model.parameters.freeze("1.*")
    before = model.parameters.snapshot()
    trainer = Trainer(model, MeanSquaredError(), SGD(0.01), callbacks=[Swap(), average])
    with pytest.raises(ValueError, match=r"others after freeze or unfreeze: do that between two calls of fit"):
        trainer.fit(Dataset(X, X), epochs=2, batch_size=8, restore_best=False, progress=False)
    np.testing.assert_equal(model.parameters.snapshot("1.*"), {n: a for n, a in before.items() if n[0] == "1"})
    trainer.fit(Dataset(X, X), epochs=2, batch_size=8, restore_best=False, progress=False)

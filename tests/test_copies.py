"""What copies and pickles of a model take along: its weights, and no data."""

import copy
import io
import pickle
import weakref

import joblib
import numpy as np
import pytest

from minidl import SGD, Adam, Dataset, EarlyStopping, Linear, ReLU, Sequential, SoftmaxCrossEntropy, Trainer, layers
from tests.every_layer import examples, named, test_there_is_an_example_of_every_layer  # noqa: F401

ROWS = 16
EXAMPLES = examples()


def network():
    return Sequential(Linear(400, 100), ReLU(), Linear(100, 10)).build(seed=0)


def data(rows=300):
    rng = np.random.default_rng(0)
    return Dataset(rng.normal(size=(rows, 400)).astype(np.float32), rng.integers(10, size=rows))


def trained():
    model, given = network(), data()
    trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(1e-3), callbacks=[EarlyStopping(patience=2)])
    trainer.fit(given, given, epochs=2, progress=False)
    model.predict(given.x)
    return trainer, given


def holds_a_row(text, x):
    return any(row.tobytes() in text for row in x)


def test_a_pickle_after_fit_and_predict_is_as_small_as_the_weights():
    trainer, given = trained()
    text = pickle.dumps(trainer.model)
    assert len(text) < 1.1 * sum(p.value.nbytes for p in trainer.model.named_parameters().values())
    assert not holds_a_row(text, given.x)
    again = pickle.loads(text)
    assert np.array_equal(again.predict(given.x), trainer.model.predict(given.x))
    assert not again.parameters.grad.any()


def test_a_pickle_of_a_trainer_holds_no_row():
    trainer, given = trained()
    assert not holds_a_row(pickle.dumps(trainer), given.x)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: repr(example.layer))
def test_a_pickle_in_the_middle_of_a_step_holds_no_row_and_works(example):
    layer = copy.deepcopy(example.layer).build(seed=0)
    x = example.x(ROWS)
    with layer.train_mode():
        layer.backward(np.ones_like(layer.forward(x)))
    text = pickle.dumps(layer)
    bare = pickle.dumps(copy.deepcopy(example.layer).build(seed=0))
    assert len(text) < len(bare) + 200
    assert not holds_a_row(text, x if x.dtype == np.float32 else x[:0])
    assert np.array_equal(pickle.loads(text).predict(x), layer.predict(x))


LOSSES = named(layers.Loss) - {layers.Loss, layers.ClassLoss}


@pytest.mark.parametrize("kind", sorted(LOSSES, key=lambda kind: kind.__name__))
def test_a_loss_takes_no_scores_along(kind):
    loss, rng = kind(), np.random.default_rng(0)
    scores = rng.normal(size=(ROWS, 3))
    real = kind.__name__ in ("Huber", "MeanAbsoluteError", "MeanSquaredError")
    binary = kind is layers.BinaryCrossEntropy
    targets = scores * 2 if real else rng.integers(2, size=scores.shape) * 1.0 if binary else rng.integers(3, size=ROWS)
    loss.forward(scores, targets)
    loss.backward()
    assert len(pickle.dumps(loss)) < len(pickle.dumps(kind())) + 100
    assert pickle.loads(pickle.dumps(loss)).total_weight == ROWS


def test_a_deep_copy_and_a_copy_in_the_middle_go_on_from_a_forward_of_their_own():
    model, given = network(), data(ROWS)
    model.forward(given.x)
    twin = copy.deepcopy(model)
    with pytest.raises(AttributeError, match="call forward first"):
        twin.backward(np.ones((ROWS, 10), np.float32))
    twin.forward(given.x)
    twin.backward(np.ones((ROWS, 10), np.float32))
    model.backward(np.ones((ROWS, 10), np.float32))  # the original still can
    assert np.array_equal(twin.parameters.grad, model.parameters.grad)
    twin.parameters.value += 1
    assert np.shares_memory(twin.parameters.value, twin[0].weight.value)
    assert not np.shares_memory(twin.parameters.value, model.parameters.value)


def test_an_inner_layer_is_copied_with_its_numbers():
    model = network()
    inner = pickle.loads(pickle.dumps(model[0]))
    assert np.array_equal(inner.weight.value, model[0].weight.value)


def test_what_was_frozen_stays_so_in_a_copy():
    model = network()
    model.parameters.freeze("0.*")
    twin = copy.deepcopy(model)
    assert twin.parameters.frozen == ["0.weight", "0.bias"]
    assert np.array_equal(twin.parameters.value, model.parameters.value)
    twin.parameters.unfreeze()
    assert all(
        np.array_equal(a, b) for a, b in zip(*(m.parameters.snapshot().values() for m in (twin, model)), strict=True)
    )


def test_what_a_user_notes_on_a_model_is_copied():
    model = network()
    model.classes = ["cat", "dog"]
    assert pickle.loads(pickle.dumps(model)).classes == ["cat", "dog"]


class Placeholders(layers.Layer):
    """y = 2 x, with everything that people keep batches in."""

    def __init__(self):
        self.x, self.width = None, 3
        self.low, self.boxes = None, {}
        self.one, self.three, self.notes = 1, None, []
        self.pair = ()
        self.by_name = dict()  # noqa: C408
        self.in_order = list()  # noqa: C408
        self.u, self.v, self.w, self.many = {}, 2, None, []
        self.mask = self.other = None
        self.kept = {}
        self.seen = []
        self.calls = 0

    def forward(self, x):
        self.mask = x > 0
        self.other = (x, x)
        self.low = self.three = self.w = [x]
        self.boxes["x"], self.u["x"] = x, x
        self.notes.append(x)
        self.pair, self.by_name["x"] = (x, x), x
        self.in_order.append(x)
        self.many.append(x)
        self.kept["x"] = x
        self.seen.append(x)
        self.calls += 1
        if not hasattr(self, "table"):
            self.table = np.arange(3)
        return self._twice(x)

    def _twice(self, x):
        self.x = x
        return 2 * x

    def backward(self, dy):
        return 2 * dy


def test_places_that_a_constructor_left_empty_are_empty_in_a_copy():
    layer, x = Placeholders().build(), np.random.default_rng(0).normal(size=(ROWS, 7))
    layer.forward(x)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert (twin.x, twin.other, twin.low, twin.three, twin.w) == (None,) * 5
        assert (twin.pair, twin.by_name, twin.in_order) == ((), {}, [])
        assert (twin.boxes, twin.u, twin.notes, twin.many, twin.one, twin.v) == ({}, {}, [], [], 1, 2)
        assert (twin.mask, twin.kept, twin.seen, twin.width, twin.calls) == (None, {}, [], 3, 1)
        assert np.array_equal(twin.table, np.arange(3))
    assert layer.kept["x"] is x  # the original has them
    assert not holds_a_row(pickle.dumps(layer), x)


class Remembers(layers.Layer):
    """y = (x - offset) / scale, with memories of the first batch, made once in all the ways that people do so."""

    offset = None

    def __init__(self):
        self.least, self.ready, self.calls, self.by_width, self.firsts = None, False, 0, {}, []

    def forward(self, x):
        if self.offset is None:
            self.offset = x.mean(axis=0)
        if self.least is None:
            self.least = np.abs(x).min(axis=0)
        if not self.ready:
            self.scale, self.ready = x.std(axis=0), True
        if self.calls == 0:
            self.largest = x.max(axis=0)
        self.calls += 1
        if (width := x.shape[1]) not in self.by_width:
            self.by_width[width] = x.min(axis=0)
        if not self.firsts:
            self.firsts.append(x.var(axis=0))
        self.x = x
        numbers = (self.least, self.largest, self.by_width[width], self.firsts[0])
        return (x - self.offset) / self.scale + 0 * sum(numbers)

    def backward(self, dy):
        return dy / self.scale


class Noisy(layers.Layer):
    """y = x z in training, z uniform, and x else."""

    def forward(self, x):
        if self.training:
            self.z = self.rng.random(x.shape)
        for places in (slice(0, 3), slice(3, None)):
            self.means = x[:, places].mean(axis=1, keepdims=True)
        return (x * self.z if self.training else x) + 0 * self.means

    def backward(self, dy):
        return dy * self.z if self.training else dy


def test_what_is_set_and_read_in_training_only_or_in_a_loop_is_no_memory():
    model, x = Sequential(Noisy()).build(), np.ones((ROWS, 7))
    with model.train_mode():
        model.forward(x)
        assert {"z", "means"} <= vars(model[0]).keys()
        assert not {"z", "means"} & vars(copy.deepcopy(model)[0]).keys()


def test_what_a_layer_remembers_of_its_first_batch_is_there_after_training_and_in_copies():
    x = np.random.default_rng(0).normal(3, 2, size=(ROWS, 400)).astype(np.float32)
    model = Sequential(Remembers(), Linear(400, 10)).build(seed=0)
    given = Dataset(x, np.arange(ROWS) % 10)
    trainer = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1))
    trainer.fit(given, epochs=2, batch_size=ROWS, shuffle=False, progress=False)  # what looks at one row before is none
    for kept in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        layer = kept[0]
        assert np.array_equal(layer.offset, x.mean(axis=0))
        assert np.array_equal(layer.least, np.abs(x).min(axis=0))
        assert np.array_equal(layer.scale, x.std(axis=0))
        assert np.array_equal(layer.largest, x.max(axis=0))
        assert np.array_equal(layer.by_width[400], x.min(axis=0))
        assert np.array_equal(layer.firsts, [x.var(axis=0)])
        assert "x" not in vars(layer)
        assert np.array_equal(kept.predict(x[:3]), model.predict(x[:3]))


def test_a_model_kept_after_training_does_not_keep_its_data_alive(no_collections):
    def rest():
        trainer, given = trained()
        trainer.evaluate(given)
        return trainer, weakref.ref(given.x), weakref.ref(given)

    kept, x, given = rest()
    assert (x(), given()) == (None, None)
    assert kept.model.predict(data(3).x).shape == (3, 10)


def test_what_a_layer_collects_is_there_after_predict_and_not_in_a_copy():
    layer, x = Placeholders().build(), np.random.default_rng(0).normal(size=(ROWS, 7))
    layer.predict(x)
    assert (len(layer.seen), len(layer.kept), layer.x) == (1, 1, None)
    assert copy.deepcopy(layer).seen == []


def test_predictions_in_the_middle_of_a_step_by_hand_are_refused_backward():
    model, given = network(), data(ROWS)
    model.forward(given.x)
    model.predict(given.x)
    with pytest.raises(AttributeError, match="call forward first"):
        model.backward(np.ones((ROWS, 10), np.float32))


def test_mapped_weights_predict_and_fit_says_what_to_do(tmp_path):
    trainer, given = trained()
    joblib.dump(trainer.model, tmp_path / "model.joblib")
    model = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert np.array_equal(model.predict(given.x), trainer.model.predict(given.x))
    weight = model[0].weight.value
    assert not weight.flags.writeable
    mapped = Trainer(model, SoftmaxCrossEntropy(), SGD(0.1))
    with pytest.raises(RuntimeError, match=r"mapped from a file.*copy\.deepcopy\(model\)"):
        mapped.fit(given, epochs=1, progress=False)
    with pytest.raises(RuntimeError, match="mapped from a file"):
        model.parameters.restore(trainer.model.parameters.snapshot())
    free = copy.deepcopy(model)
    Trainer(free, SoftmaxCrossEntropy(), SGD(0.1)).fit(given, epochs=1, progress=False)
    assert np.array_equal(model.predict(given.x), trainer.model.predict(given.x))


def test_a_joblib_file_is_as_small(tmp_path):
    trainer, given = trained()
    file = io.BytesIO()
    joblib.dump(trainer.model, file)
    assert len(file.getvalue()) < 1.1 * sum(p.value.nbytes for p in trainer.model.named_parameters().values())
    assert not holds_a_row(file.getvalue(), given.x)


@pytest.mark.needs_skops
def test_a_file_of_skops_is_as_small_and_holds_no_row():
    import zipfile

    from skops.io import dumps, get_untrusted_types, loads

    trainer, given = trained()
    text = dumps(trainer.model, compression=zipfile.ZIP_DEFLATED)
    assert len(text) < 1.1 * sum(p.value.nbytes for p in trainer.model.named_parameters().values())
    with zipfile.ZipFile(io.BytesIO(text)) as archive:
        assert not any(holds_a_row(archive.read(name), given.x) for name in archive.namelist())
    again = loads(text, trusted=get_untrusted_types(data=text))
    assert np.array_equal(again.predict(given.x), trainer.model.predict(given.x))

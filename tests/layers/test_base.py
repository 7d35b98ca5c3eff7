"""What every layer is given: finding its parameters, build, modes, predict, copies."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Queue
from threading import Barrier, Condition, Event, Semaphore

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import (
    SGD,
    Dataset,
    Layer,
    Linear,
    MeanSquaredError,
    Parameter,
    ReLU,
    Sequential,
    ShapeError,
    Sigmoid,
    Softmax,
    State,
    Tanh,
    Trainer,
)
from minidl.initializers import normal, ones, zeros
from minidl.layers import modes
from minidl.layers.owning import owned

X = np.random.default_rng(0).normal(size=(37, 4)).astype(np.float32)
CLONES = pytest.mark.parametrize("clone", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])


class Noise(Layer):
    """y = x + noise while training, and x otherwise; it counts its calls."""

    def __init__(self):
        self.count = State((1,), zeros)

    def forward(self, x):
        self.count.value += 1
        return x + self.rng.normal(size=x.shape).astype(x.dtype) if self.training else x

    def backward(self, dy):
        return dy


class Branches(Layer):
    """y = sum over the branches of gain * branch(x), with its parts in lists, tuples and dicts."""

    def __init__(self, width):
        self.blocks = [Linear(width, width), Sequential(Sigmoid(), Linear(width, width))]
        self.gains = {"left": Parameter((width,), ones, decay=False), "right": Parameter((width,), ones)}
        self.deep = ({"offsets": [Parameter((width,), zeros), None]}, "text", 3)

    def forward(self, x):
        self.outputs = [block.forward(x) for block in self.blocks]
        gained = (gain.value * y for gain, y in zip(self.gains.values(), self.outputs, strict=True))
        return sum(gained) + self.deep[0]["offsets"][0].value

    def backward(self, dy):
        self.deep[0]["offsets"][0].grad = dy.sum(axis=0)
        dx = 0
        for gain, y, block in zip(self.gains.values(), self.outputs, self.blocks, strict=True):
            gain.grad = (dy * y).sum(axis=0)
            dx = dx + block.backward(dy * gain.value)
        return dx


def network(*between):
    return Sequential(Linear(4, 5), *between, Sigmoid(), Linear(5, 3))


def values(model, **build):
    return model.build(**build).parameters.value


# Finding parameters


def test_parameters_and_layers_in_lists_tuples_and_dicts_are_found_named_and_trained():
    layer = Branches(4).build(seed=1)
    assert list(layer.parameters.named) == [
        "gains.left",
        "gains.right",
        "deep.0.offsets.0",
        "blocks.0.weight",
        "blocks.0.bias",
        "blocks.1.1.weight",
        "blocks.1.1.bias",
    ]
    before = layer.parameters.value.copy()
    layer.backward(np.ones_like(layer.forward(X)))
    SGD(0.1).step(layer.parameters)
    assert (layer.parameters.value != before).all()


def test_what_the_constructor_was_given_is_not_searched_a_second_time():
    class Wrapper(Layer):
        def __init__(self, inner, *, spare):
            self.inner = inner

    spare = Linear(2, 2)
    assert list(Wrapper(Linear(4, 4), spare=[spare]).named_parameters()) == ["inner.weight", "inner.bias"]


def test_one_parameter_in_two_places_is_refused():
    class Tied(Layer):
        def __init__(self):
            self.first = Parameter((2,), ones)
            self.second = [self.first]

    with pytest.raises(ValueError, match=r"every parameter in one place only, received Parameter\(\(2,\)\) in two"):
        Tied().build()


def test_layers_inside_come_parents_first():
    model = Sequential(Sequential(Linear(2, 2)), Sigmoid())
    assert [type(layer).__name__ for layer in model.layers_inside()] == [
        "Sequential",
        "Sequential",
        "Linear",
        "Sigmoid",
    ]


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_a_layer_without_one_of_its_halves_says_which_to_define(method):
    with pytest.raises(TypeError, match=rf"Layer must define {method}\(self, "):
        getattr(Layer(), method)(X)


# Build


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    assert values(network(), seed=7).tobytes() == values(network(), seed=7).tobytes()
    assert (network().build(seed=7)[0].weight.value != network().build(seed=8)[0].weight.value).all()


def test_a_float32_model_starts_from_the_rounded_numbers_of_the_float64_one():
    small, large = values(network()), values(network(), dtype=np.float64)
    assert (small.dtype, large.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(small, large.astype(np.float32))


@pytest.mark.parametrize("between", [[Sigmoid()], [Noise()], [Sequential(Tanh(), Noise()), Softmax()]])
def test_a_layer_without_parameters_moves_no_initial_weight(between):
    np.testing.assert_array_equal(values(network(*between), seed=5), values(network(), seed=5))


def test_building_again_draws_the_same_seed_anew_and_unties_the_old_vectors():
    model = network().build(seed=1)
    old, start = model.parameters, model.parameters.value.copy()
    model.backward(np.ones_like(model.forward(X)))
    model.parameters.value += 1
    assert model.build(seed=1) is model
    np.testing.assert_array_equal(model.parameters.value, start)
    np.testing.assert_array_equal(model.parameters.grad, 0)
    old.value[:] = np.nan
    assert np.isfinite(model.predict(X)).all()
    assert (values(model, seed=2)[:20] != start[:20]).all()


def test_a_layer_built_before_it_was_put_into_a_model_belongs_to_the_model():
    layer = Linear(4, 5).build(seed=1)
    model = Sequential(layer, Linear(5, 3)).build(seed=2)
    assert np.shares_memory(layer.weight.value, model.parameters.value)
    assert "parameters" not in vars(layer)
    np.testing.assert_array_equal(copy.deepcopy(layer).weight.value, layer.weight.value)


class Named(Layer):
    """A layer with attributes of any names."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def forward(self, x):
        return x

    backward = forward


class OwnStream(Named):
    def __init__(self):
        self.rng = np.random.default_rng(0)


class OwnMode(Named):
    def __init__(self):
        self.training = True


class OwnStore(Named):
    @property
    def parameters(self):
        return []


class OwnChildren(Named):
    children = (Linear(4, 4),)


class OwnSave(Named):
    @property
    def save(self):
        return True


COLLIDING = [
    (OwnChildren(), "children"),
    (OwnSave(), "save"),
    (Named(parameters=[Parameter((4,), ones)]), "parameters"),
    (Named(rng=3), "rng"),
    (Named(training="yes"), "training"),
    (OwnStream(), "rng"),
    (OwnMode(), "training"),
    (OwnStore(), "parameters"),
    (Named(children=[]), "children"),
    (Named(save=True), "save"),
]


@pytest.mark.parametrize(("layer", "name"), COLLIDING)
@pytest.mark.parametrize("within", [lambda layer: layer, lambda layer: Sequential(Linear(4, 4), Sequential(layer))])
def test_an_attribute_with_a_name_of_the_base_is_refused_at_build(layer, name, within):
    with pytest.raises(ValueError, match=rf"leave the name '{name}' to .*, received its own {name}=.+: rename it"):
        within(layer).build()


def test_what_build_and_training_set_is_no_collision():
    model = Sequential(Linear(4, 3), Named(forward=lambda x: 2 * x, training=False, mode=1)).build()
    with model.train_mode():
        pass
    for again in (model, copy.deepcopy(model), Sequential(*model)):
        assert again.build(seed=1).predict(X).shape == (len(X), 3)


@pytest.mark.parametrize("name", ["trainable", "requires_grad"])
@pytest.mark.parametrize("thing", [Linear(2, 2), Linear(2, 2).weight, Sequential(Linear(2, 2))])
def test_what_would_freeze_elsewhere_is_refused_with_what_to_do(thing, name):
    with pytest.raises(AttributeError, match=rf"received {name}=False: freeze by name, .*parameters\.freeze"):
        setattr(thing, name, False)
    assert not hasattr(thing, name)


def test_numbers_are_not_assigned_by_the_name_of_others():
    with pytest.raises(AttributeError, match=r"received data=.*: its numbers are its value: assign to that"):
        Linear(2, 2).weight.data = np.zeros((2, 2))


def test_a_layer_may_mean_something_of_its_own_by_such_a_name():
    class Gate(Named):
        def __init__(self, trainable):
            self.trainable = trainable

    gate = Gate(trainable=3).build()
    gate.trainable += 1
    assert (gate.trainable, copy.deepcopy(gate).trainable) == (4, 4)


@pytest.mark.parametrize("dtype", [np.float16, int, np.int64, complex, bool, ">f4", "U3", None])
def test_a_dtype_other_than_the_two_is_refused(dtype):
    with pytest.raises(ValueError, match="expected dtype to be float32 or float64, received dtype="):
        network().build(dtype=dtype)


@pytest.mark.parametrize("dtype", [float, "float64", np.dtype("f8"), "d"])
def test_a_dtype_may_be_written_as_numpy_takes_it(dtype):
    assert network().build(dtype=dtype).parameters.dtype == np.float64


@pytest.mark.parametrize("seed", [-1, 0.5, 1.0, None, True, "1"])
def test_a_seed_that_is_no_natural_number_is_refused(seed):
    with pytest.raises(ValueError, match="expected seed to be an integer >= 0, received seed="):
        network().build(seed=seed)


def test_every_layer_has_a_stream_of_its_own_apart_from_the_initial_values():
    def draws(seed):
        model = Sequential(Noise(), Linear(4, 4, weight_init=normal(1.0)), Sequential(Noise())).build(seed=seed)
        inside = [layer.rng.normal(size=16) for layer in model.layers_inside()]
        return np.array([*inside, model[1].weight.value.reshape(-1)])

    first = draws(0)
    assert len(np.unique(first)) == first.size
    np.testing.assert_array_equal(draws(0), first)
    assert (draws(1) != first).all()


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda model: model.forward(X), RuntimeError),
        (lambda model: model.predict(X), RuntimeError),
        (lambda model: model[0].weight.value, RuntimeError),
        (lambda model: model[0].weight.grad, RuntimeError),
        (lambda model: model.parameters, AttributeError),
        (lambda model: Sequential(Noise()).predict(X), RuntimeError),
        (lambda model: model.rng, AttributeError),
    ],
)
def test_use_before_build_says_what_to_call(use, error):
    with pytest.raises(error, match=r"build\(seed=...\) on the outermost layer"):
        use(network())


def test_a_model_without_parameters_builds_trains_and_predicts():
    model = Sequential(Sigmoid(), Tanh()).build()
    assert (model.parameters.size, model.parameters.named) == (0, {})
    model.backward(np.ones_like(model.forward(X)))
    SGD(0.1).step(model.parameters)
    assert model.predict(X).shape == X.shape


# Training and inference


def modes_of(model):
    return [layer.training for layer in model.layers_inside()]


def test_training_is_a_block_for_every_layer_inside_and_inference_the_default():
    model = Sequential(Noise(), Sequential(Noise())).build()
    assert modes_of(model) == [False] * 4
    with model.train_mode() as entered:
        assert entered is model
        assert modes_of(model) == [True] * 4
    assert modes_of(model) == [False] * 4


def test_training_nests_and_gives_back_the_mode_it_found():
    model = Sequential(Noise(), Sequential(Noise())).build()
    with model[1].train_mode():
        with model.train_mode(), model.train_mode():
            assert modes_of(model) == [True] * 4
        assert modes_of(model) == [False, False, True, True]
    assert modes_of(model) == [False] * 4


def test_the_mode_is_given_back_after_an_exception():
    model = network().build()
    with pytest.raises(ShapeError), model.train_mode():
        model.forward(X[:, 1:])
    assert modes_of(model) == [False] * 4
    with model.train_mode():
        with pytest.raises(ShapeError):
            model.predict(X[:, 1:])
        assert modes_of(model) == [True] * 4


def test_predict_is_inference_also_while_training():
    model = network(Noise()).build()
    expected = model.predict(X)
    with model.train_mode():
        assert not np.allclose(model.forward(X), expected)
        np.testing.assert_array_equal(model.predict(X), expected)
        assert modes_of(model) == [True] * 5


@given(st.integers(1, 50))
def test_predict_gives_the_same_at_any_batch_size(batch_size):
    model = network().build()
    np.testing.assert_allclose(model.predict(X, batch_size=batch_size), model.forward(X), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("shape", "sizes"), [((2,), [1024, 6]), ((1, 2, 2), [128] * 8 + [6]), ((3, 2), [128] * 8 + [6])]
)
def test_vectors_are_predicted_in_larger_batches_than_images(shape, sizes):
    class Counting(Layer):
        def forward(self, x):
            seen.append(len(x))
            return x

    seen = []
    Counting().build().predict(np.zeros((1030, *shape), np.float32))
    assert seen == sizes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predict_of_no_rows_gives_no_rows_of_the_right_width(dtype):
    y = network(Softmax()).build(dtype=dtype).predict(X[:0])
    assert (y.shape, y.dtype) == ((0, 3), dtype)


def test_predict_casts_bytes_doubles_big_endians_and_mapped_files_to_the_model(tmp_path):
    model, bytes_ = network().build(), (X * 50 + 128).astype(np.uint8)
    stored = np.memmap(tmp_path / "x", bytes_.dtype, "w+", shape=bytes_.shape)
    stored[:] = bytes_
    expected = model.forward(bytes_.astype(np.float32))
    for x in (bytes_, bytes_.astype(np.float64), bytes_.astype(">f8"), np.asfortranarray(bytes_), stored):
        y = model.predict(x, batch_size=10)
        assert (type(y), y.dtype) == (np.ndarray, np.float32)
        np.testing.assert_allclose(y, expected, rtol=1e-5)


@pytest.mark.parametrize("make", [network, lambda: Sequential(), lambda: Sequential(Noise())])
def test_the_prediction_is_the_caller_s_own(make):
    model = make().build()
    y = model.predict(X)
    kept = y.copy()
    y[:] = np.nan
    np.testing.assert_array_equal(model.predict(X), kept)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, "all", True])
def test_a_batch_size_that_is_no_positive_integer_is_refused(batch_size):
    with pytest.raises(ValueError, match="expected batch_size to be an integer >= 1, received"):
        network().build().predict(X, batch_size=batch_size)


@pytest.mark.parametrize(("given", "got"), [(np.float64, np.float64), (np.float32, np.float32), (np.uint8, np.float32)])
def test_without_parameters_predict_keeps_floats_and_makes_float32_of_the_rest(given, got):
    assert Sigmoid().predict(np.ones((2, 3), given)).dtype == got


# Copies


@CLONES
@pytest.mark.parametrize("make", [network, partial(network, Noise()), partial(Branches, 4)])
def test_a_copy_is_trained_apart_from_the_original(clone, make):
    model = make().build(seed=3)
    expected = model.predict(X)
    before, twin = model.parameters.snapshot(), clone(model)
    np.testing.assert_array_equal(twin.predict(X), expected)
    twin.backward(np.ones_like(twin.forward(X)))
    SGD(0.1).step(twin.parameters)
    for parameter in twin.named_parameters().values():
        assert np.shares_memory(parameter.value, twin.parameters.value)
        assert np.shares_memory(parameter.grad, twin.parameters.grad)
    assert not np.allclose(twin.predict(X), expected)
    for name, value in model.parameters.snapshot().items():
        np.testing.assert_array_equal(value, before[name])
    np.testing.assert_array_equal(model.predict(X), expected)


@CLONES
def test_a_copy_goes_on_in_the_random_streams_where_the_original_is(clone):
    model = Sequential(Noise()).build(seed=1)
    with model.train_mode():
        model.forward(X)
        twin = clone(model)
        assert not twin.training  # a copy is at inference, wherever it was taken
        with twin.train_mode():
            np.testing.assert_array_equal(twin.forward(X), model.forward(X))


@CLONES
def test_a_copy_of_one_layer_of_a_model_stands_alone(clone):
    model = network().build()
    twin = clone(model[0])
    np.testing.assert_array_equal(twin.forward(X), model[0].forward(X))
    before = model.parameters.value.copy()
    twin.weight.value += 1
    twin.backward(np.ones((37, 5), np.float32))
    np.testing.assert_array_equal(model.parameters.value, before)
    np.testing.assert_array_equal(model.parameters.grad, 0)
    assert twin.bias.grad.tolist() == [37] * 5


@CLONES
def test_a_model_not_built_can_be_copied_and_built(clone):
    np.testing.assert_array_equal(values(clone(network()), seed=4), values(network(), seed=4))


# What is not there

BUILT = network().build()


def message(thing, name):
    with pytest.raises(AttributeError) as error:
        getattr(thing, name)
    return str(error.value)


@pytest.mark.parametrize(
    ("layer", "name", "advice"),
    [
        (Linear(4, 3), "x", "call forward first"),
        (ReLU(), "x", "call forward first"),
        (Tanh(), "y", "call forward first"),
        (Linear(4, 3), "rng", "call build(seed=...) on the outermost layer first"),
        (Linear(4, 3), "parameters", "call build(seed=...) on the outermost layer first"),
        (
            network().build()[0],
            "parameters",
            "the outermost layer of its model has them, its own are named_parameters()",
        ),
        (Linear(4, 3), "wieght", "did you mean 'weight'?"),
        (Linear(4, 3), "weights", "did you mean 'weight'?"),
        (network(), "preditc", "did you mean 'predict'?"),
        (network(), "summary", "print(model) shows a Sequential as a table"),
        (network(), "fit", "Trainer(model, loss, optimizer) trains and judges a model: see its fit and evaluate"),
        (network(), "eval", "inference is the default, and training is a block: with model.train_mode(): ..."),
        (network(), "state_dict", "save(path) writes every number by name; parameters.snapshot() returns them"),
        (network(), "load_weights", "load(path) reads every parameter and state by name"),
        (network(), "zero_grad", "backward sets every gradient and never adds, so there is nothing to clear"),
        (network(), "add", "a Sequential is made at once: Sequential(*model, layer), which is then built"),
    ],
)
def test_a_missing_attribute_of_a_layer_says_what_to_do(layer, name, advice):
    assert message(layer, name) == f"{type(layer).__name__} has no attribute {name!r}: {advice}"


@pytest.mark.parametrize(
    ("layer", "name"), [(ReLU(), "y"), (ReLU(), "momentum"), (network(), "x"), (Linear(4, 3), "s")]
)
def test_of_what_no_forward_sets_nothing_is_said(layer, name):
    assert message(layer, name) == f"{type(layer).__name__} has no attribute {name!r}"


class Sparse:
    def toarray(self):
        return X


@pytest.mark.parametrize(
    ("x", "error", "advice"),
    [
        (X.astype(complex), ValueError, "give the real and the imaginary part as two features"),
        (X.astype(str), ValueError, "encode strings as integer labels"),
        (X.astype(object), ValueError, "convert objects"),
        (np.array(["2026-11-27"], "datetime64[D]"), ValueError, "expected x to hold numbers"),
        (None, TypeError, "received NoneType"),
        (Sparse(), TypeError, r"received Sparse: use x.toarray\(\)"),
        (np.asarray(Sparse()), ValueError, r"it holds one Sparse, .* \.toarray\(\)"),
        (np.ma.masked_array(X), TypeError, r"x.filled\(0\)"),
    ],
)
def test_predict_refuses_what_fit_refuses(x, error, advice):
    model = Sequential(Linear(X.shape[1], 2)).build()
    for call in (model.predict, lambda x: Dataset(x, np.zeros(len(X)))):
        with pytest.raises(error, match=advice):
            call(x)


def test_predict_takes_lists_of_numbers():
    model = Sequential(Linear(X.shape[1], 2)).build()
    np.testing.assert_array_equal(model.predict(X.tolist()), model.predict(X))


class Uncertain(Layer):
    """Predicts with its inner layer in training mode, as Monte Carlo dropout does."""

    def __init__(self):
        self.inner = Noise()

    def forward(self, x):
        with self.inner.train_mode():
            return self.inner.forward(x)


def in_another_thread(call):
    """What a call returns, or the error it raises, in another thread."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(call)
        return future.exception(timeout=10) or future.result()


def test_while_a_model_trains_it_is_refused_in_other_threads_and_a_copy_is_not():
    model = Sequential(Linear(4, 3), Tanh(), Linear(3, 2)).build()
    wanted = model.predict(X)
    with model.train_mode():
        for call in (lambda: model.predict(X), lambda: model[:1].predict(X), lambda: model.train_mode().__enter__()):
            assert "expected a model in one thread while it trains" in str(in_another_thread(call))
        np.testing.assert_array_equal(in_another_thread(lambda: copy.deepcopy(model).predict(X)), wanted)
        assert all(layer.training for layer in model.layers_inside())
        np.testing.assert_array_equal(model.predict(X), wanted)
    np.testing.assert_array_equal(in_another_thread(lambda: model.predict(X)), wanted)


def test_training_waits_for_predictions_of_other_threads():
    class Slow(Tanh):
        def forward(self, x):
            if not self.training:
                inside.set()
                assert go_on.wait(10)
            return super().forward(x)

    model, inside, go_on, entered = Sequential(Slow()), Event(), Event(), Event()

    def train():
        with model.train_mode():
            entered.set()
            return model.training and model[0].training

    with ThreadPoolExecutor(2) as pool:
        predicting = pool.submit(model.predict, X)
        assert inside.wait(10)
        training = pool.submit(train)
        assert not entered.wait(0.05)
        go_on.set()
        assert training.result(10)
        np.testing.assert_array_equal(predicting.result(10), np.tanh(X))
    assert not model[0].training


class Calling(Tanh):
    """Does something else during a prediction."""

    def __init__(self, call):
        self.call = call

    def forward(self, x):
        if not self.training:
            self.call()
        return super().forward(x)


def test_two_models_that_wait_for_each_other_are_refused_and_not_locked():
    both = Barrier(2)

    def crossing(other):
        both.wait(10)
        with models[other].train_mode():
            pass

    models = [Sequential(Calling(lambda: crossing(1))).build(), Sequential(Calling(lambda: crossing(0))).build()]
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(model.predict, X) for model in models]
        errors = [str(future.exception(timeout=10)) for future in futures]
    assert any("expected a model in one thread while it trains" in error for error in errors)
    assert not any(layer.training for model in models for layer in model.layers_inside())


@pytest.fixture
def told(monkeypatch):
    """A queue of what threads do: each forward of a prediction that begins, and each wait for another thread."""

    class Watched(Condition):
        def wait(self, timeout=None):
            told.put("waits")
            return super().wait(timeout)

    told = Queue()
    monkeypatch.setattr(modes, "_changes", Watched())
    return told


def test_predictions_that_come_while_training_waits_wait_in_turn(told):
    model, go_on, trained, done = Sequential(Calling(lambda: held())).build(), Semaphore(0), Event(), Event()

    def held():
        told.put("predicts")
        assert go_on.acquire(timeout=10)

    def train():
        with model.train_mode():
            trained.set()
            assert done.wait(10)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(model.predict, X)
        assert told.get(timeout=10) == "predicts"
        training = pool.submit(train)
        assert told.get(timeout=10) == "waits"
        later = [pool.submit(model.predict, X) for _ in range(2)]
        assert [told.get(timeout=10) for _ in later] == ["waits", "waits"]
        go_on.release()
        assert trained.wait(10)
        np.testing.assert_array_equal(first.result(10), np.tanh(X))
        for prediction in later:
            assert "expected a model in one thread while it trains" in str(prediction.exception(10))
        done.set()
        assert training.exception(10) is None
    go_on.release()
    np.testing.assert_array_equal(model.predict(X), np.tanh(X))


def test_training_waits_for_as_many_predictions_as_were_under_way(told, monkeypatch):
    monkeypatch.setattr(modes, "PATIENCE", 10.0)
    model, go_on = Sequential(Calling(lambda: held())).build(), Semaphore(0)

    def held():
        told.put("predicts")
        assert go_on.acquire(timeout=10)

    with ThreadPoolExecutor(4) as pool:
        predictions = [pool.submit(model.predict, X) for _ in range(3)]
        assert [told.get(timeout=10) for _ in predictions] == ["predicts"] * 3
        training = pool.submit(lambda: model.train_mode().__enter__())
        for _ in predictions:
            assert told.get(timeout=10) == "waits"
            go_on.release()
        assert training.exception(10) is None
        for prediction in predictions:
            np.testing.assert_array_equal(prediction.result(10), np.tanh(X))


def test_a_prediction_inside_of_a_prediction_waits_for_nobody(told):
    inner = Sequential(Tanh())
    model, go_on = Sequential(Calling(lambda: (held(), inner.predict(X))), inner).build(), Semaphore(0)

    def held():
        told.put("predicts")
        assert go_on.acquire(timeout=10)

    with ThreadPoolExecutor(2) as pool:
        prediction = pool.submit(model.predict, X)
        assert told.get(timeout=10) == "predicts"
        training = pool.submit(lambda: model.train_mode().__enter__())
        assert told.get(timeout=10) == "waits"
        go_on.release()
        np.testing.assert_array_equal(prediction.result(10), np.tanh(np.tanh(X)))
        assert training.exception(10) is None


def test_a_prediction_that_waits_for_its_own_training_is_refused(monkeypatch):
    monkeypatch.setattr(modes, "PATIENCE", 0.05)
    model = Sequential(Calling(lambda: found.append(in_another_thread(lambda: model.train_mode().__enter__())))).build()
    found = []
    model.predict(X)
    assert "received a call from" in str(found[0])
    assert "while 'MainThread' uses it" in str(found[0])


def test_a_thread_that_ended_inside_its_training_block_locks_nothing():
    model = Sequential(Tanh()).build()
    abandoned = []
    in_another_thread(lambda: abandoned.append(model.train_mode()) or abandoned[0].__enter__())
    model.predict(X)
    with model.train_mode():
        assert model[0].training
    assert not model[0].training


class Slotted(Tanh):
    __slots__ = ("width",)

    def __init__(self, width):
        self.width = width


@CLONES
def test_slots_go_along_with_a_copy(clone):
    assert clone(Sequential(Slotted(3)).build())[0].width == 3


def test_a_layer_may_train_inside_its_own_prediction():
    model = Sequential(Uncertain()).build()
    assert not np.array_equal(model.predict(X), X)
    assert not any(layer.training for layer in model.layers_inside())


def test_what_a_layer_holds_is_looked_at_while_another_thread_keeps_something_new():
    model = Sequential(Linear(4, 4), Linear(4, 3))
    for name, _ in owned(vars(model), Layer):
        setattr(model, f"kept by the forward of another thread: {name}", 1)
    assert list(model.children()) == ["0", "1"]


@pytest.mark.parametrize("layer", [Linear(2, 2), Sequential(Linear(2, 2))])
def test_a_call_of_a_model_says_what_to_write(layer):
    with pytest.raises(TypeError, match=r"a call of .*Linear\(2, 2\)\)?: forward\(x\) is one batch, predict\("):
        layer(X)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("row", [0, 1500])
def test_predict_refuses_numbers_that_are_not_finite_with_their_place(value, row):
    model, x = Linear(4, 2).build(), np.zeros((2000, 4))
    x[row, 2] = value
    with pytest.raises(ValueError, match=rf"expected numbers that are finite in float32, received x\[{row}, 2\]="):
        model.predict(x)
    with pytest.raises(ValueError, match=r"received x\[\d+, 2\]="):
        Trainer(model, MeanSquaredError(), SGD(0.1)).evaluate((x, np.zeros((2000, 2))))


def test_predict_takes_finite_numbers_whose_sum_is_not():
    x = np.full((3, 4), np.finfo(np.float32).max)
    np.testing.assert_array_equal(Tanh().build().predict(x), np.ones_like(x))


def test_predict_refuses_lists_of_several_lengths():
    with pytest.raises(ValueError, match="expected x to hold numbers, received rows of several lengths: pad them"):
        Linear(2, 2).build().predict([[1.0, 2.0], [1.0]])


@pytest.mark.parametrize("value", [True, False])
def test_a_flag_of_ones_own_called_training_is_refused_whatever_it_is(value):
    class Flagged(Tanh):
        def __init__(self):
            self.training = value

    with pytest.raises(ValueError, match="expected Flagged to leave the name 'training' to Layer, received"):
        Flagged().build(seed=0)

"""Models and runs that would train on nonsense are refused."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import numpy as np
import pytest

from minidl import (
    L2,
    SGD,
    Adam,
    BinaryCrossEntropy,
    Callback,
    EarlyStopping,
    Layer,
    Linear,
    MeanSquaredError,
    Parameter,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    Trainer,
    accuracy,
    binary_accuracy,
)
from minidl.initializers import ones

DATA = (np.eye(4, 3, dtype=np.float32), np.array([0, 1, 1, 0]))


@pytest.mark.parametrize(
    ("last", "loss"), [(Softmax(), SoftmaxCrossEntropy()), (Sequential(Sigmoid()), BinaryCrossEntropy())]
)
def test_a_loss_of_raw_scores_refuses_a_model_that_ends_in_its_own_nonlinearity(last, loss):
    with pytest.raises(ValueError, match="expected raw scores"):
        Trainer(Sequential(Linear(3, 2), last).build(), loss, SGD(0.1))


def test_probabilities_are_not_counted_as_raw_scores():
    model, data = Sequential(Linear(3, 1), Sigmoid()).build(), (DATA[0], DATA[1][:, None])
    one = Trainer(model, MeanSquaredError(), SGD(0.1), metrics={"hits": binary_accuracy})
    for call in (one.evaluate, lambda data: one.fit(data, epochs=1)):
        with pytest.raises(
            ValueError, match=r"expected raw scores for binary_accuracy.* model that ends in Sigmoid\(\)"
        ):
            call(data)


class Forgetful(Layer):
    def __init__(self):
        self.gain = Parameter((3,), ones)

    def forward(self, x):
        return x * self.gain.value

    def backward(self, dy):
        return dy * self.gain.value


def test_a_backward_that_sets_no_gradient_is_refused_before_the_first_step():
    model = Sequential(Forgetful(), Linear(3, 2)).build()
    with pytest.raises(ValueError, match=r"received none for \['0\.gain'\]"):
        Trainer(model, SoftmaxCrossEntropy(), SGD(0.1)).fit(DATA, epochs=1, progress=False)


def test_a_backward_that_returns_nothing_is_named():
    class Silent(Layer):
        def forward(self, x):
            return x * 1

        def backward(self, dy):
            pass

    model = Sequential(Linear(3, 3), Silent(), Linear(3, 2)).build()
    model.forward(DATA[0])
    with pytest.raises(TypeError, match=r"backward of layer 1, Silent\(\), returned None"):
        model.backward(np.ones((4, 2), np.float32))


def trainer(**options):
    return Trainer(Sequential(Linear(3, 2)).build(), SoftmaxCrossEntropy(), SGD(0.1), **options)


def test_a_fit_inside_a_fit_is_refused():
    class Again(Callback):
        def on_epoch_end(self, trainer):
            trainer.fit(DATA, epochs=1, progress=False)

    with pytest.raises(RuntimeError, match="one fit at a time"):
        trainer(callbacks=[Again()]).fit(DATA, epochs=2, progress=False)


def test_which_way_is_better_must_be_said_for_a_metric():
    with pytest.raises(ValueError, match="expected mode='max' or mode='min' with monitor='validation_accuracy'"):
        EarlyStopping("validation_accuracy")
    assert EarlyStopping("validation_cost").mode == "min"


def test_metrics_cannot_write_into_what_they_are_given():
    def greedy(scores, targets):
        scores[...] = 0
        return 0.0

    with pytest.raises(ValueError, match="read-only"):
        trainer(metrics=[greedy]).evaluate(DATA)


def test_a_run_stopped_at_the_end_of_an_epoch_is_evaluated():
    class Enough(Callback):
        def on_epoch_end(self, trainer):
            trainer.stop("enough")

    history = trainer(callbacks=[Enough()]).fit(DATA, DATA, epochs=9, validate_every=3.0, progress=False)
    assert history.evaluations["step"] == [1]
    assert history.best_step == 1


def test_rows_of_weight_zero_cost_nothing_even_where_they_overflow():
    x = np.array([[1, 0, 0], [1e30, 0, 0]], np.float32)
    history = trainer().fit((x * 1e8, np.array([0, 1]), np.array([1.0, 0.0])), epochs=1, progress=False)
    assert history.stopped_because == "limit: 1 epochs"


def test_weights_too_small_for_float32_still_count():
    tiny = np.full(4, 1e-60)
    one, other = trainer(), trainer()
    one.fit((*DATA, tiny), epochs=3, progress=False)
    other.fit(DATA, epochs=3, progress=False)
    np.testing.assert_allclose(one.model.parameters.value, other.model.parameters.value, rtol=1e-6)


@pytest.mark.parametrize(
    ("augment", "message"),
    [(lambda x, rng: x[:1], "expected augment to return 4 rows"), (lambda x, rng: x.astype(np.float64), None)],
)
def test_what_augment_returns_is_cast_and_counted(augment, message):
    if message is None:
        assert trainer().fit(DATA, epochs=1, augment=augment, progress=False).stopped_because == "limit: 1 epochs"
    else:
        with pytest.raises(ValueError, match=message):
            trainer().fit(DATA, epochs=1, augment=augment, progress=False)


def test_a_hook_on_an_object_is_called_and_a_misspelt_one_refused():
    calls, callback, typo = [], Callback(), Callback()
    callback.on_step_end = calls.append
    trainer(callbacks=[callback]).fit(DATA, epochs=1, progress=False)
    assert len(calls) == 1
    typo.on_step_ends = calls.append
    with pytest.raises(TypeError, match="did you mean 'on_step_end'"):
        trainer(callbacks=[typo])


@pytest.mark.parametrize("shared", ["loss", "callback"])
def test_a_loss_or_callback_of_a_run_in_another_thread_is_refused(shared):
    loss, stopping = SoftmaxCrossEntropy(), EarlyStopping()
    second = []

    class Meanwhile(Callback):
        def on_step_end(self, trainer):
            with ThreadPoolExecutor(1) as pool:
                second.append(pool.submit(train, callbacks=[stopping]).exception(10))

    def train(callbacks):
        model = Sequential(Linear(3, 2)).build()
        own = loss if shared == "loss" else SoftmaxCrossEntropy()
        callbacks = callbacks if shared == "callback" else [c for c in callbacks if c is not stopping]
        return Trainer(model, own, SGD(0.1), callbacks=callbacks).fit(DATA, DATA, epochs=1, progress=False)

    train([Meanwhile(), stopping])
    assert "in one run at a time, received it for a second in another thread" in str(second[0])
    assert train([stopping]).stopped_because == "limit: 1 epochs"


def test_predictions_of_other_threads_never_end_a_run_that_begins():
    one, done = trainer(), Event()

    def predict():
        while not done.is_set():
            with suppress(RuntimeError):  # refused while it trains
                one.model.predict(DATA[0])

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(1) as pool:
            predicting = pool.submit(predict)
            try:
                reasons = {one.fit(DATA, epochs=1, progress=False).stopped_because for _ in range(20)}
            finally:
                done.set()
            predicting.result(10)
    finally:
        sys.setswitchinterval(before)
    assert reasons == {"limit: 1 epochs"}


def test_a_run_inside_a_hook_may_use_the_same_loss():
    class Inner(Callback):
        def on_fit_end(self, one):
            Trainer(Sequential(Linear(3, 2)).build(), one.loss, SGD(0.1)).fit(DATA, epochs=1, progress=False)

    assert trainer(callbacks=[Inner()]).fit(DATA, epochs=1, progress=False).stopped_because == "limit: 1 epochs"


@pytest.mark.parametrize("setting", ["raise", "ignore", "warn"])
def test_settings_of_numpy_change_no_bit_of_a_run(setting):
    def train():
        model = Sequential(Linear(3, 8), Tanh(), Linear(8, 2)).build(seed=0)
        model.parameters.value *= 200
        one = Trainer(model, SoftmaxCrossEntropy(), Adam(0.1), regularizers=[L2(1e-30)], metrics=[accuracy])
        history = one.fit(DATA, DATA, epochs=3, progress=False)
        return model.parameters.value, history.evaluations["validation_loss"], model.predict(DATA[0] * 1e-30)

    wanted = train()
    with np.errstate(all=setting):
        received = train()
    for a, b in zip(received, wanted, strict=True):
        np.testing.assert_array_equal(a, b)

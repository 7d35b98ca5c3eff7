"""Models and runs that would train on nonsense are refused."""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from functools import partial
from threading import Barrier, Event, Thread

import numpy as np
import pytest

from minidl import (
    L2,
    SGD,
    Adam,
    BinaryCrossEntropy,
    Callback,
    Checkpoint,
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
    f1_score,
    subset_accuracy,
)
from minidl.initializers import ones

DATA = (np.eye(4, 3, dtype=np.float32), np.array([0, 1, 1, 0]))


@pytest.mark.parametrize(
    ("last", "loss"), [(Softmax(), SoftmaxCrossEntropy()), (Sequential(Sigmoid()), BinaryCrossEntropy())]
)
def test_a_loss_of_raw_scores_refuses_a_model_that_ends_in_its_own_nonlinearity(last, loss):
    with pytest.raises(ValueError, match="expected raw scores"):
        Trainer(Sequential(Linear(3, 2), last).build(), loss, SGD(0.1))


@pytest.mark.parametrize("metric", [binary_accuracy, f1_score, subset_accuracy])
def test_probabilities_are_not_counted_as_raw_scores(metric):
    model, data = Sequential(Linear(3, 1), Sigmoid()).build(), (DATA[0], DATA[1][:, None])
    one = Trainer(model, MeanSquaredError(), SGD(0.1), metrics={"hits": metric})
    for call in (one.evaluate, lambda data: one.fit(data, epochs=1)):
        message = rf"expected raw scores for {metric.__name__}, .* model that ends in Sigmoid\(\)"
        with pytest.raises(ValueError, match=message):
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


def fit(*, validation=DATA, optimizer=None, callbacks=(), metrics=(), regularizers=(), **settings):
    model = Sequential(Linear(3, 2)).build(seed=0)
    one = Trainer(
        model,
        SoftmaxCrossEntropy(),
        SGD(0.1) if optimizer is None else optimizer,
        regularizers=regularizers,
        metrics=metrics,
        callbacks=callbacks,
    )
    return one.fit(DATA, validation, epochs=2, progress=False, **settings)


def yielding(*_):
    yield 1


async def awaiting(*_):
    return 1


@pytest.mark.parametrize("function", [yielding, awaiting])
@pytest.mark.parametrize(
    "use",
    [
        lambda f: fit(augment=f),
        lambda f: fit(metrics={"m": f}),
        lambda f: fit(regularizers=[f]),
        lambda f: fit(shuffle=f),
        lambda f: fit(validate_every=f),
        lambda f: SGD(f),
        lambda f: SGD(0.1, clip=f),
        lambda f: Linear(2, 2, weight_init=f),
        lambda f: type("Hooked", (Callback,), {"on_step_end": f}),
    ],
)
def test_a_function_of_which_a_call_runs_nothing_is_refused_wherever_it_is_given(function, use):
    with pytest.raises(TypeError, match="a call runs nothing of it: leave out yield and async"):
        use(function)


ODD = [None, "0.5", 1j, np.ones(2), [0.5], 10**400, np.ma.masked]


@pytest.mark.parametrize("value", ODD)
def test_a_regularizer_that_returns_no_number_is_named_before_a_step(value):
    def odd_one(parameters):
        return value

    with pytest.raises(
        TypeError, match=r"expected regularizer odd_one to return one number, received .+: return a flo"
    ):
        fit(regularizers=[odd_one])


@pytest.mark.parametrize("value", [Fraction(1, 2), Decimal("0.5"), np.float32(0.5), np.array(0.5), 10**20, True])
def test_a_regularizer_and_a_metric_may_return_a_number_of_any_type(value):
    history = fit(regularizers=[lambda parameters: value], metrics={"m": lambda scores, targets: value})
    assert history.steps["penalty"] == history.evaluations["validation_m"] == [float(value)] * 2


@pytest.mark.parametrize(
    ("augment", "text"),
    [
        (lambda x, rng: None, "received None: make it one"),
        (lambda x, rng: 1.0, "return 4 rows as it was given"),
        (lambda x, rng: x * 1j, "received augment.*dtype=complex"),
        (lambda x, rng: np.ma.array(x), "received a masked one"),
        (lambda x, rng: x.astype(str), "received augment.*dtype=<U"),
        (lambda x, rng: x.astype(object), "received augment.*dtype=object"),
    ],
)
def test_batches_that_are_no_numbers_are_refused(augment, text):
    with pytest.raises((TypeError, ValueError), match=text) as error:
        fit(augment=augment)
    assert error.value.__notes__ == ["in <lambda>, which is called as augment(x, rng)"]


@pytest.mark.parametrize("augment", [lambda x, rng: x.tolist(), lambda x, rng: np.round(x).astype(np.int8)])
def test_batches_may_be_lists_and_whole_numbers(augment):
    assert fit(augment=augment).steps["loss"] == fit().steps["loss"]


@pytest.mark.parametrize("value", [None, "False", np.ones(2), [], ()])
def test_whether_to_evaluate_must_be_true_or_false(value):
    with pytest.raises(TypeError, match=r"expected validate_every to return True or False, received .+: return bool"):
        fit(validate_every=lambda step: value)


def test_steps_to_evaluate_at_are_told_how_to_write_a_function():
    with pytest.raises(ValueError, match=r"received validate_every=\[1, 2\]: .* write lambda step: step in steps"):
        fit(validate_every=np.array([1, 2]))


@pytest.mark.parametrize("value", [0, 1, True, np.False_, np.array(True), 0.0])
def test_whether_to_evaluate_may_be_a_number(value):
    history = fit(validate_every=lambda step: value)
    assert len(history.evaluations["step"]) == (2 if value else 1)


@pytest.mark.parametrize(
    ("rows", "advice"),
    [
        (None, "such as np.arange"),
        (np.ones(4, bool), "np.flatnonzero"),
        (np.arange(4.0), "cast with .astype"),
        (np.ones((2, 2), int), "such as np.arange"),
    ],
)
def test_an_order_that_is_none_is_told_what_one_is(rows, advice):
    with pytest.raises(ValueError, match=rf"shuffle\(epoch\) to be a non-empty 1-D array of integers, .*{advice}"):
        fit(shuffle=lambda epoch: rows)


def test_rows_instead_of_a_function_are_told_how_to_write_one():
    with pytest.raises(TypeError, match=r"received shuffle=\[1, 2\]: .* write lambda epoch: rows"):
        fit(shuffle=np.array([1, 2]))


def test_a_checkpoint_object_is_told_where_its_file_is(tmp_path):
    with pytest.raises(
        TypeError, match=r"to be a text or a Path, received resume=Checkpoint\(.*: its file is the .path of it"
    ):
        fit(resume=Checkpoint(tmp_path / "c.npz"))


class Counted:
    __name__ = "counted"

    def __init__(self):
        self.asked = 0

    def __call__(self, scores, targets):
        self.asked += 1
        return self.asked


def test_a_metric_that_remembers_is_asked_at_evaluations_only():
    assert fit(metrics=[Counted()]).evaluations["validation_counted"] == [1, 2]


def test_a_metric_of_many_rows_does_not_warn_of_one():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fit(metrics={"correlation": lambda scores, targets: np.corrcoef(scores[:, 0], targets)[0, 1]})
    assert not said


@pytest.mark.parametrize("metric", [partial(accuracy), type("Own", (), {"__call__": lambda self, s, t: 1.0})()])
def test_a_metric_without_a_name_is_shown(metric):
    with pytest.raises(
        ValueError, match=r"expected metrics with names, received .*(partial|Own).*: use metrics={'name'"
    ):
        fit(metrics=[metric])


def test_a_hook_that_takes_its_row_by_name_is_told_of_the_position():
    with pytest.raises(TypeError, match="row is given by its position, so write def on_evaluation_end"):

        class Named(Callback):
            def on_evaluation_end(self, trainer, *, row): ...


def test_an_attribute_that_begins_like_a_hook_is_told_to_take_another_name():
    class Connected(Callback):
        def __init__(self):
            self.on_line = True

    with pytest.raises(TypeError, match=r"Connected.on_line is no hook; .*; for anything else take a name without on_"):
        fit(callbacks=[Connected()])


def during(call):
    """What a call in another thread returns or raises while a trainer, which it is given, is inside a step of a run."""
    found = []

    class Calling(Callback):
        def on_step_end(self, trainer):
            with ThreadPoolExecutor(1) as pool:
                future = pool.submit(call, trainer)
                found.append(future.exception(10) or future.result())

    one = trainer(callbacks=[Calling()])
    one.fit(DATA, epochs=1, progress=False)
    return found[0]


@pytest.mark.parametrize("call", ["step", "evaluate", "fit"])
@pytest.mark.parametrize("shared", ["all", "model", "loss"])
def test_what_a_run_uses_is_refused_to_steps_and_evaluations_of_other_threads(call, shared):
    def use(one):
        if shared != "all":
            model = one.model if shared == "model" else Sequential(Linear(3, 2)).build()
            one = Trainer(model, one.loss if shared == "loss" else SoftmaxCrossEntropy(), SGD(0.1))
        calls = {
            "step": lambda: one.step(*DATA),
            "evaluate": lambda: one.evaluate(DATA),
            "fit": lambda: one.fit(DATA, epochs=1, progress=False),
        }
        return calls[call]()

    error = during(use)
    assert isinstance(error, RuntimeError)
    assert "expected" in str(error)
    assert "received" in str(error)


def test_two_threads_may_evaluate_at_once():
    one, both = trainer(), Barrier(2)

    def evaluate():
        both.wait(10)
        return one.evaluate(DATA)

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(evaluate) for _ in range(2))
        assert first.result(10) == second.result(10)


def test_a_fit_of_another_thread_that_is_refused_leaves_the_gradients_of_the_run_alone(trainer, fit, data):
    refused = []

    def second(gradient):  # between backward and the update
        def other():
            with pytest.raises(RuntimeError, match="expected a model in one thread while it trains") as caught:
                fit(Trainer(one.model, SoftmaxCrossEntropy(), SGD(0.1)), data())
            refused.append(caught)

        thread = Thread(target=other)
        thread.start()
        thread.join()

    one, alone = (trainer(optimizer=SGD(0.1, clip=clip)) for clip in (second, None))
    for each in (one, alone):
        fit(each, data())
    assert refused
    assert np.array_equal(one.model.parameters.value, alone.model.parameters.value)

"""When hooks are called, and what the callbacks that come with minidl do in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import (
    SGD,
    AverageWeights,
    Callback,
    DivergenceError,
    EarlyStopping,
    ExponentialAverage,
    Linear,
    ReduceOnPlateau,
)
from minidl.optim import ExponentialDecay
from minidl.storage import write_arrays
from minidl.training.callbacks import HOOKS

STEP = ["on_step_end", "on_safe_point"]
LAST = ["on_step_end", "on_evaluation_end", "on_epoch_end", "on_safe_point"]
EPOCH = [*STEP * 3, *LAST]
END = ["on_safe_point", "on_fit_end"]


@pytest.fixture
def called(hooks):
    """A callback that lists the hooks called, and the list; further functions are hooks as well."""

    def make(name="", **functions):
        names = []

        def note(hook):
            def function(*arguments):
                names.append(name + hook)
                functions.get(hook, lambda *arguments: None)(*arguments)

            return function

        return hooks(**{hook: note(hook) for hook in HOOKS}), names

    return make


def test_hooks_are_called_in_order_and_callbacks_in_theirs(data, trainer, fit, called):
    callback, names = called()
    fit(trainer(callbacks=[callback]), data())
    assert names == ["on_fit_begin", *EPOCH, *EPOCH, *END]


def test_callbacks_are_called_in_the_order_given(data, trainer, fit, hooks):
    seen = []
    both = [hooks(**{hook: lambda *_, who=who: seen.append(who) for hook in HOOKS}) for who in "ab"]
    fit(trainer(callbacks=both), data())
    assert seen == ["a", "b"] * 23


def test_no_epochs_begin_and_end(data, trainer, fit, called):
    callback, names = called()
    fit(trainer(callbacks=[callback]), data(), epochs=0)
    assert names == ["on_fit_begin", *END]


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("on_fit_begin", ["on_safe_point"]),
        ("on_step_end", [*STEP, "on_safe_point", "on_evaluation_end"]),
        ("on_evaluation_end", [*EPOCH, "on_safe_point"]),
        ("on_epoch_end", [*EPOCH, "on_safe_point"]),
        ("on_safe_point", [*STEP, "on_safe_point", "on_evaluation_end"]),
    ],
)
def test_a_stop_takes_no_further_step_and_a_full_epoch_is_ended(data, trainer, fit, called, hook, expected):
    callback, names = called(**{hook: lambda one, *row: one.stop("enough")})
    one = trainer(callbacks=[callback])
    history = fit(one, data())
    assert names == ["on_fit_begin", *expected, "on_fit_end"]
    assert history.stopped_because == "stopped: enough"
    assert one.epoch == len(history.steps["step"]) / 4


def test_at_a_safe_point_nothing_is_pending_and_the_run_says_whether_it_is_over(data, trainer, fit, hooks):
    seen = []

    def look(one):
        evaluated = one.optimizer.steps in one.history.evaluations["step"]
        seen.append((one.optimizer.steps, one.run.evaluated == evaluated, one.run.over))

    one = trainer(callbacks=[hooks(on_safe_point=look)])
    fit(one, data(), epochs=1, validate_every=2)
    assert seen == [(1, True, False), (2, True, False), (3, True, False), (4, True, True), (4, True, True)]
    assert one.run is None


@pytest.mark.parametrize(
    ("hook", "function", "message"),
    [
        (
            "on_evaluation_end",
            lambda self, trainer: None,
            r"expected Wrong\.on_evaluation_end to be a function \(self, ",
        ),
        ("on_step_end", lambda self: None, r"\(self, trainer\), received a function \(self\): write def on_step_end\("),
        (
            "on_epoch_end",
            lambda self, epoch, logs=None: None,
            r"to take \(trainer\), received one that begins with epoch",
        ),
    ],
)
def test_a_hook_of_other_arguments_is_refused_when_the_class_is_made(trainer, hook, function, message):
    with pytest.raises(TypeError, match=message):
        type("Wrong", (Callback,), {hook: function})
    later = type("Wrong", (Callback,), {})
    setattr(later, hook, function)
    with pytest.raises(TypeError, match=f"expected Wrong.{hook} .* received .*: write def {hook}"):
        trainer(callbacks=[later()])
    type("Fine", (Callback,), {hook: lambda self, *arguments: None})


def test_where_a_run_may_not_begin_those_who_were_told_so_are_told_the_end(data, trainer, fit, called, hooks):
    def refuse(one):
        raise ZeroDivisionError

    (first, begun), (last, never) = called(), called()
    with pytest.raises(ZeroDivisionError):
        fit(trainer(callbacks=[first, hooks(on_fit_begin=refuse), last]), data())
    assert begun == ["on_fit_begin", "on_fit_end"]
    assert never == []


def test_what_one_callback_does_to_its_row_no_other_sees(data, trainer, fit, hooks):
    seen = []
    callbacks = [hooks(on_evaluation_end=lambda one, row: row.clear()), EarlyStopping(patience=1)]
    one = trainer(callbacks=[*callbacks, hooks(on_evaluation_end=lambda one, row: seen.append(row))])
    history = fit(one, data(), data(seed=1), epochs=1)
    assert seen == [history.evaluations.row(0)]


def test_what_a_run_is_can_be_written_by_a_callback_of_ones_own(data, trainer, fit, hooks, tmp_path):
    path = tmp_path / "own.npz"

    def write(one):
        if one.optimizer.steps == 5:
            write_arrays(path, one.run.packed())

    whole = fit(trainer(callbacks=[hooks(on_safe_point=write)]), data(), data(seed=1))
    np.testing.assert_equal(vars(fit(trainer(), data(), data(seed=1), resume=path)), vars(whole))


def test_of_several_reasons_the_first_counts_and_the_next_fit_forgets_it(data, trainer, fit, hooks):
    stops = [hooks(on_step_end=lambda one, why=why: one.stop(why)) for why in ("this: first", "second")]
    one = trainer(callbacks=stops)
    assert fit(one, data()).stopped_because == "stopped: this: first"
    one.callbacks.clear()
    assert fit(one, data()).stopped_because == "limit: 2 epochs"


@pytest.mark.parametrize("hook", ["on_step_end", "on_evaluation_end", "on_epoch_end", "on_fit_end"])
def test_every_callback_is_told_the_end_whatever_another_raises(data, trainer, fit, called, hooks, hook):
    def fail(*arguments):
        raise ZeroDivisionError

    callback, names = called()
    with pytest.raises(ZeroDivisionError):
        fit(trainer(callbacks=[hooks(**{hook: fail}), callback]), data())
    assert names[-1] == "on_fit_end"
    assert names.count("on_fit_end") == 1


def test_a_callback_sees_the_best_weights_at_the_end_and_the_history_while_it_grows(data, trainer, fit, hooks):
    seen = []
    watch = hooks(
        on_step_end=lambda one: seen.append(len(one.history.steps["step"])),
        on_evaluation_end=lambda one, row: seen.append(one.history.evaluations["step"][-1] == row["step"]),
        on_fit_end=lambda one: seen.append(one.evaluate(data(seed=1))["loss"] == one.history.best_value),
    )
    fit(trainer(callbacks=[watch], lr=2.0), data(), data(seed=1))
    assert seen == [1, 2, 3, 4, True, 5, 6, 7, 8, True, True]


def test_a_hook_that_does_not_exist_is_refused_when_the_class_is_made():
    with pytest.raises(TypeError, match=r"Typo\.on_batch_end is no hook; did you mean 'on_epoch_end'"):
        type("Typo", (EarlyStopping,), {"on_batch_end": lambda self, trainer: None})
    type("Fine", (Callback,), {"on_step_end": lambda self, trainer: None, "note": None})


@pytest.mark.parametrize(
    ("callback", "name", "advice"),
    [
        (EarlyStopping(), "rng", ""),
        (EarlyStopping(), "parameters", ""),
        (EarlyStopping(), "wait", ": did you mean 'waited'?"),
        (EarlyStopping(), "stopped_epoch", ": see best_step and stopped_because of trainer.history"),
        (AverageWeights(), "model", ": every hook is given the trainer, and it has them"),
        (AverageWeights(), "on_epoch_begin", f": the hooks are {', '.join(HOOKS)}"),
    ],
)
def test_a_missing_attribute_of_a_callback_says_what_is_true_of_callbacks(callback, name, advice):
    with pytest.raises(AttributeError) as error:
        getattr(callback, name)
    assert str(error.value) == f"{type(callback).__name__} has no attribute {name!r}{advice}"


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceOnPlateau])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_column_that_will_not_be_recorded_is_refused_before_the_first_step(
    data, trainer, fit, weights, called, kind, position
):
    callback, names = called()
    callbacks = [EarlyStopping("train_loss"), callback]
    callbacks.insert(position, kind("validation_acuracy", mode="max"))
    one = trainer(callbacks=callbacks, metrics={"accuracy": lambda scores, targets: 0.5})
    before = weights(one)
    with pytest.raises(ValueError, match="received monitor='validation_acuracy'; did you mean 'validation_acc"):
        fit(one, data(), data(seed=1))
    np.testing.assert_equal(weights(one), before)
    assert names == []
    assert not one.model.training
    assert one.model.needs_dx


def rates_of(one, fit, data, values):
    """The learning rate of each step where the evaluation after each step has the next of the values."""
    given = iter([0, *values])  # the first is asked for before the first step
    one.metrics = {"value": lambda scores, targets: next(given)}
    return fit(one, data(8), data(8), epochs=len(values)).steps["learning_rate"]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 4))
def test_a_plateau_lasts_as_long_as_patience_says(data, trainer, fit, values, patience):
    one = trainer(lr=1.0, callbacks=[ReduceOnPlateau("validation_value", mode="min", factor=0.5, patience=patience)])
    expected, best, waited, rate = [], 10, 0, 1.0
    for value in values:
        expected.append(rate)
        best, waited = (value, 0) if value < best else (best, waited + 1)
        if waited == patience:
            waited, rate = 0, rate / 2
    assert rates_of(one, fit, data, values) == expected


def test_a_plateau_is_counted_as_patience_is(data, trainer, fit):
    stopping, plateau = EarlyStopping("train_loss", patience=4), ReduceOnPlateau("train_loss", patience=3)
    one = trainer(Linear(3, 3), lr=0.0, callbacks=[stopping, plateau])
    history = fit(one, data(), epochs=20, shuffle=False)
    assert len(history.evaluations["step"]) == 5
    assert one.optimizer.lr_scale == 1.0
    fast = trainer(Linear(3, 3), lr=1e-30, callbacks=[stopping, plateau])
    assert len(fit(fast, data(), epochs=20, shuffle=False).evaluations["step"]) == 5
    assert fast.optimizer.lr_scale == pytest.approx(0.1)


def test_the_rate_is_not_reduced_below_its_minimum_and_follows_its_schedule(data, trainer, fit):
    plateau = ReduceOnPlateau("validation_value", mode="min", factor=0.1, patience=1, min_lr=0.04)
    steady = rates_of(trainer(lr=1.0, callbacks=[plateau]), fit, data, [1.0] * 5)
    assert steady == pytest.approx([1.0, 1.0, 0.1, 0.04, 0.04])
    below = rates_of(trainer(lr=0.01, callbacks=[plateau]), fit, data, [1.0] * 3)
    assert below == [0.01] * 3
    falling = ExponentialDecay(1.0, exponent=0.1)
    plateau = ReduceOnPlateau("validation_value", mode="min", factor=0.5, patience=2)
    rates = rates_of(trainer(optimizer=SGD(falling), callbacks=[plateau]), fit, data, [1.0] * 5)
    assert rates == pytest.approx([falling(step) * 0.5 ** (step >= 3) for step in range(5)])


@pytest.mark.parametrize("patience", [3, 4])
def test_a_plateau_that_can_never_come_is_refused(data, trainer, fit, patience):
    plateau, stopping = ReduceOnPlateau(patience=patience), EarlyStopping(patience=3)
    with pytest.raises(ValueError, match=r"patience=. of ReduceOnPlateau\(.*\) to be less than that of EarlyStopping"):
        fit(trainer(callbacks=[plateau, stopping]), data(), data(seed=1))


@pytest.mark.parametrize(
    "stopping",
    [
        EarlyStopping(patience=6),
        EarlyStopping("train_loss", patience=5),
        EarlyStopping(patience=5, mode="max"),
        EarlyStopping(patience=5, min_delta=0.1),
    ],
)
def test_a_plateau_that_may_come_is_not(data, trainer, fit, stopping):
    fit(trainer(callbacks=[ReduceOnPlateau(patience=5), stopping]), data(), data(seed=1))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: ReduceOnPlateau(factor=0), "factor"),
        (lambda: ReduceOnPlateau(factor=1), "factor"),
        (lambda: ReduceOnPlateau(patience=0), "patience"),
        (lambda: ReduceOnPlateau(min_lr=-1), "min_lr"),
        (lambda: AverageWeights(0), "last"),
        (lambda: AverageWeights(1.5), "last"),
        (lambda: ExponentialAverage(1), "decay"),
        (lambda: ExponentialAverage(-0.1), "decay"),
    ],
)
def test_bad_arguments_are_refused_at_construction(make, name):
    with pytest.raises(ValueError, match=f"expected {name} to be"):
        make()


@pytest.mark.parametrize(("last", "count"), [(1.0, 20), (0.5, 10), (0.33, 7), (0.05, 1), (0.01, 0)])
@pytest.mark.parametrize("fits", [1, 2])
def test_a_run_ends_with_the_mean_of_the_weights_of_its_last_part(data, trainer, fit, hooks, last, count, fits):
    average, collected = AverageWeights(last), []
    collect = hooks(on_step_end=lambda one: collected.append(one.model.parameters.value.astype(np.float64)))
    one = trainer(callbacks=[average, collect])
    for _ in range(fits):
        fit(one, data(), data(seed=1), epochs=5, restore_best=False)
    assert average.count == count
    expected = np.mean(collected[-count:], axis=0) if count else collected[-1]
    np.testing.assert_allclose(one.model.parameters.value, expected, rtol=1e-6)
    assert one.model.parameters.dtype == np.float32


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("fits", [1, 2])
def test_a_run_ends_with_an_average_in_which_each_step_counts_less_than_the_next(
    data, trainer, fit, hooks, decay, fits
):
    average, collected = ExponentialAverage(decay), []
    collect = hooks(
        on_fit_begin=lambda one: collected.clear(),
        on_step_end=lambda one: collected.append(one.model.parameters.value.astype(np.float64)),
    )
    one = trainer(callbacks=[average, collect])
    for _ in range(fits):
        fit(one, data(), data(seed=1), epochs=5, restore_best=False)
    shares = [decay**age for age in range(len(collected))][::-1]
    assert average.count == len(collected) == 20
    np.testing.assert_allclose(
        one.model.parameters.value, np.average(collected, axis=0, weights=shares), rtol=1e-6, atol=1e-7
    )
    assert one.model.parameters.dtype == np.float32


def test_a_run_that_ends_before_the_part_to_average_keeps_its_weights(data, trainer, fit, hooks, weights):
    last = {}
    stop = hooks(on_step_end=lambda one: last.update(weights(one)) or one.stop("enough"))
    one = trainer(callbacks=[AverageWeights(0.5), stop])
    fit(one, data())
    np.testing.assert_equal(weights(one), last)


def test_weights_that_a_callback_leaves_are_evaluated_last(data, trainer, fit, hooks):
    validation = data(seed=1)
    halve = hooks(on_fit_end=lambda one: one.model.parameters.value.__imul__(0.5))
    for callback, stop in ((AverageWeights(), 0), (AverageWeights(), 7), (ExponentialAverage(0.9), 0), (halve, 0)):
        stopping = hooks(on_step_end=lambda one, stop=stop: one.stop("enough") if one.optimizer.steps == stop else None)
        one = trainer(callbacks=[callback, stopping])
        history = fit(one, data(), validation, restore_best=False)
        assert history.evaluations["step"][-2:] == [one.optimizer.steps] * 2
        assert history.evaluations["validation_loss"][-1] == one.evaluate(validation)["loss"]
        assert history.evaluations["validation_loss"][-2] != history.evaluations["validation_loss"][-1]


@pytest.mark.parametrize("kind", [AverageWeights, ExponentialAverage])
def test_the_mean_and_the_best_weights_exclude_each_other(data, trainer, fit, kind):
    one = trainer(callbacks=[kind()])
    with pytest.raises(ValueError, match=rf"expected fit\(..., restore_best=False\) with {kind.__name__}\(\)"):
        fit(one, data(), data(seed=1))
    assert one.optimizer.steps == 0
    fit(one, data())


def test_a_divergence_raised_by_a_callback_has_no_rows(data, trainer, fit, hooks):
    def fail(one):
        raise DivergenceError(one.optimizer.steps, "the gradient exploded")

    one = trainer(callbacks=[hooks(on_step_end=fail)])
    history = fit(one, data(), raise_divergence=False)
    assert history.stopped_because == "diverged: at step 1: the gradient exploded"


def test_a_hook_with_its_arguments_in_the_other_order_is_refused():
    with pytest.raises(
        TypeError, match=r"expected Swapped.on_evaluation_end to take \(trainer, row\), .*begins with row"
    ):

        class Swapped(Callback):
            def on_evaluation_end(self, row, trainer): ...

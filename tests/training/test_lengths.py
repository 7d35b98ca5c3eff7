"""How long a run is, in epochs or in steps, and how its passes over the data follow one another."""

import math
from collections import Counter
from fractions import Fraction
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import SGD, AverageWeights, Checkpoint, EarlyStopping, Linear
from minidl.optim import LinearWarmup
from tests.tools.restless import Interrupt, mixing, noisy, ragged

LABELS = np.arange(30) % 3


@pytest.fixture
def rows(trainer, fit, hooks):
    """A function that trains and returns the rows of each batch, the history, and the trainer."""

    def train(one=None, **arguments):
        x = np.zeros((30, 3), np.float32)
        x[:, 0] = np.arange(30)
        seen, one = [], one or trainer(Linear(3, 3), lr=0.001)
        one.callbacks[:] = [hooks(on_step_end=lambda one: seen.append(one.model[0].x[:, 0].astype(int).tolist()))]
        return seen, fit(one, (x, LABELS), **arguments), one

    return train


def test_a_fraction_of_an_epoch_ends_within_a_pass(rows):
    seen, history, one = rows(epochs=1.5)
    assert [len(batch) for batch in seen] == [8, 8, 8, 6, 8, 8]
    assert sorted(chain(*seen[:4])) == list(range(30))
    assert history.steps["epoch"] == [0.25, 0.5, 0.75, 1, 1.25, 1.5]
    assert (history.stopped_because, one.planned_steps, one.epoch) == ("limit: 1.5 epochs", 6, 1.5)


def test_a_length_in_steps_is_that_many_steps(rows):
    seen, history, one = rows(epochs=None, steps=6)
    assert seen == rows(epochs=1.5)[0]
    assert (history.stopped_because, one.planned_steps, one.epoch) == ("limit: 6 steps", 6, 1.5)


@given(st.integers(0, 40), st.integers(1, 12), st.integers(1, 30), st.booleans())
def test_an_epoch_count_is_the_first_step_at_or_after_it(data, trainer, fit, tenths, parts, batch_size, replacement):
    epochs = Fraction(tenths, parts)
    per_epoch = Fraction(30, batch_size) if replacement else math.ceil(30 / batch_size)
    whole, rest = divmod(epochs, 1)
    begun = math.ceil(whole * per_epoch)
    expected = begun + math.ceil(rest * (math.ceil((whole + 1) * per_epoch) - begun))
    arguments = {"batch_size": batch_size, "replacement": replacement}
    one = trainer(Linear(3, 3))
    history = fit(one, data(), epochs=tenths / parts, **arguments)
    assert len(history.steps["step"]) == one.planned_steps == expected
    assert not history.steps["epoch"] or history.steps["epoch"][-1] >= float(epochs) - 1e-12


@pytest.mark.parametrize("length", [{"epochs": 0}, {"epochs": 0.0}, {"epochs": None, "steps": 0}])
def test_a_run_may_have_no_steps(rows, length):
    seen, history, one = rows(**length)
    assert (seen, one.planned_steps, one.epoch) == ([], 0, 0)
    assert history.stopped_because in ("limit: 0 epochs", "limit: 0 steps")


CUTS = [
    [{"epochs": 0.5}, {"epochs": 0.25}, {"epochs": 2.25}],
    [{"epochs": None, "steps": 5}, {"epochs": 1.75}],
    [{"epochs": None, "steps": 1}] * 12,
]


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("augment", [None, noisy, mixing])
@pytest.mark.parametrize("more", [{}, {"shuffle": False}, {"shuffle": lambda epoch: np.arange(30)[::-1]}])
def test_pieces_of_a_run_are_the_whole_to_the_bit(data, trainer, fit, weights, cuts, augment, more):
    one, whole = trainer(), trainer()
    more = more | {"augment": augment, "restore_best": False}
    histories = [fit(one, data(), **cut, **more) for cut in cuts]
    history = fit(whole, data(), epochs=3, **more)
    np.testing.assert_equal(weights(one), weights(whole))
    for column, values in history.steps.items():
        assert list(chain(*(piece.steps[column] for piece in histories))) == values
    assert one.epoch == whole.epoch == 3


def test_pieces_with_replacement_are_the_whole_to_the_bit(data, trainer, fit, weights):
    one, whole = trainer(), trainer()
    for _ in range(5):
        fit(one, data(), epochs=1, replacement=True, batch_size=8)
    fit(whole, data(), epochs=5, replacement=True, batch_size=8)
    np.testing.assert_equal(weights(one), weights(whole))
    assert (one.epoch, one.optimizer.steps) == (whole.epoch, whole.optimizer.steps) == (5, 19)


def test_a_run_that_was_stopped_within_a_pass_is_gone_on_with_there(data, trainer, fit, weights):
    one, whole = trainer(callbacks=[Interrupt(6)]), trainer()
    fit(one, data(), epochs=9)
    one.callbacks.clear()
    fit(one, data(), epochs=None, steps=6)
    fit(whole, data(), epochs=3)
    np.testing.assert_equal(weights(one), weights(whole))


def test_the_rest_of_a_pass_is_in_batches_of_the_size_asked_for_now(rows):
    first, _, one = rows(epochs=0.5)
    second, history, _ = rows(one, epochs=0.5, batch_size=5)
    assert history.steps["epoch"] == [4 / 6, 5 / 6, 1]
    assert [len(batch) for batch in first + second] == [8, 8, 5, 5, 5]


def test_rows_are_drawn_with_replacement_from_all_of_them_in_whole_batches(rows):
    seen, history, _ = rows(epochs=40, replacement=True)
    assert [len(batch) for batch in seen] == [8] * 150  # 40 * 30 / 8
    counts = Counter(chain(*seen))
    assert set(counts) == set(range(30))
    assert 20 < np.var(list(counts.values())) < 80  # 38.7 by the binomial distribution; 0 without replacement
    assert len({tuple(batch) for batch in seen}) == 150
    assert [history.steps["epoch"][step - 1] for step in (4, 8, 12, 15, 150)] == [1, 2, 3, 4, 40]
    assert rows(epochs=40, replacement=True)[0] == seen != rows(epochs=40, replacement=True, seed=1)[0]


def test_six_times_the_rows_in_batches_that_do_not_divide_them_are_six_epochs(data, trainer, fit):
    one = trainer(Linear(3, 3))
    history = fit(one, data(49), steps=735, epochs=None, batch_size=4, replacement=True)
    assert history.steps["epoch"][-1] == 60.0
    assert fit(trainer(Linear(3, 3)), data(490), epochs=6, batch_size=4, replacement=True).steps["step"][-1] == 735


def test_a_batch_of_more_rows_than_there_are_is_not_drawn(rows):
    assert [len(batch) for batch in rows(batch_size=30, replacement=True)[0]] == [30, 30]
    with pytest.raises(ValueError, match=r"expected batch_size <= 30, .*, received batch_size=31: an epoch would be l"):
        rows(batch_size=31, replacement=True)


def test_orders_of_any_length_follow_one_another_where_the_run_is_long_in_steps(rows):
    seen, history, one = rows(epochs=None, steps=14, shuffle=ragged)
    lengths = [len(ragged(epoch)) for epoch in range(5)]
    assert len(set(lengths)) > 3
    assert list(chain(*seen))[: sum(lengths[:3])] == np.concatenate([ragged(epoch) for epoch in range(3)]).tolist()
    ends = np.cumsum([math.ceil(length / 8) for length in lengths])
    assert [history.steps["epoch"][end - 1] for end in ends if end <= 14] == list(range(1, 1 + sum(ends <= 14)))
    assert one.planned_steps == 14


def test_epochs_of_an_order_that_changes_its_length_are_told_to_count_steps(rows):
    with pytest.raises(ValueError, match=r"as in the first epoch, received .*give their number as steps=\.\.\. inst"):
        rows(epochs=3, shuffle=ragged)


def test_an_epoch_ends_once_for_each_pass_whatever_its_length(data, trainer, fit, hooks):
    ended = []
    look = hooks(on_epoch_end=lambda one: ended.append(one.epoch))
    fit(trainer(callbacks=[look]), data(), epochs=None, steps=15, replacement=True)
    fit(trainer(callbacks=[look]), data(), epochs=None, steps=14, shuffle=ragged)
    fit(trainer(callbacks=[look]), data(), epochs=2.5)
    assert ended[:4] == [1, 2, 3, 4]
    assert ended[-2:] == [1, 2]
    assert all(epoch == int(epoch) for epoch in ended)


@pytest.mark.parametrize("validate_every", [0.5, 1.0, 0.3])
def test_evaluations_by_epochs_are_at_the_first_step_at_or_after_each(data, trainer, fit, validate_every):
    for more in ({"replacement": True}, {"shuffle": ragged}, {}):
        history = fit(
            trainer(), data(), data(seed=1), epochs=None, steps=30, validate_every=validate_every, batch_size=5, **more
        )
        epochs = [0, *history.steps["epoch"]]
        passed = [math.floor(epoch / validate_every + 1e-9) for epoch in epochs]
        wanted = [step for step in range(1, 31) if passed[step] > passed[step - 1] or step == 30]
        assert history.evaluations["step"] == wanted


def test_schedules_and_callbacks_see_the_length_in_steps(data, trainer, fit, hooks):
    planned = []
    look = hooks(on_fit_begin=lambda one: planned.append(one.planned_steps))
    average = AverageWeights(last=0.5)
    one = trainer(optimizer=SGD(LinearWarmup(0.1, steps=10)), callbacks=[look, average])
    history = fit(one, data(), epochs=None, steps=10, restore_best=False)
    assert (planned, average.count) == ([10], 5)
    assert history.steps["learning_rate"] == [LinearWarmup(0.1, steps=10)(step) for step in range(10)]


def test_progress_shows_a_run_in_steps_whole(data, trainer, fit, capsys):
    fit(trainer(), data(), epochs=None, steps=7, progress=True, validate_every=1)
    *lines, last = capsys.readouterr().err.splitlines()[2:]
    assert last == "limit: 7 steps"
    assert [int(line.split()[1]) for line in lines] == list(range(1, 8))


@pytest.mark.parametrize("longer", [{"epochs": None, "steps": 20}, {"epochs": 5}, {"epochs": 5.0}])
def test_a_finished_run_can_be_made_longer_in_steps_or_epochs(data, trainer, fit, weights, tmp_path, longer):
    def train(name, resume=None, **length):
        one = trainer(callbacks=[EarlyStopping(patience=50), Checkpoint(tmp_path / name)])
        fit(one, data(), data(seed=1), validate_every=2, resume=resume, **length)
        return one

    train("run.npz", epochs=2.5)
    longer_run, whole = train("run.npz", resume=tmp_path / "run.npz", **longer), train("other.npz", **longer)
    np.testing.assert_equal(weights(longer_run), weights(whole))
    np.testing.assert_equal(longer_run.history.steps, whole.history.steps)


def test_a_trainer_that_was_stopped_goes_on_itself_with_replacement_as_long_as_planned(data, trainer, fit, tmp_path):
    path, average = tmp_path / "run.npz", AverageWeights()
    one = trainer(callbacks=[average, Checkpoint(path, every_steps=1), Interrupt(10)])
    plan = {"epochs": 5, "replacement": True, "restore_best": False}
    fit(one, data(), **plan)
    assert one.epoch != int(one.epoch)
    del one.callbacks[2]
    history = fit(one, data(), resume=path, **plan)
    assert (len(history.steps["step"]), one.planned_steps, one.epoch) == (19, 19, 5)


@pytest.mark.parametrize("name", ["drop_last", "restore_best", "raise_divergence", "progress"])
@pytest.mark.parametrize("value", [None, "False", "best", 2, 0.5, [], np.zeros(2)])
def test_what_is_no_flag_is_refused(data, trainer, name, value):
    one = trainer()
    with pytest.raises(TypeError, match=f"expected {name} to be True or False, received {name}="):
        one.fit(data(), epochs=1, **{"progress": False} | {name: value})
    assert one.optimizer.steps == 0


@pytest.mark.parametrize("value", [np.True_, np.False_])
def test_flags_may_be_those_of_numpy(data, trainer, fit, value):
    names = ("drop_last", "restore_best", "raise_divergence", "validate_first", "replacement")
    for name in names:
        fit(trainer(), data(), data(seed=1), **{name: value, "batch_size": 8})


@pytest.mark.parametrize("value", [0, 1])
def test_flags_may_be_0_and_1_where_they_always_could(data, trainer, fit, value):
    fit(trainer(), data(), data(seed=1), restore_best=value, raise_divergence=value, progress=0)

"""Which rows reach the model, in which order and dtype, and what augmentation may do to them."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minidl import L2, Dataset
from minidl.data import batches, order

LABELS = np.arange(30) % 3


@pytest.mark.parametrize("dtype", [np.float64, np.float16, ">f4", np.uint8, np.int64, bool])
@pytest.mark.parametrize("shuffle", [True, False])
def test_data_of_any_dtype_train_in_that_of_the_model(data, trainer, fit, weights, hooks, dtype, shuffle):
    x = (data().x > 0).astype(dtype)
    seen = []
    look = hooks(on_step_end=lambda one: seen.append(one.model[0].x.dtype))
    one, same = trainer(callbacks=[look], regularizers=[L2(0.1)]), trainer(regularizers=[L2(0.1)])
    history = fit(one, (x, LABELS), (x, LABELS), shuffle=shuffle)
    assert set(seen) == {np.dtype(np.float32)} == {one.model.parameters.dtype}
    assert history == fit(same, (x.astype(np.float32), LABELS), (x.astype(np.float32), LABELS), shuffle=shuffle)
    np.testing.assert_equal(weights(one), weights(same))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_memory_map_is_read_batch_by_batch_and_trains_as_an_array(
    data, trainer, fit, weights, tmp_path, monkeypatch, dtype, shuffle
):
    x = np.memmap(tmp_path / "x", dtype, "w+", shape=(30, 3))
    x[:] = np.random.default_rng(0).integers(0, 5, x.shape)
    mapped, plain = Dataset(x, LABELS), Dataset(np.array(x), LABELS)
    trained_on, lengths = [], []

    def spy(dataset, *arguments, **keywords):
        trained_on.append(dataset.x)
        for batch in batches(dataset, *arguments, **keywords):
            lengths.append(len(batch[0]))
            yield batch

    one, two = trainer(), trainer()
    expected = fit(two, plain, plain, shuffle=shuffle)
    monkeypatch.setattr("minidl.training.feeding.batches", spy)
    assert fit(one, mapped, mapped, shuffle=shuffle) == expected
    np.testing.assert_equal(weights(one), weights(two))
    assert all(array is x for array in trained_on)
    assert lengths == [8, 8, 8, 6] * 2


@given(st.integers(1, 40), st.booleans(), st.booleans())
def test_every_epoch_has_every_row_once_or_only_whole_batches(data, trainer, fit, batch_size, drop_last, shuffle):
    assume(not drop_last or batch_size <= 30)
    history = fit(trainer(), data(), batch_size=batch_size, drop_last=drop_last, shuffle=shuffle)
    steps = 30 // batch_size if drop_last else -(-30 // batch_size)
    assert history.steps["step"] == list(range(1, 2 * steps + 1))
    assert history.evaluations["epoch"] == [1.0, 2.0]


def rows_trained_on(one, fit, hooks, **arguments):
    """The rows of each batch, from a set whose first feature is its row number."""
    x = np.zeros((30, 3), np.float32)
    x[:, 0] = np.arange(30)
    seen = []
    one.callbacks.append(hooks(on_step_end=lambda one: seen.append(one.model[0].x[:, 0].tolist())))
    fit(one, (x, LABELS), **arguments)
    return seen


def test_file_order_is_taken_as_it_is(trainer, fit, hooks):
    rows = list(range(30))
    assert rows_trained_on(trainer(), fit, hooks, batch_size=20, shuffle=False) == [rows[:20], rows[20:]] * 2


def test_rows_are_drawn_with_replacement_from_all_in_every_epoch(trainer, fit, hooks):
    arguments = {"batch_size": 8, "epochs": 3, "replacement": True, "seed": 5}
    seen = rows_trained_on(trainer(), fit, hooks, **arguments)
    drawn = [order(30, 5, epoch, replacement=True).tolist() for epoch in range(3)]
    assert seen == [rows[start : start + 8] for rows in drawn for start in range(0, 30, 8)]
    assert all(len(set(rows)) < 30 for rows in drawn)
    whole = rows_trained_on(trainer(), fit, hooks, **arguments, drop_last=True)
    assert whole == [rows[start : start + 8] for rows in drawn for start in (0, 8, 16)]


@given(st.integers(0, 20), st.booleans())
def test_a_run_of_so_many_steps_is_the_begin_of_a_longer_one_and_counts_parts_of_epochs(
    data, trainer, fit, hooks, steps, replacement
):
    one, ended = trainer(), []
    one.callbacks.append(hooks(on_epoch_end=lambda one: ended.append(one.optimizer.steps)))
    history = fit(one, data(), epochs=None, steps=steps, replacement=replacement)
    longer = fit(trainer(), data(), epochs=5, replacement=replacement)
    assert history.steps["step"] == list(range(1, steps + 1))
    assert history.steps["loss"] == longer.steps["loss"][:steps]
    assert history.steps["epoch"] == [step / 4 for step in range(1, steps + 1)]
    assert (one.planned_steps, one.epoch, ended) == (steps, -(-steps // 4), list(range(4, steps + 1, 4)))
    assert history.stopped_because == f"limit: {steps} steps"
    assert history.evaluations["step"] == [*ended, *([steps] if steps % 4 else [])]


def test_a_second_fit_begins_an_epoch_of_its_own(data, trainer, fit, hooks):
    one = trainer()
    assert rows_trained_on(one, fit, hooks, epochs=None, steps=3, batch_size=10) == [
        order(30, 0, 0)[start : start + 10].tolist() for start in (0, 10, 20)
    ]
    one.callbacks.clear()
    history = fit(one, data(), epochs=None, steps=2, batch_size=20)
    one.callbacks.clear()
    assert history.steps["epoch"] == [1.5, 2.0]
    fit(one, data(), epochs=None, steps=1, batch_size=20)
    assert rows_trained_on(one, fit, hooks, epochs=None, steps=1, batch_size=20) == [order(30, 0, 3)[:20].tolist()]


def test_a_callers_order_is_asked_once_an_epoch_and_taken_as_it_is(trainer, fit, hooks):
    legacy, again = np.random.RandomState(0), np.random.RandomState(0)
    asked = []

    def order(epoch):
        asked.append(epoch)
        return legacy.permutation(30)

    one = trainer()
    seen = rows_trained_on(one, fit, hooks, batch_size=30, shuffle=order, epochs=3)
    assert seen == [again.permutation(30).tolist() for _ in range(3)]
    assert asked == [0, 1, 2]
    one.callbacks.clear()
    rows_trained_on(one, fit, hooks, shuffle=order)
    assert asked == [0, 1, 2, 3, 4]


def test_a_callers_order_may_repeat_and_omit_rows(trainer, fit, hooks):
    def order(epoch):
        return np.array([epoch, epoch, 7])

    assert rows_trained_on(trainer(), fit, hooks, batch_size=2, shuffle=order) == [[0, 0], [7], [1, 1], [7]]


def test_a_callers_order_of_another_length_in_a_later_epoch_is_refused(data, trainer, fit):
    one = trainer()
    with pytest.raises(
        ValueError, match=r"expected shuffle\(1\) to be 10 rows long, as in the first epoch, received 9"
    ):
        fit(one, data(), shuffle=lambda epoch: np.arange(10 - epoch))
    assert one.history.stopped_because.startswith("error: ValueError: expected shuffle(1)")


@pytest.mark.parametrize("shuffle", [True, False])
def test_augmentation_is_of_training_only_and_a_pure_function_of_seed_and_epoch(data, trainer, fit, weights, shuffle):
    drawn = []

    def augment(x, rng):
        drawn.append(rng.random(len(x)).tolist())
        x += 1
        return x

    train, validation = data(), data(seed=1)
    before = train.x.copy(), validation.x.copy()
    one, two = trainer(), trainer()
    arguments = {"augment": augment, "shuffle": shuffle, "seed": 5}
    fit(one, train, validation, epochs=2, restore_best=False, **arguments)
    first, drawn = drawn, []
    assert [len(draws) for draws in first] == [8, 8, 8, 6] * 2
    assert first[:4] != first[4:]
    for _ in range(2):
        fit(two, train, epochs=1, **arguments)
    assert drawn == first
    np.testing.assert_equal(weights(one), weights(two))
    np.testing.assert_array_equal((train.x, validation.x), before)
    fit(trainer(), train, **(arguments | {"seed": 6}))
    assert drawn[8:] != first

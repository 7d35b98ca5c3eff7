"""The record of a run, as columns and as files."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import AverageWeights, EarlyStopping, History, accuracy
from minidl.training.history import STEP_COLUMNS, Table

numbers = st.floats() | st.integers(-(2**60), 2**60)
texts = st.text("ab0 ,;'\"\\\n\r\té", max_size=8)
names = texts.map(lambda text: f"{text}_loss")


@st.composite
def histories(draw):
    """Steps counted upwards, evaluations after some of them, and any numbers in every other column."""
    steps = sorted(draw(st.sets(st.integers(1, 1000), max_size=6)))
    rows = [dict(zip(STEP_COLUMNS, (step, *draw(st.tuples(*[numbers] * 5))), strict=True)) for step in steps]
    extra = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    history = History(evaluations=Table.of(["step", "epoch", *extra]))
    for row in rows:
        history.steps.append(row)
        if draw(st.booleans()):
            history.evaluations.append(
                {"step": row["step"], "epoch": row["epoch"], **{name: draw(numbers) for name in extra}}
            )
    history.stopped_because, history.monitor = draw(texts), draw(names)
    history.best_step, history.best_value = draw(st.none() | st.integers(1)), draw(st.none() | st.floats())
    history.restored_best = draw(st.booleans())
    return history


def exactly(value):
    """A string that is equal only for equal values of equal types, and for NaN and NaN."""
    return repr(value)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("history") / "run.file"


@given(histories())
def test_json_returns_every_number_and_all_that_was_said(file, history):
    history.to_json(file)
    assert exactly(vars(History.from_json(file))) == exactly(vars(history))


@given(histories())
def test_the_json_file_holds_only_standard_json(file, history):
    history.to_json(file)
    json.loads(file.read_text(encoding="utf-8"), parse_constant=pytest.fail)


@given(histories())
def test_csv_returns_every_number(file, history):
    history.to_csv(file)
    again = History.from_csv(file)
    assert exactly((again.steps, again.evaluations)) == exactly((history.steps, history.evaluations))


def test_a_real_run_goes_through_both_files(data, trainer, fit, tmp_path):
    one = trainer(metrics=[accuracy], callbacks=[EarlyStopping("validation_accuracy", mode="max")])
    history = fit(one, data(), data(seed=1), validate_every=3)
    history.to_json(tmp_path / "run.json")
    assert History.from_json(str(tmp_path / "run.json")) == history
    history.to_csv(tmp_path / "run.csv")
    assert History.from_csv(str(tmp_path / "run.csv")).evaluations == history.evaluations


@pytest.mark.parametrize("epochs", [0, 2])
def test_an_evaluation_before_the_first_step_goes_through_both_files(data, trainer, fit, tmp_path, epochs):
    history = fit(trainer(), data(), data(seed=1), epochs=epochs, validate_first=True)
    history.to_json(tmp_path / "run.json")
    history.to_csv(tmp_path / "run.csv")
    again = History.from_csv(tmp_path / "run.csv")
    assert exactly(vars(History.from_json(tmp_path / "run.json"))) == exactly(vars(history))
    assert exactly((again.steps, again.evaluations)) == exactly((history.steps, history.evaluations))


@pytest.mark.parametrize("broken", ["", "{", "[]", "3", '"run"', "null", "{}", "[" * 10_000, "\0", b"\xff\xfe\xff"])
def test_a_file_that_is_no_json_object_of_a_history_is_refused_by_name(tmp_path, broken):
    file = tmp_path / "run.json"
    file.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    with pytest.raises(ValueError, match=r"expected a History written by to_json, received .*run\.json: "):
        History.from_json(file)


@pytest.mark.parametrize(
    "change",
    [
        {"steps": {}},
        {"steps": {name: [] for name in STEP_COLUMNS if name != "loss"}},
        {"steps": {name: [1] if name == "loss" else [] for name in STEP_COLUMNS}},
        {"steps": {name: ["much"] for name in STEP_COLUMNS}},
        {"steps": {name: [None] for name in STEP_COLUMNS}},
        {"steps": dict.fromkeys(STEP_COLUMNS, 3)},
        {"evaluations": [1, 2]},
        {"evaluations": {"step": [1], "epoch": [1.0, 2.0]}},
        {"best_value": "high"},
        {"learning": 1},
    ],
)
def test_a_json_object_that_was_edited_badly_is_refused(tmp_path, change):
    file = tmp_path / "run.json"
    History().to_json(file)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(ValueError, match=r"received .*run\.json: "):
        History.from_json(file)


HEAD = ",".join(STEP_COLUMNS)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "a,b,c\r\n",
        "a,b,c\r\n1,2,3\r\n",
        f"{HEAD}\r\n1,2,3\r\n",
        f"{HEAD}\r\n1,2,3,4,5,6,7\r\n",
        f"{HEAD}\r\n1,2,3,4,5,much\r\n",
        f"{HEAD}\r\n1,2,3,,5,6\r\n",
        f"{HEAD},a_loss,b_loss\r\n1,2,3,4,5,6,7,\r\n",
        f"{HEAD},a_loss,a_loss\r\n1,2,3,4,5,6,7,8\r\n",
        f'{HEAD}\r\n1,2,3,4,5,"6',
        b"\xff\xfe\xff",
    ],
)
def test_a_file_without_the_columns_of_a_history_is_refused_by_name(tmp_path, broken):
    file = tmp_path / "run.csv"
    file.write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    with pytest.raises(ValueError, match=r"expected the columns step, epoch, .* received .*run\.csv: "):
        History.from_csv(file)


@pytest.mark.parametrize("read", [History.from_json, History.from_csv])
def test_a_file_that_is_not_there_is_the_usual_error(tmp_path, read):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing")


def test_a_history_without_steps_keeps_its_columns_in_both_files(data, trainer, fit, tmp_path):
    history = fit(trainer(), data(), data(seed=1), epochs=0)
    history.to_json(tmp_path / "run.json")
    history.to_csv(tmp_path / "run.csv")
    assert History.from_json(tmp_path / "run.json") == history
    assert History.from_csv(tmp_path / "run.csv").evaluations == history.evaluations


def test_the_repr_tells_the_run_in_one_line():
    assert repr(History()) == "History(0 steps, 0 evaluations)"
    history = History(stopped_because="limit: 1 epochs", monitor="validation_loss", best_step=3, best_value=0.25)
    history.steps.append(dict.fromkeys(STEP_COLUMNS, 1))
    assert repr(history) == "History(1 steps, 0 evaluations, best validation_loss 0.25 at step 3; limit: 1 epochs)"


def test_an_unknown_column_is_an_error_with_the_nearest_one():
    with pytest.raises(KeyError, match="no column 'los'; did you mean 'loss'"):
        History().steps["los"]


def test_rows_have_the_columns_of_the_table():
    table = Table.of(["step", "loss"])
    table.append({"loss": math.inf, "step": 1})
    with pytest.raises(ValueError, match=r"expected a row with \['step', 'loss'\], received \['step'\]"):
        table.append({"step": 2})
    assert table == {"step": [1], "loss": [math.inf]}


def test_two_columns_of_one_name_are_refused_before_the_first_step(data, trainer, fit):
    one = trainer(metrics={"b_loss": accuracy})
    with pytest.raises(ValueError, match=r"expected columns with names of their own, received \['a_b_loss'\]"):
        fit(one, data(), {"a": data(), "a_b": data()})
    assert one.optimizer.steps == 0


def test_a_second_evaluation_after_a_step_goes_through_csv(data, trainer, fit, tmp_path):
    one = trainer(callbacks=[AverageWeights()])
    history = fit(one, data(), data(seed=1), validate_first=True, restore_best=False)
    assert history.evaluations["step"] == [0, 4, 8, 8]
    history.to_csv(tmp_path / "run.csv")
    again = History.from_csv(tmp_path / "run.csv")
    assert exactly((again.steps, again.evaluations)) == exactly((history.steps, history.evaluations))

"""The table of results."""

import csv
import json
import math
import re

import numpy as np
import pytest

from minidl.experiments import PlannedRun, Result, Results, grid, plan


def train(lr, kind="a", *, seed):
    return {}


def other(*, seed):
    return {}


def results(failed=()):
    """lr 1 and 2, seeds 0 to 2; loss = 10 lr + seed."""
    runs = plan(train, grid(lr=[1, 2]), seeds=range(3))
    return Results(
        [
            Result(run, {}, 1.0, "Traceback\nValueError: no") if place in failed else Result(run, values(run), 2.0)
            for place, run in enumerate(runs)
        ]
    )


def values(run):
    loss = 10 * run.setting["lr"] + run.seed
    return {"loss": loss, "curve": np.array([loss, loss / 2]), "ended": "limit"}


def test_runs_are_chosen_by_their_arguments_and_averaged():
    chosen = results().where(lr=2)
    assert [r.run.seed for r in chosen] == [0, 1, 2]
    assert (chosen.mean("loss"), chosen.std("loss")) == (21.0, 1.0)
    np.testing.assert_array_equal(chosen.mean("curve"), [21, 10.5])
    np.testing.assert_array_equal(chosen.array("curve"), [[20, 10], [21, 10.5], [22, 11]])
    assert [group.mean("loss") for group in results().by("lr").values()] == [11.0, 21.0]
    assert results().best("loss", mode="min") == {"lr": 1}
    assert results().best("loss", mode="max") == {"lr": 2}
    assert len(results()[1:3]) == 2
    assert results().where(seed=1).column("loss") == [11, 21]
    assert results().seconds == 12.0
    timed = [
        Result(result.run, result.values, 5.0, processor_seconds=busy)
        for result, busy in zip(results(), (2.0, float("nan")), strict=False)
    ]
    assert Results(timed).processor_seconds == 2.0


def test_runs_of_one_function_are_told_from_those_of_another():
    both = Results([*results(), Result(PlannedRun(other, {}, 0), {"loss": 5.0}, 1.0)])
    assert both.of(other).column("loss") == [5.0]
    assert len(both.of(train)) == 6


def test_a_single_run_has_no_deviation():
    assert math.isnan(results()[:1].std("loss"))
    assert np.isnan(results()[:1].std("curve")).all()


def test_failed_runs_are_kept_apart():
    some = results(failed=[0, 3, 4, 5])
    assert [r.run.seed for r in some.failed] == [0, 0, 1, 2]
    assert [r.run.seed for r in some.finished] == [1, 2]
    assert some.where(lr=1).array("loss").tolist() == [11, 12]
    assert some.best("loss", mode="max") == {"lr": 1}
    assert some.table(["loss", "ended"], digits=1).splitlines() == [
        "| lr | loss | ended |",
        "|---|---|---|",
        "| 1 | 11.5 ± 0.7 (1 failed) | limit |",
        "| 2 | failed | failed |",
    ]
    assert repr(some) == "Results(6 runs of 2 settings, 4 failed)"
    assert repr(some[0]) == "Result(PlannedRun(train(lr=1, seed=0)), failed: ValueError: no)"
    with pytest.raises(ValueError, match="expected a finite mean of 'loss' for some setting, received none"):
        some.failed.best("loss", mode="min")


def test_the_best_of_curves_has_the_best_last_value_whatever_their_lengths():
    curves = {(1, 0): [0.9, 0.1], (1, 1): [0.3], (2, 0): [0.0, 0.0, 0.3], (2, 1): [0.8, 0.2]}
    found = Results(
        [Result(PlannedRun(train, {"lr": lr}, s), {"c": np.array(c)}, 1.0) for (lr, s), c in curves.items()]
    )
    assert found.best("c", mode="min") == {"lr": 1}
    assert found.best("c", mode="max") == {"lr": 2}
    images = Results([Result(PlannedRun(train, {"lr": 1}, 0), {"c": np.zeros((2, 2))}, 1.0)])
    with pytest.raises(TypeError, match=r"shape \(2, 2\): return the one number"):
        images.best("c", mode="min")


def test_a_mean_that_is_not_finite_is_never_best():
    runs = plan(train, grid(lr=[1, 2, 3]), seeds=[0])
    losses = [math.nan, 7.0, -math.inf]
    found = Results([Result(run, {"loss": loss}, 1.0) for run, loss in zip(runs, losses, strict=True)])
    assert found.best("loss", mode="min") == {"lr": 2}


def test_settings_with_fewer_names_are_groups_of_their_own():
    def momentum(lr, momentum=0.0, *, seed):
        return {}

    runs = plan(momentum, [{"lr": 1}, {"lr": 1, "momentum": 0.9}], [0, 1])
    found = Results([Result(run, {"loss": 10 * run.setting.get("momentum", 0) + run.seed}, 1.0) for run in runs])
    assert found.table(["loss"], digits=1).splitlines()[2:] == ["|  | 0.5 ± 0.7 |", "| 0.9 | 9.5 ± 0.7 |"]
    assert found.best("loss", mode="min") == {"lr": 1}
    assert list(found.by("momentum")) == [0.9]


def test_functions_are_groups_of_their_own():
    both = [
        Result(PlannedRun(f, {}, seed), {"loss": float(i)}, 1.0)
        for i, f in enumerate((other, another))
        for seed in (0, 1)
    ]
    lines = Results(both).table(["loss"], digits=1).splitlines()
    assert lines == ["| function | loss |", "|---|---|", "| other | 0.0 ± 0.0 |", "| another | 1.0 ± 0.0 |"]


def another(*, seed):
    return {}


def test_a_value_named_like_an_argument_hides_nothing_in_an_export(tmp_path):
    Results([Result(PlannedRun(train, {"lr": 1}, 0), {"lr": 5.0}, 1.0)]).to_json(tmp_path / "a.json")
    (row,) = json.loads((tmp_path / "a.json").read_text())
    assert (row["lr"], row["lr returned"]) == (1, 5.0)


def test_a_table_keeps_its_lines_whatever_is_in_it():
    (line,) = (
        Results([Result(PlannedRun(train, {"lr": 1}, 0), {"ended": "a|b\nc"}, 1.0)]).table(["ended"]).splitlines()[2:]
    )
    assert line == "| a&#124;b c |"


def test_settings_come_in_the_order_of_their_first_run():
    runs = plan(train, grid(lr=[3, 1, 2]), seeds=[0])
    found = Results([Result(run, {}, 1.0) for run in (*runs, runs[0])])
    assert [setting["lr"] for setting in found.settings] == [3, 1, 2]


def test_settings_that_differ_in_type_are_different():
    runs = plan(train, grid(lr=[1, True]), seeds=[0])
    found = Results([Result(run, {"loss": float(place)}, 1.0) for place, run in enumerate(runs)])
    assert [repr(setting["lr"]) for setting in found.settings] == ["1", "True"]
    assert found.where(lr=True).column("loss") == [1.0]
    assert found.where(lr=1).column("loss") == [0.0]


def test_results_are_exported(tmp_path):
    some = results(failed=[5])
    some.to_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["loss"] for row in rows] == ["10", "11", "12", "20", "21", ""]
    assert rows[5]["error"] == "ValueError: no"
    some.to_json(tmp_path / "a.json")
    read = json.loads((tmp_path / "a.json").read_text())
    assert read[0] == {"lr": 1, "seed": 0, "seconds": 2.0, "error": "", "loss": 10, "ended": "limit"}


def test_numbers_that_are_not_finite_become_strings_in_json(tmp_path):
    Results([Result(PlannedRun(other, {}, 0), {"loss": math.inf}, math.nan)]).to_json(tmp_path / "a.json")
    (row,) = json.loads((tmp_path / "a.json").read_text())
    assert (row["loss"], row["seconds"]) == ("inf", "nan")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.where(rate=1), "no argument 'rate'; known: lr, seed"),
        (lambda r: r.where(lr=5), "no run with {'lr': 5} among 6"),
        (lambda r: r.mean("lss"), "no value 'lss'; did you mean 'loss'?"),
        (lambda r: r.best("loss", mode="least"), "expected mode to be 'min' or 'max', received mode='least'"),
        (lambda r: r.failed.mean("loss"), "expected at least one run that did not fail, received Results(0 runs"),
        (lambda r: r.by("rate"), "no argument 'rate'"),
        (lambda r: r.where(lr=[1, 2]), "expected one value of lr"),
        (lambda r: r.table("loss"), "expected several names, received names='loss'"),
        (lambda r: r.mean("ended"), "expected 'ended' to be numbers in every run"),
        (lambda r: r.best("ended", mode="max"), "expected 'ended' to be a number or a curve in every run"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(ask, message):
    with pytest.raises((KeyError, ValueError, TypeError), match=re.escape(message)):
        ask(results())


def test_curves_of_different_lengths_are_no_array():
    runs = plan(other, [{}], seeds=[0, 1])
    ragged = Results([Result(run, {"curve": np.zeros(run.seed + 1)}, 1.0) for run in runs])
    with pytest.raises(ValueError, match=r"expected 'curve' of one shape .* received shapes \[\(1,\), \(2,\)\]"):
        ragged.mean("curve")
    assert [len(curve) for curve in ragged.column("curve")] == [1, 2]


@pytest.mark.parametrize(
    ("steps", "cell"),
    [
        ([1500], "1500"),
        ([1500, 1500], "1500 ± 0"),
        ([1400, 1600], "1500 ± 141.42"),
        ([1, 2], "1.50 ± 0.71"),
        ([1500.0, 1500.0], "1500.00 ± 0.00"),
        ([math.nan, 1.0], "nan ± nan"),
    ],
)
def test_whole_numbers_are_printed_whole(steps, cell):
    found = Results([Result(PlannedRun(other, {}, seed), {"steps": n}, 1.0) for seed, n in enumerate(steps)])
    assert found.table(["steps"], digits=2).splitlines()[2] == f"| {cell} |"


@pytest.mark.parametrize("other", [np.zeros(3), None, {"loss": 1.0}])
def test_what_is_no_result_is_refused_where_it_is_given(other):
    with pytest.raises(TypeError, match=r"expected a list of Result objects, received .+ in it: see execute"):
        Results([other])

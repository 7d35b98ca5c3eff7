"""What is to be run, and what it is known by."""

import copy
import functools
import importlib.util
import linecache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.experiments import PlannedRun, grid, plan
from minidl.experiments.function_digests import behaviour_digest


def train(lr, *, seed, epochs=1):
    return {}


SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3)


@given(st.dictionaries(st.sampled_from("abc"), st.lists(SCALARS, min_size=1, max_size=3), min_size=1))
def test_a_grid_holds_every_combination_once_for_each_way_to_choose_values(values):
    settings = grid(**values)
    assert len(settings) == np.prod([len(choices) for choices in values.values()])
    for name, choices in values.items():
        assert {repr(s[name]) for s in settings} == {repr(choice) for choice in choices}


def test_a_plan_goes_setting_by_setting_and_shares_arguments():
    runs = plan(train, grid(lr=[0.1, 0.2]), seeds=[3, 1], epochs=5)
    assert [(run.setting["lr"], run.seed) for run in runs] == [(0.1, 3), (0.1, 1), (0.2, 3), (0.2, 1)]
    assert all(run.setting["epochs"] == 5 for run in runs)


def test_runs_have_names_of_their_own_whatever_the_order_of_their_arguments():
    names = {run.name for run in plan(train, grid(lr=[0.1, 1, 1.0, True, None, "1"]), seeds=[0, 1])}
    assert len(names) == 12
    a, b = PlannedRun(train, {"lr": 0.1, "epochs": 2}, 0), PlannedRun(train, {"epochs": 2, "lr": 0.1}, 0)
    assert a.name == b.name


def module_of(folder, text):
    """The text as an imported module that can be edited afterwards, within the same second."""
    path = folder / "script.py"
    path.write_text(text)
    linecache.checkcache(str(path))
    spec = importlib.util.spec_from_file_location("script", path)
    module = importlib.util.module_from_spec(spec)
    exec(compile(text, path, "exec"), vars(module))
    return module


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('def train(*, seed):\n    """Other words."""\n    # a comment\n    return {"a":\n        1}\n', True),
        ('x = 1\n\n\ndef train(*, seed):\n    return {"a": 1}\n', True),
        ('def train(*, seed):\n    return {"a": 2}\n', False),
    ],
)
def test_a_run_is_known_by_what_its_function_says_but_not_by_its_layout(tmp_path, text, same):
    first = PlannedRun(module_of(tmp_path, 'def train(*, seed):\n    return {"a": 1}\n').train, {}, 0)
    second = PlannedRun(module_of(tmp_path, text).train, {}, 0)
    assert (first.name == second.name) == same


HELPED = """
RATES = (1, 2)
NAMES = {"a", "b"}


def helper(x):
    return [x * rate for rate in RATES]


def unused():
    return 1


class Model:
    def size(self):
        return SIZE

    @staticmethod
    def depth():
        return DEPTH


SIZE, DEPTH = 11, 13


def train(*, seed):
    return {"a": [helper(x) for x in NAMES], "b": Model().size()}
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("x * rate", "x + rate", False),
        ("(1, 2)", "(1, 3)", False),
        ('{"a", "b"}', '{"b", "a"}', True),
        ("return 1", "return 2", True),
        ("11, 13", "12, 13", False),
        ("11, 13", "11, 14", False),
    ],
)
def test_what_a_function_uses_of_its_own_module_is_part_of_what_it_says(tmp_path, old, new, same):
    first = PlannedRun(module_of(tmp_path, HELPED).train, {}, 0)
    second = PlannedRun(module_of(tmp_path, HELPED.replace(old, new)).train, {}, 0)
    assert (first.name == second.name) == same


def made(k):
    def inner(*, seed):
        return {"k": k}

    return inner


def test_functions_that_differ_in_what_they_enclose_or_default_to_are_different():
    assert PlannedRun(made(1), {}, 0).name != PlannedRun(made(2), {}, 0).name
    assert PlannedRun(made(made(1)), {}, 0).name != PlannedRun(made(made(2)), {}, 0).name
    both = [lambda *, seed: {"k": 1}, lambda *, seed: {"k": 2}]
    assert PlannedRun(both[0], {}, 0).name != PlannedRun(both[1], {}, 0).name
    names = []
    for rate in (0.1, 0.2):
        scope = {}
        exec(f"def train(lr={rate}, *, seed): return {{}}", scope)
        names.append(PlannedRun(scope["train"], {}, 0).name)
    assert names[0] != names[1]


def test_constants_and_helpers_are_looked_at_anew_for_each_plan(monkeypatch):
    def name():
        return plan(uses, [{}], [0])[0].name

    before = name()
    monkeypatch.setitem(globals(), "FACTOR", 2)
    assert name() != before
    monkeypatch.undo()
    assert name() == before
    monkeypatch.setitem(globals(), "losses", 3)  # the name of an attribute only
    assert name() == before


FACTOR, losses = 1, 1


def uses(*, seed):
    return {"x": FACTOR, "y": np.losses}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.array([1.0]), np.array([2.0])),
        (np.int64(1), np.int64(2)),
        ({"k": np.float32(1)}, {"k": np.float32(2)}),
        (range(1), range(2)),
        (SimpleNamespace(k=1), SimpleNamespace(k=2)),
    ],
)
def test_constants_that_are_arrays_or_hold_numbers_of_numpy_make_other_runs(monkeypatch, one, other):
    names, digests = [], []
    for value in (one, copy.deepcopy(one), other):
        monkeypatch.setitem(globals(), "FACTOR", value)
        names.append(plan(uses, [{}], [0])[0].name)
        digests.append(behaviour_digest(uses))
    assert names[0] == names[1] != names[2]
    assert digests[0] == digests[1] != digests[2]


def keeps(*, seed):
    KEPT[0] = seed
    return {"x": FACTOR}


KEPT = np.zeros(1)


def test_what_a_call_leaves_in_its_module_makes_no_other_run():
    before = plan(keeps, [{}], [0])[0].name
    keeps(seed=3)
    assert plan(keeps, [{}], [0])[0].name == before


def test_editing_the_script_while_a_job_runs_changes_no_name(tmp_path):
    module = module_of(tmp_path, "def train(*, seed):\n    return {}\n")
    run = PlannedRun(module.train, {}, 0)
    before = run.name
    (tmp_path / "script.py").write_text("# another\n\n\ndef other():\n    return 5\n")
    linecache.checkcache()
    assert run.name == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PlannedRun("train", {}, 0), r"expected function to be a plain function \(def\), received 'train'"),
        (lambda: PlannedRun(functools.partial(train, 0.1), {}, 0), "expected function to be a plain function"),
        (
            lambda: PlannedRun(train, {"lr": np.float32(0.5)}, 0),
            r"expected plain numbers .* lr=np.float32\(0.5\): write 0.5, or values.tolist\(\)",
        ),
        (lambda: PlannedRun(train, {"lr": [0.1]}, 0), r"received lr=\[0.1\]: make objects inside the function"),
        (lambda: PlannedRun(train, {"lr": float("nan")}, 0), "received lr=nan"),
        (lambda: PlannedRun(train, {"rate": 0.1}, 0), r"expected settings that train\(lr, \*, seed, epochs=1\) takes"),
        (lambda: PlannedRun(train, {"lr": 0.1}, -1), "expected seed to be an integer >= 0, received seed=-1"),
        (lambda: PlannedRun(train, {"lr": 0.1, "seed": 1}, 0), "multiple values|seed"),
        (
            lambda: plan(train, {"lr": [1, 2]}, [0]),
            r"expected a list of settings, received one: write grid\(lr=\.\.\.\)",
        ),
        (lambda: plan(train, {"lr": 1}, [0]), r"expected a list of settings, received one: put {'lr': 1} in \[ \]"),
        (lambda: grid(lr=0.1), r"expected several values for lr, received lr=0.1: put it in \[ \]"),
        (lambda: grid(name="ab"), "received name='ab'"),
        (lambda: PlannedRun("".join, {}, 0), r"expected function to be a plain function \(def\)"),
        (
            lambda: plan(train, [{"lr": 0.1}], 3),
            r"expected seeds to be a list, received seeds=3: write seeds=range\(3\)",
        ),
        (lambda: plan(train, [0.1], [0]), "expected each setting to be a mapping of names to values, received 0.1"),
        (lambda: plan(train, {"lr": 0.1}, [0]), "expected a list of settings, received one"),
        (lambda: plan(train, [{"lr": 0.1}], [0], lr=1), r"expected each argument once, received \['lr'\]"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()

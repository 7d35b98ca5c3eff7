"""What a check says: a smallest case, a diagnosis, a call that repeats it, and data to grade with."""

import io
import json
import os
import subprocess
import sys
import unittest
from importlib.metadata import entry_points
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import minidl.testing
from minidl.initializers import ones
from minidl.layers import Elementwise, Layer, Linear, MeanSquaredError, Sequential, Sigmoid, SoftmaxCrossEntropy, Tanh
from minidl.optim import SGD
from minidl.parameters import Parameter
from minidl.regularizers import L2
from minidl.testing import (
    PROFILES,
    CheckError,
    LayerCheckError,
    check_callback,
    check_layer,
    check_loss,
    check_model,
    check_optimizer,
    check_regularizer,
    check_schedule,
    layer_test,
    real_targets,
)
from minidl.training import Callback, EarlyStopping


def failure(check, *args, **kwargs):
    with pytest.raises(CheckError) as caught:
        check(*args, **kwargs)
    return caught.value


LINEAR = {"shape": ("n", "in_features"), "out_features": st.integers(1, 3)}
SQUARE = {"shape": ("n", 3), "in_features": 3, "out_features": 3}


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("MeanForSum", LINEAR, "mean over rows where their sum is asked for"),
        ("WrongSign", {}, "a sign is wrong"),
        ("Swapped", {}, "this is the gradient of shift: are the two swapped?"),
        ("Transposed", SQUARE, "the right numbers, but transposed"),
        ("Decays", LINEAR, "0.25 * weight was added: weight decay belongs to a regularizer"),
        ("Silent", {}, "dx is 0 everywhere: is it computed at all?"),
        ("LastFeature", {"shape": ("n", 4)}, "only index 3 of axis 1 is wrong"),
        ("Late", {"shape": ("n", 4)}, "the right numbers, but one place too late along axis 1"),
        ("Triples", {}, "every element is 3 times the right one"),
    ],
)
def test_a_known_pattern_is_named(wrong, name, options, said):
    assert said in str(failure(check_layer, wrong[name], **options))


def test_a_loss_that_forgets_a_factor_is_told_so():
    class HalfGradient(MeanSquaredError):
        def row_gradients(self):
            return super().row_gradients() / 2

    assert "every element is half the right one" in str(failure(check_loss, HalfGradient, targets=real_targets))


def test_a_regularizer_that_forgets_a_factor_is_told_so():
    def l2(parameters):
        w = parameters.value[parameters.decayed]
        parameters.grad[parameters.decayed] += w
        return float(w @ w)

    assert "every element is half the right one" in str(failure(check_regularizer, l2))


def test_the_text_shows_the_smallest_case_the_worst_element_and_both_slopes(wrong):
    report = str(failure(check_layer, wrong["WrongSign"]))
    assert "WrongSign: the gradient of x is wrong" in report
    assert "worst element  x[0, 0]: backward -1.125, differences 1.125 (left 1.125, right 1.125)" in report
    assert "1 of 1 elements of dx" in report
    assert "x = [[0.0]]" in report


CASES = {
    "layer": (check_layer, lambda wrong: (wrong["Swapped"], {})),
    "stochastic layer": (check_layer, lambda wrong: (DropoutWithTwoMasks, {"stochastic": True})),
    "loss": (check_loss, lambda wrong: (Doubled, {"targets": real_targets})),
    "regularizer": (check_regularizer, lambda wrong: (L2(0.5, names="*"), {})),
    "optimizer": (check_optimizer, lambda wrong: (Ascends(0.1), {})),
    "schedule": (check_schedule, lambda wrong: (Counting, {"lr": 0.1})),
    "callback": (check_callback, lambda wrong: (Forgets, {"every": 2, "fit": {"restore_best": False}})),
}


class DropoutWithTwoMasks(Elementwise):
    def forward(self, x):
        self.mask = (self.rng.random(x.shape) < 0.5).astype(x.dtype) if self.training else np.ones_like(x)
        return x * self.mask

    def backward(self, dy):
        return dy * (1 - self.mask) if self.training else dy


class Doubled(MeanSquaredError):
    def row_gradients(self):
        return 2 * super().row_gradients()


class Ascends(SGD):
    def update(self, value, grad, lr):
        value += lr * grad


class Counting:
    def __init__(self, lr):
        self.lr, self.calls = lr, 0

    def __call__(self, step):
        self.calls += 1
        return self.lr / self.calls


class Forgets(Callback):
    def __init__(self, every):
        self.every, self.steps = every, 0

    def on_step_end(self, trainer):
        self.steps += 1
        trainer.optimizer.lr_scale = 0.5 ** (self.steps // self.every)


@pytest.mark.parametrize("name", CASES)
def test_the_last_line_is_a_call_that_fails_in_the_same_way(wrong, name):
    check, thing_of = CASES[name]
    thing, options = thing_of(wrong)
    first = failure(check, thing, **options)
    line = next(line for line in str(first).split("\n") if "repeat with" in line).split("repeat with")[1].strip()
    names = vars(minidl.testing) | wrong | globals() | {"check": check}
    again = failure(eval, line, names)
    assert again.property == first.property
    assert again.failed == first.failed


def test_a_report_is_a_table_and_data(wrong):
    report = check_layer(Tanh, max_examples=5)
    assert report.passed
    assert report.score == 1
    assert report.cases == 5
    assert {result.verdict for result in report} == {"passed", "not tried"}
    assert report["derivatives off the grid"].worst_error < 1e-6
    assert report["rows independent"].worst_error is None
    assert report.worst_error == max(r.worst_error for r in report if r.worst_error is not None)
    assert repr(report) == str(report)
    assert "Tanh: 22 of 22 properties hold, 5 cases" in str(report)
    data = json.loads(json.dumps(report.as_dict()))
    assert data["subject"] == "Tanh"
    assert data["properties"][0] == {
        "name": "runs",
        "verdict": "passed",
        "runs": 10,
        "worst_error": None,
        "failure": None,
        "dtype": "float64",
    }
    assert [result.name for result in report if result.dtype == "float32"] == ["float32"]


def test_an_unknown_property_is_refused_with_those_there_are():
    with pytest.raises(KeyError, match="no property 'linear'; known: runs, shapes and dtypes"):
        check_layer(Tanh, max_examples=1)["linear"]


def test_an_error_carries_a_report_in_which_the_rest_is_not_judged(wrong):
    error = failure(check_layer, wrong["WrongSign"])
    assert isinstance(error, LayerCheckError)
    assert isinstance(error, AssertionError)
    assert error.subject == "WrongSign"
    assert error.failed == "the gradient of x is wrong"
    assert error.report[error.property].verdict == "failed"
    assert {result.verdict for result in error.report} == {"failed", "not judged"}
    assert not error.report.passed


def test_for_grading_every_property_is_judged_by_itself(wrong):
    report = check_layer(wrong["MeanForSum"], raises=False, **LINEAR)
    failed = {result.name for result in report if result.verdict == "failed"}
    assert {"rows independent", "derivatives on the grid", "derivatives off the grid"} <= failed
    assert report["linear in the upstream gradient"].verdict == "passed"
    assert "not judged" not in {result.verdict for result in report}
    assert 0.5 < report.score < 1
    assert "mean over rows" in report["derivatives off the grid"].failure
    assert "MeanForSum: " in str(report)


def test_what_does_not_run_is_not_judged_further():
    class Broken(Elementwise):
        def forward(self, x):
            raise RuntimeError("not written yet")

    report = check_layer(Broken, raises=False)
    assert report["runs"].verdict == "failed"
    assert "RuntimeError: not written yet" in report["runs"].failure
    assert {result.verdict for result in report} == {"failed", "not judged"}
    assert report.score == 0


def test_a_backward_that_raises_far_out_does_not_run():
    class Bounded(Tanh):
        def backward(self, dy):
            dx = super().backward(dy)
            if not dx.all():
                raise RuntimeError("saturated")
            return dx

    error = failure(check_layer, Bounded)
    assert error.property == "runs"
    assert "RuntimeError: saturated" in str(error)


class LosesDigits(Tanh):
    def forward(self, x):
        y = super().forward(x)
        return np.round(y, 2).astype(x.dtype) if x.dtype == np.float32 else y


class DearerInSingle(MeanSquaredError):
    def row_losses(self, scores, targets):
        losses = super().row_losses(scores, targets)
        return losses * 1.01 if scores.dtype == np.float32 else losses


def half_l2_dearer_in_single(parameters):
    w = parameters.value[parameters.decayed]
    parameters.grad[parameters.decayed] += w
    return 0.5 * float(w @ w) * (1.01 if w.dtype == np.float32 else 1.0)


@pytest.mark.parametrize(
    ("check", "thing", "options"),
    [
        (check_layer, LosesDigits, {}),
        (check_loss, DearerInSingle, {"targets": real_targets}),
        (check_regularizer, half_l2_dearer_in_single, {}),
    ],
)
def test_another_number_in_float32_is_found_whatever_the_kind(check, thing, options):
    error = failure(check, thing, **options)
    assert error.property == "float32"
    assert error.failed == "float32 must agree with float64"


def test_one_given_case_is_run_instead_of_drawn_ones():
    report = check_layer(Sigmoid(), at={"x": [[0.0, -2.0]]})
    assert report.cases == 1
    assert check_loss(MeanSquaredError(), at={"scores": [[1.0]], "targets": [[0.5]]}).passed
    assert check_regularizer(L2(0.5), at={"values": [1, 2, 3, 4], "widths": (1, 1)}).passed
    assert check_optimizer(SGD(0.1), at={"start": [1.0], "gradients": [[0.5]]}).passed
    assert check_schedule(lambda step: 0.1, at={"steps": [0, 3]}).passed
    run = {"rows": 2, "batch_size": 1, "epochs": 2, "validate_every": 1, "cut": 0, "seed": 0}
    assert check_callback(EarlyStopping(patience=1), at=run).passed
    model = Sequential(Linear(2, 3))
    assert check_model(model, SoftmaxCrossEntropy(), at={"x": [[0.5, 1.0]], "targets": [2]}).passed


def test_a_case_with_other_entries_is_refused():
    with pytest.raises(ValueError, match=r"expected at=.* with x, seed, received at=.*scores"):
        check_layer(Sigmoid(), at={"scores": [[0.0]]})


def test_arguments_for_an_object_that_is_made_already_are_refused():
    with pytest.raises(TypeError, match=r"made already, received arguments \['out_features'\]"):
        check_layer(Linear(2, 2), ("n", 2), out_features=3)


def test_a_constructor_that_refuses_its_arguments_is_named():
    with pytest.raises(TypeError) as caught:
        check_layer(Linear, ("n", "in_features"))
    assert "Linear was called with {'in_features': " in caught.value.__notes__[0]


def test_an_object_is_left_as_it_was():
    layer = Linear(2, 2).build(seed=3)
    before = layer.parameters.value.copy()
    check_layer(layer, shape=("n", 2), max_examples=5)
    np.testing.assert_array_equal(layer.parameters.value, before)
    assert not layer.training


def test_what_fails_only_sometimes_is_reported_as_such():
    class Moody(Elementwise):
        made = 0

        def __init__(self):
            type(self).made += 1
            self.factor = 2 if self.made == 5 else 1

        def forward(self, x):
            return x * self.factor

        def backward(self, dy):
            return dy.copy()

    assert "a case that fails once must fail again" in str(failure(check_layer, Moody))


def test_settings_are_those_of_the_caller(wrong):
    seen = []

    class Counted(Tanh):
        def __init__(self):
            seen.append(1)

    layer_test(Counted, settings=hypothesis.settings(max_examples=3, deadline=None, database=None))()
    assert 6 <= len(seen) <= 8  # two a case: layers of one call must not share what they keep


def test_the_profiles_are_registered_and_the_loaded_one_is_used():
    for name, profile in PROFILES.items():
        assert hypothesis.settings.get_profile(name).max_examples == profile.max_examples
    assert hypothesis.settings.get_profile("ci").derandomize
    assert PROFILES["deep"].max_examples == 10_000


def test_a_check_runs_as_a_method_of_a_unittest():
    class TestTanh(unittest.TestCase):
        test_tanh = layer_test(Tanh)
        test_wrong = layer_test(type("Wrong", (Tanh,), {"backward": lambda self, dy: 2 * dy}))

    result = unittest.TextTestRunner(stream=io.StringIO()).run(
        unittest.defaultTestLoader.loadTestsFromTestCase(TestTanh)
    )
    assert result.testsRun == 2
    assert [str(test).split()[0] for test, _ in result.failures] == ["test_wrong"]


def test_small_positive_parameters_are_moved_gently():
    class Width(Layer):
        """y = log(width) x, defined for positive widths only."""

        def __init__(self, features):
            self.width = Parameter((features,), lambda rng, shape: 0.01 * ones(rng, shape))

        def forward(self, x):
            self.x = x
            return x * np.log(self.width.value)

        def backward(self, dy):
            self.width.grad = (self.x * dy).sum(axis=0) / self.width.value
            return dy * np.log(self.width.value)

    assert check_layer(Width, max_examples=30).passed


def test_integers_name_a_constructor_argument():
    with pytest.raises(ValueError, match=r"high a number or one of \['features', 'n'\], received 'words'"):
        check_layer(Tanh, integers=(0, "words"))


def test_what_does_not_apply_is_not_tried_and_does_not_count():
    report = check_layer(Tanh, rows_mix=True, domain=(-1, 1), max_examples=5)
    assert report["rows independent"].verdict == "not tried"
    assert report["hostile values"].verdict == "not tried"
    assert report["rows independent"].runs == 0
    assert report.passed
    assert report.score == 1
    assert "18 of 18 properties hold" in str(report)


def test_a_forgotten_set_does_not_spoil_what_else_is_graded():
    class Adds(Linear):
        def backward(self, dy):
            self.weight.grad += self._input.T @ dy
            self.bias.grad += dy.sum(axis=0)
            return dy @ self.weight.value.T

        def forward(self, x):
            self._input = x
            return super().forward(x)

    report = check_layer(Adds, raises=False, max_examples=20, **LINEAR)
    assert report["gradients are set"].verdict == "failed"
    assert report["hostile values"].verdict == "passed"
    assert report["rows independent"].verdict == "passed"


def test_what_cannot_be_made_fails_when_graded_and_raises_otherwise():
    class Unmakeable(Elementwise):
        def __init__(self):
            raise RuntimeError("not finished")

    report = check_layer(Unmakeable, raises=False)
    assert "RuntimeError: not finished" in report["runs"].failure
    assert report.score == 0
    with pytest.raises(RuntimeError, match="not finished"):
        check_layer(Unmakeable)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shape": "n"}, "received shape='n'"),
        ({"shape": ("n", 0)}, r"received shape=\('n', 0\)"),
        ({"shape": ("n", True)}, "expected shape to be a tuple such as"),
        ({"domain": (1, 1)}, r"low < high, both within 1e9, received domain=\(1, 1\)"),
        ({"domain": (0, float("inf"))}, "received domain"),
        ({"domain": (0, None)}, "received domain"),
        ({"integers": (3, 3)}, r"low < high, received integers=\(3, 3\)"),
        ({"integers": True}, "received integers=True"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_three_facts(options, said):
    with pytest.raises(ValueError, match=said):
        check_layer(Tanh, **options)


@pytest.mark.parametrize(
    ("check", "thing"),
    [(check_layer, MeanSquaredError), (check_loss, Tanh), (check_optimizer, L2(0.1)), (check_callback, Tanh)],
)
def test_a_thing_of_another_kind_is_refused(check, thing):
    with pytest.raises(TypeError, match="expected one "):
        check(thing)


def test_an_object_of_other_sizes_is_told_about_the_shape():
    assert "give the sizes that this object was made for" in str(failure(check_layer, Linear(4, 2)))


def test_factories_of_regularizers_and_schedules_take_arguments():
    assert check_regularizer(lambda strength: L2(strength), strength=0.5).passed
    assert check_schedule(lambda lr: lambda step: lr, lr=st.sampled_from([0.1, 0.5])).passed
    with pytest.raises(TypeError, match="made already"):
        check_regularizer(L2(0.1), strength=0.5)


def test_strategies_beside_a_given_case_are_refused():
    with pytest.raises(TypeError, match="received strategies"):
        check_layer(Linear, at={"x": [[1.0]]}, in_features=1, out_features=st.integers(1, 3))


def test_narrow_domains_are_drawn_from():
    assert check_layer(Tanh, domain=(0.001, 0.002), max_examples=10).passed


def test_a_large_layer_is_judged_in_reasonable_time():
    class OneOfTenThousand(Linear):
        def backward(self, dy):
            dx = super().backward(dy)
            gradient = self.weight.grad.copy()
            gradient[17, 23] *= 2
            self.weight.grad = gradient
            return dx

    error = failure(check_layer, OneOfTenThousand(100, 100), ("n", 100), max_examples=5)
    assert "worst element  weight[17, 23]" in str(error)
    assert "of 10000 elements of dweight" in str(error)


def test_a_factor_that_is_a_parameter_is_named():
    class GainTwice(Layer):
        def __init__(self, features):
            self.gain = Parameter((features,), ones)

        def forward(self, x):
            self.x = x
            return x * self.gain.value

        def backward(self, dy):
            self.gain.grad = (dy * self.x).sum(axis=0) * self.gain.value
            return dy * self.gain.value

    assert "every element is gain times the right one" in str(failure(check_layer, GainTwice))


def test_the_line_to_look_closer_shows_the_mistake(wrong):
    text = str(failure(check_layer, wrong["Swapped"]))
    line = next(line for line in text.split("\n") if "look closer" in line).split("look closer")[1].strip()
    table = eval(line, vars(minidl.testing) | wrong)
    assert not table.agrees


def test_the_parameters_in_a_report_are_those_that_were_judged(wrong):
    text = str(failure(check_layer, wrong["Decays"], **LINEAR))
    shown = next(line for line in text.split("\n") if line.startswith("  weight = ")).split(" = ")[1]
    closer = next(line for line in text.split("\n") if "look closer" in line)
    assert f"'weight': {shown}" in closer


def test_the_point_shown_is_one_where_the_mistake_shows():
    class SortsBackwardsForward(Elementwise):
        """Uses the permutation where its inverse is asked for, which are the same for two elements."""

        def forward(self, x):
            self.order = np.argsort(x, axis=1)
            return np.sort(x, axis=1)

        def backward(self, dy):
            return np.take_along_axis(dy, self.order, axis=1)

    text = str(failure(check_layer, SortsBackwardsForward))
    closer = next(line for line in text.split("\n") if "look closer" in line).split("look closer")[1].strip()
    table = eval(closer, vars(minidl.testing) | {"SortsBackwardsForward": SortsBackwardsForward})
    assert not table.agrees


class Differences(Layer):
    """y_j = x_{j+1} - x_j, which has nothing to say about a single feature."""

    def forward(self, x):
        self.shape = x.shape
        return np.diff(x, axis=1)

    def backward(self, dy):
        dx = np.zeros(self.shape, dy.dtype)
        dx[:, 1:] += dy
        dx[:, :-1] -= dy
        return dx


def test_an_output_without_numbers_asks_for_larger_sizes():
    error = failure(check_layer, Differences)
    assert error.property == "runs"
    said = "received shape (1, 0) for x of (1, 1): sizes too small for it? Give a lower bound: shape=('n', at_least(3))"
    assert said in str(error)
    assert check_layer(Differences, features=st.integers(2, 5), max_examples=20).passed


class Forgotten(Layer):
    """A gain that is a plain number: nothing judges its gradient."""

    gain = 2.0

    def forward(self, x):
        return x * self.gain

    def backward(self, dy):
        return dy * self.gain


def test_the_report_lists_the_parameters_that_were_judged():
    assert str(check_layer(Forgotten, max_examples=5)).splitlines()[0].endswith(", no parameters")
    report = check_layer(Linear(2, 3), ("n", 2), max_examples=5)
    assert report.parameters == tuple(report.as_dict()["parameters"]) == ("weight", "bias")
    assert str(report).splitlines()[0].endswith(" 5 cases, with the parameters weight, bias")


def test_a_backward_without_a_return_is_told_so():
    class Silent(Tanh):
        def backward(self, dy):
            super().backward(dy)

    assert "received None: does it return dL/dx?" in str(failure(check_layer, Silent))


def test_what_failed_shows_no_error_that_held():
    class Wrong(Tanh):
        def backward(self, dy):
            return 2 * super().backward(dy)

    report = check_layer(Wrong, raises=False, max_examples=20)
    assert all("worst" not in line for line in str(report).splitlines() if line.startswith("  failed"))


FAILING = """
from minidl import Layer
from minidl.testing import check_layer, layer_test


class Double(Layer):
    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return dy


test_double = layer_test(Double, shape=("n", 3))


def test_at_once():
    check_layer(Double, shape=("n", 3))
"""


def test_pytest_shows_the_report_of_a_failing_check_and_not_how_it_was_found(tmp_path):
    (tmp_path / "test_mine.py").write_text(FAILING, encoding="utf-8")
    home = str(Path(minidl.testing.__file__).parents[2])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-rN",  # where CI is set, pytest's summary would repeat every message whole
        "--hypothesis-profile=ci",
        "test_mine.py",
    ]
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 failed" in run.stdout, run.stdout + run.stderr
    assert run.stdout.count("Double: the gradient of x is wrong") == 2
    assert "_judge" not in run.stdout
    assert "verdict.py" not in run.stdout


def test_profiles_are_known_to_hypothesis_wherever_minidl_is_installed():
    (own,) = [entry for entry in entry_points(group="hypothesis") if entry.name == "minidl"]
    own.load()()
    assert hypothesis.settings.get_profile("deep").max_examples == 10_000


@pytest.mark.parametrize("first", ["minidl.testing", "hypothesis", "minidl.profiles"])
def test_the_checks_and_hypothesis_are_imported_in_either_order(first, tmp_path):
    home = str(Path(minidl.testing.__file__).parents[2])
    program = f"import {first}, minidl.testing, hypothesis; hypothesis.settings.get_profile('deep')"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": home},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stderr, run.returncode) == ("", 0)


def test_what_is_not_linear_in_the_upstream_gradient_is_tried_with_another_one():
    class Clips(Elementwise):
        def forward(self, x):
            return x.copy()

        def backward(self, dy):
            return np.clip(dy, -2, 2)

    report = check_layer(Clips(), raises=False)
    assert report["linear in the upstream gradient"].verdict == "failed"
    assert report["derivatives off the grid"].verdict == "passed"

"""check_function: a forward and a backward function in NumPy, of one input or several."""

import re

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

import minidl.testing
from minidl.testing import FunctionCheckError, at_least, check_function, function_test

LINEAR = {"x": ("n", "k"), "weight": ("k", "m"), "bias": ("m",)}


def linear(x, weight, bias):
    return x @ weight + bias


def linear_backward(dy, x, weight, bias):
    return dy @ weight.T, x.T @ dy, dy.sum(axis=0)


def failure_of(*args, **options):
    with pytest.raises(FunctionCheckError) as caught:
        check_function(*args, **options)
    return caught.value


def test_a_right_pair_with_several_inputs_passes_every_property_that_applies():
    report = check_function(linear, linear_backward, shape=LINEAR)
    assert report.passed
    assert report.worst_error < 1e-4
    not_tried = {result.name for result in report if result.verdict == "not tried"}
    assert not_tried == {"needs_input_grad is only a hint", "compiled"}


def test_a_wrong_gradient_is_shrunk_diagnosed_and_repeated_by_the_line_it_prints():
    error = failure_of(linear, lambda dy, x, w, b: (dy @ w.T, x.T @ dy, dy.mean(axis=0)), shape=LINEAR)
    assert error.property == "rows independent"
    assert "dbias of the batch" in str(error)
    assert "a mean over rows" in str(error)


def test_the_line_that_repeats_a_case_repeats_it():
    def square(x):
        return x**2

    def square_backward(dy, x):
        return x * dy

    error = failure_of(square, square_backward)
    assert error.property == "derivatives off the grid"
    assert "every element is half the right one" in str(error)
    line = re.search(r"repeat with\s+(.*)", str(error))[1]
    names = {"check_function": check_function, "square": square, "square_backward": square_backward}
    with pytest.raises(FunctionCheckError) as again:
        eval(line, names)
    assert again.value.property == error.property
    assert line in str(again.value)
    assert "'x': [[0.0]]" in line


def test_forward_may_return_a_cache_that_backward_takes():
    def normalized(x):
        norm = np.sqrt((x * x).sum(axis=1, keepdims=True) + 1)
        return x / norm, (x, norm)

    def back(dy, cache):
        x, norm = cache
        return dy / norm - x * (x * dy).sum(axis=1, keepdims=True) / norm**3

    assert check_function(normalized, back, cache=True).passed
    assert "expected forward to return (output, cache)" in str(failure_of(np.tanh, back, cache=True))


def test_several_outputs_have_an_upstream_gradient_each():
    def both(x, y):
        return x * y, x.sum(axis=1)

    def back(dproduct, dsum, x, y):
        return dproduct * y + dsum[:, None], dproduct * x

    shape = {"x": ("n", "k"), "y": ("n", "k")}
    assert check_function(both, back, shape=shape).passed
    error = failure_of(both, lambda dp, ds, x, y: (dp * y, dp * x), shape=shape)
    assert error.property == "derivatives on the grid"
    assert "the gradient of x is wrong" in str(error)


def test_whole_numbers_constants_and_arguments_are_not_differentiated():
    def picked(scores, labels, weights, scale):
        return scale * weights * scores[np.arange(len(scores)), labels]

    def back(dy, scores, labels, weights, scale):
        dx = np.zeros_like(scores)
        dx[np.arange(len(scores)), labels] = scale * weights * dy
        return dx, None, None

    shape = {"scores": ("n", "classes"), "labels": ("n",), "weights": ("n",)}
    options = {"integers": {"labels": (0, "classes")}, "constants": ("weights",), "scale": st.sampled_from([1.0, 2.0])}
    assert check_function(picked, back, shape=shape, **options).passed
    error = failure_of(picked, lambda *args, **more: (2 * back(*args, **more)[0], None, None), shape=shape, **options)
    assert ", scale=1.0)" in str(error)
    assert "twice the right one" in str(error)
    assert "labels = " in str(error)


def test_a_number_for_the_whole_batch_mixes_rows_and_may_be_a_float():
    def loss(scores, targets):
        return float(((scores - targets) ** 2).mean())

    def back(dy, scores, targets):
        d = 2 * (scores - targets) / scores.size * dy
        return d, -d

    shape = {"scores": ("n", "k"), "targets": ("n", "k")}
    assert check_function(loss, back, shape=shape, rows_mix=True).passed
    assert "rows_mix=True" in str(failure_of(loss, back, shape=shape))


def test_an_input_may_be_a_single_number():
    def scaled(x, gain):
        return gain**2 * x

    shape = {"x": ("n", "k"), "gain": ()}
    right = lambda dy, x, gain: (gain**2 * dy, 2 * gain * (dy * x).sum())  # noqa: E731
    assert check_function(scaled, right, shape=shape).passed
    error = failure_of(scaled, lambda dy, x, gain: (gain**2 * dy, gain * (dy * x).sum()), shape=shape)
    assert "the gradient of gain is wrong\n  worst element  gain: backward" in str(error)
    assert "every element is half the right one" in str(error)


def test_kinks_and_ties_are_excused_and_a_choice_that_is_none_is_not():
    shape = {"a": ("n", "k"), "b": ("n", "k")}
    assert check_function(np.maximum, lambda dy, a, b: (dy * (a >= b), dy * (a < b)), shape=shape).passed
    error = failure_of(np.maximum, lambda dy, a, b: (dy * (a >= b), dy * (a <= b) * 3), shape=shape)
    assert "the gradient of b is wrong" in str(error)


def test_what_jumps_is_held_there_where_it_is_declared():
    def step(x):
        return np.where(x == 0, 5, x).astype(x.dtype)

    def back(dy, x):
        return dy * (x != 0)

    assert check_function(step, back, jumps=(0.0,)).passed
    assert failure_of(step, back).property == "derivatives on the grid"


WRONG = {
    "runs": (np.sum, lambda dy, x: dy + 0 * x),
    "shapes and dtypes": (np.tanh, lambda dy, x: (dy * (1 - np.tanh(x) ** 2)).astype(np.float32)),
    "gradients are set": (np.abs, lambda dy, x: dy * x / np.abs(x)),
    "what is given is left alone": (
        lambda x: 2 * np.tanh(x),
        lambda dy, x: np.multiply(dy, 2 - 2 * np.tanh(x) ** 2, out=dy),
    ),
    "linear in the upstream gradient": (np.positive, lambda dy, x: np.clip(dy, -2, 2)),
    "rows independent": (lambda x: x - x.mean(axis=0), lambda dy, x: dy - dy.mean(axis=0)),
    "hostile values": (lambda x: np.log(np.exp(x)), lambda dy, x: dy),
    "float32": (lambda x: x * np.float64(2), lambda dy, x: 2 * dy),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_property_that_is_broken_is_named(name):
    assert failure_of(*WRONG[name]).property == name


def test_what_is_kept_outside_is_found():
    kept = {}

    def forward(x):
        kept["x"] = x
        return x**2

    error = failure_of(forward, lambda dy, x: 2 * kept["x"] * dy)
    assert error.property == "backward of its own forward"

    buffer = np.zeros((600, 64))

    def reuses(x):
        out = buffer[: len(x), : x.shape[1]]
        return np.multiply(x, 2, out=out)

    assert failure_of(reuses, lambda dy, x: 2 * dy).property == "what is returned stays"


def test_every_property_is_judged_by_itself_where_nothing_is_raised():
    report = check_function(np.positive, lambda dy, x: np.clip(dy, -2, 2), raises=False)
    assert report["linear in the upstream gradient"].verdict == "failed"
    assert report["rows independent"].verdict == "passed"
    assert 0 < report.score < 1


def test_a_test_of_it_runs_with_other_settings_and_fails_where_the_check_does():
    function_test(linear, linear_backward, shape=LINEAR, settings=settings(max_examples=5, deadline=None))()
    with pytest.raises(FunctionCheckError):
        function_test(np.square, lambda dy, x: x * dy)()


def test_sizes_have_bounds_strategies_and_one_meaning():
    def differences(x):
        assert x.shape[1] >= 2
        return np.diff(x, axis=1)

    def back(dy, x):
        dx = np.zeros_like(x)
        dx[:, 1:] += dy
        dx[:, :-1] -= dy
        return dx

    assert check_function(differences, back, shape=("n", at_least(2))).passed
    assert check_function(differences, back, shape=("n", "k"), k=st.integers(2, 3), max_examples=10).passed


REFUSED = {
    "a pair of one": (lambda: check_function("tanh", np.tanh), TypeError, "expected forward to be a function"),
    "no input": (lambda: check_function(np.tanh, np.tanh, shape={}), ValueError, "an entry for each input"),
    "an unknown constant": (
        lambda: check_function(np.tanh, np.tanh, constants=("y",)),
        ValueError,
        "expected constants of inputs, received 'y'",
    ),
    "nothing to differentiate": (
        lambda: check_function(np.tanh, np.tanh, integers=(0, 3)),
        ValueError,
        "expected an input that is differentiated",
    ),
    "a domain turned round": (lambda: check_function(np.tanh, np.tanh, domain=(1, 0)), ValueError, "low < high"),
    "integers of which input": (
        lambda: check_function(linear, linear_backward, shape=LINEAR, integers=(0, 3)),
        ValueError,
        "where inputs are several",
    ),
    "integers turned round": (
        lambda: check_function(linear, linear_backward, shape=LINEAR, integers={"bias": (3, 0)}),
        ValueError,
        "low < high",
    ),
    "an unknown size": (
        lambda: check_function(linear, linear_backward, shape=LINEAR, integers={"bias": (0, "words")}),
        ValueError,
        "received 'words'",
    ),
    "rows that mix somehow": (
        lambda: check_function(np.tanh, np.tanh, rows_mix="sometimes"),
        ValueError,
        "expected rows_mix to be True, False",
    ),
    "a cache that is none": (lambda: check_function(np.tanh, np.tanh, cache="x"), TypeError, "expected cache to be"),
    "an option of a test": (lambda: check_function(np.tanh, np.tanh, settings=1), TypeError, "give max_examples"),
    "a name misspelt": (lambda: check_function(np.tanh, np.tanh, constant=()), TypeError, "did you mean 'constants'"),
    "another case": (lambda: check_function(np.tanh, np.tanh, at={"y": 1}), ValueError, "with x, seed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name):
    call, kind, text = REFUSED[name]
    with pytest.raises(kind, match=re.escape(text)):
        call()


def test_gradients_that_are_too_few_or_of_another_kind_are_said():
    error = failure_of(linear, lambda dy, x, w, b: dy @ w.T, shape=LINEAR)
    assert "a gradient for each of x, weight, bias" in str(error)
    error = failure_of(linear, lambda dy, x, w, b: (dy @ w.T, x.T @ dy, None), shape=LINEAR)
    assert "constants=('bias',)" in str(error)
    error = failure_of(lambda x: x > 0, lambda dy, x: dy)
    assert "expected forward to return an array of floats, or a tuple of them, received ndarray of bool" in str(error)


def test_the_error_is_public():
    assert minidl.testing.FunctionCheckError is FunctionCheckError

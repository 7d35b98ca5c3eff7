"""The calls themselves: one signature for both of a kind, options that are refused, and properties as objects."""

import inspect

import hypothesis
import pytest

import minidl.testing
from minidl import EarlyStopping
from minidl.layers import Linear, SoftmaxCrossEntropy, Tanh
from minidl.testing import check_layer, check_model, layer_test, model_test
from minidl.testing.layers import LAYER
from minidl.testing.layers.case import LayerCheckError
from minidl.testing.models import MODEL
from minidl.testing.report import Properties
from minidl.testing.running import Kind

KINDS = ("layer", "loss", "model", "regularizer", "optimizer", "schedule", "callback")
DECLARATIONS = {"rows_mix", "stochastic", "random_inference", "domain", "integers"}


def options_of(name):
    return inspect.signature(getattr(minidl.testing, name)).parameters


@pytest.mark.parametrize("kind", KINDS)
def test_both_calls_of_a_kind_take_the_same_and_their_own(kind):
    test, check = options_of(f"{kind}_test"), options_of(f"check_{kind}")
    assert set(test) - set(check) == {"settings"}
    assert set(check) - set(test) == {"at", "max_examples", "raises"}
    assert next(iter(test)) == next(iter(check)) == kind
    assert list(test)[-1] == list(check)[-1] == "arguments"


def test_a_model_declares_what_a_layer_does():
    assert set(options_of("check_model")) >= DECLARATIONS | {"targets", "regularizers"}
    assert set(options_of("layer_test")) >= DECLARATIONS


@pytest.mark.parametrize("kind", KINDS)
def test_the_calls_know_their_names_and_say_what_they_do(kind):
    for name in (f"{kind}_test", f"check_{kind}"):
        call = getattr(minidl.testing, name)
        assert call.__name__ == name
        assert call.__module__.startswith("minidl.testing.")
        assert ">>> " in call.__doc__


def test_a_test_takes_no_option_of_the_other_call():
    with pytest.raises(TypeError, match="at"):
        layer_test(Tanh, at={"x": [[1.0]]})()
    with pytest.raises(TypeError, match="raises"):
        model_test(Linear(2, 2), SoftmaxCrossEntropy(), ("n", 2), raises=False)()
    with pytest.raises(TypeError, match="settings"):
        check_layer(Tanh, settings=None)


def test_an_unknown_option_is_refused():
    with pytest.raises(TypeError, match="row_mix"):
        check_layer(Tanh, row_mix=True)
    with pytest.raises(TypeError, match="row_mix"):
        check_model(Linear(2, 2), SoftmaxCrossEntropy(), ("n", 2), row_mix=True)


def test_properties_are_tried_in_the_order_in_which_they_are_stated():
    tried, stated = [], Properties()

    @stated.property("runs", first=True)
    def runs(case):
        tried.append("runs")

    @stated.property("digits", allowed=1e-3)
    def digits(case):
        tried.append("digits")
        return 0.0

    kind = Kind(tuple(stated), runs, LayerCheckError)
    assert [(asked.name, asked.allowed, asked.first) for asked in kind.properties] == [
        ("runs", 1e-6, True),
        ("digits", 1e-3, False),
    ]
    for asked in kind.properties:
        asked.check(None)
    assert tried == ["runs", "digits"]


@pytest.mark.parametrize("kind", [LAYER, MODEL])
def test_a_kind_names_each_property_once_and_its_running_among_them(kind):
    names = [asked.name for asked in kind.properties]
    assert len(set(names)) == len(names)
    assert kind.running in kind.properties
    assert kind.running.first


def test_a_missing_argument_is_missed_by_the_call_that_was_made():
    with pytest.raises(TypeError, match="check_layer: missing a required argument: 'layer'"):
        minidl.testing.check_layer()


@pytest.mark.parametrize("settings", [{"max_examples": 5}, 5, "ci", hypothesis.settings])
def test_settings_that_are_none_are_refused(settings):
    with pytest.raises(TypeError, match="layer_test: expected settings to be hypothesis settings"):
        layer_test(Tanh, settings=settings)


@pytest.mark.parametrize("count", [True, 0, None, 8.0, "a"])
def test_a_number_of_examples_is_a_whole_one(count):
    with pytest.raises(ValueError, match="expected max_examples to be an integer >= 1"):
        check_layer(Tanh, max_examples=count)


@pytest.mark.parametrize(
    ("call", "options", "said"),
    [
        (check_layer, {"raises": "no"}, "raises to be True or False"),
        (check_layer, {"stochastc": True}, "did you mean 'stochastic'"),
        (check_layer, {"settings": None}, "give max_examples"),
        (layer_test, {"max_examples": 5}, "give settings"),
        (layer_test, {"raises": False}, "check_"),
        (layer_test, {"at": {"x": [[1.0]]}}, "check_"),
    ],
)
def test_an_option_that_cannot_be_says_what_to_write(call, options, said):
    with pytest.raises(TypeError, match=said):
        call(Tanh, **options)


@pytest.mark.parametrize("fit", [{"restor": False}, {"resume": "a"}, {"progress": True}, [1], {"epochs": 1}])
def test_options_of_fit_that_the_check_cannot_hand_on_are_refused(fit):
    with pytest.raises((TypeError, ValueError), match="expected fit"):
        minidl.testing.check_callback(EarlyStopping, fit=fit)


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"cut": -3}, {"epochs": "a"}])
def test_a_run_that_cannot_be_is_refused(wrong):
    at = {"rows": 2, "batch_size": 1, "epochs": 1, "validate_every": 1, "cut": 0, "seed": 0} | wrong
    with pytest.raises(ValueError, match=f"expected {next(iter(wrong))} to be an integer"):
        minidl.testing.check_callback(EarlyStopping, at=at)


def test_a_factory_without_sizes_is_told_about_the_shape():
    with pytest.raises(LayerCheckError, match="are drawn: give the sizes that this object was made for"):
        check_layer(lambda: Linear(3, 2))

"""The calls themselves: one signature for both of a kind, options that are refused, and properties as objects."""

import inspect

import pytest

import minidl.testing
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

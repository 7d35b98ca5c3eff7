"""Networks made sick on purpose are named, and healthy ones are not."""

import pytest

from minidl import SGD, Layer, Linear, Sequential, Sigmoid
from minidl.diagnostics import Recorder, diagnose
from tests.diagnostics.networks import ALSO, HEALTHY, SICK, recorded


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", SICK)
def test_what_a_network_was_made_sick_with_is_named_and_nothing_that_it_does_not_bring_along(name, seed):
    sickness, run = SICK[name]
    diagnosis = diagnose(run(seed))
    assert sickness == diagnosis.names[0]
    assert set(diagnosis.names) <= {sickness, *ALSO.get(name, ())}
    assert not diagnosis.healthy
    for finding in diagnosis.findings:
        assert finding.name in str(diagnosis)
        assert any(character.isdigit() for character in finding.numbers)
        assert finding.advice


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_found_in_a_healthy_network(name, seed):
    recorder = HEALTHY[name](seed)
    diagnosis = diagnose(recorder)
    assert (diagnosis.names, diagnosis.healthy) == ([], True)
    assert str(diagnosis) == f"nothing found in {len(recorder)} records"
    assert "nothing found" in diagnosis._repr_html_()


def test_there_are_ten_of_each():
    assert len(SICK) >= 10
    assert len(HEALTHY) >= 10
    assert len({sickness for sickness, _ in SICK.values()}) == 9


def test_the_layers_that_are_sick_are_named():
    finding = diagnose(SICK["dead ReLUs by their bias"][1](0)).findings[0]
    assert finding.where == "1 ReLU, 3 ReLU"
    assert finding.layers == (1, 3)


def test_a_page_in_a_notebook_shows_what_was_found():
    html = diagnose(SICK["weights of zero"][1](0))._repr_html_()
    assert "<table>" in html
    assert "symmetry" in html


@pytest.mark.parametrize(("given", "error"), [(Recorder(), ValueError), ("recorder", TypeError)])
def test_what_recorded_nothing_is_refused(given, error):
    with pytest.raises(error, match="callbacks=\\[recorder\\]"):
        diagnose(given)


class Backwards(Layer):
    """A model of a user whose attributes stand in another order than they are called: the layer of scores first."""

    def __init__(self, depth):
        self.scores = Linear(64, 10)
        self.hidden = Sequential(*[part for _ in range(depth) for part in (Linear(64, 64), Sigmoid())])
        self.first = Linear(64, 64)

    def forward(self, x):
        return self.scores.forward(self.hidden.forward(self.first.forward(x)))

    def backward(self, dy):
        return self.first.backward(self.hidden.backward(self.scores.backward(dy)))


def test_first_and_last_are_those_that_are_called_first_and_last():
    recorder = recorded(Backwards(9), SGD(0.1), steps=20)
    assert recorder["turn"][0].astype(int).tolist() == [19, *range(1, 19), 0]
    finding = diagnose(recorder).findings[0]
    assert finding.name == "vanishing gradients"
    assert "of first Linear" in finding.numbers
    assert "of scores Linear" in finding.numbers

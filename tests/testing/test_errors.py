"""What a check raises travels: between the processes of a test run, into copies, and through pytest's printing."""

import copy
import pickle

import pytest

from minidl import SGD, Callback, MeanSquaredError, Optimizer, Sequential, Tanh
from minidl.testing import (
    CheckError,
    check_callback,
    check_layer,
    check_loss,
    check_model,
    check_optimizer,
    check_regularizer,
    check_schedule,
    real_targets,
)


class Doubled(Tanh):
    def backward(self, dy):
        return 2 * super().backward(dy)


class DoubledLoss(MeanSquaredError):
    def backward(self):
        return 2 * super().backward()


class Still(Optimizer):
    def update(self, value, grad, lr):
        pass


class Raises(Callback):
    def on_step_end(self, trainer):
        raise ValueError("no")


FAILING = {
    "layer": lambda: check_layer(Doubled),
    "loss": lambda: check_loss(DoubledLoss, targets=real_targets),
    "model": lambda: check_model(Sequential(Doubled()), MeanSquaredError(), ("n", "features"), targets=real_targets),
    "regularizer": lambda: check_regularizer(lambda parameters: "nothing"),
    "optimizer": lambda: check_optimizer(Still(0.1)),
    "schedule": lambda: check_schedule(lambda step: -1.0),
    "callback": lambda: check_callback(Raises),
}


@pytest.mark.parametrize("kind", FAILING)
@pytest.mark.parametrize("travel", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_an_error_travels_with_its_text_and_its_report(kind, travel):
    with pytest.raises(CheckError) as caught:
        FAILING[kind]()
    error = travel(caught.value)
    assert type(error) is type(caught.value)
    assert str(error) == str(caught.value)
    assert (error.subject, error.failed, error.property) == (
        caught.value.subject,
        caught.value.failed,
        caught.value.property,
    )
    assert error.report.as_dict() == caught.value.report.as_dict()


def test_an_error_that_was_never_raised_by_a_check_travels_too():
    error = pickle.loads(pickle.dumps(CheckError("Mine", "must hold", "  here")))
    assert str(error) == "Mine: must hold\n  here"


@pytest.mark.parametrize(
    "reference",
    [
        lambda start, gradients: (start - 0.1 * sum(gradients)).reshape(1, 1, -1),
        lambda start, gradients: [start - 0.1 * sum(gradients)] * 3,
        lambda start, gradients: [start - 0.1 * sum(gradients)],
        lambda start, gradients: 0.5,
    ],
)
def test_a_reference_of_another_shape_is_refused(reference):
    with pytest.raises(CheckError, match="the values after all steps"):
        check_optimizer(SGD(0.1), reference=reference)


class LateHalf(SGD):
    """SGD that stands still from its sixth step on."""

    def update(self, value, grad, lr):
        if self.steps < 5:
            super().update(value, grad, lr)


def test_where_an_optimizer_and_its_reference_part_can_be_followed_on_paper():
    at = {"start": [1.0], "gradients": [[1.0], [2.0]], "cut": 0}
    report = check_optimizer(LateHalf(0.5), at=at, reference=lambda w, gs: w - 0.5 * sum(gs), raises=False)
    text = report["reference"].failure
    assert "after 6 steps, which take the 2 gradients below in turn, again and again" in text
    assert "expected [-3.5], received [-2.5]" in text

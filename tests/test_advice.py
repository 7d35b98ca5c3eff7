"""What is said of attributes that are not there: what would have set them, and where to find what they mean."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from minidl import (
    L2,
    SGD,
    Adam,
    AverageWeights,
    BinaryCrossEntropy,
    Checkpoint,
    ClipNorm,
    ClipValue,
    EarlyStopping,
    Hinge,
    Layer,
    Linear,
    MeanSquaredError,
    Optimizer,
    ReduceOnPlateau,
    RMSprop,
    Sequential,
    SoftmaxCrossEntropy,
    Trainer,
)
from minidl.optim import Constant, CosineDecay, Schedule, StepDecay

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = X.argmax(axis=1)


def forgetful(base):
    """A class derived from `base` whose constructor calls nobody's."""

    def forgets(self, *arguments):
        object.__setattr__(self, "given", arguments)

    members = {"__init__": forgets, "update": lambda self, value, grad, lr: None}
    return type("Forgetful", (base,), members)


def fit(layer=None, loss=None, optimizer=None, **parts):
    model = (layer or Sequential(Linear(3, 3))).build()
    one = Trainer(model, loss or SoftmaxCrossEntropy(), optimizer or SGD(0.1), **parts)
    one.fit((X, Y), (X, Y), epochs=1, progress=False, restore_best=False)


FORGOTTEN = {
    "Optimizer": lambda: fit(optimizer=forgetful(Optimizer)(0.1)),
    "SGD": lambda: fit(optimizer=forgetful(SGD)(0.1)),
    "Adam": lambda: fit(optimizer=forgetful(Adam)(0.1)),
    "RMSprop by hand": lambda: forgetful(RMSprop)(0.1).step(Linear(3, 3).build().parameters),
    "its clock": lambda: forgetful(SGD)(0.1).steps,
    "its rate": lambda: forgetful(SGD)(0.1).lr,
    "its next rate": lambda: forgetful(Adam)(0.1).learning_rate,
    "its scale": lambda: forgetful(Adam)(0.1).lr_scale,
    "its state": lambda: forgetful(Adam)(0.1).state(),
    "Linear": lambda: fit(Sequential(forgetful(Linear)(3, 3))),
    "Linear alone": lambda: forgetful(Linear)(3, 3).build(),
    "its weight": lambda: forgetful(Linear)(3, 3).weight,
    "Sequential": lambda: fit(forgetful(Sequential)(Linear(3, 3))),
    "its length": lambda: len(forgetful(Sequential)()),
    "its table": lambda: str(forgetful(Sequential)()),
    "L2": lambda: fit(regularizers=[forgetful(L2)(0.1)]),
    "EarlyStopping": lambda: fit(callbacks=[forgetful(EarlyStopping)(3)]),
    "ReduceOnPlateau": lambda: fit(callbacks=[forgetful(ReduceOnPlateau)(3)]),
    "AverageWeights": lambda: fit(callbacks=[forgetful(AverageWeights)(0.5)]),
    "Checkpoint": lambda: fit(callbacks=[forgetful(Checkpoint)("run.npz")]),
    "its memory": lambda: forgetful(EarlyStopping)(3).state(),
    "SoftmaxCrossEntropy": lambda: fit(loss=forgetful(SoftmaxCrossEntropy)()),
    "Hinge": lambda: fit(loss=forgetful(Hinge)()),
    "CosineDecay": lambda: fit(optimizer=SGD(forgetful(CosineDecay)(0.1, 10))),
    "StepDecay by hand": lambda: forgetful(StepDecay)(0.1)(3),
    "Constant": lambda: forgetful(Constant)(0.1)(3),
    "ClipNorm": lambda: fit(optimizer=SGD(0.1, clip=forgetful(ClipNorm)(1.0))),
    "ClipValue": lambda: fit(optimizer=SGD(0.1, clip=forgetful(ClipValue)(1.0))),
    "Trainer": lambda: forgetful(Trainer)().fit((X, Y), epochs=1),
    "to evaluate": lambda: forgetful(Trainer)().evaluate((X, Y)),
}


@pytest.mark.parametrize("name", FORGOTTEN)
def test_a_constructor_that_forgot_that_of_its_base_is_told_so_where_it_is_used(name):
    with pytest.raises(
        AttributeError, match=r"__init__ sets it: call super\(\)\.__init__\(\.\.\.\) first in Forgetful"
    ):
        FORGOTTEN[name]()


def test_what_is_asked_for_too_early_is_told_so():
    class Early(Linear):
        def __init__(self):
            self.in_features += 1
            super().__init__(3, 3)

    with pytest.raises(AttributeError, match=r"ask for it after super\(\)\.__init__\(\.\.\.\) in Early\.__init__"):
        Early()


def test_a_constructor_that_called_its_base_is_told_nothing_of_it():
    class Right(SGD):
        def __init__(self):
            super().__init__(0.1)

    with pytest.raises(AttributeError) as caught:
        Right().nothing  # noqa: B018
    assert str(caught.value) == "Right has no attribute 'nothing'"


@pytest.mark.parametrize("make", [lambda: L2(0.1), lambda: CosineDecay(0.1, 5), lambda: ClipNorm(1.0)])
def test_plain_values_are_copied_pickled_and_compared_as_before(make):
    one = make()
    assert one == copy.deepcopy(one) == copy.copy(one) == pickle.loads(pickle.dumps(one))
    assert hash(one) == hash(make())
    assert repr(one) == repr(make())
    assert not hasattr(one, "nothing")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        one.nothing  # noqa: B018


def test_a_schedule_of_ones_own_is_a_plain_value_still():
    @dataclass(frozen=True)
    class Half(Schedule):
        lr: float

        def at(self, step):
            return self.lr / 2

    assert Half(0.5)(3) == 0.25
    assert not hasattr(Half(0.5), "steps")


class Masking(Layer):
    """Keeps its mask in training only."""

    def forward(self, x):
        if self.training:
            self.mask = np.ones_like(x)
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


def test_an_attribute_that_may_be_set_in_training_only_says_so():
    with pytest.raises(AttributeError, match=r"'mask': call forward first; .* in training only, .*train_mode\(\)"):
        Masking().build().predict(X)
    with pytest.raises(AttributeError, match=r"'inputs': call forward first$"):
        Plain().backward(X)


class Plain(Layer):
    def forward(self, x):
        self.inputs = x
        return x

    def backward(self, dy):
        return dy * self.inputs


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy, Hinge, MeanSquaredError, BinaryCrossEntropy])
def test_the_weights_of_a_loss_are_those_of_its_rows_and_classes(loss):
    with pytest.raises(AttributeError, match=r"'weights': forward\(scores, targets, weights\) takes one weight a row"):
        loss().weights  # noqa: B018


@pytest.mark.parametrize(
    ("optimizer", "name", "advice"),
    [
        (Adam(), "gradient_sum", r"it is slots\['gradient_sum'\], from the first step on"),
        (Adam(), "square_sum", r"it is slots\['square_sum'\]"),
        (SGD(0.1, momentum=0.9), "velocity", r"it is slots\['velocity'\]"),
        (RMSprop(), "square_sum", r"it is slots\['square_sum'\]"),
        (Adam(), "m", "in slots"),
        (SGD(0.1), "momentum_buffer", "in slots"),
        (Adam(), "t", "steps counts them"),
    ],
)
def test_what_an_optimizer_remembers_is_found_in_its_slots(optimizer, name, advice):
    with pytest.raises(AttributeError, match=advice):
        getattr(optimizer, name)


def test_a_slot_before_the_first_step_says_when_it_will_be_there():
    optimizer = Adam()
    with pytest.raises(KeyError, match="no slot 'square_sum': the first step makes those of slot_names, known: none"):
        optimizer.slots["square_sum"]
    optimizer.step(Linear(3, 2).build().parameters)
    with pytest.raises(KeyError, match=r"no slot 'velocity': .*, known: gradient_sum, square_sum"):
        optimizer.slots["velocity"]
    assert optimizer.slots.get("velocity") is None
    assert list(copy.deepcopy(optimizer).slots) == ["gradient_sum", "square_sum"]

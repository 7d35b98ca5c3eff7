"""Public calls give the same bits under any setting of numpy."""

import numpy as np
import pytest

from minidl import (
    L1,
    L2,
    SGD,
    Adam,
    BinaryCrossEntropy,
    ElasticNet,
    Linear,
    MeanSquaredError,
    Parameter,
    Parameters,
    ReLU,
    RMSprop,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    accuracy,
    binary_accuracy,
    quiet,
)
from minidl.data import Dataset, roughness, standardize
from minidl.initializers import zeros
from minidl.layers.activations import sigmoid, softmax
from minidl.metrics import confusion_matrix, f1_score, label_counts, subset_accuracy
from minidl.optim import ClipNorm, ClipValue

X = np.float32([[1e-30, -1e-38, 1e3, -1e3], [1e-45, 3e38, -3e38, 0.0], [1e-20, 2e19, -1e2, 90.0]])
LABELS = np.array([0, 1, 2])
with np.errstate(all="ignore"):
    DY, HALF = X[::-1] * np.float32(1e-3), X * np.float32(0.5)


def passed(layer):
    return layer.forward(X), layer.backward(DY)


def linear():
    layer = Linear(4, 2).build(seed=0)
    layer.parameters.value = np.full(10, 1e-20)
    return layer.forward(X), layer.backward(DY[:, :2]), layer.parameters.grad


def lost(loss, targets):
    return loss.forward(X, targets), loss.backward(), loss.forward(X, targets, np.array([1e-300, 1.0, 1e-200]))


def moved(optimizer):
    parameters = Parameters({"weight": Parameter((4,), zeros)}, np.random.default_rng(0))
    for row in X:
        parameters.grad = row
        optimizer.step(parameters)
    return parameters.value


def penalized(regularizer):
    parameters = Parameters({"weight": Parameter((4,), zeros)}, np.random.default_rng(0))
    parameters.value = X[0]
    return regularizer(parameters), parameters.grad


def clipped(clip):
    grad = X.reshape(-1).copy()
    return clip(grad), grad


CALLS = [
    linear,
    *(lambda kind=kind: passed(kind()) for kind in (ReLU, Sigmoid, Softmax, Tanh)),
    lambda: passed(Sequential(Sigmoid(), Softmax())),
    lambda: (sigmoid(X), softmax(X)),
    lambda: lost(SoftmaxCrossEntropy(class_weights=[1e-300, 1.0, 1.0, 1.0]), LABELS),
    lambda: lost(MeanSquaredError(), HALF),
    lambda: lost(BinaryCrossEntropy(), np.ones_like(X)),
    lambda: SoftmaxCrossEntropy().probabilities(X),
    lambda: BinaryCrossEntropy().probabilities(X),
    *(lambda kind=kind: moved(kind(1e-20)) for kind in (SGD, Adam, RMSprop)),
    lambda: moved(SGD(0.1, momentum=0.9, clip=ClipNorm(1e-30))),
    *(lambda r=r: penalized(r) for r in (L1(1e-30), L2(1e-30), ElasticNet(1e-30, 1e-30))),
    *(lambda c=c: clipped(c) for c in (ClipNorm(1e-30), ClipValue(1e-30))),
    lambda: [metric(X, LABELS) for metric in (accuracy, confusion_matrix)],
    lambda: label_counts(X),
    lambda: roughness(X.reshape(1, 3, 4), (3, 4)),
    lambda: [metric(X, np.ones_like(X)) for metric in (binary_accuracy, f1_score, subset_accuracy)],
    lambda: Linear(4, 2, weight_init=lambda rng, shape: np.full(shape, 1e-300)).build().parameters.value,
    lambda: [part.x for part in standardize(Dataset(X, LABELS), Dataset(HALF, LABELS))],
]


@pytest.mark.parametrize("setting", ["raise", "warn"])
@pytest.mark.parametrize("call", CALLS)
def test_settings_of_numpy_change_no_bit_of_a_call(call, setting):
    with np.errstate(all="ignore"):
        wanted = call()
    with np.errstate(all=setting):
        received = call()
        assert np.geterr()["over"] == setting
    assert repr(received) == repr(wanted)


def test_numpys_own_variable_is_found():
    variable, silent = quiet.numpys_settings()
    with np.errstate(all="ignore"):
        ignoring = variable.get()
    assert not isinstance(variable, quiet.Errstate)
    assert type(ignoring) is type(silent)


@pytest.fixture(params=[True, False])
def either_way(request, monkeypatch):
    """By the variable, and as for a numpy that has none."""
    if not request.param:
        monkeypatch.setattr(quiet, "copy_context", dict)
        variable, silent = quiet.numpys_settings()
        assert isinstance(variable, quiet.Errstate)
        monkeypatch.setattr(quiet, "_settings", variable)
        monkeypatch.setattr(quiet, "_SILENT", silent)


TINY = np.float32([1e-30])


@quiet.quiet
def squared(x, *, inner=None):
    """Which underflows."""
    if inner is not None:
        inner()
    return x * x


@pytest.mark.usefixtures("either_way")
def test_a_persons_settings_are_back_after_a_call_also_after_an_error():
    with np.errstate(all="raise"):
        assert squared(TINY) == 0
        with quiet.quietly():
            assert TINY * TINY == squared(TINY) == 0
        with pytest.raises(ZeroDivisionError):
            squared(TINY, inner=lambda: 1 / 0)
        with pytest.raises(FloatingPointError):
            TINY * TINY


@pytest.mark.usefixtures("either_way")
def test_settings_inside_of_a_quiet_call_are_those_of_their_block():
    def own():
        with np.errstate(all="raise"):
            assert squared(TINY) == 0
            with pytest.raises(FloatingPointError):
                TINY * TINY

    assert squared(TINY, inner=own) == 0

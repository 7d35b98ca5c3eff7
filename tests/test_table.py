"""One table of every public layer, loss, regularizer and optimizer, and every property run on every line of it."""

import inspect

import numpy as np
import pytest
from hypothesis import strategies as st

import minidl
import minidl.layers
import minidl.optim
import minidl.regularizers
from minidl import initializers
from minidl.layers import (
    BinaryCrossEntropy,
    ClassLoss,
    Elementwise,
    Hinge,
    Layer,
    Linear,
    Loss,
    MeanSquaredError,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    Tanh,
    WestonWatkinsHinge,
)
from minidl.optim import SGD, Adam, AdamW, ClipNorm, ClipValue, Optimizer, RMSprop
from minidl.regularizers import L1, L2, ElasticNet
from minidl.testing import (
    binary_labels,
    fractions,
    layer_test,
    loss_test,
    optimizer_test,
    probability_rows,
    real_targets,
    regularizer_test,
)

sizes, strengths = st.integers(1, 4), st.sampled_from([0.0, 0.25, 2.0])
smooth, booleans = st.sampled_from([0.0, 0.1, 0.5]), st.booleans()
class_weights = st.lists(st.integers(1, 8).map(lambda k: k / 4), min_size=4, max_size=4)
CONTRACTS = {Layer, Loss, Optimizer, ClassLoss, Elementwise}  # to derive from, not to use


def two_layers(features, hidden, outputs, nonlinearity):
    return Sequential(Linear(features, hidden), nonlinearity(), Linear(hidden, outputs))


def nested(features):
    return Sequential(
        Sequential(Linear(features, 3), Tanh()), Sequential(), Sequential(ReLU(), Linear(3, 2)), Softmax()
    )


LAYERS = [
    ("Linear", Linear, layer_test(Linear, shape=("n", "in_features"), out_features=sizes, bias=booleans)),
    ("Linear he", Linear, layer_test(Linear(3, 2, weight_init=initializers.he_normal), shape=("n", 3))),
    ("ReLU", ReLU, layer_test(ReLU)),
    ("ReLU images", ReLU, layer_test(ReLU, shape=("n", "channels", "height", "width"))),
    ("Sigmoid", Sigmoid, layer_test(Sigmoid)),
    ("Sigmoid far out", Sigmoid, layer_test(Sigmoid, domain=(-40.0, 40.0))),
    ("Sigmoid rank 1", Sigmoid, layer_test(Sigmoid, shape=("n",))),
    ("Tanh", Tanh, layer_test(Tanh)),
    ("Tanh rank 3", Tanh, layer_test(Tanh, shape=("n", "time", "features"))),
    ("Softmax", Softmax, layer_test(Softmax)),
    ("Softmax rank 3", Softmax, layer_test(Softmax, shape=("n", "time", "features"))),
    (
        "Sequential",
        Sequential,
        layer_test(
            two_layers, hidden=sizes, outputs=sizes, nonlinearity=st.sampled_from([ReLU, Sigmoid, Tanh, Softmax])
        ),
    ),
    ("Sequential nested", Sequential, layer_test(nested)),
]
SPREAD = ("n", "classes")
LOSSES = [
    ("SoftmaxCrossEntropy", SoftmaxCrossEntropy, loss_test(SoftmaxCrossEntropy, label_smoothing=smooth)),
    (
        "SoftmaxCrossEntropy of probabilities",
        SoftmaxCrossEntropy,
        loss_test(SoftmaxCrossEntropy, targets=probability_rows, label_smoothing=smooth),
    ),
    (
        "SoftmaxCrossEntropy with class weights",
        SoftmaxCrossEntropy,
        loss_test(SoftmaxCrossEntropy, shape=("n", 4), label_smoothing=smooth, class_weights=class_weights),
    ),
    ("Hinge", Hinge, loss_test(Hinge, margin=st.sampled_from([0.5, 1.0, 2.0]))),
    ("Hinge with class weights", Hinge, loss_test(Hinge, shape=("n", 4), class_weights=class_weights)),
    ("WestonWatkinsHinge", WestonWatkinsHinge, loss_test(WestonWatkinsHinge, margin=st.sampled_from([0.5, 1.0]))),
    (
        "WestonWatkinsHinge weighted",
        WestonWatkinsHinge,
        loss_test(WestonWatkinsHinge, ("n", 4), class_weights=class_weights),
    ),
    ("BinaryCrossEntropy of labels", BinaryCrossEntropy, loss_test(BinaryCrossEntropy, targets=binary_labels)),
    ("BinaryCrossEntropy of fractions", BinaryCrossEntropy, loss_test(BinaryCrossEntropy, targets=fractions)),
    ("BinaryCrossEntropy (n, 1)", BinaryCrossEntropy, loss_test(BinaryCrossEntropy, ("n", 1), targets=binary_labels)),
    ("BinaryCrossEntropy (n,)", BinaryCrossEntropy, loss_test(BinaryCrossEntropy, ("n",), targets=binary_labels)),
    (
        "BinaryCrossEntropy weighted",
        BinaryCrossEntropy,
        loss_test(BinaryCrossEntropy(class_weights=[0.5, 2.0]), ("n", 1), targets=binary_labels),
    ),
    ("MeanSquaredError", MeanSquaredError, loss_test(MeanSquaredError, targets=real_targets)),
    ("MeanSquaredError (n,)", MeanSquaredError, loss_test(MeanSquaredError, ("n",), targets=real_targets)),
    (
        "MeanSquaredError images",
        MeanSquaredError,
        loss_test(MeanSquaredError, ("n", 2, "h", "w"), targets=real_targets),
    ),
]
REGULARIZERS = [
    ("L1", L1, regularizer_test(L1, strength=strengths)),
    ("L2", L2, regularizer_test(L2, strength=strengths)),
    ("ElasticNet", ElasticNet, regularizer_test(ElasticNet, l1=strengths, l2=strengths)),
    ("L2 everywhere", L2, regularizer_test(L2(0.5, names="*"), spares_biases=False)),
    ("L1 on one layer", L1, regularizer_test(L1(0.5, names="2.weight"))),
]


def sgd(start, gradients):
    velocity, w = np.zeros_like(start), start
    for g in gradients:
        velocity = 0.9 * velocity + g
        w = w - 0.1 * velocity
    return w


def adam(start, gradients, decay=0.0):
    m = v = np.zeros_like(start)
    w = start
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * decay * w
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return w


def rmsprop(start, gradients):
    v, w = np.zeros_like(start), start
    for g in gradients:
        v = 0.9 * v + 0.1 * g * g
        w = w - 0.1 * g / (np.sqrt(v) + 1e-8)
    return w


OPTIMIZERS = [
    ("SGD", SGD, optimizer_test(SGD(0.1), reference=lambda start, gradients: start - 0.1 * sum(gradients))),
    ("SGD with momentum", SGD, optimizer_test(SGD(0.1, momentum=0.9), reference=sgd)),
    ("SGD with Nesterov", SGD, optimizer_test(SGD(0.1, momentum=0.9, nesterov=True))),
    ("SGD by value", SGD, optimizer_test(SGD(0.1, clip=ClipValue(0.5)))),
    ("SGD by norm", SGD, optimizer_test(SGD(0.1, clip=ClipNorm(0.5)), whole_vector=True)),
    ("SGD scheduled", SGD, optimizer_test(SGD(minidl.optim.CosineDecay(0.1, 4)))),
    ("Adam", Adam, optimizer_test(Adam(0.1), reference=adam)),
    ("AdamW", AdamW, optimizer_test(AdamW(0.1, weight_decay=0.05), reference=lambda s, g: adam(s, g, decay=0.05))),
    ("RMSprop", RMSprop, optimizer_test(RMSprop(0.1), reference=rmsprop)),
]
TABLE = LAYERS + LOSSES + REGULARIZERS + OPTIMIZERS


@pytest.mark.parametrize("run", [pytest.param(test, id=name) for name, _, test in TABLE])
def test_every_property_holds(run):
    run()


def test_every_public_class_has_a_line():
    public = {
        thing
        for module in (minidl, minidl.layers, minidl.optim, minidl.regularizers)
        for thing in vars(module).values()
        if inspect.isclass(thing) and thing.__module__.startswith("minidl.")
    }
    checked = {
        thing for thing in public if issubclass(thing, (Layer, Loss, Optimizer)) or thing.__module__ == L2.__module__
    }
    assert {c for c in checked - CONTRACTS if not c.__name__.startswith("_")} == {subject for _, subject, _ in TABLE}

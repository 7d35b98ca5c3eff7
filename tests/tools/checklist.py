"""One table of every public layer, model, loss, regularizer, optimizer, schedule and callback, and its checks."""

import math

from hypothesis import strategies as st

from minidl import initializers
from minidl.diagnostics import Recorder
from minidl.layers import (
    ELU,
    GELU,
    GRU,
    LSTM,
    RNN,
    SELU,
    AveragePool2D,
    BatchNorm,
    BinaryCrossEntropy,
    Conv1D,
    Conv2D,
    Dropout,
    Embedding,
    Flatten,
    Focal,
    GlobalAveragePool2D,
    GroupNorm,
    HardTanh,
    Hinge,
    Huber,
    LayerNorm,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Maxout,
    MaxPool2D,
    MeanAbsoluteError,
    MeanSquaredError,
    Parallel,
    PositionalEncoding,
    ReLU,
    Reshape,
    Residual,
    SelfAttention,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    SoftmaxCrossEntropy,
    Softplus,
    SquaredHinge,
    Tanh,
    WestonWatkinsHinge,
)
from minidl.optim import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    ClipNorm,
    ClipValue,
    Constant,
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    InverseSquareRoot,
    Joined,
    LinearWarmup,
    Lion,
    MultiStepDecay,
    Nadam,
    OneCycle,
    PolynomialDecay,
    RMSprop,
    StepDecay,
    TriangularCycle,
)
from minidl.regularizers import L1, L2, ElasticNet
from minidl.testing import at_least, binary_labels, fractions, probability_rows, real_targets
from minidl.training import AverageWeights, EarlyStopping, ExponentialAverage, MaxNorm, ReduceOnPlateau
from tests.corpus.items import Item
from tests.tools.formulas import adadelta, adagrad, adam, lbfgs_of_linear_costs, lion, nadam, rmsprop, sgd

small = st.integers(1, 2)
sizes, strengths = st.integers(1, 4), st.sampled_from([0.0, 0.25, 2.0])
smooth, booleans = st.sampled_from([0.0, 0.1, 0.5]), st.booleans()
class_weights = st.lists(st.integers(1, 8).map(lambda k: k / 4), min_size=4, max_size=4)
SERIES, GIVEN_SERIES = ("n", "time", "features"), ("n", "time", "in_features")
epsilons, IMAGES = st.sampled_from([1e-5, 1e-2]), ("n", "channels", "height", "width")
rates, lengths = st.sampled_from([0.0, 0.1, 2.0]), st.integers(1, 30)


def two_layers(features, hidden, outputs, nonlinearity):
    return Sequential(Linear(features, hidden), nonlinearity(), Linear(hidden, outputs))


def nested(features):
    return Sequential(
        Sequential(Linear(features, 3), Tanh()), Sequential(), Sequential(ReLU(), Linear(3, 2)), Softmax()
    )


def attention(heads, causal):
    return SelfAttention(2, heads, causal=causal)


def residual(features, hidden):
    return Residual(Linear(features, hidden), ReLU(), Linear(hidden, features))


def parallel(features, outputs, join):
    return Parallel(Linear(features, outputs), Sequential(Linear(features, outputs), Tanh()), join=join)


def classifier(features):
    return Sequential(Linear(features, 3), Sigmoid(), Linear(3, 3), ReLU(), Linear(3, 2))


def tagger():
    return Sequential(Embedding(3, 2), Residual(SelfAttention(2, causal=True)), LayerNorm(2), Linear(2, 3))


def grouped(groups, size, eps=1e-5):
    return GroupNorm(groups, groups * size, eps=eps)


def layer(name, thing, **options):
    return Item(name, "layer", thing, options)


def loss(name, thing, **options):
    return Item(name, "loss", thing, options)


def regularizer(name, thing, **options):
    return Item(name, "regularizer", thing, options)


def optimizer(name, thing, **options):
    return Item(name, "optimizer", thing, options)


def schedule(name, thing, **options):
    return Item(name, "schedule", thing, options)


def callback(name, thing, **options):
    return Item(name, "callback", thing, options)


TABLE = [
    layer("Linear", Linear, shape=("n", "in_features"), out_features=sizes, bias=booleans),
    layer("Linear he", Linear(3, 2, weight_init=initializers.he_normal), shape=("n", 3)),
    layer(
        "Conv2D",
        Conv2D,
        shape=("n", "in_channels", "height", "width"),
        in_channels=small,
        height=at_least("kernel"),
        width=at_least("kernel"),
        out_channels=small,
        kernel=small,
        stride=small,
        padding=st.integers(0, 2),
        bias=booleans,
    ),
    layer(
        "Conv2D same",
        Conv2D(2, 2, (3, 2), stride=(1, 2), padding="same"),
        shape=("n", 2, st.integers(1, 4), st.integers(1, 5)),
    ),
    layer(
        "Conv1D",
        Conv1D,
        shape=("n", "length", "in_channels"),
        length=at_least("kernel"),
        out_channels=sizes,
        kernel=st.integers(1, 3),
        stride=st.integers(1, 3),
        padding=st.sampled_from([0, 1, 2, "same"]),
        bias=booleans,
    ),
    layer(
        "MaxPool2D",
        MaxPool2D,
        shape=("n", small, "height", "width"),
        height=at_least("size"),
        width=at_least("size"),
        size=small,
        stride=st.sampled_from([None, 1, 2]),
    ),
    layer("MaxPool2D padded", MaxPool2D((2, 3), stride=(2, 1), padding=1), shape=("n", 1, small, st.integers(1, 3))),
    layer(
        "AveragePool2D",
        AveragePool2D,
        shape=("n", small, "height", "width"),
        height=at_least("size"),
        width=at_least("size"),
        size=small,
        stride=st.sampled_from([None, 1, 2]),
        padding=st.sampled_from([0, "same"]),
    ),
    layer("GlobalAveragePool2D", GlobalAveragePool2D, shape=("n", "channels", "height", "width")),
    layer("Flatten", Flatten, shape=("n", "channels", "height", "width")),
    layer("Reshape", Reshape(2, -1), shape=("n", "time", 4)),
    layer("ReLU", ReLU),
    layer("ReLU images", ReLU, shape=("n", "channels", "height", "width")),
    layer("Sigmoid", Sigmoid),
    layer("Sigmoid far out", Sigmoid, domain=(-40.0, 40.0)),
    layer("Sigmoid rank 1", Sigmoid, shape=("n",)),
    layer("Tanh", Tanh),
    layer("Tanh rank 3", Tanh, shape=("n", "time", "features")),
    layer("Softmax", Softmax),
    layer("Softmax rank 3", Softmax, shape=("n", "time", "features")),
    layer("LogSoftmax", LogSoftmax),
    layer("LogSoftmax rank 3", LogSoftmax, shape=("n", "time", "features")),
    layer("LeakyReLU", LeakyReLU, slope=st.sampled_from([0.0, 0.01, 2.0, -1.0])),
    layer("HardTanh", HardTanh, low=st.sampled_from([-1.0, -0.125]), high=st.sampled_from([0.0, 1.0])),
    layer("ELU", ELU, alpha=st.sampled_from([0.0, 0.5, 1.0, 2.0])),
    layer("SELU", SELU),
    layer("GELU", GELU),
    layer("GELU images", GELU, shape=IMAGES),
    layer("SiLU", SiLU),
    layer("Softplus", Softplus, beta=st.sampled_from([0.5, 1.0, 4.0])),
    layer(
        "Maxout",
        Maxout,
        shape=("n", "in_features"),
        out_features=st.integers(1, 3),
        pieces=st.integers(2, 3),
    ),
    layer("Maxout rank 3", Maxout(3, 2, 2), shape=("n", "time", 3)),
    layer("Dropout", Dropout, stochastic="unbiased", rate=st.sampled_from([0.0, 0.25, 0.9])),
    layer("Dropout images", Dropout(0.5), shape=IMAGES, stochastic="unbiased"),
    layer(
        "BatchNorm",
        BatchNorm,
        shape=(at_least(2), "features"),
        rows_mix="training",
        momentum=st.sampled_from([0.1, 1.0]),
        eps=epsilons,
    ),
    layer("BatchNorm images", BatchNorm, shape=(at_least(2), "features", "height", "width"), rows_mix="training"),
    layer("BatchNorm sequences", BatchNorm, shape=(at_least(2), "time", "features"), rows_mix="training"),
    layer("LayerNorm", LayerNorm, eps=epsilons),
    layer("LayerNorm of two axes", LayerNorm((2, 3)), shape=("n", "time", 2, 3)),
    layer("GroupNorm", grouped, shape=("n", 6), groups=3, size=2, eps=epsilons),
    layer(
        "GroupNorm images", GroupNorm, shape=("n", 4, "height", "width"), groups=st.sampled_from([1, 2, 4]), channels=4
    ),
    layer("GroupNorm sequences", GroupNorm(2, 4), shape=("n", "time", 4)),
    layer(
        "Sequential",
        two_layers,
        hidden=sizes,
        outputs=sizes,
        nonlinearity=st.sampled_from([ReLU, Sigmoid, Tanh, Softmax]),
    ),
    layer("Sequential nested", nested),
    layer(
        "Embedding", Embedding, shape=("n", "time"), integers=(0, "tokens"), tokens=st.integers(1, 5), features=sizes
    ),
    layer("Embedding (n,)", Embedding(3, 2), shape=("n",), integers=(0, 3)),
    layer("PositionalEncoding", PositionalEncoding, shape=SERIES),
    layer("RNN", RNN, shape=GIVEN_SERIES, features=sizes, last=booleans),
    layer("LSTM", LSTM, shape=GIVEN_SERIES, features=st.integers(1, 3), last=booleans),
    layer("GRU", GRU, shape=GIVEN_SERIES, features=st.integers(1, 3), last=booleans),
    layer("SelfAttention", attention, shape=("n", "time", 2), heads=st.sampled_from([1, 2]), causal=booleans),
    layer("SelfAttention of three heads", SelfAttention(6, 3, causal=True), shape=("n", "time", 6)),
    layer("Residual", residual, hidden=sizes),
    layer("Residual of rank 3 in another", Residual(Residual(Tanh()), Sigmoid()), shape=("n", "time", "features")),
    layer("Parallel", parallel, outputs=sizes, join=st.sampled_from(["sum", "features", "channels"])),
    layer(
        "Parallel channels", Parallel(ReLU(), Residual(), Tanh(), join="channels"), shape=("n", "channels", 2, "width")
    ),
    Item("Sequential with its loss", "model", classifier, {"loss": SoftmaxCrossEntropy(), "regularizers": [L2(0.1)]}),
    Item("Sequential with a hinge", "model", classifier, {"loss": Hinge(), "regularizers": [ElasticNet(0.1, 0.1)]}),
    Item(
        "Sequential with attention and its loss",
        "model",
        tagger,
        {"shape": ("n", "time"), "integers": (0, 3), "loss": SoftmaxCrossEntropy()},
    ),
    loss("SoftmaxCrossEntropy", SoftmaxCrossEntropy, label_smoothing=smooth),
    loss("SoftmaxCrossEntropy of probabilities", SoftmaxCrossEntropy, targets=probability_rows, label_smoothing=smooth),
    loss(
        "SoftmaxCrossEntropy with class weights",
        SoftmaxCrossEntropy,
        shape=("n", 4),
        label_smoothing=smooth,
        class_weights=class_weights,
    ),
    loss(
        "SoftmaxCrossEntropy of positions",
        SoftmaxCrossEntropy,
        shape=("n", "time", 3),
        ignore=st.sampled_from([None, 0]),
    ),
    loss("Hinge", Hinge, margin=st.sampled_from([0.5, 1.0, 2.0])),
    loss("Hinge with class weights", Hinge, shape=("n", 4), class_weights=class_weights),
    loss("WestonWatkinsHinge", WestonWatkinsHinge, margin=st.sampled_from([0.5, 1.0])),
    loss("WestonWatkinsHinge weighted", WestonWatkinsHinge, shape=("n", 4), class_weights=class_weights),
    loss("SquaredHinge", SquaredHinge, margin=st.sampled_from([0.5, 1.0])),
    loss("SquaredHinge weighted", SquaredHinge, shape=("n", 4), class_weights=class_weights),
    loss("Focal", Focal, gamma=st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0])),
    loss("Focal weighted", Focal, shape=("n", 4), class_weights=class_weights),
    loss("BinaryCrossEntropy of labels", BinaryCrossEntropy, targets=binary_labels),
    loss("BinaryCrossEntropy of fractions", BinaryCrossEntropy, targets=fractions),
    loss("BinaryCrossEntropy (n, 1)", BinaryCrossEntropy, shape=("n", 1), targets=binary_labels),
    loss("BinaryCrossEntropy (n,)", BinaryCrossEntropy, shape=("n",), targets=binary_labels),
    loss(
        "BinaryCrossEntropy weighted",
        BinaryCrossEntropy(class_weights=[0.5, 2.0]),
        shape=("n", 1),
        targets=binary_labels,
    ),
    loss("MeanSquaredError", MeanSquaredError, targets=real_targets),
    loss("MeanSquaredError (n,)", MeanSquaredError, shape=("n",), targets=real_targets),
    loss("MeanSquaredError images", MeanSquaredError, shape=("n", 2, "h", "w"), targets=real_targets),
    loss("MeanAbsoluteError", MeanAbsoluteError, targets=real_targets),
    loss("MeanAbsoluteError images", MeanAbsoluteError, shape=("n", 2, "h", "w"), targets=real_targets),
    loss("Huber", Huber, delta=st.sampled_from([0.25, 1.0, 3.0]), targets=real_targets),
    loss("Huber (n,)", Huber, shape=("n",), targets=real_targets),
    regularizer("L1", L1, strength=strengths),
    regularizer("L2", L2, strength=strengths),
    regularizer("ElasticNet", ElasticNet, l1=strengths, l2=strengths),
    regularizer("L2 everywhere", L2(0.5, names="*"), spares_biases=False),
    regularizer("L1 on one layer", L1(0.5, names="2.weight")),
    optimizer("SGD", SGD(0.1), reference=lambda start, gradients: start - 0.1 * sum(gradients)),
    optimizer("SGD with momentum", SGD(0.1, momentum=0.9), reference=sgd),
    optimizer("SGD with Nesterov", SGD(0.1, momentum=0.9, nesterov=True)),
    optimizer("SGD by value", SGD(0.1, clip=ClipValue(0.5))),
    optimizer("SGD by norm", SGD(0.1, clip=ClipNorm(0.5)), whole_vector=True),
    optimizer("SGD scheduled", SGD(CosineDecay(0.1, 4))),
    optimizer("Adam", Adam(0.1), reference=adam),
    optimizer("AdamW", AdamW(0.1, weight_decay=0.05), reference=lambda s, g: adam(s, g, decay=0.05)),
    optimizer("Nadam", Nadam(0.1), reference=nadam),
    optimizer("RMSprop", RMSprop(0.1), reference=rmsprop),
    optimizer("Adagrad", Adagrad(0.1), reference=adagrad),
    optimizer("Adadelta", Adadelta(0.5), reference=adadelta),
    optimizer("Lion", Lion(0.1), reference=lion),
    optimizer("Lion decayed", Lion(0.1, weight_decay=0.05), reference=lambda s, g: lion(s, g, decay=0.05)),
    optimizer("LBFGS", LBFGS(0.5), reference=lbfgs_of_linear_costs, whole_vector=True),
    schedule("Constant", Constant, lr=rates),
    schedule(
        "ExponentialDecay",
        ExponentialDecay(0.1, exponent=0.05, every=10),
        reference=lambda step: 0.1 * math.exp(-0.05 * (step // 10)),
    ),
    schedule("StepDecay", StepDecay(0.1, 0.5, every=10), reference=lambda step: 0.1 * 0.5 ** (step // 10)),
    schedule(
        "MultiStepDecay",
        MultiStepDecay(0.1, 0.1, milestones=[3, 7]),
        reference=lambda step: 0.1 * 0.1 ** sum(step >= at for at in (3, 7)),
    ),
    schedule(
        "CosineDecay",
        CosineDecay(0.1, 20),
        reference=lambda step: 0.05 * (1 + math.cos(math.pi * min(step, 20) / 20)),
    ),
    schedule(
        "CosineRestarts",
        CosineRestarts(0.1, 20),
        reference=lambda step: 0.05 * (1 + math.cos(math.pi * (step % 20) / 20)),
    ),
    schedule("CosineRestarts growing", CosineRestarts, lr=rates, steps=lengths, growth=st.integers(1, 3)),
    schedule(
        "PolynomialDecay",
        PolynomialDecay(0.1, 20, power=2.0, final=0.01),
        reference=lambda step: 0.01 + 0.09 * max(0, 1 - step / 20) ** 2,
    ),
    schedule("OneCycle", OneCycle, lr=rates, steps=lengths, rise=st.sampled_from([0.1, 0.3, 0.9])),
    schedule(
        "InverseSquareRoot",
        InverseSquareRoot(0.1, warmup=10),
        reference=lambda step: 0.1 * min(step / 10, math.sqrt(10 / max(step, 1))),
    ),
    schedule("LinearWarmup", LinearWarmup(0.1, 5), reference=lambda step: 0.1 * min(step, 5) / 5),
    schedule("TriangularCycle", TriangularCycle, low=0.01, high=0.1, half_cycle=lengths),
    schedule("Joined", Joined([LinearWarmup(0.1, 5), CosineDecay(0.1, 20)], boundaries=[5])),
    callback("EarlyStopping", EarlyStopping, patience=st.integers(1, 3), min_delta=st.sampled_from([0.0, 0.1])),
    callback("EarlyStopping of accuracy", EarlyStopping("validation_accuracy", mode="max", patience=2)),
    callback("ReduceOnPlateau", ReduceOnPlateau, patience=st.integers(1, 3), min_lr=st.sampled_from([0.0, 0.1])),
    callback(
        "ExponentialAverage", ExponentialAverage, decay=st.sampled_from([0.0, 0.5, 0.999]), fit={"restore_best": False}
    ),
    callback("MaxNorm", MaxNorm, limit=st.sampled_from([0.25, 1.0, 4.0])),
    callback("Recorder", Recorder, every=st.integers(1, 5), most=st.integers(8, 12)),
    callback("AverageWeights", AverageWeights, last=st.sampled_from([0.25, 0.5, 1.0]), fit={"restore_best": False}),
]

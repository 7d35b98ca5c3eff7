"""Arrays and arguments that must be refused before the first step, and strange ones that must give the right result."""

import numpy as np

from minidl import (
    L1,
    L2,
    SGD,
    Adam,
    AverageWeights,
    BinaryCrossEntropy,
    Checkpoint,
    ClipNorm,
    Dataset,
    EarlyStopping,
    Linear,
    MeanSquaredError,
    ReduceOnPlateau,
    RMSprop,
    Sequential,
    Softmax,
    SoftmaxCrossEntropy,
    Trainer,
)
from minidl.data import batches, standardize, steps_per_epoch
from minidl.optim import CosineDecay, StepDecay

N, K = 12, 3
X = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
Y = np.arange(N) % K


def with_value(value, *, row=7, column=2, dtype=np.float32):
    """X with one number changed."""
    x = X.astype(dtype)
    x[row, column] = value
    return x


def fit(
    x=X, y=Y, *, loss=None, layers=None, optimizer=None, regularizers=(), callbacks=(), validation=None, **arguments
):
    """Train a linear model; returns its weights."""
    model = Sequential(*(layers or [Linear(4, K)])).build(seed=0)
    trainer = Trainer(
        model,
        loss or SoftmaxCrossEntropy(),
        optimizer or SGD(0.1),
        regularizers=list(regularizers),
        callbacks=list(callbacks),
    )
    trainer.fit((x, y), validation, **({"epochs": 2, "batch_size": 5, "progress": False} | arguments))
    return model.parameters.value


BAD = {
    "NaN in x": lambda: fit(with_value(np.nan)),
    "inf in x": lambda: fit(with_value(np.inf)),
    "-inf in x": lambda: fit(with_value(-np.inf)),
    "float64 beyond float32 in x": lambda: fit(with_value(1e300, dtype=np.float64)),
    "NaN in a validation set": lambda: fit(validation=(with_value(np.nan), Y)),
    "NaN in real targets": lambda: fit(y=with_value(np.nan)[:, :K], loss=MeanSquaredError()),
    "inf in real targets": lambda: fit(y=with_value(np.inf)[:, :K], loss=MeanSquaredError()),
    "NaN in row weights": lambda: Dataset(X, Y, weights=np.full(N, np.nan)),
    "negative row weights": lambda: Dataset(X, Y, weights=np.full(N, -1.0)),
    "row weights that are all 0": lambda: Dataset(X, Y, weights=np.zeros(N)),
    "row weights as a column": lambda: Dataset(X, Y, weights=np.ones((N, 1))),
    "objects in x": lambda: fit(X.astype(object)),
    "strings in x": lambda: fit(X.astype(str)),
    "dates in x": lambda: fit(X.astype("datetime64[s]")),
    "complex x": lambda: fit(X.astype(complex)),
    "masked x": lambda: fit(np.ma.masked_array(X, X > 0)),
    "x as lists of several lengths": lambda: fit([[1.0] * (1 + row % 2) for row in range(N)]),
    "objects in the targets": lambda: fit(y=Y.astype(object)),
    "strings in the targets": lambda: fit(y=np.array(["a", "b", "c"] * 4)),
    "floats as labels": lambda: fit(y=Y.astype(float)),
    "booleans as labels": lambda: fit(y=Y > 0),
    "labels as a column": lambda: fit(y=Y[:, None]),
    "one-hot rows that do not sum to 1": lambda: fit(y=np.eye(K)[Y] * 2),
    "a label beyond the scores": lambda: fit(y=np.where(Y == 2, 3, Y)),
    "a label below 0": lambda: fit(y=Y - 1),
    "targets of another shape than the scores": lambda: fit(y=X[:, 0], loss=MeanSquaredError()),
    "binary targets without their column": lambda: fit(y=Y > 0, loss=BinaryCrossEntropy(), layers=[Linear(4, 1)]),
    "binary targets beyond 1": lambda: fit(y=Y[:, None], loss=BinaryCrossEntropy(), layers=[Linear(4, 1)]),
    "x of rank 1": lambda: fit(X[:, 0]),
    "x of rank 0": lambda: fit(np.float32(1)),
    "x of rank 3": lambda: fit(X.reshape(N, 2, 2)),
    "x of another width": lambda: fit(X[:, :3]),
    "fewer targets than rows": lambda: fit(y=Y[:-1]),
    "no rows": lambda: fit(X[:0], Y[:0]),
    "no columns": lambda: fit(X[:, :0]),
    "an empty validation set": lambda: fit(validation=(X[:0], Y[:0])),
    "a validation set of another width": lambda: fit(validation=(X[:, :3], Y)),
    "one score with labels": lambda: fit(y=np.zeros(N, int), layers=[Linear(4, 1)]),
    "softmax twice": lambda: fit(layers=[Linear(4, K), Softmax()]),
    "batch_size 0": lambda: fit(batch_size=0),
    "batch_size -1": lambda: fit(batch_size=-1),
    "batch_size 2.5": lambda: fit(batch_size=2.5),
    "batch_size True": lambda: fit(batch_size=True),
    "no batch left": lambda: fit(batch_size=N + 1, drop_last=True),
    "epochs -1": lambda: fit(epochs=-1),
    "steps 1.5": lambda: fit(epochs=None, steps=1.5),
    "epochs NaN": lambda: fit(epochs=float("nan")),
    "seed -1": lambda: fit(seed=-1),
    "seed 0.5": lambda: fit(seed=0.5),
    "validate_every 0": lambda: fit(validate_every=0),
    "validate_every 0.0": lambda: fit(validate_every=0.0),
    "validate_every -1": lambda: fit(validate_every=-1),
    "validate_every NaN": lambda: fit(validate_every=float("nan")),
    "validate_every as text": lambda: fit(validate_every="epoch"),
    "shuffle as text": lambda: fit(shuffle="yes"),
    "an order with rows that are not there": lambda: fit(shuffle=lambda epoch: np.arange(N + 1)),
    "an order of floats": lambda: fit(shuffle=lambda epoch: np.arange(N) / 2),
    "an order without rows": lambda: fit(shuffle=lambda epoch: np.arange(0)),
    "patience 0": lambda: EarlyStopping(patience=0),
    "patience -1": lambda: EarlyStopping(patience=-1),
    "patience 1.5": lambda: EarlyStopping(patience=1.5),
    "an unknown monitor": lambda: fit(validation=(X, Y), callbacks=[EarlyStopping("validation_lose_loss")]),
    "a monitor without a validation set": lambda: fit(callbacks=[EarlyStopping()]),
    "a metric without a mode": lambda: EarlyStopping("validation_accuracy"),
    "min_delta -1": lambda: EarlyStopping(min_delta=-1),
    "min_delta NaN": lambda: EarlyStopping(min_delta=float("nan")),
    "plateau patience 0": lambda: ReduceOnPlateau(patience=0),
    "plateau factor 1": lambda: ReduceOnPlateau(factor=1),
    "plateau factor 0": lambda: ReduceOnPlateau(factor=0),
    "a plateau that stopping always precedes": lambda: fit(
        validation=(X, Y), callbacks=[EarlyStopping(patience=2), ReduceOnPlateau(patience=5)]
    ),
    "averaging nothing": lambda: AverageWeights(last=0),
    "averages and best weights": lambda: fit(validation=(X, Y), callbacks=[AverageWeights()]),
    "a checkpoint every 0 steps": lambda: Checkpoint("run.npz", every_steps=0),
    "a checkpoint every 1.5 evaluations": lambda: Checkpoint("run.npz", every_evaluations=1.5),
    "a checkpoint in no folder": lambda: fit(callbacks=[Checkpoint("/no/such/folder/run.npz")]),
    "a checkpoint that is a folder": lambda: fit(callbacks=[Checkpoint("/")]),
    "resuming from nothing": lambda: fit(resume="/no/such/folder/run.npz"),
    "learning rate -1": lambda: SGD(-1),
    "learning rate NaN": lambda: SGD(float("nan")),
    "learning rate inf": lambda: Adam(float("inf")),
    "learning rate as text": lambda: SGD("0.1"),
    "a schedule that becomes negative": lambda: fit(optimizer=SGD(lambda step: -1.0)),
    "a schedule that becomes NaN": lambda: fit(optimizer=SGD(lambda step: float("nan"))),
    "momentum 1": lambda: SGD(0.1, momentum=1),
    "momentum -0.5": lambda: SGD(0.1, momentum=-0.5),
    "Nesterov without momentum": lambda: SGD(0.1, nesterov=True),
    "beta1 1": lambda: Adam(beta1=1),
    "beta2 NaN": lambda: Adam(beta2=float("nan")),
    "eps 0": lambda: Adam(eps=0),
    "rho 1": lambda: RMSprop(rho=1),
    "strength -1": lambda: L2(-1),
    "strength NaN": lambda: L1(float("nan")),
    "strength inf": lambda: L2(float("inf")),
    "clipping at 0": lambda: ClipNorm(0),
    "clipping at NaN": lambda: ClipNorm(float("nan")),
    "decay over no steps": lambda: CosineDecay(0.1, 0),
    "decay by a negative factor": lambda: StepDecay(0.1, factor=-1, every=5),
    "label smoothing 1": lambda: SoftmaxCrossEntropy(label_smoothing=1),
    "class weights that are all 0": lambda: SoftmaxCrossEntropy(class_weights=[0, 0, 0]),
    "class weights of another number": lambda: fit(loss=SoftmaxCrossEntropy(class_weights=[1, 1])),
    "a width of 0": lambda: Linear(0, 3),
    "a width of 2.5": lambda: Linear(2.5, 3),
    "widths that do not fit": lambda: Sequential(Linear(4, 5), Linear(6, 3)).build(),
    "a model of integers": lambda: Linear(2, 2).build(dtype=np.int32),
    "a model of float16": lambda: Linear(2, 2).build(dtype=np.float16),
    "one layer twice": lambda: Sequential(*[Linear(2, 2)] * 2).build(),
    "standardizing NaN": lambda: standardize(Dataset(with_value(np.nan), Y)),
    "steps of no rows": lambda: steps_per_epoch(0, 5),
    "batches of an array": lambda: batches(X, 5),
    "an epoch of -1": lambda: batches(Dataset(X, Y), 5, epoch=-1),
    "augmenting to other rows": lambda: fit(augment=lambda x, rng: x[:1]),
    "augmenting to another width": lambda: fit(augment=lambda x, rng: x[:, :1]),
}

FINE = {
    "float64": lambda: fit(X.astype(np.float64)),
    "big-endian": lambda: fit(X.astype(">f4")),
    "columns first": lambda: fit(np.asfortranarray(X)),
    "every second column of more": lambda: fit(np.repeat(X, 2, axis=1)[:, ::2]),
    "backwards in memory": lambda: fit(X[::-1].copy()[::-1]),
    "a matrix": lambda: fit(X.view(np.matrix)),
    "read-only": lambda: fit(read_only(X), read_only(Y)),
    "labels of one byte": lambda: fit(y=Y.astype(np.uint8)),
    "big-endian labels": lambda: fit(y=Y.astype(">i8")),
    "labels as rows of probabilities": lambda: fit(y=np.eye(K)[Y]),
    "weights of 1": lambda: fit_weighted(np.ones(N)),
    "a validation set": lambda: fit(validation=(X, Y), restore_best=False),
}
ONE_BATCH = [lambda: fit(batch_size=100), lambda: fit(batch_size=N)]  # larger than the set, and just as large
FINE_HALF = X.astype(np.float16)  # which is other numbers: compared with the same numbers in float32


def fit_weighted(weights):
    """The same with a weight for each row."""
    model = Sequential(Linear(4, K)).build(seed=0)
    Trainer(model, SoftmaxCrossEntropy(), SGD(0.1)).fit((X, Y, weights), epochs=2, batch_size=5, progress=False)
    return model.parameters.value


def read_only(array):
    """A copy that cannot be written into."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy

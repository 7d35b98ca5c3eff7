"""Layers, models, losses, optimizers and their parts as their users call them."""

from pathlib import Path

import numpy as np

from minidl import (
    L1,
    L2,
    SGD,
    Adam,
    AdamW,
    BinaryCrossEntropy,
    ClipNorm,
    ClipValue,
    ElasticNet,
    Hinge,
    Layer,
    Linear,
    MeanSquaredError,
    Parameter,
    ReLU,
    RMSprop,
    Sequential,
    Sigmoid,
    SoftmaxCrossEntropy,
    __version__,
)
from minidl.initializers import glorot_normal, he_normal, normal, uniform, zeros
from minidl.optim import Constant, CosineDecay, Joined, LinearWarmup, MultiStepDecay, StepDecay, TriangularCycle
from minidl.storage import read_arrays, write_arrays
from tests.typing import refused

X = np.ones((4, 3), np.float32)


def test_a_model_is_built_indexed_and_read() -> None:
    model = Sequential(Linear(3, 4, weight_init=he_normal), ReLU(), Linear(4, 2, bias=False)).build(seed=0)
    model[0].weight.value[...] = 0.5
    model[0].bias.grad = np.ones(4)
    model[-1].weight.value += 1
    front: Sequential = model[:-1]
    layers: list[Layer] = [*model, *front, *model.layers]
    shapes: dict[str, tuple[int, ...]] = {name: p.shape for name, p in model.parameters.named.items()}
    assert model.predict(X, batch_size=2).shape == (4, 2)
    assert model.forward(X).dtype == model.parameters.dtype
    assert (len(layers), len(model), len(shapes)) == (8, 3, 3)
    assert f"{model}\n{__version__}"
    with model.train_mode() as training:
        training.forward(X)


def test_any_way_to_name_a_dtype_builds_a_model() -> None:
    for model in (
        Linear(3, 2).build(0, np.float64),
        Linear(3, 2).build(dtype="float32"),
        Linear(3, 2).build(dtype=np.dtype("float64")),
        Linear(3, 2, weight_init=normal(0.1), bias_init=zeros).build(dtype=float),
        Linear(3, 2, weight_init=uniform(-0.1, 0.1)).build(seed=1),
    ):
        assert model.weight.value.shape == (3, 2)


def test_what_no_model_has_is_refused() -> None:
    model = Sequential(Linear(3, 2)).build()
    assert refused(lambda: Linear(3, 2).wieght)  # type: ignore[attr-defined]
    assert refused(lambda: model.summary())  # type: ignore[attr-defined]
    assert refused(lambda: model["0"])  # type: ignore[call-overload]
    assert refused(lambda: model[:1].weight)  # type: ignore[attr-defined]
    assert refused(lambda: Linear(3))  # type: ignore[call-arg]
    assert refused(lambda: Linear("3", 2))  # type: ignore[arg-type]
    assert refused(lambda: Linear(3, 2, activation="relu"))  # type: ignore[call-arg]
    assert refused(lambda: Linear(3, 2, weight_init="glorot").build())  # type: ignore[arg-type]
    assert refused(lambda: Sequential([Linear(3, 2)]))  # type: ignore[arg-type]
    assert refused(lambda: Sequential(Linear))  # type: ignore[arg-type]
    assert refused(lambda: Sigmoid(3))  # type: ignore[call-arg]
    assert refused(lambda: Parameter(3, zeros))  # type: ignore[arg-type]
    assert refused(lambda: Linear(3, 2).build(seed="0"))  # type: ignore[arg-type]


def test_losses_are_computed_and_derived() -> None:
    scores, labels = np.zeros((4, 2), np.float32), np.array([0, 1, 1, 0])
    for loss in (SoftmaxCrossEntropy(label_smoothing=0.1), Hinge(margin=0.5), Hinge(class_weights=[1.0, 2.0])):
        value: float = loss.forward(scores, labels, weights=np.ones(4, np.float32))
        assert value > 0
        assert loss.backward().shape == scores.shape
    assert MeanSquaredError().forward(scores, scores) == 0
    assert BinaryCrossEntropy(class_weights=np.array([1, 2])).forward(scores[:, 0], labels) > 0
    assert SoftmaxCrossEntropy().probabilities(scores).sum() == 4


def test_what_no_loss_takes_is_refused() -> None:
    assert refused(lambda: MeanSquaredError(reduction="sum"))  # type: ignore[call-arg]
    assert refused(lambda: SoftmaxCrossEntropy(0.1))  # type: ignore[call-arg]
    assert refused(lambda: Hinge(margin="1"))  # type: ignore[arg-type]
    assert refused(lambda: Hinge().forward(np.zeros((1, 2))))  # type: ignore[call-arg]


def test_optimizers_take_numbers_functions_and_schedules() -> None:
    schedules = [Constant(0.1), CosineDecay(0.1, 20), StepDecay(0.1, 0.5, every=5), TriangularCycle(0, 1, half_cycle=4)]
    schedules += [MultiStepDecay(0.1, 0.5, milestones=[3, 7]), MultiStepDecay(0.1, 0.5, milestones=(3, 7))]
    warm = Joined([LinearWarmup(0.1, 5), *schedules[:1], lambda step: 0.1 / (1 + step)], boundaries=[5, 10])
    clip = ClipNorm(1.0) if len(schedules) else ClipValue(0.5)
    optimizers = [SGD(0.1, momentum=0.9, clip=clip), Adam(), AdamW(warm, weight_decay=0.1), RMSprop(lambda step: 0.1)]
    optimizers += [SGD(schedule) for schedule in schedules] + [SGD(1, clip=lambda grad: grad.clip(-1, 1, out=grad))]
    model = Linear(3, 2).build()
    for optimizer in optimizers:
        optimizer.lr_scale = 0.5
        rate: float = optimizer.learning_rate
        assert rate == optimizer.learning_rate
    optimizers[0].step(model.parameters)
    assert optimizers[0].slots["velocity"].shape == model.parameters.value.shape


def test_what_no_optimizer_takes_is_refused() -> None:
    assert refused(lambda: SGD("0.1"))  # type: ignore[arg-type]
    assert refused(lambda: SGD())  # type: ignore[call-arg]
    assert refused(lambda: SGD(0.1, 0.9))  # type: ignore[call-arg]
    assert refused(lambda: SGD(0.1, clip=1.0))  # type: ignore[arg-type]
    assert refused(lambda: Adam().momentum)  # type: ignore[attr-defined]
    assert refused(lambda: StepDecay(0.1, 0.5))  # type: ignore[call-arg]
    assert refused(lambda: Joined([0.1, Constant(0.1)], boundaries=[5]))  # type: ignore[list-item]
    assert refused(lambda: L2("small"))  # type: ignore[arg-type]
    assert refused(lambda: ClipNorm())  # type: ignore[call-arg]


def test_regularizers_add_up() -> None:
    model = Linear(3, 2, weight_init=glorot_normal).build(seed=0)
    penalties = [L1(1e-3), L2(1e-4, names="weight"), ElasticNet(1e-3, 1e-4)]
    total: float = sum(penalty(model.parameters) for penalty in penalties)
    assert total > 0


def test_weights_are_kept_and_read(tmp_path: Path) -> None:
    model = Linear(3, 2).build(seed=0)
    model.save(tmp_path / "weights.npz")
    same = Linear(3, 2).build(seed=1).load(str(tmp_path / "weights.npz"), names="weight")
    arrays = {name: value * 2 for name, value in read_arrays(tmp_path / "weights.npz").items()}
    write_arrays(tmp_path / "doubled.npz", arrays)
    assert (same.weight.value == model.weight.value).all()
    assert refused(lambda: model.save(3))  # type: ignore[arg-type]

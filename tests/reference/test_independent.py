"""minidl beside a program in plain NumPy that shares nothing with it."""

import ast
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from minidl import L2, SGD, Dataset, Hinge, Linear, Sequential, Sigmoid, SoftmaxCrossEntropy, Trainer
from minidl.data import cifar10
from minidl.initializers import he_normal, normal
from tests.reference import independent

ROOT = Path(__file__).parents[2]


def test_the_independent_program_imports_numpy_and_the_standard_library_only():
    tree = ast.parse(Path(independent.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert modules == {"gzip", "sys", "itertools", "collections.abc", "pathlib", "numpy"}


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("classes", "order", "expected"),
    [
        (1, "file", (1038, 0.070887, 0.065772, 0.975780, 0.979432)),
        (1, "legacy", (522, 0.079246, 0.071661, 0.973533, 0.976494)),
        (10, "legacy", (8184, 0.279193, 0.298023, 0.92245, 0.9151)),
    ],
)
def test_the_independent_program_has_the_exact_mnist_numbers(real_data, classes, order, expected):
    stream = np.random.RandomState(0) if order == "legacy" else None
    found = independent.early_stopped(*independent.mnist_sets(real_data, classes), classes, stream)
    names = ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy")
    assert (found["stop"], *(round(found[name], 6) for name in names)) == expected


@pytest.mark.real_data
@pytest.mark.parametrize("strength", [0.0, 0.1])
@pytest.mark.parametrize("order", ["file", "legacy"])
def test_minidl_has_the_numbers_of_the_independent_program_on_mnist(real_data, monkeypatch, strength, order):
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "reports"))
    monkeypatch.setenv("MINIDL_DATA", str(real_data))
    import mnist_runs

    def stream():
        return np.random.RandomState(0) if order == "legacy" else None

    ours = mnist_runs.fit("softmax", stream(), strength, 10, 3, 20_000, 10_000)
    sets = independent.mnist_sets(real_data, 10)
    other = independent.early_stopped(*sets, 10, stream(), strength=strength, epochs=3)
    assert ours["stop_step"] == other["stop"] == 3 * 156 - 1
    assert ours["norm"] == pytest.approx(other["norm"], rel=1e-10)


def linear(deviation):
    return Sequential(Linear(3072, 10, weight_init=normal(deviation)))


def sigmoid_mlp():
    sizes = (3072, 100, 100, 10)
    first, second, third = (Linear(i, o, weight_init=he_normal) for i, o in pairwise(sizes))
    return Sequential(first, Sigmoid(), second, Sigmoid(), third)


CASES = {  # model, losses of both, batch size, rate, lambda, and what becomes of the pixels
    "softmax": (lambda: linear(0.01), SoftmaxCrossEntropy, independent.cross_entropy, 100, 0.001, 0.1, "standardized"),
    "hinge": (lambda: linear(0.001), Hinge, independent.hinge, 200, 1e-7, 5e4, "centred"),
    "sigmoid MLP": (sigmoid_mlp, SoftmaxCrossEntropy, independent.cross_entropy, 64, 0.3, 0.0005, "from 0 to 1"),
}


def scaled(x, how):
    if how == "from 0 to 1":
        return x / 255
    return (x - x.mean(axis=0)) / (x.std(axis=0) if how == "standardized" else 1)


@pytest.mark.real_data
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", CASES)
def test_minidl_and_the_independent_program_go_the_same_way_to_rounding(real_data, monkeypatch, name, seed):
    monkeypatch.setenv("MINIDL_DATA", str(real_data))
    make, loss, other_loss, size, rate, strength, how = CASES[name]
    theirs, labels = (array[:2_000] for array in independent.cifar10(real_data, "data_batch_1"))
    ours = cifar10()[0].take(slice(0, 2_000))
    np.testing.assert_array_equal(ours.targets, labels)
    data = Dataset(scaled(ours.x.astype(np.float64), how), ours.targets)
    model = make().build(seed=seed, dtype=np.float64)
    weights = [
        array.copy() for layer in model if isinstance(layer, Linear) for array in (layer.weight.value, layer.bias.value)
    ]
    trainer = Trainer(model, loss(), SGD(rate), regularizers=[L2(strength)])
    order = np.random.default_rng(seed).permutation(2_000)
    history = trainer.fit(
        data, epochs=2, batch_size=size, shuffle=lambda epoch: order, drop_last=True, restore_best=False, progress=False
    )
    batches = (rows for _ in range(2) for rows in independent.in_batches(order, size))
    losses = list(independent.sgd(weights, scaled(theirs, how), labels, other_loss, batches, rate, strength))
    assert len(losses) == 2 * (2_000 // size)
    np.testing.assert_allclose(history.steps["loss"], losses, rtol=1e-9)
    trained = [
        array for layer in model if isinstance(layer, Linear) for array in (layer.weight.value, layer.bias.value)
    ]
    for mine, other in zip(trained, weights, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-10)

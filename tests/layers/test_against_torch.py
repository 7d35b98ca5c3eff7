"""Values and gradients of every layer and loss beside those of PyTorch."""

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import (
    BinaryCrossEntropy,
    Focal,
    Hinge,
    Huber,
    Linear,
    MeanAbsoluteError,
    MeanSquaredError,
    ReLU,
    Sigmoid,
    Softmax,
    SoftmaxCrossEntropy,
    SquaredHinge,
    Tanh,
    WestonWatkinsHinge,
)

TORCH = json.loads((Path(__file__).parents[1] / "reference" / "torch.json").read_text(encoding="utf-8"))
LOSSES = {
    "cross_entropy": SoftmaxCrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
    "crammer_singer": Hinge,
    "weston_watkins": WestonWatkinsHinge,
    "mse_loss": MeanSquaredError,
    "l1_loss": MeanAbsoluteError,
    "huber": Huber,
    "squared_hinge": SquaredHinge,
    "focal": Focal,
}
LAYERS = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": ReLU, "softmax": Softmax, "linear": Linear}
ARRAYS_OF_LAYERS = ("x", "dy", "y", "dx", "weight", "bias", "dweight", "dbias")
PRECISIONS = pytest.mark.parametrize(
    ("dtype", "close"),
    [
        (np.float64, {"rtol": 1e-12, "atol": 1e-14}),
        (np.float32, {"rtol": 1e-4, "atol": 3e-6}),
    ],  # some sums are 0 but for rounding
)


@PRECISIONS
@pytest.mark.parametrize("case", TORCH["losses"])
def test_a_loss_and_its_gradient_are_those_of_torch(case, dtype, close):
    given = dict(TORCH["losses"][case])
    make, scores, targets = LOSSES[given.pop("loss")], np.array(given.pop("scores"), dtype), np.array(given["targets"])
    value, gradient, weights = given.pop("value"), given.pop("gradient"), given.pop("weights", None)
    loss = make(**{name: argument for name, argument in given.items() if name != "targets"})
    np.testing.assert_allclose(loss.forward(scores, targets, weights), value, **close)
    computed = loss.backward()
    assert computed.dtype == dtype
    np.testing.assert_allclose(computed, gradient, **close)


@PRECISIONS
@pytest.mark.parametrize("case", TORCH["layers"])
def test_a_layer_and_its_derivatives_are_those_of_torch(case, dtype, close):
    arrays = {name: np.array(array, dtype) for name, array in TORCH["layers"][case].items() if name in ARRAYS_OF_LAYERS}
    layer = LAYERS[case](*arrays["weight"].shape if "weight" in arrays else ())
    hold_against_torch(layer, arrays, dtype, close)


@PRECISIONS
@pytest.mark.parametrize("case", TORCH["images"])
def test_a_layer_of_images_and_its_derivatives_are_those_of_torch(case, dtype, close):
    given = TORCH["images"][case]
    arrays = {name: np.array(array, dtype) for name, array in given.items() if name in ARRAYS_OF_LAYERS}
    hold_against_torch(getattr(minidl, given["layer"])(**given["arguments"]), arrays, dtype, close)


def hold_against_torch(layer, arrays, dtype, close):
    x, dy, y, dx = (arrays.pop(name) for name in ("x", "dy", "y", "dx"))
    layer.build(dtype=dtype)
    for name, parameter in layer.parameters.named.items():
        parameter.value = arrays[name]
    np.testing.assert_allclose(layer.forward(x), y, **close)
    np.testing.assert_allclose(layer.backward(dy), dx, **close)
    for name, parameter in layer.parameters.named.items():
        np.testing.assert_allclose(parameter.grad, arrays[f"d{name}"], **close)


@PRECISIONS
@pytest.mark.parametrize("case", TORCH["sequences"])
def test_a_layer_of_sequences_and_its_derivatives_are_those_of_torch(case, dtype, close):
    given = TORCH["sequences"][case]
    layer = getattr(minidl, given["layer"])(**given["arguments"]).build(dtype=dtype)
    assert layer.parameters.named.keys() == given["parameters"].keys() == given["gradients"].keys()
    for name, parameter in layer.parameters.named.items():
        parameter.value = np.array(given["parameters"][name])
    np.testing.assert_allclose(layer.forward(np.array(given["x"], dtype)), given["y"], **close)
    dx = layer.backward(np.array(given["dy"], dtype))
    if "dx" in given:
        np.testing.assert_allclose(dx, given["dx"], **close)
    for name, parameter in layer.parameters.named.items():
        np.testing.assert_allclose(parameter.grad, given["gradients"][name], err_msg=name, **close)


@PRECISIONS
@pytest.mark.parametrize("case", TORCH["channels"])
def test_an_activation_or_normalization_and_its_derivatives_are_those_of_torch(case, dtype, close):
    given = TORCH["channels"][case]
    layer = getattr(minidl, given["layer"])(**given["arguments"]).build(dtype=dtype)
    for name, owner in {**layer.parameters.named, **layer.parameters.states}.items():
        owner.value = np.array(given.get("before", {}).get(name, given.get(name)), dtype)
    x, dy = np.array(given["x"], dtype), np.array(given["dy"], dtype)
    with layer.train_mode() if given["training"] else nullcontext():
        np.testing.assert_allclose(layer.forward(x), given["y"], **close)
        np.testing.assert_allclose(layer.backward(dy), given["dx"], **close)
    for name, parameter in layer.parameters.named.items():
        np.testing.assert_allclose(parameter.grad, given[f"d{name}"], **close)
    for name, state in layer.parameters.states.items():
        np.testing.assert_allclose(state.value, given["after"][name], **close)


def test_the_reference_holds_every_loss_and_every_layer():
    assert {case["loss"] for case in TORCH["losses"].values()} == LOSSES.keys()
    assert TORCH["layers"].keys() == LAYERS.keys()
    sequences = {case["layer"] for case in TORCH["sequences"].values()}
    assert sequences == {"RNN", "LSTM", "GRU", "SelfAttention", "Embedding"}

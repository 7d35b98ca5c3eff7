"""The networks in JAX: functions (weights, x) -> (scores, moments), where weights are named as in minidl's model.

`moments` are the means and variances of each batch normalization, which a step adds to the running ones.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from networks import Network

Weights = dict[str, Any]
DECAY = 0.9  # of running moments


def batch_norm(weights: Weights, name: str, x: Any) -> tuple[Any, tuple[Any, Any]]:
    """Over all axes but the last."""
    axes = tuple(range(x.ndim - 1))
    mean, variance = x.mean(axes), x.var(axes)
    y = (x - mean) * (lax.rsqrt(variance + 1e-5) * weights[f"{name}.gain"]) + weights[f"{name}.bias"]
    return y, (mean, variance)


def layer_norm(weights: Weights, name: str, x: Any) -> Any:
    """Over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    scale = lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
    return centred * scale * weights[f"{name}.gain"] + weights[f"{name}.bias"]


def linear(weights: Weights, name: str, x: Any) -> Any:
    """x W + b."""
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def convnet(weights: Weights, x: Any) -> tuple[Any, list]:
    """Of images (n, 32, 32, 3): XLA wants channels last on a CPU.

    A maximum over axes has a gradient that is much faster than that of `lax.reduce_window`: 18 ms a step instead of 43.
    """
    moments = []
    for conv, norm in (("0", "1"), ("4", "5")):
        kernel, bias = weights[f"{conv}.weight"], weights[f"{conv}.bias"]
        x = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias
        x, moment = batch_norm(weights, norm, x)
        n, height, width, channels = x.shape
        x = jax.nn.relu(x).reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))
        moments.append(moment)
    return linear(weights, "9", x.reshape(len(x), -1)), moments


def lstm(weights: Weights, x: Any) -> tuple[Any, list]:
    """Of sequences (n, time, features): what comes from x is one product for all steps."""
    inputs = linear(weights, "0", x.swapaxes(0, 1))
    zeros = jnp.zeros((len(x), weights["0.recurrent"].shape[0]), x.dtype)

    def step(state: tuple, z: Any) -> tuple[tuple, None]:
        h, c = state
        i, f, o, g = jnp.split(z + h @ weights["0.recurrent"], 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    (h, _), _ = lax.scan(step, (zeros, zeros), inputs)
    return linear(weights, "1", h), []


def attention(weights: Weights, x: Any) -> tuple[Any, list]:
    """Of sequences (n, time, 64), with 4 heads."""
    x = linear(weights, "0", x)
    n, time, width = x.shape
    together = linear(weights, "1.1.projection", layer_norm(weights, "1.0", x)).reshape(n, time, 3, 4, width // 4)
    mixed = jax.nn.dot_product_attention(*(together[:, :, part] for part in range(3)))
    x = x + linear(weights, "1.1.output", mixed.reshape(n, time, width))
    return linear(weights, "4", layer_norm(weights, "2", x).reshape(n, -1)), []


def normalized_mlp(weights: Weights, x: Any) -> tuple[Any, list]:
    """Of rows (n, 784)."""
    x, moment = batch_norm(weights, "1", linear(weights, "0", x))
    return linear(weights, "3", jax.nn.relu(x)), [moment]


FUNCTIONS = {function.__name__: function for function in (convnet, lstm, attention, normalized_mlp)}


def layout(x: np.ndarray) -> np.ndarray:
    """Images with channels last."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim == 4 else x


def start(network: Network) -> tuple[Weights, list]:
    """The weights of minidl's model, and the running moments."""
    weights = {name: parameter.value.copy() for name, parameter in network.model().parameters.named.items()}
    if network.make.__name__ == "convnet":  # whose last layer sees channels last here
        weights["9.weight"] = weights["9.weight"].reshape(32, 8, 8, 10).transpose(1, 2, 0, 3).reshape(2048, 10)
    gains = [value for name, value in weights.items() if name.endswith("gain")]
    normalized = gains if network.make.__name__ in ("convnet", "normalized_mlp") else []
    return weights, [(np.zeros_like(gain), np.ones_like(gain)) for gain in normalized]


def cost(network: Network):
    """A function (weights, x, labels) -> (mean cross-entropy, moments)."""
    function = FUNCTIONS[network.make.__name__]

    def of_rows(weights: Weights, x: Any, labels: Any) -> tuple[Any, list]:
        scores, moments = function(weights, x)
        true = jnp.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(scores, axis=1) - true).mean(), moments

    return of_rows


def step(network: Network, update: Any):
    """A function (state, x, labels) -> (state, cost), to be compiled; `update` is the optimizer's."""
    of_rows = jax.value_and_grad(cost(network), has_aux=True)

    def once(state: dict, x: Any, labels: Any) -> tuple[dict, Any]:
        (value, moments), gradient = of_rows(state["weights"], x, labels)
        running = jax.tree.map(lambda old, new: DECAY * old + (1 - DECAY) * new, state["running"], moments)
        return update(state, gradient) | {"running": running}, value

    return once

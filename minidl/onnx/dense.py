"""Layers that treat all places of a row alike, containers, and what changes the shape of rows."""

import math

import numpy as np

from minidl import layers as kinds
from minidl.layers.smooth_activations import SELU_ALPHA, SELU_SCALE
from minidl.onnx.graph import Graph
from minidl.onnx.writers import Shape, in_turn, write, writes
from minidl.parameters import Array

SIMPLE = {
    kinds.ReLU: ("Relu", {}),
    kinds.Sigmoid: ("Sigmoid", {}),
    kinds.Tanh: ("Tanh", {}),
    kinds.Softmax: ("Softmax", {"axis": -1}),
    kinds.LogSoftmax: ("LogSoftmax", {"axis": -1}),
}


@writes(*SIMPLE)
def _simple(graph: Graph, layer: kinds.Layer, x: str, shape: Shape) -> str:
    operator, attributes = next(SIMPLE[kind] for kind in type(layer).__mro__ if kind in SIMPLE)
    return graph(operator, x, **attributes)


@writes(kinds.Linear)
def _linear(graph: Graph, layer: kinds.Linear, x: str, shape: Shape) -> str:
    return graph.linear(x, layer.weight.value, None if layer.bias is None else layer.bias.value)


@writes(kinds.Maxout)
def _maxout(graph: Graph, layer: kinds.Maxout, x: str, shape: Shape) -> str:
    z = graph.linear(x, layer.weight.value, layer.bias.value)
    pieces = graph.reshape(z, *[0] * len(shape), layer.pieces, layer.out_features)
    return graph("ReduceMax", pieces, graph.sizes(-2), keepdims=0)


@writes(kinds.LeakyReLU)
def _leaky(graph: Graph, layer: kinds.LeakyReLU, x: str, shape: Shape) -> str:
    zero = graph.number(0)
    below = graph("Mul", graph("Min", x, zero), graph.number(layer.slope))
    return graph("Add", graph("Max", x, zero), below)


@writes(kinds.HardTanh)
def _hard_tanh(graph: Graph, layer: kinds.HardTanh, x: str, shape: Shape) -> str:
    return graph("Clip", x, graph.number(layer.low), graph.number(layer.high))


def _exponential(graph: Graph, x: str, alpha: float, scale: float) -> str:
    """Scale (max(0, x) + alpha (exp(m) - 1)) with m = min(0, x), of operators that there are in every dtype.

    exp(m) - 1 = tanh(m / 2) (exp(m) + 1), which keeps its digits near 0.
    """
    zero = graph.number(0)
    m = graph("Min", x, zero)
    half = graph("Tanh", graph("Mul", m, graph.number(0.5)))
    below = graph("Mul", half, graph("Add", graph("Exp", m), graph.number(1)))
    y = graph("Add", graph("Max", x, zero), graph("Mul", below, graph.number(alpha)))
    return graph("Mul", y, graph.number(scale))


@writes(kinds.ELU)
def _elu(graph: Graph, layer: kinds.ELU, x: str, shape: Shape) -> str:
    return _exponential(graph, x, layer.alpha, 1)


@writes(kinds.SELU)
def _selu(graph: Graph, layer: kinds.SELU, x: str, shape: Shape) -> str:
    return _exponential(graph, x, SELU_ALPHA, SELU_SCALE)


@writes(kinds.SiLU)
def _silu(graph: Graph, layer: kinds.SiLU, x: str, shape: Shape) -> str:
    return graph("Mul", x, graph("Sigmoid", x))


@writes(kinds.GELU)
def _gelu(graph: Graph, layer: kinds.GELU, x: str, shape: Shape) -> str:
    cubic = graph("Add", graph("Mul", graph("Mul", x, x), graph.number(0.044715)), graph.number(1))
    u = graph("Mul", graph("Mul", x, cubic), graph.number(2 * math.sqrt(2 / math.pi)))
    return graph("Mul", x, graph("Sigmoid", u))


@writes(kinds.Softplus)
def _softplus(graph: Graph, layer: kinds.Softplus, x: str, shape: Shape) -> str:
    small = graph("Exp", graph("Mul", graph("Abs", x), graph.number(-layer.beta)))
    bend = graph("Log", graph("Add", small, graph.number(1)))
    return graph("Add", graph("Max", x, graph.number(0)), graph("Mul", bend, graph.number(1 / layer.beta)))


@writes(kinds.Dropout)
def _dropout(graph: Graph, layer: kinds.Dropout, x: str, shape: Shape) -> str:
    return x  # which it is at inference


@writes(kinds.Flatten)
def _flatten(graph: Graph, layer: kinds.Flatten, x: str, shape: Shape) -> str:
    return graph.reshape(x, 0, -1)


@writes(kinds.Reshape)
def _reshape(graph: Graph, layer: kinds.Reshape, x: str, shape: Shape) -> str:
    return graph.reshape(x, 0, *layer.shape)


@writes(kinds.Sequential)
def _sequential(graph: Graph, layer: kinds.Sequential, x: str, shape: Shape) -> str:
    return in_turn(graph, layer, x, shape)


@writes(kinds.Residual)
def _residual(graph: Graph, layer: kinds.Residual, x: str, shape: Shape) -> str:
    return graph("Add", x, in_turn(graph, layer, x, shape))


@writes(kinds.Parallel)
def _parallel(graph: Graph, layer: kinds.Parallel, x: str, shape: Shape) -> str:
    outputs = [write(graph, branch, x, shape) for branch in layer]
    if layer.join == "sum":
        return outputs[0] if len(outputs) == 1 else graph("Sum", *outputs)
    return graph("Concat", *outputs, axis=-1 if layer.join == "features" else 1)


def _spread(values: Array, shape: Shape) -> Array:
    """Values of channels, to be used along the axis on which these stand."""
    return values.reshape(-1, *[1] * 2) if len(shape) == 3 else values


@writes(kinds.BatchNorm)
def _batch_norm(graph: Graph, layer: kinds.BatchNorm, x: str, shape: Shape) -> str:
    spread = np.float64(layer.variance.value) + layer.eps
    factor = layer.gain.value / np.sqrt(spread)
    mean, factor, bias = (
        graph.number(_spread(values, shape)) for values in (layer.mean.value, factor, layer.bias.value)
    )
    return graph("Add", graph("Mul", graph("Sub", x, mean), factor), bias)


@writes(kinds.LayerNorm)
def _layer_norm(graph: Graph, layer: kinds.LayerNorm, x: str, shape: Shape) -> str:
    z = graph.normalized(x, range(-len(layer.features), 0), layer.eps)
    return graph("Add", graph("Mul", z, graph.number(layer.gain.value)), graph.number(layer.bias.value))


@writes(kinds.GroupNorm)
def _group_norm(graph: Graph, layer: kinds.GroupNorm, x: str, shape: Shape) -> str:
    swapped = len(shape) == 2  # (time, channels)
    x = graph("Transpose", x, perm=[0, 2, 1]) if swapped else x
    groups = graph.normalized(graph.reshape(x, 0, layer.groups, -1), [2], layer.eps)
    z = graph("Reshape", groups, graph("Shape", x))
    z = graph("Transpose", z, perm=[0, 2, 1]) if swapped else z
    gain, bias = (graph.number(_spread(values.value, shape)) for values in (layer.gain, layer.bias))
    return graph("Add", graph("Mul", z, gain), bias)

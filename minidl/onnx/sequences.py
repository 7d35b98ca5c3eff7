"""Layers of sequences of any length: recurrence is a Scan, whose body is one step."""

import math
from collections.abc import Callable

import numpy as np

from minidl import layers as kinds
from minidl.layers.recurrence import Recurrence
from minidl.onnx.graph import Graph
from minidl.onnx.writers import Shape, writes

State = list[str]


@writes(kinds.Embedding)
def _embedding(graph: Graph, layer: kinds.Embedding, x: str, shape: Shape) -> str:
    from onnx import TensorProto

    return graph("Gather", graph.number(layer.weight.value), graph("Cast", x, to=TensorProto.INT64), axis=0)


@writes(kinds.PositionalEncoding)
def _positions(graph: Graph, layer: kinds.PositionalEncoding, x: str, shape: Shape) -> str:
    """Sines in float64, whatever the dtype; a cosine is the sine a quarter of a turn later."""
    from onnx.helper import np_dtype_to_tensor_dtype

    place = np.arange(layer.features)
    rates = graph.constant(10000.0 ** (-2.0 * (place // 2) / layer.features))
    times = graph("Unsqueeze", _range(graph, _length(graph, x)), graph.sizes(1))
    angles = graph("Mul", graph("Cast", times, to=np_dtype_to_tensor_dtype(np.dtype(np.float64))), rates)
    waves = graph("Sin", graph("Add", angles, graph.constant(place % 2 * (math.pi / 2))))
    return graph("Add", x, graph("Cast", waves, to=np_dtype_to_tensor_dtype(graph.dtype)))


@writes(kinds.SelfAttention)
def _attention(graph: Graph, layer: kinds.SelfAttention, x: str, shape: Shape) -> str:
    heads, width = layer.heads, layer.features // layer.heads
    weight, bias = layer.projection.weight.value, layer.projection.bias
    both = graph.linear(x, weight, None if bias is None else bias.value)
    parts = graph("Transpose", graph.reshape(both, 0, 0, 3, heads, width), perm=[2, 0, 3, 1, 4])
    q, k, v = (graph("Gather", parts, graph.constant(np.int64(which)), axis=0) for which in range(3))
    q = graph("Mul", q, graph.number(layer.scale))
    scores = graph("MatMul", q, graph("Transpose", k, perm=[0, 1, 3, 2]))
    if layer.causal:
        times = _range(graph, _length(graph, x))
        ahead = graph("Less", graph("Unsqueeze", times, graph.sizes(1)), times)
        scores = graph("Where", ahead, graph.number(-np.inf), scores)
    taken = graph("MatMul", graph("Softmax", scores, axis=-1), v)
    joined = graph.reshape(graph("Transpose", taken, perm=[0, 2, 1, 3]), 0, 0, layer.features)
    bias = layer.output.bias
    return graph.linear(joined, layer.output.weight.value, None if bias is None else bias.value)


def _length(graph: Graph, x: str) -> str:
    """The number of steps, without an axis."""
    return graph("Squeeze", graph("Shape", x, start=1, end=2))


def _range(graph: Graph, length: str) -> str:
    return graph("Range", graph.constant(np.int64(0)), length, graph.constant(np.int64(1)))


@writes(kinds.RNN)
def _rnn(graph: Graph, layer: kinds.RNN, x: str, shape: Shape) -> str:
    def step(inner: Graph, x: str, h: str) -> State:
        return [inner("Tanh", inner("Add", _of_x(inner, layer, x), _of_h(inner, layer, h)))]

    return _scan(graph, layer, x, step, states=1)


@writes(kinds.LSTM)
def _lstm(graph: Graph, layer: kinds.LSTM, x: str, shape: Shape) -> str:
    def step(inner: Graph, x: str, h: str, c: str) -> State:
        a = inner("Add", _of_x(inner, layer, x), _of_h(inner, layer, h))
        *gates, g = inner.several("Split", a, axis=1, num_outputs=4, outputs=4)
        i, f, o = (inner("Sigmoid", gate) for gate in gates)
        c = inner("Add", inner("Mul", f, c), inner("Mul", i, inner("Tanh", g)))
        return [inner("Mul", o, inner("Tanh", c)), c]

    return _scan(graph, layer, x, step, states=2)


@writes(kinds.GRU)
def _gru(graph: Graph, layer: kinds.GRU, x: str, shape: Shape) -> str:
    def step(inner: Graph, x: str, h: str) -> State:
        parts = [
            inner.several("Split", product, axis=1, num_outputs=3, outputs=3)
            for product in (_of_x(inner, layer, x), _of_h(inner, layer, h))
        ]
        r, z = (inner("Sigmoid", inner("Add", of_x, of_h)) for of_x, of_h in list(zip(*parts, strict=True))[:2])
        u = inner("Add", parts[1][2], inner.number(layer.reset_bias.value))
        g = inner("Tanh", inner("Add", parts[0][2], inner("Mul", r, u)))
        return [inner("Add", g, inner("Mul", z, inner("Sub", h, g)))]

    return _scan(graph, layer, x, step, states=1)


def _of_x(graph: Graph, layer: Recurrence, x: str) -> str:
    return graph.linear(x, layer.weight.value, layer.bias.value)


def _of_h(graph: Graph, layer: Recurrence, h: str) -> str:
    return graph.linear(h, layer.recurrent.value, None)


def _scan(graph: Graph, layer: Recurrence, x: str, step: Callable[..., State], states: int) -> str:
    """All h_t, or the last one, of steps from states that are 0; the first state is h."""
    from onnx.helper import make_graph, make_tensor_value_info, np_dtype_to_tensor_dtype

    inner = graph.inside()
    given = [next(graph.names) for _ in range(states + 1)]  # the states, then x_t
    after = step(inner, given[-1], *given[:-1])
    shown = inner("Identity", after[0])
    kind = np_dtype_to_tensor_dtype(graph.dtype)
    shapes = [[None, layer.features]] * states
    inputs, outputs = (
        [make_tensor_value_info(name, kind, shape) for name, shape in zip(names, sizes, strict=True)]
        for names, sizes in (
            (given, [*shapes, [None, layer.in_features]]),
            ([*after, shown], [*shapes, [None, layer.features]]),
        )
    )
    body = make_graph(inner.nodes, "step", inputs, outputs)
    rows = graph("Shape", x, start=0, end=1)
    start = graph.full(graph("Concat", rows, graph.sizes(layer.features), axis=0), 0)
    last, *_, every = graph.several(
        "Scan",
        *[start] * states,
        x,
        outputs=states + 1,
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[1],
        scan_output_axes=[1],
    )
    return last if layer.last else every

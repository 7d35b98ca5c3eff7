"""Convolutions and poolings: operators of their own in float32, and sums over the places of a window in float64."""

from itertools import product

import numpy as np

from minidl import layers as kinds
from minidl.arguments import short
from minidl.layers.windows import Window
from minidl.onnx.graph import Graph
from minidl.onnx.writers import Shape, writes

FAR = np.iinfo(np.int64).max


def _pads(layer: kinds.Layer, windows: tuple[Window, ...], lengths: Shape) -> list[int]:
    """The zeros in front of every axis, then those behind."""
    front, behind = [], []
    for window, length in zip(windows, lengths, strict=True):
        if window.padding is not None:
            front.append(window.padding)
            behind.append(window.padding)
            continue
        if length is None:
            raise ValueError(
                f'expected the size of images before {short(layer)}, whose padding is "same", received one that is '
                f"unknown: give input_shape whole"
            )
        missing = max((window.count(length) - 1) * window.stride + window.size - length, 0)
        front.append(window.before(length))
        behind.append(missing - window.before(length))
    return [*front, *behind]


def _places(graph: Graph, x: str, windows: tuple[Window, ...], first: int) -> list[str]:
    """For each place in a window what all windows have there; they slide along the axes of padded x from `first` on."""
    axes = graph.sizes(*range(first, first + len(windows)))
    steps = graph.sizes(*(window.stride for window in windows))
    slices = []
    for place in product(*(range(window.size) for window in windows)):
        ends = [at - window.size + 1 or FAR for at, window in zip(place, windows, strict=True)]
        slices.append(graph("Slice", x, graph.sizes(*place), graph.sizes(*ends), axes, steps))
    return slices


def _sum(graph: Graph, terms: list[str]) -> str:
    total = terms[0]
    for term in terms[1:]:
        total = graph("Add", total, term)
    return total


def _convolution(graph: Graph, layer: kinds.Conv2D | kinds.Conv1D, x: str, lengths: Shape) -> str:
    """Of x with its channels first."""
    axes, W = len(layer.windows), layer.weight.value
    pads = _pads(layer, layer.windows, lengths)
    if graph.dtype == np.float32:
        kernel = graph.number(W.transpose(axes + 1, axes, *range(axes)))
        bias = [] if layer.bias is None else [graph.number(layer.bias.value)]
        strides = [window.stride for window in layer.windows]
        return graph("Conv", x, kernel, *bias, strides=strides, pads=pads)
    x = graph("Transpose", x, perm=[0, *range(2, axes + 2), 1])
    around = graph.sizes(0, *pads[:axes], 0, 0, *pads[axes:], 0)
    slices = _places(graph, graph("Pad", x, around), layer.windows, 1)
    pieces = W.reshape(-1, *W.shape[axes:])
    y = _sum(graph, [graph("MatMul", part, graph.number(w)) for part, w in zip(slices, pieces, strict=True)])
    y = y if layer.bias is None else graph("Add", y, graph.number(layer.bias.value))
    return graph("Transpose", y, perm=[0, axes + 1, *range(1, axes + 1)])


@writes(kinds.Conv2D)
def _conv2d(graph: Graph, layer: kinds.Conv2D, x: str, shape: Shape) -> str:
    return _convolution(graph, layer, x, shape[1:])


@writes(kinds.Conv1D)
def _conv1d(graph: Graph, layer: kinds.Conv1D, x: str, shape: Shape) -> str:
    y = _convolution(graph, layer, graph("Transpose", x, perm=[0, 2, 1]), shape[:1])
    return graph("Transpose", y, perm=[0, 2, 1])


def _sizes(windows: tuple[Window, ...]) -> dict[str, list[int]]:
    return {"kernel_shape": [window.size for window in windows], "strides": [window.stride for window in windows]}


@writes(kinds.MaxPool2D)
def _max_pool(graph: Graph, layer: kinds.MaxPool2D, x: str, shape: Shape) -> str:
    return graph("MaxPool", x, pads=_pads(layer, layer.windows, shape[1:]), **_sizes(layer.windows))


@writes(kinds.AveragePool2D)
def _average_pool(graph: Graph, layer: kinds.AveragePool2D, x: str, shape: Shape) -> str:
    pads = _pads(layer, layer.windows, shape[1:])
    if graph.dtype == np.float32:
        return graph("AveragePool", x, pads=pads, count_include_pad=0, **_sizes(layer.windows))
    around = graph.sizes(0, 0, *pads[:2], 0, 0, *pads[2:])
    parts = [x, graph.full(graph("Shape", x), 1)]  # what is padding does not count
    total, number = (_sum(graph, _places(graph, graph("Pad", part, around), layer.windows, 2)) for part in parts)
    return graph("Div", total, number)


@writes(kinds.GlobalAveragePool2D)
def _global_average(graph: Graph, layer: kinds.GlobalAveragePool2D, x: str, shape: Shape) -> str:
    return graph("ReduceMean", x, graph.sizes(2, 3), keepdims=0)

"""Single layers beside those of PyTorch: time of forward and backward, and memory, one Markdown line a layer.

    python benchmarks/layers.py                 # two minutes
    python benchmarks/layers.py --only Conv2D   # the rows with that in their names
    python benchmarks/layers.py --quick         # few repetitions and rows

float32. Each row has a process of its own, in which both libraries take turns with one thread each; the least processor
time of all repetitions is taken, which leaves out what other programs use. The process keeps the memory it frees (else
PyTorch, now and then, spends more time on getting pages than on a convolution), and OPENBLAS_ settings of the caller
are not passed on, so that both libraries choose their instructions.

First layers get data in C order and compute no dx. Between layers images lie in memory as each library has them:
channels last in minidl, channels first in PyTorch. Before the clock runs, both have the same weights and must agree in
y and dx. "Memory" is the highest of one forward and backward, x and dy included, over the size of input and output.
Without PyTorch its columns are empty.
"""

import argparse
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import Any

import numpy as np
from processes import settings
from table import installed, machine, spaced, versions

from minidl import (
    GRU,
    LSTM,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    MaxPool2D,
    ReLU,
    SelfAttention,
    Sequential,
)
from minidl.kernels import use
from minidl.layers.container import Container

SECONDS, QUICK = 5.0, 0.05  # of repetitions a row
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**34)}  # of glibc


@dataclass(frozen=True)
class Row:
    """A layer of both libraries on one batch.

    Attributes:
        name: of the row.
        aim: the ratio to PyTorch's time that is aimed at; None where there is none.
        shape: of x.
        ours: makes the layer.
        theirs: makes the module, given `torch.nn`.
        first: whether it is a first layer, which gets data in C order and computes no dx.
        weights: the arrays of the module by path, given the built layer.
    """

    name: str
    aim: float | None
    shape: tuple[int, ...]
    ours: Callable[[], Layer]
    theirs: Callable[[Any], Any]
    first: bool = False
    weights: Callable[[Layer], dict[str, np.ndarray]] = lambda layer: {}


def kernels(layer: Layer) -> dict[str, np.ndarray]:
    """PyTorch keeps kernels as (out, in, ...)."""
    W = layer.weight.value
    return {"weight": W.transpose(-1, -2, *range(W.ndim - 2)), "bias": layer.bias.value}


def conv(
    n: int, channels: int, out: int, side: int, kernel: int, aim: float, *, first: bool = False, **how: int
) -> Row:
    """A row of a convolution."""
    stride = f" stride {how['stride']}" if "stride" in how else ""
    return Row(
        f"Conv2D {channels} to {out}, {kernel}x{kernel}{stride}, {side}x{side}, batch {n}",
        aim,
        (n, channels, side, side),
        lambda: Conv2D(channels, out, kernel, **how),
        lambda nn: nn.Conv2d(channels, out, kernel, **how),
        first,
        kernels,
    )


def of_sequences(nn: Any, kind: str, *sizes: int) -> Any:
    """A module of PyTorch that returns y alone, of arrays (n, time, features)."""

    class Alone(getattr(nn, kind)):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            attends = kind == "MultiheadAttention"
            return (super().forward(x, x, x, need_weights=False) if attends else super().forward(x))[0]

    return Alone(*sizes, batch_first=True)


def lstm_weights(layer: Layer) -> dict[str, np.ndarray]:
    """PyTorch has the gates i, f, g, o one below the other, and a second bias."""
    m = layer.features
    order = np.r_[0 : 2 * m, 3 * m : 4 * m, 2 * m : 3 * m]
    W, U, b = (p.value[..., order].T for p in (layer.weight, layer.recurrent, layer.bias))
    return {"weight_ih_l0": W, "weight_hh_l0": U, "bias_ih_l0": b, "bias_hh_l0": 0 * b}


def gru_weights(layer: Layer) -> dict[str, np.ndarray]:
    """PyTorch has the gates one below the other, and the bias behind the reset gate as a part of a second one."""
    W, U, b = (p.value.T for p in (layer.weight, layer.recurrent, layer.bias))
    second = np.concatenate([np.zeros(2 * layer.features, b.dtype), layer.reset_bias.value])
    return {"weight_ih_l0": W, "weight_hh_l0": U, "bias_ih_l0": b, "bias_hh_l0": second}


def attention_weights(layer: Layer) -> dict[str, np.ndarray]:
    """PyTorch's stand transposed."""
    first, second = layer.projection, layer.output
    return {
        "in_proj_weight": first.weight.value.T,
        "in_proj_bias": first.bias.value,
        "out_proj.weight": second.weight.value.T,
        "out_proj.bias": second.bias.value,
    }


def normalization(shape: tuple[int, ...], aim: float | None) -> Row:
    """A row of batch normalization in training."""
    return Row(
        f"BatchNorm {shape}",
        aim,
        shape,
        lambda: BatchNorm(shape[1]),
        lambda nn: (nn.BatchNorm2d if len(shape) > 2 else nn.BatchNorm1d)(shape[1]),
    )


def convnet() -> Sequential:
    """Three blocks of convolution, batch normalization, ReLU and pooling, and a linear layer: images of 32 x 32."""
    layers: list[Layer] = []
    for channels, out in ((3, 16), (16, 32), (32, 64)):
        layers += [Conv2D(channels, out, 3, padding=1), BatchNorm(out), ReLU(), MaxPool2D(2)]
    return Sequential(*layers, Flatten(), Linear(1024, 10))


def torch_convnet(nn: Any) -> Any:
    """The same in PyTorch."""
    layers: list[Any] = []
    for channels, out in ((3, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 10))


def arrays_of(model: Layer) -> dict[str, np.ndarray]:
    """The parameters of a model under the names, and in the order of axes, that PyTorch has for them."""
    arrays: dict[str, np.ndarray] = {}
    for number, layer in enumerate(model.children().values()):
        named = {name: parameter.value for name, parameter in layer.named_parameters().items()}
        if isinstance(layer, Conv2D):
            named = kernels(layer)
        elif isinstance(layer, Linear):
            named["weight"] = named["weight"].T
        elif isinstance(layer, BatchNorm | LayerNorm):
            named = {"weight": named["gain"], "bias": named["bias"]}
        elif isinstance(layer, LSTM):
            named = lstm_weights(layer)
        elif isinstance(layer, SelfAttention):
            named = attention_weights(layer)
        elif isinstance(layer, Container):
            named = arrays_of(layer)
        arrays |= {f"{number}.{name}": array for name, array in named.items()}
    return arrays


ROWS = [
    conv(64, 32, 32, 16, 3, 1.8, padding=1),
    conv(64, 64, 64, 16, 3, 1.5, padding=1),
    conv(64, 3, 32, 32, 5, 2.0, padding=2, first=True),
    conv(128, 16, 32, 32, 3, 1.6, stride=2, padding=1),
    conv(128, 1, 8, 28, 5, 1.0, first=True),
    normalization((64, 32, 16, 16), 1.8),
    normalization((128, 256), None),
    Row("MaxPool2D 2x2, (128, 16, 32, 32)", 1.0, (128, 16, 32, 32), lambda: MaxPool2D(2), lambda nn: nn.MaxPool2d(2)),
    Row(
        "MaxPool2D 3x3 stride 2, (64, 32, 32, 32)",
        None,
        (64, 32, 32, 32),
        lambda: MaxPool2D(3, stride=2, padding=1),
        lambda nn: nn.MaxPool2d(3, 2, 1),
    ),
    Row(
        "LSTM 32 to 64, 50 steps, batch 64",
        2.0,
        (64, 50, 32),
        lambda: LSTM(32, 64),
        lambda nn: of_sequences(nn, "LSTM", 32, 64),
        True,
        lstm_weights,
    ),
    Row(
        "GRU 32 to 64, 50 steps, batch 64",
        None,
        (64, 50, 32),
        lambda: GRU(32, 64),
        lambda nn: of_sequences(nn, "GRU", 32, 64),
        True,
        gru_weights,
    ),
    Row(
        "SelfAttention 4 heads, (32, 50, 64)",
        1.2,
        (32, 50, 64),
        lambda: SelfAttention(64, 4),
        lambda nn: of_sequences(nn, "MultiheadAttention", 64, 4),
        True,
        attention_weights,
    ),
    Row(
        "a step of a convnet 16, 32, 64 with BatchNorm, 32x32, batch 64",
        1.8,
        (64, 3, 32, 32),
        convnet,
        torch_convnet,
        True,
        arrays_of,
    ),
    Row(
        "AveragePool2D 2x2, (64, 32, 32, 32)",
        None,
        (64, 32, 32, 32),
        lambda: AveragePool2D(2),
        lambda nn: nn.AvgPool2d(2),
    ),
]


def main() -> None:
    """Print the table, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions and rows")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows with this in their names")
    parser.add_argument("--measure", type=int, metavar="ROW", help=argparse.SUPPRESS)
    options = parser.parse_args()
    seconds = QUICK if options.quick else SECONDS
    if options.measure is not None:
        print(line(ROWS[options.measure], seconds), flush=True)
        return
    print(
        "| layer | minidl, µs | minidl[fast] | PyTorch | ratio | aim | memory |\n|---|--:|--:|--:|--:|--:|--:|",
        flush=True,
    )
    chosen = [number for number, row in enumerate(ROWS) if options.only in row.name]
    for number in chosen[-3:] if options.quick else chosen:
        command = [sys.executable, __file__, "--measure", str(number), *["--quick"] * options.quick]
        subprocess.run(command, check=True, env=settings(1, KEEP_MEMORY))
    print(f"\n- Versions: {versions(['torch'] if installed('torch') else [])}.\n- Machine: {machine()}.")


def line(row: Row, seconds: float) -> str:
    """What was measured of a row."""
    with row.ours().build(seed=0).train_mode() as layer:
        return measured(row, layer, seconds)


def measured(row: Row, layer: Layer, seconds: float) -> str:
    """The line of the table for a built layer in training."""
    x, dy = inputs(row, layer)
    runs: list[Callable[[], object]] = [InForm("numpy", layer, x, dy)]
    if installed("numba"):
        runs.append(InForm("compiled", layer, x, dy))
    if torch_run := in_torch(row, layer, x, dy):
        runs.append(torch_run)
    times = [1e6 * time for time in least(runs, seconds)]
    aim = "-" if row.aim is None else f"<= {row.aim}"
    theirs, ratio = (spaced(times[-1]), f"{min(times[:-1]) / times[-1]:.2f}") if torch_run else ("-", "-")
    fast = spaced(times[1]) if installed("numba") else "-"
    return f"| {row.name} | {spaced(times[0])} | {fast} | {theirs} | {ratio} | {aim} | {memory(layer, x, dy):.1f}x |"


class InForm:
    """Forward and backward in one form of the kernels, which is chosen, and found by each of them, off the clock."""

    def __init__(self, form: str, layer: Layer, x: np.ndarray, dy: np.ndarray) -> None:
        self.form, self.run = form, partial(both, layer, x, dy)

    def prepare(self) -> None:
        """Choose the form, and let every kernel find it."""
        use(self.form)
        self.run()

    def __call__(self) -> object:
        """What is measured."""
        return self.run()


def inputs(row: Row, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """x and dy as the layers beside this one give them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(row.shape, np.float32)
    if len(row.shape) > 2 and not row.first:
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    y = layer.forward(x)
    dy = np.empty_like(y)
    dy[...] = rng.standard_normal(y.shape, np.float32)
    layer.needs_dx = not row.first
    return x, dy


def both(layer: Layer, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """y and dx."""
    return layer.forward(x), layer.backward(dy)


def in_torch(row: Row, layer: Layer, x: np.ndarray, dy: np.ndarray) -> Callable[[], object] | None:
    """The same in PyTorch, after a look whether it gives the same; None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    module = row.theirs(torch.nn)
    for name, array in row.weights(layer).items():
        module.get_parameter(name).data.copy_(torch.from_numpy(array.copy()))
    tensor = torch.tensor(np.ascontiguousarray(x), requires_grad=not row.first)
    upstream = torch.tensor(np.ascontiguousarray(dy))

    def run() -> Any:
        tensor.grad = None
        module.zero_grad()
        y = module(tensor)
        y.backward(upstream)
        return y

    theirs, (y, dx) = run(), both(layer, x, dy)
    np.testing.assert_allclose(y, theirs.detach().numpy(), rtol=1e-3, atol=1e-3)
    if not row.first:
        np.testing.assert_allclose(dx, tensor.grad.numpy(), rtol=1e-3, atol=1e-3)
    return run


def least(runs: list[Callable[[], object]], seconds: float) -> list[float]:
    """The least processor time of each, in turn."""
    times = [float("inf")] * len(runs)
    end = process_time() + seconds
    while process_time() < end:
        for index, run in enumerate(runs):
            if isinstance(run, InForm):
                run.prepare()
            start = process_time()
            run()
            times[index] = min(times[index], process_time() - start)
    return times


def memory(layer: Layer, x: np.ndarray, dy: np.ndarray) -> float:
    """The highest memory of one forward and backward over input and output."""
    layer.forward(x[:2])
    tracemalloc.start()
    both(layer, x, dy)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak + x.nbytes + dy.nbytes) / (x.nbytes + dy.nbytes)


if __name__ == "__main__":
    main()

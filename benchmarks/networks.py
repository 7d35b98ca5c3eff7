"""One training step of other networks beside PyTorch: a convnet, an LSTM, attention, an autoencoder, a normalized MLP.

    python benchmarks/networks.py                # three minutes
    python benchmarks/networks.py --only LSTM
    python benchmarks/networks.py --quick        # few repetitions

A step is the whole of it in float32: gathering the rows, forward, loss, backward, update. Each row has a process of its
own, in which minidl in NumPy, minidl with compiled kernels and PyTorch take turns with one thread each; the least
processor time of all repetitions is taken, which leaves out what other programs use. All start from the same weights
and must have learned the same after some steps, to a thousandth. Memory is the highest of each in a process of its own,
over what that process held when PyTorch or minidl and the data were loaded; numba, some 120 MB of it, comes with the
first step.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from layers import KEEP_MEMORY, QUICK, SECONDS, arrays_of, least, of_sequences
from processes import answer, settings
from table import installed, machine, spaced, versions

from minidl import (
    LSTM,
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    Flatten,
    Layer,
    LayerNorm,
    Linear,
    Loss,
    MaxPool2D,
    MeanSquaredError,
    Optimizer,
    ReLU,
    Residual,
    SelfAttention,
    Sequential,
    SoftmaxCrossEntropy,
    kernels,
)

ROWS, STEPS, TOLERANCE = 4096, 20, 1e-3


@dataclass(frozen=True)
class Network:
    """A line of the table.

    Attributes:
        name: what the table calls it.
        aim: the ratio to PyTorch's time that is aimed at.
        shape: of a row.
        batch: rows a step.
        ours: makes the model.
        theirs: makes the module, given `torch.nn`.
        optimizer: "sgd" has momentum .9.
        copies: whether the targets are the rows themselves.
    """

    name: str
    aim: float
    shape: tuple[int, ...]
    batch: int
    ours: Callable[[], Layer]
    theirs: Callable[[Any], Any]
    optimizer: str = "adam"
    copies: bool = False

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Random rows, and labels of a random teacher or the rows once more."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((ROWS, *self.shape), np.float32)
        if self.copies:
            return x, x
        flat = x.reshape(ROWS, -1)
        return x, (flat @ rng.standard_normal((flat.shape[1], 10), np.float32)).argmax(axis=1)


def convnet() -> Layer:
    """Two blocks of convolution, normalization, ReLU and pooling, and a linear layer."""
    blocks: list[Layer] = []
    for channels, out in ((3, 16), (16, 32)):
        blocks += [Conv2D(channels, out, 3, padding=1), BatchNorm(out), ReLU(), MaxPool2D(2)]
    return Sequential(*blocks, Flatten(), Linear(2048, 10))


def torch_convnet(nn: Any) -> Any:
    """The same in PyTorch."""
    blocks: list[Any] = []
    for channels, out in ((3, 16), (16, 32)):
        blocks += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(2048, 10))


def torch_last(nn: Any) -> Any:
    """An LSTM of PyTorch that returns its last step."""

    class Last(nn.LSTM):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return super().forward(x)[0][:, -1]

    return Last(32, 64, batch_first=True)


def torch_residual(nn: Any, *layers: Any) -> Any:
    """x + f(x)."""

    class Plus(nn.Sequential):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x + super().forward(x)

    return Plus(*layers)


def dense(widths: Sequence[int], between: Callable[[int], Sequence[Any]], linear: Callable[..., Any]) -> list[Any]:
    """Linear layers with something between them."""
    layers: list[Any] = []
    for place, (m, n) in enumerate(pairwise(widths)):
        layers += [linear(m, n), *(between(n) if place < len(widths) - 2 else [])]
    return layers


CODE, MLP = (784, 128, 32, 128, 784), (784, 256, 10)
NETWORKS = [
    Network(
        "convnet 3-16-32 with BatchNorm, 32x32, batch 64, SGD", 1.4, (3, 32, 32), 64, convnet, torch_convnet, "sgd"
    ),
    Network(
        "LSTM 32 to 64, 50 steps, and softmax, batch 64, Adam",
        1.3,
        (50, 32),
        64,
        lambda: Sequential(LSTM(32, 64, last=True), Linear(64, 10)),
        lambda nn: nn.Sequential(torch_last(nn), nn.Linear(64, 10)),
    ),
    Network(
        "attention with 4 heads, normalized, 50 steps of 64, batch 32, Adam",
        1.0,
        (50, 64),
        32,
        lambda: Sequential(Residual(LayerNorm(64), SelfAttention(64, 4)), LayerNorm(64), Flatten(), Linear(3200, 10)),
        lambda nn: nn.Sequential(
            torch_residual(nn, nn.LayerNorm(64), of_sequences(nn, "MultiheadAttention", 64, 4)),
            nn.LayerNorm(64),
            nn.Flatten(),
            nn.Linear(3200, 10),
        ),
    ),
    Network(
        "autoencoder 784-128-32-128-784, batch 128, Adam",
        1.0,
        (784,),
        128,
        lambda: Sequential(*dense(CODE, lambda n: [ReLU()], Linear)),
        lambda nn: nn.Sequential(*dense(CODE, lambda n: [nn.ReLU()], nn.Linear)),
        copies=True,
    ),
    Network(
        "MLP 784-256-10 with BatchNorm, batch 128, Adam",
        1.0,
        (784,),
        128,
        lambda: Sequential(*dense(MLP, lambda n: [BatchNorm(n), ReLU()], Linear)),
        lambda nn: nn.Sequential(*dense(MLP, lambda n: [nn.BatchNorm1d(n), nn.ReLU()], nn.Linear)),
    ),
]


class Ours:
    """minidl in one form of its kernels."""

    def __init__(self, network: Network, form: str) -> None:
        self.form, self.network = form, network
        self.x, self.targets = network.data()
        self.model: Any = network.ours().build(seed=0)
        self.loss: Loss = MeanSquaredError() if network.copies else SoftmaxCrossEntropy()
        rules: dict[str, Optimizer] = {"adam": Adam(1e-3), "sgd": SGD(1e-2, momentum=0.9)}
        self.optimizer = rules[network.optimizer]
        self.rng = np.random.default_rng(1)

    def step(self) -> float:
        """The five statements on a batch."""
        rows = self.rng.integers(0, ROWS, self.network.batch)
        with kernels.using(self.form), self.model.train_mode():
            self.model.needs_dx = False
            loss = self.loss.forward(self.model.forward(self.x[rows]), self.targets[rows])
            self.model.backward(self.loss.backward())
            self.optimizer.step(self.model.parameters)
        return loss


class Theirs:
    """PyTorch in eager mode."""

    def __init__(self, network: Network) -> None:
        import torch

        torch.set_num_threads(1)
        self.network = network
        self.x, self.targets = (torch.from_numpy(array) for array in network.data())
        self.model = network.theirs(torch.nn)
        for name, array in arrays_of(network.ours().build(seed=0)).items():
            self.model.get_parameter(name).data.copy_(torch.from_numpy(array.copy()))
        self.loss = torch.nn.MSELoss() if network.copies else torch.nn.CrossEntropyLoss()
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = "bias_hh" not in name  # a second bias of an LSTM, which minidl has not
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        if network.optimizer == "adam":
            self.optimizer = torch.optim.Adam(trained, 1e-3, fused=True)
        else:
            self.optimizer = torch.optim.SGD(trained, 1e-2, 0.9)
        self.rng = np.random.default_rng(1)

    def step(self) -> float:
        """The usual loop."""
        import torch

        rows = torch.from_numpy(self.rng.integers(0, ROWS, self.network.batch))
        loss = self.loss(self.model(self.x.index_select(0, rows)), self.targets.index_select(0, rows))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def contenders(network: Network) -> dict[str, Callable[[], float]]:
    """The steps of all that are installed, by name, after a look whether they learn the same."""
    made: dict[str, Any] = {"minidl": Ours(network, "numpy")}
    if installed("numba"):
        made["minidl[fast]"] = Ours(network, "compiled")
    if installed("torch"):
        made["PyTorch"] = Theirs(network)
    learned = {name: [one.step() for _ in range(STEPS)][-1] for name, one in made.items()}
    lowest, highest = min(learned.values()), max(learned.values())
    if highest > lowest * (1 + TOLERANCE):
        raise SystemExit(f"{network.name}: expected losses that agree after {STEPS} steps, received {learned}")
    return {name: one.step for name, one in made.items()}


def line(network: Network, seconds: float) -> list[float]:
    """Microseconds of a step of each, in the order of `contenders`."""
    return [1e6 * time for time in least(list(contenders(network).values()), seconds)]


def memory(number: int, name: str) -> float:
    """The highest memory of some steps in MB over what the process held before, in a process of its own."""
    return float(answer(1, __file__, "--memory", str(number), name, more=KEEP_MEMORY))


def of_this_process(network: Network, name: str) -> float:
    """What `memory` asks for."""
    made = Theirs(network) if name == "PyTorch" else Ours(network, {"minidl": "numpy"}.get(name, "compiled"))
    made.x[:1] * 1  # the data are there
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(STEPS):
        made.step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    """Print the table, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repetitions of the last row")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows with this in their names")
    parser.add_argument("--measure", type=int, metavar="ROW", help=argparse.SUPPRESS)
    parser.add_argument("--memory", nargs=2, metavar=("ROW", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    seconds = QUICK if options.quick else SECONDS
    if options.measure is not None:
        print(json.dumps(line(NETWORKS[options.measure], seconds)))
        return
    if options.memory:
        print(of_this_process(NETWORKS[int(options.memory[0])], options.memory[1]))
        return
    names = ["minidl", *["minidl[fast]"] * bool(installed("numba")), *["PyTorch"] * bool(installed("torch"))]
    times, sizes = (" | ".join(f"{name}, {unit}" for name in names) for unit in ("µs", "MB"))
    print(f"| network | {times} | ratio | aim | {sizes} |")
    print(f"|---|{'--:|' * (2 * len(names) + 2)}")
    chosen = [number for number, network in enumerate(NETWORKS) if options.only in network.name]
    for number in chosen[-1:] if options.quick else chosen:
        command = [sys.executable, __file__, "--measure", str(number), *["--quick"] * options.quick]
        done = subprocess.run(command, check=True, env=settings(1, KEEP_MEMORY), stdout=subprocess.PIPE, text=True)
        taken = json.loads(done.stdout)
        ratio = f"{min(taken[:-1]) / taken[-1]:.2f}" if names[-1] == "PyTorch" else "-"
        held = [f"{memory(number, name):.0f}" for name in names]
        cells = [*map(spaced, taken), ratio, f"<= {NETWORKS[number].aim}", *held]
        print(f"| {NETWORKS[number].name} | {' | '.join(cells)} |", flush=True)
    print(
        f"\n- Versions: {versions([name for name in ('numba', 'torch') if installed(name)])}.\n- Machine: {machine()}."
    )


if __name__ == "__main__":
    main()

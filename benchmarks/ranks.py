"""One run on two processes beside one process with one and with two threads, on one machine.

    python benchmarks/ranks.py            # a minute
    python benchmarks/ranks.py --quick    # seconds

float32, a ReLU network 784-width-width-10 with Adam, milliseconds per step of `fit`, medians of the steps. The last
column is what the model of docs/distributed.md expects of four machines, from the bytes and the operations of a step.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from limits import roofline
from processes import settings
from table import machine

from minidl import Adam, Callback, Linear, ReLU, Sequential, SoftmaxCrossEntropy

SIZES = ((100, 128), (1000, 256), (2000, 1024))
NETWORK = 1.25e9  # bytes a second: ten gigabits


class Clock(Callback):
    """Notes when each step ended."""

    def on_fit_begin(self, trainer: object) -> None:
        """Begin."""
        self.ends = [perf_counter()]

    def on_step_end(self, trainer: object) -> None:
        """Note the time."""
        self.ends.append(perf_counter())


def measured(width: int, batch: int, steps: int) -> float:
    """Milliseconds of a step in this process."""
    from minidl.distributed import Trainer

    rng = np.random.default_rng(0)
    x, labels = rng.standard_normal((4 * batch, 784), np.float32), rng.integers(0, 10, 4 * batch)
    model = Sequential(Linear(784, width), ReLU(), Linear(width, width), ReLU(), Linear(width, 10)).build(seed=0)
    clock = Clock()
    trainer = Trainer(model, SoftmaxCrossEntropy(), Adam(), callbacks=[clock])
    trainer.fit((x, labels), steps=steps, batch_size=batch, progress=False)
    return 1000 * median(np.diff(clock.ends)[len(clock.ends) // 4 :])


def expected(width: int, batch: int, machines: int) -> float:
    """How many times as fast several machines are: see docs/distributed.md."""
    numbers = 784 * width + width * width + 10 * width
    compute = 6 * batch * numbers / max(roofline()["float32"].values())
    exchange = 2 * 4 * numbers * (machines - 1) / machines / NETWORK
    return compute / (compute / machines + exchange)


def main() -> None:
    """Print the table, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smallest network, few steps")
    parser.add_argument("--measure", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        from mpi4py import MPI

        found = measured(*options.measure)
        if MPI.COMM_WORLD.Get_rank() == 0:
            print(found)
        return
    beside = Path(sys.executable).parent / "mpiexec"
    mpiexec = str(beside) if beside.exists() else "mpiexec"
    print("| network, batch | one process, one thread | one, two threads | two processes | four machines, expected |")
    print("|---|--:|--:|--:|--:|")
    for width, batch in SIZES[:1] if options.quick else SIZES:
        steps = str(20 if options.quick else 60)
        cells = []
        for ranks, threads in ((1, 1), (1, 2), (2, 1)):
            command = [mpiexec, "-n", str(ranks), sys.executable, __file__, "--measure", str(width), str(batch), steps]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=settings(threads))
            cells.append(f"{float(done.stdout):.1f} ms")
        print(
            f"| 784-{width}-{width}-10, {batch} | {' | '.join(cells)} | {expected(width, batch, 4):.1f}x |", flush=True
        )
    print(f"\n- Machine: {machine()}.")


if __name__ == "__main__":
    main()

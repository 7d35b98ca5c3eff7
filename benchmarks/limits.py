"""What a step cannot be faster than: rows and weights that come from memory, and the arithmetic of its products.

    python benchmarks/limits.py    # the bandwidth and the peak of this machine, some seconds

Bandwidth is that of reading: the sum of a vector of 256 MB, which no cache holds. The peak is that of the matrix
library: a product of two matrices (2048, 2048) of float32. Both are the best of several repetitions in a process of its
own, at the better number of threads.

A step must read the rows of its batch, which lie anywhere in a training set that no cache holds. Where weights,
gradient and what the optimizer remembers are larger than `CACHE`, they come from memory too, each time they are read or
written. A product of (n, in) and (in, out) is 2 n in out operations: one forward, one for dW, and one for dx above the
first layer.
"""

import argparse
import json
from functools import cache
from itertools import pairwise
from time import perf_counter
from typing import NamedTuple

import numpy as np
from processes import THREADS, answer
from workloads import Workload

CACHE = 32 * 2**20  # bytes: that of the last level, or more, on all processors met so far
PASSES = {"sgd": 3, "adam": 7}  # of the optimizer over memory: w twice, g once, and each slot twice


class Limit(NamedTuple):
    """Microseconds of a step."""

    memory: float
    products: float

    @property
    def sum(self) -> float:
        """Both, one after the other."""
        return self.memory + self.products


def limit(workload: Workload) -> Limit:
    """What the traffic and the products of a step take at the bandwidth and the peak of this machine."""
    layers, itemsize = list(pairwise(workload.widths)), np.dtype(workload.dtype).itemsize
    numbers = sum(m * n for m, n in layers)
    traffic = workload.batch_size * workload.widths[0] * itemsize
    if numbers * itemsize * 4 > CACHE:
        traffic += numbers * itemsize * (PASSES[workload.optimizer] + 4)  # W read twice, dW written and read
    products = sum((2 if place == 0 else 3) * m * n for place, (m, n) in enumerate(layers))
    machine = roofline()
    scale = itemsize / 4
    return Limit(
        traffic / machine["bandwidth"] * 1e6, 2 * workload.batch_size * products * scale / machine["peak"] * 1e6
    )


def sentence(workload: Workload, microseconds: float) -> str:
    """What limits a step, and how far the time it took is from that."""
    memory, products = limit(workload)
    share = "memory" if memory > products else "products"
    aim = f" (aim: at most {workload.aims[2]})" if workload.aims and workload.aims[2] else ""
    return (
        f"{workload.name}: at least {memory + products:.0f} µs = {memory:.0f} of memory + {products:.0f} of products "
        f"(mostly {share}); the fastest loop of minidl takes {microseconds / (memory + products):.1f} times that{aim}."
    )


@cache
def roofline() -> dict[str, float]:
    """Bytes and operations a second, each at its better number of threads."""
    found = [json.loads(answer(threads, __file__, "--measure")) for threads in THREADS]
    return {name: max(each[name] for each in found) for name in found[0]}


def measured() -> dict[str, float]:
    """Of this process."""
    x = np.ones(64 * 2**20, np.float32)
    a = np.ones((2048, 2048), np.float32)
    out = np.empty_like(a)
    bandwidth = x.nbytes / min(_seconds(lambda: x.sum()) for _ in range(7))
    return {
        "bandwidth": bandwidth,
        "peak": 2 * 2048**3 / min(_seconds(lambda: np.matmul(a, a, out=out)) for _ in range(7)),
    }


def _seconds(call) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


def described() -> str:
    """The roofline in words."""
    found = roofline()
    return f"{found['bandwidth'] / 1e9:.1f} GB/s of reading and {found['peak'] / 1e9:.0f} GFLOP/s of float32 products"


def main() -> None:
    """Print the roofline, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().measure:
        print(json.dumps(measured()))
        return
    print(described())


if __name__ == "__main__":
    main()
